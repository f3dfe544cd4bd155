/* Rows with the same known values are counted by the values of the missing ones. */
#include <math.h>
#include <stdlib.h>

#include "base/base.h"
#include "samples.h"

enum { TOP = 5 };

typedef struct tally {
    int64_t points;
    int     known[EIS_COUNT], missing[EIS_COUNT], known_count, missing_count;
    int32_t *place;                     /* [points^known]: where the counts of these known values are, -1: not seen */
    int64_t  places, room;
    uint32_t *single, *pair;            /* [place][missing][points]; two missing: [place][points^2] */
    double   hits1, hits5, pair1, pair5;
} tally;

static int64_t power(int64_t base, int exponent) { return exponent ? base * power(base, exponent - 1) : 1; }

static bool tally_new(uint8_t pattern, int64_t points, int64_t rows, tally *t) {
    *t = (tally){ .points = points };
    for (int k = 0; k < EIS_COUNT; k++)
        if (pattern >> k & 1) t->known[t->known_count++] = k;
        else t->missing[t->missing_count++] = k;
    int64_t tuples = power(points, t->known_count);
    t->room   = MIN2(tuples, rows);
    t->place  = malloc((size_t)tuples * sizeof *t->place);
    t->single = calloc((size_t)(t->room * t->missing_count * points), sizeof *t->single);
    t->pair   = calloc((size_t)(t->missing_count == 2 ? t->room * points * points : 1), sizeof *t->pair);
    for (int64_t i = 0; t->place && i < tuples; i++) t->place[i] = -1;
    return t->place && t->single && t->pair;
}

static void tally_free(tally *t) {
    free(t->place);
    free(t->single);
    free(t->pair);
}

static void count_row(tally *t, const known_row *r) {
    int64_t tuple = 0, n = t->points;
    for (int i = 0; i < t->known_count; i++) tuple = tuple * n + r->index[t->known[i]];
    if (t->place[tuple] < 0) t->place[tuple] = (int32_t)t->places++;
    int64_t at = t->place[tuple];
    for (int i = 0; i < t->missing_count; i++) t->single[(at * t->missing_count + i) * n + r->index[t->missing[i]]]++;
    if (t->missing_count == 2) t->pair[at * n * n + r->index[t->missing[0]] * n + r->index[t->missing[1]]]++;
}

/* The largest count, and the sum of the TOP largest. */
static void add_largest(const uint32_t *counts, int64_t length, double *first, double *most) {
    uint32_t top[TOP] = { 0 };
    for (int64_t i = 0; i < length; i++) {
        int at = TOP;
        for (; at > 0 && counts[i] > top[at - 1]; at--)
            if (at < TOP) top[at] = top[at - 1];
        if (at < TOP) top[at] = counts[i];
    }
    *first += (double)top[0];
    for (int i = 0; i < TOP; i++) *most += (double)top[i];
}

static void sum_up(tally *t) {
    int64_t n = t->points;
    for (int64_t i = 0; i < t->places * t->missing_count; i++) add_largest(t->single + i * n, n, &t->hits1, &t->hits5);
    for (int64_t i = 0; t->missing_count == 2 && i < t->places; i++)
        add_largest(t->pair + i * n * n, n * n, &t->pair1, &t->pair5);
}

static bool same_rows(const truth_rows *a, const truth_rows *b) {
    bool same = a->count == b->count;
    for (int k = 0; same && k < EIS_COUNT; k++)
        same = a->index[k] == b->index[k] || !memcmp(a->index[k], b->index[k], (size_t)a->count);
    return same;
}

/* Rows that give the pool's shares: those of one ground truth, where all have the same circuits. */
static int64_t rows_to_count(const known_pool *p) {
    const truth_rows *truth = p->data->truth;
    if (p->best) return p->count;
    for (int64_t i = 1; i < p->truths; i++)
        if (!same_rows(&truth[p->truth[0]], &truth[p->truth[i]])) return p->count;
    return p->first[1];
}

bool known_ceiling(const known_pool *p, eis_masks masks, known_accuracy *out) {
    uint8_t pattern[KNOWN_PATTERNS_MOST];
    int     patterns = known_patterns(masks, pattern);
    int64_t rows = rows_to_count(p);
    double  entries = 0, pairs = 0, sums[4] = { 0 };
    bool    fine = true;
    for (int i = 0; fine && i < patterns; i++) {
        tally t;
        fine = tally_new(pattern[i], p->data->points, rows, &t);
        for (int64_t r = 0; fine && r < rows; r++) {
            known_row row = known_pool_row(p, r);
            count_row(&t, &row);
        }
        if (fine) sum_up(&t);
        entries += (double)(t.missing_count * rows);
        pairs += t.missing_count == 2 ? (double)rows : 0;
        sums[0] += t.hits1, sums[1] += t.hits5, sums[2] += t.pair1, sums[3] += t.pair5;
        tally_free(&t);
    }
    *out = (known_accuracy){ sums[0] / entries, sums[1] / entries, pairs > 0 ? sums[2] / pairs : NAN,
                             pairs > 0 ? sums[3] / pairs : NAN };
    return fine;
}
