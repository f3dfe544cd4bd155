/* PEMS: an .npz with an array `data` [rows, nodes, 3], of which the first channel (flow) is used. No time stamps. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "frame_reading.h"

static double element(const tide_tensor *t, int64_t i) {
    switch (t->type) {
    case TIDE_F32: return ((const float *)t->data)[i];
    case TIDE_F64: return ((const double *)t->data)[i];
    case TIDE_I32: return ((const int32_t *)t->data)[i];
    case TIDE_I64: return (double)((const int64_t *)t->data)[i];
    case TIDE_U8: return ((const uint8_t *)t->data)[i];
    default: return 0;
    }
}

static bool has_numbers(tide_dtype type) {
    return type == TIDE_F32 || type == TIDE_F64 || type == TIDE_I32 || type == TIDE_I64 || type == TIDE_U8;
}

static const tide_tensor *find_data(reading *r, const tide_archive *archive) {
    const tide_tensor *t = tide_archive_find(archive, "data");
    bool fits = t && t->shape.ndim >= 2 && t->shape.ndim <= 3 && tide_shape_count(t->shape) > 0 && has_numbers(t->type);
    if (!fits)
        forecast_fail(r->failure, TIDE_EDATA, r->path, 0, "data",
                      "%s; `kind` pems needs an array 'data' of numbers, rows x nodes x channels",
                      t ? "the array 'data' has another shape or type" : "the file has no array 'data'");
    return fits ? t : NULL;
}

/* Without a header the nodes' numbers are their names. */
static tide_status name_nodes(frame *f, int64_t first) {
    f->names = calloc((size_t)f->columns, sizeof *f->names);
    for (int64_t c = 0; f->names && c < f->columns; c++) {
        char name[24];
        snprintf(name, sizeof name, "%" PRId64, first + c);
        f->names[c] = strdup(name);
        if (!f->names[c]) return TIDE_ENOMEM;
    }
    return f->names ? TIDE_OK : TIDE_ENOMEM;
}

/* The node that --target names; -1 with the failure set. */
static int64_t find_node(reading *r, int64_t nodes) {
    char name[24];
    if (!r->options->target) return nodes - 1;
    for (int64_t c = 0; c < nodes; c++) {
        snprintf(name, sizeof name, "%" PRId64, c);
        if (!strcmp(name, r->options->target)) return c;
    }
    forecast_fail(r->failure, TIDE_EDATA, r->path, 0, r->options->target,
                  "`target`: there is no node '%s'; nodes are 0 to %" PRId64, r->options->target, nodes - 1);
    return -1;
}

static tide_status copy_channel(reading *r, const tide_tensor *t) {
    frame *f = r->out;
    int64_t nodes = t->shape.dim[1], channels = t->shape.ndim == 3 ? t->shape.dim[2] : 1;
    int64_t target = find_node(r, nodes);
    if (target < 0) return r->failure ? r->failure->status : TIDE_EDATA;
    bool only_target = r->options->features == FEATURES_S;
    int64_t first = only_target ? target : 0;
    f->file_rows = t->shape.dim[0];
    f->columns = only_target ? 1 : nodes;
    f->target = target - first;
    f->values = malloc((size_t)(f->file_rows * f->columns) * sizeof *f->values);
    if (!f->values || name_nodes(f, first)) return reading_no_memory(r);
    for (int64_t i = 0; i < f->file_rows; i++)
        for (int64_t c = 0; c < f->columns; c++)
            f->values[i * f->columns + c] = element(t, (i * nodes + first + c) * channels);
    if (r->options->freq) step_parse(r->options->freq, &f->step);
    return TIDE_OK;
}

tide_status reading_pems(reading *r) {
    tide_archive archive = { 0 };
    tide_status status = tide_npz_read(r->path, &archive, r->failure);
    const tide_tensor *data = status ? NULL : find_data(r, &archive);
    if (!status) status = data ? copy_channel(r, data) : TIDE_EDATA;
    tide_archive_free(&archive);
    return status;
}
