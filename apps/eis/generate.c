/* Statistics of the residual norms of a whole grid against many ground truths. */
#include <tidemill/eis.h>

#include <inttypes.h>
#include <jansson.h>
#include <math.h>
#include <stdlib.h>

#include "base/base.h"
#include "ground_truth.h"
#include "order.h"
#include "resnorm_grid.h"

/* A build without OpenMP is serial, and silent about it. */
#ifdef _OPENMP
#define PARALLEL(words) _Pragma(#words)
#else
#define PARALLEL(words)
#endif

enum { SCHEMA_VERSION = 1, QUANTILES = 4, PICKS = 2 * QUANTILES };
static const struct { const char *name; double at; } quantiles[QUANTILES] = { { "p25", 0.25 }, { "median", 0.5 }, { "p75", 0.75 }, { "p90", 0.9 } };

/* What the two programs that share the data generate. */
static const struct profile {
    eis_circuit circuit;
    int64_t     frequencies;
    double      low_hz, high_hz;
    bool        full, reference;  /* reference: one row of 0, the ground truth itself, for each */
} profiles[] = {
    [EIS_PROFILE_APP]       = { EIS_SHUNT, 100, 0.1, 1e5, false, false },
    [EIS_PROFILE_GENERATOR] = { EIS_CHAIN, 50, 1, 1e6, true, true },
};

typedef struct values { double *data; int64_t count, room; bool failed; } values;

typedef struct survey {
    resnorm_grid  grid;
    bool          full, reference;
    ground_truth *truth;
    int64_t       truths, rows;
    int           threads;
    double       *kept;        /* [truth][grid.values]; NULL: more than memory, so they are computed twice */
    uint64_t     *histogram;
    double        low, high;
    order_pick    pick[PICKS];
    uint8_t      *wanted;      /* by bin: whether a pick is in it */
    values        found[PICKS];
    double        result[QUANTILES];
} survey;

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

static void pick_values(const survey *s, const double *data, values *found) {
    FOR_EACH_VALUE(s, data, v, times, {
        int64_t bin = order_bin(v);
        for (int k = 0; k < PICKS && s->wanted[bin]; k++)
            for (int i = 0; i < times && s->pick[k].bin == bin; i++) push(&found[k], v);
    })
}

/* ---- the two passes ---- */

typedef struct worker { double *data, *scratch; uint64_t *histogram; double low, high; values found[PICKS]; bool fine; } worker;

static bool worker_new(const survey *s, bool counting, worker *w) {
    *w           = (worker){ .low = INFINITY };
    w->data      = malloc((size_t)s->grid.values * sizeof *w->data);
    w->scratch   = malloc((size_t)resnorm_grid_scratch(&s->grid) * sizeof *w->scratch);
    w->histogram = counting ? calloc(ORDER_BINS, sizeof *w->histogram) : NULL;
    return w->fine = w->data && w->scratch && (w->histogram || !counting);
}

static void worker_free(worker *w) {
    free(w->data);
    free(w->scratch);
    free(w->histogram);
    for (int k = 0; k < PICKS; k++) free(w->found[k].data);
}

static void merge(survey *s, const worker *w) {
    s->low  = fmin(s->low, w->low);
    s->high = fmax(s->high, w->high);
    for (int64_t i = 0; w->histogram && i < ORDER_BINS; i++) s->histogram[i] += w->histogram[i];
    for (int k = 0; k < PICKS; k++) {
        for (int64_t i = 0; i < w->found[k].count; i++) push(&s->found[k], w->found[k].data[i]);
        s->found[k].failed = s->found[k].failed || w->found[k].failed;
    }
}

static void visit(const survey *s, int64_t i, bool counting, worker *w) {
    double *data = s->kept ? s->kept + i * s->grid.values : w->data;
    if (counting || !s->kept) resnorm_grid_fill(&s->grid, s->truth[i].p, data, w->scratch);
    if (counting) count_values(s, data, w->histogram, &w->low, &w->high);
    else pick_values(s, data, w->found);
}

/* Counts are sums of whole numbers and picks are sorted afterwards: the result does not depend on the threads. */
static bool pass(survey *s, bool counting) {
    bool fine = true;
PARALLEL(omp parallel num_threads(s->threads))
    {
        worker w;
        bool   mine = worker_new(s, counting, &w);
PARALLEL(omp for schedule(dynamic))
        for (int64_t i = 0; i < s->truths; i++)
            if (mine) visit(s, i, counting, &w);
PARALLEL(omp critical)
        {
            if (mine) merge(s, &w);
            fine = fine && mine;
        }
        worker_free(&w);
    }
    return fine;
}

