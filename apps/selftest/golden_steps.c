/* Sixty training steps beside those of a golden file: losses, norms of the gradient, parameters at the end. */
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/base.h"
#include "golden.h"

const char golden_steps_file[] = "itransformer_adam60.npz";

/* Sixty steps in float32 are 6e-7 from the same in float64, in PyTorch as here; the rest is other orders of sums. */
static const double allowed_in_f32 = 1e-5;

typedef struct steps {
    tide_archive   file;
    tide_graph    *g;
    itransformer   model;
    int64_t        batch, rows, count;
    float         *scaled;
    const double  *losses, *norms;
    tide_val       start, loss, norm, update;
    double         allowed;
} steps;

/* ---- the file ---- */

/* The array `name` of *rows * columns numbers; NULL and a failure if it is not there. *rows 0: any, and found. */
static const void *array(const steps *t, const char *path, const char *name, tide_dtype type, int64_t *rows,
                         int64_t columns, tide_failure *failure) {
    const tide_tensor *found = tide_archive_find(&t->file, name);
    int64_t count = found && found->type == type ? tide_shape_count(found->shape) : 0;
    if (*rows == 0) *rows = count / columns;
    if (count > 0 && count == *rows * columns) return found->data;
    fail_at(failure, TIDE_EDATA, path, 0, name, "%s has no '%s' of type %s with %" PRId64 " numbers a row", path, name,
            tide_dtype_name(type), columns);
    return NULL;
}

static const double *numbers(const steps *t, const char *path, const char *name, int64_t count, tide_failure *failure) {
    return array(t, path, name, TIDE_F64, &count, 1, failure);
}

/* As the application scales: in double, rounded once. */
static tide_status scale(steps *t, const char *path, int64_t columns, tide_failure *failure) {
    const float  *series = array(t, path, "series", TIDE_F32, &t->rows, columns, failure);
    const double *mean   = series ? numbers(t, path, "mean", columns, failure) : NULL;
    const double *std    = mean ? numbers(t, path, "std", columns, failure) : NULL;
    if (!std) return TIDE_EDATA;
    t->scaled = malloc((size_t)(t->rows * columns) * sizeof *t->scaled);
    if (!t->scaled) return fail(failure, TIDE_ENOMEM, "selftest: out of memory");
    for (int64_t i = 0; i < t->rows * columns; i++)
        t->scaled[i] = (float)(((double)series[i] - mean[i % columns]) / std[i % columns]);
    return TIDE_OK;
}

static tide_status read_expected(steps *t, const char *path, const model_config *c, tide_failure *failure) {
    t->losses = array(t, path, "losses", TIDE_F64, &t->count, 1, failure);
    t->norms  = t->losses ? numbers(t, path, "grad_norms", t->count, failure) : NULL;
    if (!t->norms) return TIDE_EDATA;
    int64_t needed = t->count * t->batch - 1 + c->seq_len + c->pred_len;
    if (t->rows >= needed) return TIDE_OK;
    return fail_at(failure, TIDE_EDATA, path, 0, "series",
                   "%s: %" PRId64 " steps need a series of %" PRId64 " rows, not %" PRId64, path, t->count, needed,
                   t->rows);
}

/* ---- the steps ---- */

