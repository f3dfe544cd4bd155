/* Compares the model here with files of the published one: outputs, loss, attention, every gradient. */
#include "golden.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/base.h"

const char *const golden_files[GOLDEN_FILES] = {
    "itransformer_base.npz", "itransformer_nomark.npz", "itransformer_nonorm_relu.npz", "itransformer_many.npz",
};

typedef struct golden {
    tide_archive   file;
    tide_graph    *g;
    itransformer model;
    int64_t        batch;
    tide_val       x, marks, y, out, loss;
    tide_val      *attention;
    tide_list      params, grads;
    double         allowed;
} golden;

static const double allowed_in_f32 = 1e-5;

/* ---- building the file's model ---- */

static bool read_config(const tide_archive *file, model_config *c, int64_t *batch) {
    const tide_tensor *t = tide_archive_find(file, "config");
    if (!t || t->type != TIDE_I64 || tide_shape_count(t->shape) != 11) return false;
    const int64_t *v = t->data;
    for (int i = 0; i < 11; i++)
        if (v[i] < 0 || v[i] > 4096) return false;
    if (v[6] == 0 || v[8] == 0) return false;
    *batch = v[0];
    *c = (model_config){ .columns = v[1],
                         .marks = v[2],
                         .seq_len = v[3],
                         .pred_len = v[4],
                         .d_model = v[5],
                         .n_heads = v[6],
                         .head_size = v[5] / v[6],
                         .d_ff = v[7],
                         .e_layers = v[8],
                         .use_norm = v[9] != 0,
                         .relu = v[10] == 0 };
    return true;
}

tide_status golden_config(const tide_archive *file, const char *path, model_config *c, int64_t *batch,
                          tide_failure *failure) {
    if (read_config(file, c, batch)) return TIDE_OK;
    return fail_at(failure, TIDE_EDATA, path, 0, "config", "%s has no config of 11 sizes", path);
}

static void build(golden *t) {
    const model_config *c = &t->model.config;
    t->x = tide_input(t->g, "x", TIDE_F32, TIDE_SHAPE(t->batch, c->seq_len, c->columns));
    t->y = tide_input(t->g, "y", TIDE_F32, TIDE_SHAPE(t->batch, c->pred_len, c->columns));
    if (c->marks) t->marks = tide_input(t->g, "marks", TIDE_F32, TIDE_SHAPE(t->batch, c->seq_len, c->marks));
    const model_windows window = { .past = t->x, .marks = t->marks };
    t->out    = itransformer_apply(&t->model, &window, TIDE_EVAL, t->attention);
    t->loss   = tide_mse(t->out, t->y);
    t->params = tide_params(t->g, "");
    t->grads  = tide_grad(t->loss, t->params);
}

/* The tensor `prefix` + `name` of the file if it has `count` F32 elements. */
static const float *values_of(const tide_archive *file, const char *prefix, const char *name, int64_t count) {
    char full[256];
    snprintf(full, sizeof full, "%s%s", prefix, name);
    const tide_tensor *found = tide_archive_find(file, full);
    return found && found->type == TIDE_F32 && tide_shape_count(found->shape) == count ? found->data : NULL;
}

tide_status golden_load(const tide_archive *file, const char *path, const char *prefix, tide_list params,
                        tide_failure *failure) {
    for (int64_t i = 0; i < params.count; i++) {
        const char *name = tide_name_of(params.items[i]);
        int64_t count = tide_shape_count(tide_shape_of(params.items[i]));
        const float *values = values_of(file, prefix, name, count);
        if (!values)
            return fail_at(failure, TIDE_EDATA, path, 0, name, "%s has no %s%s of %" PRId64 " numbers", path, prefix,
                           name, count);
        tide_write(params.items[i], values, (size_t)count * sizeof(float));
    }
    return TIDE_OK;
}

/* ---- comparing ---- */

/* Largest difference over the largest truth: what "relative to the tensor's norm" means for its worst element. */
static double distance(const float *got, const float *truth, int64_t count) {
    double worst = 0, largest = 0;
    for (int64_t i = 0; i < count; i++) {
        double apart = fabs((double)got[i] - (double)truth[i]);
        worst   = isnan(apart) ? INFINITY : fmax(worst, apart);
        largest = fmax(largest, fabs((double)truth[i]));
    }
    return worst / fmax(largest, 1e-30);
}

