/* Integrated gradients (Sundararajan, Taly and Yan 2017) from flat windows: a sum over points in the middle of steps,
 * of which there are more until what they miss is small. A network that normalises its windows bends along the line at
 * its very beginning, where a flat window gets a shape, and hardly elsewhere: so the integral is over u, of which the
 * square is how far along a point lies. The middles' weights 2 u add up to 1, so a linear network's attributions are
 * exact. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/base.h"
#include "explaining.h"
#include "train/step.h"

enum { FIRST_STEPS = 32, MOST_STEPS = 128 };
static const double SMALL_GAP = 0.01; /* of what there is to attribute */

/* A job is a point of the line of one window for one target: `steps` in the middle of the steps, then the two ends. */
typedef struct path {
    explaining   *e;
    flat_program  program;
    int64_t       steps, jobs;
    int32_t      *start;
    float        *along, *pick;
    double       *sum;          /* of the window and target at hand: (seq_len, columns), (seq_len, marks), (pred_len,
                                   known) */
    double        ends[2];      /* its forecast, and the flat one */
    double       *missed, *moved;  /* (explained): of their windows, scaled */
    pace          pace;
} path;

static int64_t past_size(const model_config *c) { return c->seq_len * c->columns; }
static int64_t marks_size(const model_config *c) { return c->seq_len * c->marks; }
static int64_t known_size(const model_config *c) { return c->pred_len * c->known; }
static int64_t all_size(const model_config *c) { return past_size(c) + marks_size(c) + known_size(c); }
static int64_t points(const path *p) { return p->steps + 2; }
static double  u_of(const path *p, int64_t point) { return ((double)point + 0.5) / (double)p->steps; }

/* ---- a batch ---- */

static void set_batch(path *p, int64_t at) {
    const explaining   *e = p->e;
    const model_config *c = explained_config(e);
    int64_t             b = p->program.batch;
    memset(p->pick, 0, (size_t)(b * c->out_count) * sizeof *p->pick);
    for (int64_t i = 0; i < b; i++) {
        int64_t job = MIN2(at + i, p->jobs - 1), point = job % points(p), pair = job / points(p);
        p->start[i] = e->start[pair / e->out->explained_count];
        p->pick[i * c->out_count + e->target[pair % e->out->explained_count]] = 1;
        p->along[i] = point < p->steps ? (float)(u_of(p, point) * u_of(p, point)) : point == p->steps;
    }
}

static tide_status run_batch(path *p, int64_t at, tide_failure *failure) {
    flat_program *f = &p->program;
    set_batch(p, at);
    tide_feed   feeds[] = { { f->start, p->start }, { f->along, p->along }, { f->pick, p->pick } };
    tide_status status  = tide_run(f->program, feeds, 3);
    if (status != TIDE_OK && failure && !failure->status) *failure = *tide_program_error(f->program);
    return status == TIDE_OK ? status : fail(failure, status, "the device failed while explaining");
}

/* ---- a window and target ---- */

static void add_part(double *sum, const float *part, int64_t count, double share) {
    for (int64_t i = 0; part && i < count; i++) sum[i] += share * part[i];
}

/* A cell's number: its input and its row. */
static void cell_place(const model_config *c, int64_t cell, int64_t *input, int64_t *row) {
    int64_t past = past_size(c), marks = marks_size(c);
    if (cell < past) *input = cell % c->columns, *row = cell / c->columns;
    else if (cell < past + marks) *input = c->columns + (cell - past) % c->marks, *row = (cell - past) / c->marks;
    else {
        *input = c->columns - c->known + (cell - past - marks) % c->known;
        *row   = c->seq_len + (cell - past - marks) / c->known;
    }
}

static void fold(path *p, int64_t which) {
    const explaining   *e = p->e;
    const model_config *c = explained_config(e);
    forecast_explained *x = &e->out->explained[which];
    int64_t column = c->out_first + e->target[which], rows = c->seq_len + c->pred_len, input, row;
    double  unit = e->data->scaler.std[column], share = unit / (double)e->windows, all = 0;
    for (int64_t i = 0; i < all_size(c); i++) {
        cell_place(c, i, &input, &row);
        x->of[input].mean += share * p->sum[i], x->of[input].strength += share * fabs(p->sum[i]);
        x->by_row[input * rows + row] += share * fabs(p->sum[i]);
        all += p->sum[i];
    }
    x->forecast += share * p->ends[0], x->flat += share * p->ends[1];
    p->missed[which] += fabs(all - (p->ends[0] - p->ends[1])), p->moved[which] += fabs(p->ends[0] - p->ends[1]);
}