/* The forecaster's step: windows of the series, gradient clipped by its norm, Adam. */
static tide_status build(steps *t, const char *path, const model_config *c, tide_failure *failure) {
    const float  *marks = array(t, path, "marks", TIDE_F32, &t->rows, c->marks, failure);
    const double *lr    = marks ? numbers(t, path, "lr", 1, failure) : NULL;
    const double *clip  = lr ? numbers(t, path, "grad_clip", 1, failure) : NULL;
    if (!clip) return TIDE_EDATA;
    tide_val series = tide_constant(t->g, TIDE_F32, TIDE_SHAPE(t->rows, c->columns), t->scaled);
    tide_val times  = tide_constant(t->g, TIDE_F32, TIDE_SHAPE(t->rows, c->marks), marks);
    t->start        = tide_input(t->g, "start", TIDE_I32, TIDE_SHAPE(t->batch));
    tide_val x      = tide_windows(series, t->start, c->seq_len), x_mark = tide_windows(times, t->start, c->seq_len);
    tide_val y      = tide_windows(series, tide_add_scalar(t->start, (double)c->seq_len), c->pred_len);
    const model_windows window = { .past = x, .marks = x_mark };
    t->loss = tide_mse(itransformer_apply(&t->model, &window, TIDE_TRAIN, NULL), y);
    tide_list params = tide_params(t->g, ""), gradients = tide_grad(t->loss, params);
    t->norm   = tide_global_norm(gradients);
    t->update = tide_adam(params, tide_clip_norm(gradients, *clip), &(tide_adamw_opts){ .lr = tide_scalar(t->g, *lr) });
    return golden_load(&t->file, path, "param0/", params, failure);
}

static void compare(const char *what, int64_t step, double got, double expected, double allowed, check_result *out) {
    double error = fabs(got / expected - 1);
    if (!(error > out->error) && !isnan(error)) return;
    out->error = isnan(error) ? INFINITY : error;
    if (error <= allowed) return;
    out->passed = false;
    snprintf(out->detail, sizeof out->detail,
             "%s of step %" PRId64 ": expected %.8g, got %.8g, %.3g relative apart, %.3g allowed", what, step, expected,
             got, error, allowed);
}

static tide_status run(steps *t, const char *path, check_result *out, tide_failure *failure) {
    tide_program *p      = tide_compile(TIDE_LIST(t->loss, t->norm, t->update), NULL);
    int32_t      *starts = calloc((size_t)t->batch, sizeof *starts);
    tide_status   status = p && starts ? TIDE_OK : fail(failure, TIDE_ENOMEM, "selftest: out of memory");
    for (int64_t step = 0; status == TIDE_OK && step < t->count; step++) {
        float loss = NAN, norm = NAN;
        for (int64_t i = 0; i < t->batch; i++) starts[i] = (int32_t)(step * t->batch + i);
        if (tide_run(p, (tide_feed[]){ { t->start, starts } }, 1) != TIDE_OK)
            status = fail(failure, tide_program_error(p)->status, "%s: %.500s", path, tide_program_error(p)->message);
        tide_read(t->loss, &loss, sizeof loss);
        tide_read(t->norm, &norm, sizeof norm);
        compare("loss", step, (double)loss, t->losses[step], t->allowed, out);
        compare("gradient norm", step, (double)norm, t->norms[step], t->allowed, out);
    }
    free(starts);
    return status;
}

tide_status golden_steps_check(const char *path, check_on on, check_result *out, tide_failure *failure) {
    steps        t = { .allowed = check_allowed(on, allowed_in_f32) };
    model_config config;
    *out = (check_result){ .passed = true };
    tide_status status = tide_npz_read(path, &t.file, failure);
    if (status == TIDE_OK) status = golden_config(&t.file, path, &config, &t.batch, failure);
    if (status == TIDE_OK && (config.columns < 1 || config.marks < 1 || t.batch < 1))
        status = fail_at(failure, TIDE_EDATA, path, 0, "config", "%s: steps need a batch, columns and marks", path);
    if (status == TIDE_OK) status = scale(&t, path, config.columns, failure);
    if (status == TIDE_OK) status = read_expected(&t, path, &config, failure);
    if (status == TIDE_OK) {
        t.g = tide_graph_new(on.device);
        if (!t.g || !itransformer_new(t.g, &config, &t.model))
            status = fail(failure, TIDE_ENOMEM, "selftest: out of memory");
    }
    if (status == TIDE_OK) tide_autocast(t.g, on.precision);
    if (status == TIDE_OK) status = build(&t, path, &config, failure);
    if (status == TIDE_OK) status = run(&t, path, out, failure);
    itransformer_free(&t.model);
    tide_graph_free(t.g);
    free(t.scaled);
    tide_archive_free(&t.file);
    return status;
}