static void compare(golden *t, tide_val v, const char *prefix, const char *name, check_result *out) {
    int64_t count = tide_ok(v) ? tide_shape_count(tide_shape_of(v)) : 0;
    const float *truth = values_of(&t->file, prefix, name, count), *got = tide_data(v);
    double error = truth && got ? distance(got, truth, count) : INFINITY;
    if (error > out->error) {
        out->error = error;
        if (!(error <= t->allowed))
            snprintf(out->detail, sizeof out->detail, "%s%s: %.3g of its largest element apart, %.3g allowed. %.100s",
                     prefix, name, error,
                     t->allowed, got ? "" : tide_error(t->g)->message);
    }
    out->passed = out->passed && error <= t->allowed;
}

static void compare_all(golden *t, check_result *out) {
    static const char skipped[] = "key_projection.bias";
    *out = (check_result){ .passed = true };
    compare(t, t->out, "", "out", out);
    compare(t, t->loss, "", "loss", out);
    compare(t, t->attention[0], "", "attn0", out);
    for (int64_t i = 0; i < t->params.count; i++) {
        const char *name = tide_name_of(t->params.items[i]);
        if (!strstr(name, skipped)) compare(t, t->grads.items[i], "grad/", name, out);
    }
}

static tide_program *compile_all(const golden *t) {
    int64_t count = t->grads.count + 3;
    tide_val *wanted = malloc((size_t)count * sizeof *wanted);
    if (!wanted) return NULL;
    wanted[0] = t->out;
    wanted[1] = t->loss;
    wanted[2] = t->attention[0];
    for (int64_t i = 0; i < t->grads.count; i++) wanted[i + 3] = t->grads.items[i];
    tide_program *p = tide_compile((tide_list){ wanted, count }, NULL);
    free(wanted);
    return p;
}

static tide_status run(golden *t, const char *path, tide_failure *failure) {
    const tide_tensor *x = tide_archive_find(&t->file, "x"), *y = tide_archive_find(&t->file, "y");
    const tide_tensor *marks = tide_archive_find(&t->file, "x_mark");
    tide_feed feeds[3];
    if (!x || !y || !tide_shape_equal(x->shape, tide_shape_of(t->x)) ||
        !tide_shape_equal(y->shape, tide_shape_of(t->y)) ||
        (t->model.config.marks && !(marks && tide_shape_equal(marks->shape, tide_shape_of(t->marks)))))
        return fail_at(failure, TIDE_EDATA, path, 0, NULL, "%s: x, y or x_mark is not there or not of config's shape",
                       path);
    feeds[0] = (tide_feed){ t->x, x->data };
    feeds[1] = (tide_feed){ t->y, y->data };
    if (t->model.config.marks) feeds[2] = (tide_feed){ t->marks, marks->data };
    tide_program *p = compile_all(t);
    if (!p) return fail(failure, TIDE_ENOMEM, "selftest: out of memory");
    if (tide_run(p, feeds, t->model.config.marks ? 3 : 2) == TIDE_OK) return TIDE_OK;
    return fail(failure, tide_program_error(p)->status, "%s: %.500s", path, tide_program_error(p)->message);
}

tide_status golden_check(const char *path, check_on on, check_result *out, tide_failure *failure) {
    golden t = { .allowed = check_allowed(on, allowed_in_f32) };
    model_config config;
    tide_status status = tide_npz_read(path, &t.file, failure);
    if (status == TIDE_OK) status = golden_config(&t.file, path, &config, &t.batch, failure);
    if (status == TIDE_OK) {
        t.g         = tide_graph_new(on.device);
        t.attention = calloc((size_t)config.e_layers, sizeof *t.attention);
        if (!t.g || !t.attention || !itransformer_new(t.g, &config, &t.model))
            status = fail(failure, TIDE_ENOMEM, "selftest: out of memory");
    }
    if (status == TIDE_OK) {
        tide_autocast(t.g, on.precision);
        build(&t);
        status = golden_load(&t.file, path, "param/", t.params, failure);
    }
    if (status == TIDE_OK) status = run(&t, path, failure);
    if (status == TIDE_OK) compare_all(&t, out);
    itransformer_free(&t.model);
    tide_graph_free(t.g);
    free(t.attention);
    tide_archive_free(&t.file);
    return status;
}
