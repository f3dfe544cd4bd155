/* Counting, picking and putting together, each on one ground truth's values at a time. */
#include "survey_tally.h"

#include <math.h>
#include <stdlib.h>

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

/* ---- counting ---- */

bool survey_counts_new(survey_counts *c) {
    *c = (survey_counts){ .histogram = calloc(ORDER_BINS, sizeof *c->histogram), .low = INFINITY };
    return c->histogram != NULL;
}

void survey_counts_free(survey_counts *c) {
    free(c->histogram);
    *c = (survey_counts){ 0 };
}

void survey_count(const survey *s, const double *data, survey_counts *to) {
    uint64_t *histogram = to->histogram;
    double    low = to->low, high = to->high;
    FOR_EACH_VALUE(s, data, v, times, {
        histogram[order_bin(v)] += (uint64_t)times;
        low  = v < low ? v : low;
        high = v > high ? v : high;
    })
    to->low = low, to->high = high;
}

void survey_counts_add(const survey_counts *c, survey_counts *to) {
    to->low  = fmin(to->low, c->low);
    to->high = fmax(to->high, c->high);
    for (int64_t i = 0; i < ORDER_BINS; i++) to->histogram[i] += c->histogram[i];
}

/* ---- picking ---- */

static double place_of(const survey *s, int q) { return survey_quantiles[q].at * (double)(s->rows - 1); }

/* Bin 0 also holds the reference rows, which are 0. */
bool survey_want(const survey *s, survey_counts *all, survey_wanted *out) {
    *out = (survey_wanted){ .in_bin = calloc(ORDER_BINS, sizeof *out->in_bin) };
    if (!out->in_bin) return false;
    if (s->reference) all->histogram[0] += (uint64_t)s->truths;
    for (int q = 0; q < QUANTILES; q++) {
        out->pick[2 * q].rank     = (int64_t)floor(place_of(s, q));
        out->pick[2 * q + 1].rank = (int64_t)ceil(place_of(s, q));
    }
    order_find(all->histogram, out->pick, PICKS);
    for (int k = 0; k < PICKS; k++) out->in_bin[out->pick[k].bin] = 1;
    return true;
}

void survey_wanted_free(survey_wanted *w) {
    free(w->in_bin);
    w->in_bin = NULL;
}

static void push(survey_found *list, double v) {
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

void survey_pick(const survey *s, const survey_wanted *w, const double *data, survey_found found[PICKS]) {
    FOR_EACH_VALUE(s, data, v, times, {
        int64_t bin = order_bin(v);
        for (int k = 0; k < PICKS && w->in_bin[bin]; k++)
            for (int i = 0; i < times && w->pick[k].bin == bin; i++) push(&found[k], v);
    })
}

void survey_found_add(const survey_found *from, survey_found *to) {
    for (int64_t i = 0; i < from->count; i++) push(to, from->data[i]);
    to->failed = to->failed || from->failed;
}

void survey_found_free(survey_found found[PICKS]) {
    for (int k = 0; k < PICKS; k++) free(found[k].data), found[k] = (survey_found){ 0 };
}

/* ---- the statistics ---- */

static int by_value(const void *a, const void *b) {
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static double picked(const survey *s, const order_pick *p, const survey_found *found) {
    int64_t at = p->rank - p->before - (p->bin == 0 && s->reference ? s->truths : 0);
    return at < 0 ? 0 : found->data[at];
}

bool survey_settle(survey *s, const survey_counts *all, const survey_wanted *w, survey_found found[PICKS]) {
    for (int k = 0; k < PICKS; k++) {
        if (found[k].failed) return false;
        qsort(found[k].data, (size_t)found[k].count, sizeof(double), by_value);
    }
    for (int q = 0; q < QUANTILES; q++) {
        double at = place_of(s, q), low = picked(s, &w->pick[2 * q], &found[2 * q]),
               high = picked(s, &w->pick[2 * q + 1], &found[2 * q + 1]);
        s->quantile[q] = low + (at - floor(at)) * (high - low);
    }
    s->low  = s->reference ? 0 : all->low;
    s->high = all->high;
    return true;
}
