/* Variables of a graph to and from safetensors, by name. */
#include <stdlib.h>

#include "../base/base.h"
#include "archive.h"
#include "source.h"

#define ARCHIVE_NAME "the archive"

static tide_status graph_fail_at(const char *path, tide_val v, tide_failure *f) {
    const tide_failure *cause = tide_error(v.graph);
    tide_status status = cause->status ? cause->status : TIDE_EINVAL;
    return fail_at(f, status, path, 0, NULL, "variable '%.80s' cannot be used: %.480s", tide_name_of(v),
                   cause->status ? cause->message : "it has no value");
}

/* Borrows everything: names and elements stay the graph's. */
static tide_status borrow(tide_list variables, tide_tensor *out, const char *path, tide_failure *f) {
    for (int64_t i = 0; i < variables.count; i++) {
        tide_val v = variables.items[i];
        if (!tide_ok(v)) return graph_fail_at(path, v, f);
        const void *data = tide_data(v);
        if (!data && tide_shape_count(tide_shape_of(v)) > 0) return graph_fail_at(path, v, f);
        out[i] = (tide_tensor){ (char *)(uintptr_t)tide_name_of(v), tide_dtype_of(v), tide_shape_of(v),
                                (void *)(uintptr_t)data };
    }
    return TIDE_OK;
}

/* The archive's tensors borrow from the graph: free(out->tensors) alone. */
static tide_status view_of(tide_list variables, const char *path, tide_archive *out, tide_failure *f) {
    *out = (tide_archive){ .count = variables.count };
    if (!list_readable(variables)) return argument_fail(f, path, "list of variables that can be read");
    out->tensors = bytes_new(variables.count * (int64_t)sizeof *out->tensors);
    if (!out->tensors) return memory_fail(f, path, variables.count * (int64_t)sizeof *out->tensors);
    return borrow(variables, out->tensors, path, f);
}

tide_status tide_save(tide_list variables, const char *path, tide_failure *failure) {
    failure_clear(failure);
    tide_archive view;
    tide_status status = view_of(variables, path, &view, failure);
    if (!status) status = tide_safetensors_write(path, &view, failure);
    free(view.tensors);
    return status;
}

tide_status tide_save_memory(tide_list variables, void **bytes, size_t *size, tide_failure *failure) {
    failure_clear(failure);
    tide_archive view;
    tide_status status = view_of(variables, MEMORY_NAME, &view, failure);
    if (!status) status = tide_safetensors_write_memory(&view, bytes, size, failure);
    free(view.tensors);
    return status;
}

static tide_shape without_outer_ones(tide_shape s) {
    int first = 0, last = s.ndim;
    while (first < last && s.dim[first] == 1) first++;
    while (last > first && s.dim[last - 1] == 1) last--;
    tide_shape out = { .ndim = last - first };
    for (int i = 0; i < out.ndim; i++) out.dim[i] = s.dim[first + i];
    return out;
}

static tide_status check_fits(tide_val v, const tide_tensor *t, const char *path, tide_failure *f) {
    char have[128], want[128];
    const char *name = tide_name_of(v);
    if (!tide_ok(v)) return graph_fail_at(path, v, f);
    if (!*name) return fail_at(f, TIDE_EINVAL, path, 0, NULL, "an item of the list is not a variable");
    if (!t) return fail_at(f, TIDE_EDATA, path, 0, NULL, "variable '%.80s' is not in this file", name);
    if (t->type != tide_dtype_of(v))
        return fail_at(f, TIDE_ETYPE, path, 0, NULL, "variable '%.80s' is %s in this file; %s is needed", name,
                       tide_dtype_name(t->type), tide_dtype_name(tide_dtype_of(v)));
    if (!tide_shape_equal(without_outer_ones(t->shape), without_outer_ones(tide_shape_of(v))))
        return fail_at(f, TIDE_ESHAPE, path, 0, NULL, "variable '%.80s' has shape %s in this file; %s is needed", name,
                       shape_text(have, t->shape), shape_text(want, tide_shape_of(v)));
    return TIDE_OK;
}

/* All are checked before the first is written: a failure changes nothing. */
static tide_status load_from(const tide_archive *a, tide_list variables, const char *path, tide_failure *f) {
    for (int64_t i = 0; i < variables.count; i++) {
        tide_val v = variables.items[i];
        tide_status status = check_fits(v, tide_archive_find(a, tide_name_of(v)), path, f);
        if (status) return status;
    }
    for (int64_t i = 0; i < variables.count; i++) {
        const tide_tensor *t = tide_archive_find(a, tide_name_of(variables.items[i]));
        size_t bytes = (size_t)tide_shape_count(t->shape) * tide_dtype_size(t->type);
        if (tide_write(variables.items[i], t->data, bytes)) return graph_fail_at(path, variables.items[i], f);
    }
    return TIDE_OK;
}

tide_status tide_load(tide_list variables, const char *path, tide_failure *failure) {
    failure_clear(failure);
    tide_archive a;
    if (!list_readable(variables)) return argument_fail(failure, path, "list of variables that can be read");
    tide_status status = tide_safetensors_read(path, &a, failure);
    if (status) return status;
    status = load_from(&a, variables, path, failure);
    tide_archive_free(&a);
    return status;
}

tide_status tide_load_memory(tide_list variables, const void *bytes, size_t size, tide_failure *failure) {
    failure_clear(failure);
    tide_archive a;
    if (!list_readable(variables)) return argument_fail(failure, MEMORY_NAME, "list of variables that can be read");
    tide_status status = tide_safetensors_read_memory(bytes, size, &a, failure);
    if (status) return status;
    status = load_from(&a, variables, MEMORY_NAME, failure);
    tide_archive_free(&a);
    return status;
}

tide_status tide_load_archive(tide_list variables, const tide_archive *a, tide_failure *failure) {
    failure_clear(failure);
    if (!list_readable(variables)) return argument_fail(failure, ARCHIVE_NAME, "list of variables that can be read");
    tide_status status = archive_checked(a, ARCHIVE_NAME, failure);
    return status ? status : load_from(a, variables, ARCHIVE_NAME, failure);
}
