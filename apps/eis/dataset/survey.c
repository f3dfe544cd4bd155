/* Two passes: one counts values in a histogram, one picks those in the bins that hold a quantile. */
#include "survey.h"

#include <math.h>
#include <stdlib.h>

#include "app_npz.h"
#include "base/parallel.h"
#include "generate.h"
#include "order.h"

enum { PICKS = 2 * QUANTILES };
const struct survey_quantile survey_quantiles[QUANTILES] = {
    { "p25", 0.25 }, { "median", 0.5 }, { "p75", 0.75 }, { "p90", 0.9 }
};

/* What the two programs that share the data generate. */
static const struct profile {
    const char *name;
    eis_circuit circuit;
    int64_t     frequencies;
    double      low_hz, high_hz;
    bool        full, reference;
} profiles[] = {
    [EIS_PROFILE_APP]       = { "app", EIS_SHUNT, 100, 0.1, 1e5, false, false },
    [EIS_PROFILE_GENERATOR] = { "generator", EIS_CHAIN, 50, 1, 1e6, true, true },
};

typedef struct values { double *data; int64_t count, room; bool failed; } values;

typedef struct tally {
    survey     *of;
    uint64_t   *histogram;
    order_pick  pick[PICKS];
    uint8_t    *wanted;  /* by bin: whether a pick is in it */
    values      found[PICKS];
} tally;

/* Calls `visit` for every circuit's value; an off-diagonal one counts twice in a full grid. */
#define FOR_EACH_VALUE(s, data, v, times, body)                                                                     \
    for (int64_t a_ = 0, at_ = 0; a_ < (s)->grid.membranes; a_++) {                                                 \
        int64_t first_ = resnorm_first(a_), n_ = (s)->grid.width - first_;                                          \
        for (int64_t r_ = 0; r_ < (s)->grid.points; r_++, at_ += n_)                                                \
            for (int64_t b_ = a_; b_ < (s)->grid.membranes; b_++) {                                                 \
                double v = (data)[at_ + b_ - first_];                                                               \
                int    times = 1 + ((s)->full && b_ > a_);                                                          \
                body                                                                                                \
            }                                                                                                       \
    }

static void count_values(const survey *s, const double *data, uint64_t *histogram, double *low, double *high) {
    FOR_EACH_VALUE(s, data, v, times, {
        histogram[order_bin(v)] += (uint64_t)times;
        *low  = v < *low ? v : *low;
        *high = v > *high ? v : *high;
    })
}

static void push(values *list, double v) {
    if (list->count == list->room) {
        int64_t room   = list->room ? 2 * list->room : 1024;
        double *larger = realloc(list->data, (size_t)room * sizeof *larger);
        if (!larger) {
            list->failed = true;
            return;
        }
        list->data = larger;
        list->room = room;
    }
    list->data[list->count++] = v;
}

static void pick_values(const tally *t, const double *data, values *found) {
    FOR_EACH_VALUE(t->of, data, v, times, {
        int64_t bin = order_bin(v);
        for (int k = 0; k < PICKS && t->wanted[bin]; k++)
            for (int i = 0; i < times && t->pick[k].bin == bin; i++) push(&found[k], v);
    })
}

/* ---- the two passes ---- */

typedef struct worker {
    double *data, *scratch;
    uint64_t *histogram;
    double low, high;
    values found[PICKS];
    bool begun, fine;
} worker;

static void worker_new(const survey *s, bool counting, worker *w) {
    *w           = (worker){ .low = INFINITY, .begun = true };
    w->data      = malloc((size_t)s->grid.values * sizeof *w->data);
    w->scratch   = malloc((size_t)resnorm_grid_scratch(&s->grid) * sizeof *w->scratch);
    w->histogram = counting ? calloc(ORDER_BINS, sizeof *w->histogram) : NULL;
    w->fine      = w->data && w->scratch && (w->histogram || !counting);
}

