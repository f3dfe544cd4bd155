/* The loss without an input: each window is forecast once as it is, and once with each input flat. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/base.h"
#include "explaining.h"
#include "train/step.h"

/* A job is a window with one input flat; none is in the first of each window. */
typedef struct flats {
    explaining  *e;
    flat_program program;
    int64_t      jobs;
    int32_t     *start;
    float       *keep, *truth;
    double      *count;        /* (targets): known truths of all windows */
} flats;

static void set_batch(flats *f, int64_t at) {
    int64_t inputs = f->e->out->count;
    for (int64_t i = 0; i < f->program.batch; i++) {
        int64_t job = MIN2(at + i, f->jobs - 1), without = job % (inputs + 1) - 1;
        f->start[i] = f->e->start[job / (inputs + 1)];
        for (int64_t k = 0; k < inputs; k++) f->keep[i * inputs + k] = k != without;
    }
}

/* Squared errors of one forecast (out columns, pred_len). */
static void add_errors(flats *f, int64_t window, const float *forecast, int64_t without) {
    const model_config *c    = explained_config(f->e);
    forecast_inputs    *out  = f->e->out;
    double             *into = without < 0 ? out->mse : out->mse_flat + without * c->out_count;
    dataset_truth(f->e->data, f->e->start[window], c->seq_len, c->pred_len, f->truth);
    for (int64_t t = 0; t < c->out_count; t++)
        for (int64_t s = 0; s < c->pred_len; s++) {
            double error = forecast[t * c->pred_len + s] - (double)f->truth[s * c->out_count + t];
            if (isnan(error)) continue;
            into[t] += error * error;
            if (without < 0) f->count[t]++;
        }
}

static tide_status run_batch(flats *f, int64_t at, tide_failure *failure) {
    const model_config *c = explained_config(f->e);
    flat_program       *p = &f->program;
    int64_t             inputs = f->e->out->count, each = c->out_count * c->pred_len;
    set_batch(f, at);
    tide_feed   feeds[] = { { p->start, f->start }, { p->keep, f->keep } };
    tide_status status  = tide_run(p->program, feeds, 2);
    if (status != TIDE_OK && failure && !failure->status) *failure = *tide_program_error(p->program);
    if (status != TIDE_OK) return fail(failure, status, "the device failed while explaining");
    const float *forecast = tide_data(p->forecast);
    if (!forecast) return train_unread(f->e->session->graph, "the forecasts", failure);
    for (int64_t i = 0; i < p->batch && at + i < f->jobs; i++)
        add_errors(f, (at + i) / (inputs + 1), forecast + i * each, (at + i) % (inputs + 1) - 1);
    return TIDE_OK;
}

static double mean_known(const double *mse, int64_t count) {
    double  sum = 0;
    int64_t n   = 0;
    for (int64_t t = 0; t < count; t++)
        if (!isnan(mse[t])) sum += mse[t], n++;
    return n ? sum / (double)n : (double)NAN;
}

static void finish(flats *f) {
    forecast_inputs *out = f->e->out;
    int64_t          n   = out->targets;
    for (int64_t t = 0; t < n; t++) {
        double count = f->count[t] > 0 ? f->count[t] : (double)NAN;
        out->mse[t] /= count;
        for (int64_t i = 0; i < out->count; i++) out->mse_flat[i * n + t] /= count;
    }
    double whole = mean_known(out->mse, n);
    for (int64_t i = 0; i < out->count; i++) {
        double without = mean_known(out->mse_flat + i * n, n);
        out->input[i].loss_rise = without == whole ? 0 : 100 * (without - whole) / whole;
    }
}

static bool room_new(flats *f) {
    const model_config *c = explained_config(f->e);
    forecast_inputs    *out = f->e->out;
    size_t b = (size_t)f->program.batch, n = (size_t)c->out_count;
    f->start      = malloc(b * sizeof *f->start);
    f->keep       = malloc(b * (size_t)out->count * sizeof *f->keep);
    f->truth      = malloc(n * (size_t)c->pred_len * sizeof *f->truth);
    f->count      = calloc(n, sizeof *f->count);
    out->mse      = calloc(n, sizeof *out->mse);
    out->mse_flat = calloc(n * (size_t)out->count, sizeof *out->mse_flat);
    return f->start && f->keep && f->truth && f->count && out->mse && out->mse_flat;
}

tide_status explain_flat(explaining *e, tide_failure *failure) {
    flats       f      = { .e = e, .jobs = e->windows * (e->out->count + 1) };
    pace        p      = { .all = f.jobs };
    tide_status status = flat_forecasts(e, f.jobs, &f.program, failure);
    if (status == TIDE_OK && !room_new(&f)) status = explaining_no_memory(failure);
    for (int64_t at = 0; status == TIDE_OK && at < f.jobs; at += f.program.batch) {
        status = run_batch(&f, at, failure);
        if (status == TIDE_OK) status = explaining_pace(e, &p, f.program.batch, failure);
    }
    if (status == TIDE_OK) finish(&f);
    tide_program_free(f.program.program);
    free(f.start), free(f.keep), free(f.truth), free(f.count);
    return status;
}