static int by_value(const void *a, const void *b) {
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static double picked(survey *s, int k) {
    const order_pick *p = &s->pick[k];
    int64_t at = p->rank - p->before - (p->bin == 0 && s->reference ? s->truths : 0);
    return at < 0 ? 0 : s->found[k].data[at]; /* bin 0 also holds the reference rows, which are 0 */
}

static bool take_quantiles(survey *s) {
    if (s->reference) s->histogram[0] += (uint64_t)s->truths;
    for (int q = 0; q < QUANTILES; q++) {
        double at = quantiles[q].at * (double)(s->rows - 1);
        s->pick[2 * q].rank     = (int64_t)floor(at);
        s->pick[2 * q + 1].rank = (int64_t)ceil(at);
    }
    order_find(s->histogram, s->pick, PICKS);
    for (int k = 0; k < PICKS; k++) s->wanted[s->pick[k].bin] = 1;
    if (!pass(s, false)) return false;
    for (int k = 0; k < PICKS; k++) {
        if (s->found[k].failed) return false;
        qsort(s->found[k].data, (size_t)s->found[k].count, sizeof(double), by_value);
    }
    for (int q = 0; q < QUANTILES; q++) {
        double at = quantiles[q].at * (double)(s->rows - 1), low = picked(s, 2 * q), high = picked(s, 2 * q + 1);
        s->result[q] = low + (at - floor(at)) * (high - low);
    }
    return true;
}

/* ---- setting up, and the report ---- */

static tide_status survey_new(const eis_options *o, survey *s, tide_failure *failure) {
    const struct profile *p = &profiles[o->profile];
    eis_circuit circuit = o->circuit_given ? (eis_circuit)o->circuit : p->circuit;
    tide_status status  = TIDE_OK;
    *s = (survey){ .low = INFINITY, .full = o->grid == EIS_GRID_AUTO ? p->full : o->grid == EIS_GRID_FULL, .reference = p->reference,
                   .threads = o->workers ? (int)o->workers : os_cores(), .truths = o->n_ground_truths };
    if (o->profile == EIS_PROFILE_GENERATOR && circuit != EIS_CHAIN)
        return fail_at(failure, TIDE_EINVAL, NULL, 0, "circuit", "--profile generator computes the chain circuit; leave --circuit out, or use --profile app");
    if (*o->ground_truths) status = ground_truths_read(o->ground_truths, &s->truth, &s->truths, failure);
    else s->truth = ground_truths_draw(s->truths, o->seed);
    if (status != TIDE_OK) return status;
    s->histogram = calloc(ORDER_BINS, sizeof *s->histogram);
    s->wanted    = calloc(ORDER_BINS, sizeof *s->wanted);
    bool fine = s->truth && s->histogram && s->wanted && resnorm_grid_new(circuit, (eis_resnorm_kind)o->resnorm, o->points, p->frequencies, p->low_hz, p->high_hz, &s->grid);
    if (!fine) return fail(failure, TIDE_ENOMEM, "out of memory for the grid");
    int64_t pairs = s->grid.membranes * (s->full ? s->grid.membranes : (s->grid.membranes + 1)) / (s->full ? 1 : 2);
    s->rows       = s->truths * (s->grid.points * pairs + s->reference);
    double bytes  = (double)s->truths * (double)s->grid.values * sizeof *s->kept;
    if (bytes < (double)os_memory_bytes() / 4) s->kept = malloc((size_t)bytes);
    return TIDE_OK;
}

static void survey_free(survey *s) {
    resnorm_grid_free(&s->grid);
    free(s->truth);
    free(s->kept);
    free(s->histogram);
    free(s->wanted);
    for (int k = 0; k < PICKS; k++) free(s->found[k].data);
}

static char *report_json(const eis_options *o, const survey *s, double seconds) {
    json_t *all = json_pack("{s:i, s:s, s:s, s:s, s:s, s:s, s:I, s:I, s:I, s:I, s:f}", "schema_version", SCHEMA_VERSION, "command", "eis generate", "profile",
                            o->profile == EIS_PROFILE_GENERATOR ? "generator" : "app", "circuit", s->grid.circuit == EIS_CHAIN ? "chain" : "shunt", "grid",
                            s->full ? "full" : "symmetric", "resnorm_kind", eis_resnorm_name(s->grid.kind), "points", (json_int_t)s->grid.points,
                            "frequencies", (json_int_t)s->grid.frequencies, "ground_truths", (json_int_t)s->truths, "rows", (json_int_t)s->rows, "seconds",
                            seconds);
    json_t *r = json_pack("{s:f}", "min", s->reference ? 0 : s->low);
    for (int q = 0; q < QUANTILES; q++) json_object_set_new(r, quantiles[q].name, json_real(s->result[q]));
    json_object_set_new(r, "max", json_real(s->high));
    json_object_set_new(all, "resnorm", r);
    char *text = json_dumps(all, JSON_INDENT(2) | JSON_REAL_PRECISION(14));
    json_decref(all);
    return text;
}

static char *report_text(const survey *s, double seconds) {
    text t = { 0 };
    text_add(&t, "%" PRId64 " rows of %" PRId64 " ground truths in %.2f s (%.0f million rows/s)\n%s: min %.4f", s->rows, s->truths, seconds,
             1e-6 * (double)s->rows / seconds, eis_resnorm_name(s->grid.kind), s->reference ? 0 : s->low);
    for (int q = 0; q < QUANTILES; q++) text_add(&t, "  %s %.4f", quantiles[q].name, s->result[q]);
    text_add(&t, "  max %.4f\n", s->high);
    if (t.failed) text_free(&t);
    return t.data;
}

tide_status eis_generate(const eis_options *options, eis_listener listener, void *user, eis_result *result, tide_failure *failure) {
    survey s = { 0 };
    (void)listener, (void)user;
    *result = (eis_result){ 0 };
    if (!options->stats_only) return fail_at(failure, TIDE_EINVAL, NULL, 0, "stats-only", "--stats-only is needed: the summary is what can be generated");
    tide_status status = survey_new(options, &s, failure);
    double      begin  = os_seconds();
    if (status == TIDE_OK && (!pass(&s, true) || !take_quantiles(&s))) status = fail(failure, TIDE_ENOMEM, "out of memory for the statistics");
    if (status == TIDE_OK) {
        double seconds = os_seconds() - begin;
        result->json = report_json(options, &s, seconds);
        result->text = report_text(&s, seconds);
        if (!result->json || !result->text) status = fail(failure, TIDE_ENOMEM, "out of memory for the report");
    }
    survey_free(&s);
    if (status != TIDE_OK) eis_result_free(result);
    return status;
}
