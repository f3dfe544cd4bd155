/* Two passes over all ground truths, by all threads. */
#include "survey.h"

#include <math.h>
#include <stdlib.h>

#include "app_npz.h"
#include "base/parallel.h"
#include "generate.h"
#include "survey_tally.h"

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

/* ---- the two passes ---- */

typedef struct worker {
    double       *data, *scratch;
    survey_counts counts;
    survey_found  found[PICKS];
    bool begun, fine;
} worker;

typedef struct pass {
    const survey        *of;
    const survey_wanted *wanted;  /* NULL: the first pass, which counts */
    worker              *worker;
} pass;

static void worker_new(const pass *p, worker *w) {
    const survey *s = p->of;
    *w         = (worker){ .begun = true };
    w->data    = malloc((size_t)s->grid.values * sizeof *w->data);
    w->scratch = malloc((size_t)resnorm_grid_scratch(&s->grid) * sizeof *w->scratch);
    w->fine    = w->data && w->scratch && (p->wanted || survey_counts_new(&w->counts));
}

static void worker_free(worker *w) {
    free(w->data);
    free(w->scratch);
    survey_counts_free(&w->counts);
    survey_found_free(w->found);
}

/* A thread's worker is made at its first visit; without memory it stays one that is not fine. */
static void visit(void *all, int64_t i, int thread) {
    const pass   *p = all;
    const survey *s = p->of;
    worker       *w = &p->worker[thread];
    if (!w->begun) worker_new(p, w);
    if (!w->fine) return;
    double *data = s->kept ? s->kept + i * s->grid.values : w->data;
    if ((!p->wanted && !s->filled) || !s->kept) resnorm_grid_fill(&s->grid, s->truth[i].p, data, w->scratch);
    if (p->wanted) survey_pick(s, p->wanted, data, w->found);
    else survey_count(s, data, &w->counts);
}

/* Counts are sums of whole numbers and picks are sorted afterwards: the result does not depend on the threads. */
static bool run_pass(const survey *s, const survey_wanted *wanted, survey_counts *counts, survey_found found[PICKS]) {
    pass p    = { s, wanted, calloc((size_t)s->threads, sizeof *p.worker) };
    bool fine = p.worker != NULL;
    if (fine) parallel_for(s->threads, s->truths, 1, visit, &p);
    for (int i = 0; p.worker && i < s->threads; i++) {
        worker *w = &p.worker[i];
        fine = fine && w->fine == w->begun;
        if (w->fine && !wanted) survey_counts_add(&w->counts, counts);
        for (int k = 0; k < PICKS; k++) survey_found_add(&w->found[k], &found[k]);
        worker_free(w);
    }
    free(p.worker);
    return fine;
}

tide_status survey_run(survey *s, tide_failure *failure) {
    survey_counts counts;
    survey_wanted wanted = { 0 };
    survey_found  found[PICKS] = { 0 };
    bool fine = survey_counts_new(&counts) && run_pass(s, NULL, &counts, found) && survey_want(s, &counts, &wanted) &&
                run_pass(s, &wanted, &counts, found) && survey_settle(s, &counts, &wanted, found);
    survey_counts_free(&counts);
    survey_wanted_free(&wanted);
    survey_found_free(found);
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
    *s = (survey){ .full = o->grid == EIS_GRID_AUTO ? p->full : o->grid == EIS_GRID_FULL,
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