static tide_status take_batch(path *p, int64_t at, tide_failure *failure) {
    const model_config *c = explained_config(p->e);
    const flat_program *f = &p->program;
    const float *answer = tide_data(f->answer), *past = tide_data(f->past);
    const float *marks = f->marks.graph ? tide_data(f->marks) : NULL;
    const float *known = f->known.graph ? tide_data(f->known) : NULL;
    if (!answer || !past || (f->marks.graph && !marks) || (f->known.graph && !known))
        return train_unread(p->e->session->graph, "the gradients", failure);
    for (int64_t i = 0; i < f->batch && at + i < p->jobs; i++) {
        int64_t point = (at + i) % points(p), which = (at + i) / points(p) % p->e->out->explained_count;
        double  share = 2 * u_of(p, point) / (double)p->steps;
        if (!point) memset(p->sum, 0, (size_t)all_size(c) * sizeof *p->sum);
        if (point >= p->steps) p->ends[point - p->steps] = answer[i];
        if (point + 1 == points(p)) fold(p, which);
        if (point >= p->steps) continue;
        add_part(p->sum, past + i * past_size(c), past_size(c), share);
        if (marks) add_part(p->sum + past_size(c), marks + i * marks_size(c), marks_size(c), share);
        if (known) add_part(p->sum + past_size(c) + marks_size(c), known + i * known_size(c), known_size(c), share);
    }
    return TIDE_OK;
}

/* ---- all of them ---- */

static void begin(path *p, int64_t steps) {
    const model_config *c   = explained_config(p->e);
    forecast_inputs    *out = p->e->out;
    p->steps = out->steps = steps;
    p->jobs               = p->e->windows * out->explained_count * points(p);
    p->pace               = (pace){ .all = p->jobs };
    for (int64_t k = 0; k < out->explained_count; k++) {
        forecast_explained *x = &out->explained[k];
        memset(x->of, 0, (size_t)out->count * sizeof *x->of);
        memset(x->by_row, 0, (size_t)(out->count * (c->seq_len + c->pred_len)) * sizeof *x->by_row);
        x->forecast = x->flat = p->missed[k] = p->moved[k] = 0;
    }
}

static tide_status go_along(path *p, int64_t steps, tide_failure *failure) {
    tide_status status = TIDE_OK;
    begin(p, steps);
    for (int64_t at = 0; status == TIDE_OK && at < p->jobs; at += p->program.batch) {
        status = run_batch(p, at, failure);
        if (status == TIDE_OK) status = take_batch(p, at, failure);
        if (status == TIDE_OK) status = explaining_pace(p->e, &p->pace, p->program.batch, failure);
    }
    return status;
}

static double gap_of(const path *p) {
    double missed = 0, moved = 0;
    for (int64_t k = 0; k < p->e->out->explained_count; k++) missed += p->missed[k], moved += p->moved[k];
    return moved > 0 ? missed / moved : 0;
}

/* What the known column of a flat window's own forecast is, is its mean; units are the target's. */
static void finish(path *p) {
    forecast_inputs *out = p->e->out;
    for (int64_t k = 0; k < out->explained_count; k++) {
        forecast_explained *x = &out->explained[k];
        int64_t column = explained_config(p->e)->out_first + p->e->target[k];
        double  all    = 0, mean = p->e->data->scaler.mean[column];
        x->forecast += mean, x->flat += mean;
        x->gap = p->moved[k] > 0 ? p->missed[k] / p->moved[k] : 0;
        for (int64_t i = 0; i < out->count; i++) all += x->of[i].strength;
        for (int64_t i = 0; i < out->count; i++) {
            double part = 1 / (double)out->explained_count;
            x->of[i].share = all > 0 ? 100 * x->of[i].strength / all : 0;
            out->input[i].share += x->of[i].share * part;
            out->own_share += i == column ? x->of[i].share * part : 0;
        }
    }
}

static bool room_new(path *p) {
    const model_config *c = explained_config(p->e);
    size_t b = (size_t)p->program.batch, k = (size_t)p->e->out->explained_count;
    p->start  = malloc(b * sizeof *p->start);
    p->along  = malloc(b * sizeof *p->along);
    p->pick   = malloc(b * (size_t)c->out_count * sizeof *p->pick);
    p->sum    = malloc((size_t)all_size(c) * sizeof *p->sum + 1);
    p->missed = calloc(2 * k, sizeof *p->missed);
    p->moved  = p->missed ? p->missed + k : NULL;
    return p->start && p->along && p->pick && p->sum && p->missed;
}

tide_status explain_attributions(explaining *e, tide_failure *failure) {
    path        p      = { .e = e };
    int64_t     jobs   = e->windows * e->out->explained_count * (FIRST_STEPS + 2);
    tide_status status = flat_gradients(e, jobs, &p.program, failure);
    if (status == TIDE_OK && !room_new(&p)) status = explaining_no_memory(failure);
    for (int64_t steps = FIRST_STEPS; status == TIDE_OK && steps <= MOST_STEPS; steps *= 2) {
        status = go_along(&p, steps, failure);
        if (status == TIDE_OK && gap_of(&p) <= SMALL_GAP) break;
    }
    if (status == TIDE_OK) finish(&p);
    tide_program_free(p.program.program);
    free(p.start), free(p.along), free(p.pick), free(p.sum), free(p.missed);
    return status;
}