static void worker_free(worker *w) {
    free(w->data);
    free(w->scratch);
    free(w->histogram);
    for (int k = 0; k < PICKS; k++) free(w->found[k].data);
}

static void merge(tally *t, const worker *w) {
    t->of->low  = fmin(t->of->low, w->low);
    t->of->high = fmax(t->of->high, w->high);
    for (int64_t i = 0; w->histogram && i < ORDER_BINS; i++) t->histogram[i] += w->histogram[i];
    for (int k = 0; k < PICKS; k++) {
        for (int64_t i = 0; i < w->found[k].count; i++) push(&t->found[k], w->found[k].data[i]);
        t->found[k].failed = t->found[k].failed || w->found[k].failed;
    }
}

static void visit(const tally *t, int64_t i, bool counting, worker *w) {
    const survey *s = t->of;
    double *data = s->kept ? s->kept + i * s->grid.values : w->data;
    if ((counting && !s->filled) || !s->kept) resnorm_grid_fill(&s->grid, s->truth[i].p, data, w->scratch);
    if (counting) count_values(s, data, w->histogram, &w->low, &w->high);
    else pick_values(t, data, w->found);
}

typedef struct tally_pass { tally *to; bool counting; worker *of; } tally_pass;

/* A thread's worker is made at its first visit; without memory it stays one that is not fine. */
static void visit_one(void *all, int64_t i, int thread) {
    const tally_pass *p = all;
    worker *w = &p->of[thread];
    if (!w->begun) worker_new(p->to->of, p->counting, w);
    if (w->fine) visit(p->to, i, p->counting, w);
}

/* Counts are sums of whole numbers and picks are sorted afterwards: the result does not depend on the threads. */
static bool pass(tally *t, bool counting) {
    survey    *s = t->of;
    tally_pass p = { t, counting, calloc((size_t)s->threads, sizeof *p.of) };
    bool       fine = p.of != NULL;
    if (fine) parallel_for(s->threads, s->truths, 1, visit_one, &p);
    for (int i = 0; p.of && i < s->threads; i++) {
        worker *w = &p.of[i];
        fine = fine && w->fine == w->begun;
        if (w->fine) merge(t, w);
        worker_free(w);
    }
    free(p.of);
    return fine;
}

static int by_value(const void *a, const void *b) {
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static double picked(const tally *t, int k) {
    const survey     *s = t->of;
    const order_pick *p = &t->pick[k];
    int64_t at = p->rank - p->before - (p->bin == 0 && s->reference ? s->truths : 0);
    return at < 0 ? 0 : t->found[k].data[at]; /* bin 0 also holds the reference rows, which are 0 */
}

static bool take_quantiles(tally *t) {
    survey *s = t->of;
    if (s->reference) t->histogram[0] += (uint64_t)s->truths;
    for (int q = 0; q < QUANTILES; q++) {
        double at = survey_quantiles[q].at * (double)(s->rows - 1);
        t->pick[2 * q].rank     = (int64_t)floor(at);
        t->pick[2 * q + 1].rank = (int64_t)ceil(at);
    }
    order_find(t->histogram, t->pick, PICKS);
    for (int k = 0; k < PICKS; k++) t->wanted[t->pick[k].bin] = 1;
    if (!pass(t, false)) return false;
    for (int k = 0; k < PICKS; k++) {
        if (t->found[k].failed) return false;
        qsort(t->found[k].data, (size_t)t->found[k].count, sizeof(double), by_value);
    }
    for (int q = 0; q < QUANTILES; q++) {
        double at = survey_quantiles[q].at * (double)(s->rows - 1), low = picked(t, 2 * q), high = picked(t, 2 * q + 1);
        s->quantile[q] = low + (at - floor(at)) * (high - low);
    }
    return true;
}

tide_status survey_run(survey *s, tide_failure *failure) {
    tally t = { .of = s,
                .histogram = calloc(ORDER_BINS, sizeof *t.histogram),
                .wanted = calloc(ORDER_BINS, sizeof *t.wanted) };
    bool  fine = t.histogram && t.wanted && pass(&t, true) && take_quantiles(&t);
    if (s->reference) s->low = 0;
    free(t.histogram);
    free(t.wanted);
    for (int k = 0; k < PICKS; k++) free(t.found[k].data);
    return fine ? TIDE_OK : fail(failure, TIDE_ENOMEM, "out of memory for the statistics");
}

const double *survey_values(const survey *s, int64_t truth, double *room, double *scratch) {
    if (s->kept) return s->kept + truth * s->grid.values;
    resnorm_grid_fill(&s->grid, s->truth[truth].p, room, scratch);
    return room;
}

/* ---- setting up ---- */

/* The application's file holds one. */
static tide_status app_truth(const eis_options *o, survey *s, tide_failure *failure) {
    const char *path = o->ground_truths;
    if (o->profile != EIS_PROFILE_APP)
        return fail_at(failure, TIDE_EINVAL, path, 0, "profile",
                       "%s: such a file is for the shunt circuit; leave `profile` generator out", path);
    s->truths = 1;
    s->truth  = calloc(1, sizeof *s->truth);
    return s->truth ? app_npz_truth(path, s->truth, failure)
                    : fail(failure, TIDE_ENOMEM, "out of memory for ground truths");
}

static tide_status find_truths(const eis_options *o, survey *s, tide_failure *failure) {
    const char *path = o->ground_truths;
    if (!*path) {
        s->truth = ground_truths_draw(s->truths, o->seed);
        return s->truth ? TIDE_OK : fail(failure, TIDE_ENOMEM, "out of memory for ground truths");
    }
    if (is_app_npz(path)) return app_truth(o, s, failure);
    if (!is_dataset_csv(path)) return ground_truths_read(path, &s->truth, &s->truths, failure);
    if (o->profile != EIS_PROFILE_GENERATOR)
        return fail_at(
            failure, TIDE_EINVAL, path, 0, "profile",
            "%s: such a CSV is for the chain circuit; add `profile` generator, or give ground truths as JSON", path);
    return dataset_csv_truths(path, &s->truth, &s->truths, failure);
}

tide_status survey_new(const eis_options *o, survey *s, tide_failure *failure) {
    const struct profile *p = &profiles[o->profile];
    eis_circuit circuit = eis_option_given(o, "circuit") ? (eis_circuit)o->circuit : p->circuit;
    *s = (survey){ .low = INFINITY,
                   .full = o->grid == EIS_GRID_AUTO ? p->full : o->grid == EIS_GRID_FULL,
                   .profile = p->name,
                   .reference = p->reference || (o->format == EIS_FORMAT_CSV && !o->stats_only),
                   .threads = o->threads ? (int)o->threads : os_cores(),
                   .truths = o->n_ground_truths };
    if (o->profile == EIS_PROFILE_GENERATOR && circuit != EIS_CHAIN)
        return fail_at(failure, TIDE_EINVAL, NULL, 0, "circuit",
                       "`profile` generator computes the chain circuit; leave `circuit` out, or use `profile` app");
    tide_status status = find_truths(o, s, failure);
    if (status != TIDE_OK) return status;
    bool fine = resnorm_grid_new(circuit, (eis_resnorm_kind)o->resnorm, o->points, p->frequencies, p->low_hz,
                                 p->high_hz, &s->grid);
    if (!fine) return fail(failure, TIDE_ENOMEM, "out of memory for the grid");
    int64_t membranes = s->grid.membranes, pairs = s->full ? membranes * membranes : membranes * (membranes + 1) / 2;
    double  bytes     = (double)s->truths * (double)s->grid.values * sizeof *s->kept;
    s->circuits = s->grid.points * pairs;
    s->rows     = s->truths * (s->circuits + s->reference);
    if (bytes < (double)os_memory_bytes() / 4) s->kept = malloc((size_t)bytes);
    return TIDE_OK;
}

void survey_free(survey *s) {
    resnorm_grid_free(&s->grid);
    free(s->truth);
    free(s->kept);
}
