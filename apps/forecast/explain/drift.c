/* Distances between the values of two spans of rows, and how far apart spans usually are. */
#include "drift.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/base.h"

enum { LEAST_BEFORE = 30, LEAST_NOW = 10, STRETCHES = 24, BINS = 10 };
/* Effects that users would call a shift: half a deviation, half as wide again, a fifth of the values elsewhere; 0.25 of
 * the index is the custom in credit scoring (Siddiqi 2006). Beyond what is usual by half of it again. */
#define LEAST_SHIFT 0.5
#define LEAST_SPREAD 0.405465
#define LEAST_KS 0.2
#define LEAST_PSI 0.25
#define LEAST_OUTSIDE 0.1
#define LEAST_MISSING 0.1
#define BEYOND_USUAL 1.5

/* The known values of some rows, ascending, and their sums around a common centre. */
typedef struct sample { double *sorted; int64_t count; double sum, squares; } sample;

typedef struct bins { double edge[BINS - 1]; int edges; } bins;

static int ascending(const void *a, const void *b) {
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static void take(const double *values, int64_t rows, double centre, sample *out) {
    out->count = 0, out->sum = out->squares = 0;
    for (int64_t i = 0; i < rows; i++) {
        if (isnan(values[i])) continue;
        out->sorted[out->count++] = values[i];
        out->sum += values[i] - centre, out->squares += (values[i] - centre) * (values[i] - centre);
    }
    qsort(out->sorted, (size_t)out->count, sizeof *out->sorted, ascending);
}

/* The sums of what is in `all` and not in `part`. */
static sample rest_of(const sample *all, const sample *part) {
    return (sample){ NULL, all->count - part->count, all->sum - part->sum, all->squares - part->squares };
}

static double mean_of(const sample *s) { return s->sum / (double)s->count; }

static double deviation_of(const sample *s) {
    double mean = mean_of(s);
    return sqrt(fmax(s->squares / (double)s->count - mean * mean, 0));
}

/* ---- distributions ---- */

/* sup |F_a - F_b|, exactly, ties included. */
static double ks_of(const sample *a, const sample *b) {
    double  most = 0;
    int64_t i = 0, j = 0;
    while (i < a->count && j < b->count) {
        double at = fmin(a->sorted[i], b->sorted[j]);
        while (i < a->count && a->sorted[i] <= at) i++;
        while (j < b->count && b->sorted[j] <= at) j++;
        most = fmax(most, fabs((double)i / (double)a->count - (double)j / (double)b->count));
    }
    return most;
}

/* Deciles; equal ones are one. */
static bins bins_of(const sample *s) {
    bins out = { .edges = 0 };
    for (int k = 1; k < BINS; k++) {
        double edge = s->sorted[s->count * k / BINS];
        if (edge < s->sorted[s->count - 1] && (!out.edges || edge > out.edge[out.edges - 1]))
            out.edge[out.edges++] = edge;
    }
    return out;
}

static void count_bins(const bins *b, const sample *s, double out[BINS]) {
    int bin = 0;
    for (int i = 0; i < BINS; i++) out[i] = 0;
    for (int64_t i = 0; i < s->count; i++) {
        while (bin < b->edges && s->sorted[i] > b->edge[bin]) bin++;
        out[bin]++;
    }
}

/* Half a value more in each bin: an empty one is no infinite distance. */
static double psi_of(const bins *b, const double before[BINS], const double now[BINS]) {
    double sum = 0, n = 0, m = 0, all = b->edges + 1;
    for (int i = 0; i <= b->edges; i++) n += before[i], m += now[i];
    for (int i = 0; i <= b->edges; i++) {
        double p = (before[i] + 0.5) / (n + 0.5 * all), q = (now[i] + 0.5) / (m + 0.5 * all);
        sum += (q - p) * log(q / p);
    }
    return sum;
}

/* ---- a column ---- */

typedef struct column {
    const double *before, *now;
    int64_t before_rows, now_rows;
    double  centre;
    sample  all, part;     /* of training; of a stretch of it, or the recent rows */
    bins    bins;
    double  in_bins[BINS];
} column;

/* Of the recent rows, or of a stretch of training against the rest of it. */
typedef struct measures { double shift, spread, ks, psi; } measures;

static double log_ratio(double now, double before) {
    if (now == before) return 0;
    return before > 0 ? fmin(fmax(log(now / before), -10), 10) : 10;
}

static measures measure(const column *c, bool stretch) {
    sample reference = stretch ? rest_of(&c->all, &c->part) : c->all;
    double in[BINS], of[BINS], width = deviation_of(&reference), moved = mean_of(&c->part) - mean_of(&reference);
    count_bins(&c->bins, &c->part, in);
    for (int i = 0; i < BINS; i++) of[i] = stretch ? c->in_bins[i] - in[i] : c->in_bins[i];
    /* All of training is a mixture of the stretch and the rest, so is its distribution function. */
    double share = stretch ? (double)reference.count / (double)c->all.count : 1;
    return (measures){ moved == 0 ? 0 : width > 0 ? moved / width : copysign(INFINITY, moved),
                       log_ratio(deviation_of(&c->part), width), ks_of(&c->all, &c->part) / share,
                       psi_of(&c->bins, of, in) };
}

static void include(forecast_drift_measure *m, double value) { m->usual = fmax(m->usual, fabs(value)); }

/* The share of the part's values beyond those of training but for the rows [from, to). */
static double outside_of(const column *c, int64_t from, int64_t to) {
    int64_t out = 0;
    double  low = INFINITY, high = -INFINITY;
    for (int64_t i = 0; i < c->before_rows; i++) {
        if (i == from) i = to;
        if (i >= c->before_rows) break;
        low = fmin(low, c->before[i]), high = fmax(high, c->before[i]); /* a NaN is passed over */
    }
    for (int64_t i = 0; i < c->part.count; i++) out += c->part.sorted[i] < low || c->part.sorted[i] > high;
    return (double)out / (double)c->part.count;
}

/* The first and the last stretch count for no range: of a series that grows they lie outside of all others, and it is
 * to be told when it has left the range. */
static void take_usual(column *c, forecast_drift *out) {
    int64_t length = MIN2(c->now_rows, c->before_rows / 3), places = MIN2(STRETCHES, c->before_rows - length + 1);
    for (int64_t i = 0; i < places; i++) {
        int64_t from = places > 1 ? i * (c->before_rows - length) / (places - 1) : 0;
        take(c->before + from, length, c->centre, &c->part);
        if (!c->part.count || c->part.count == c->all.count) continue;
        measures m = measure(c, true);
        include(&out->shift, m.shift), include(&out->spread, m.spread);
        include(&out->ks, m.ks), include(&out->psi, m.psi);
        bool inner = from >= length / 2 && from + length + length / 2 <= c->before_rows;
        if (inner) include(&out->outside, outside_of(c, from, from + length));
    }
}

static bool beyond(forecast_drift_measure m, double least) {
    return fabs(m.value) >= fmax(least, BEYOND_USUAL * m.usual);
}

static unsigned judge(const forecast_drift *d) {
    unsigned moved = 0;
    if (d->compared) {
        if (beyond(d->shift, LEAST_SHIFT)) moved |= FORECAST_MOVED_LEVEL;
        if (beyond(d->spread, LEAST_SPREAD)) moved |= FORECAST_MOVED_SPREAD;
        if (beyond(d->ks, LEAST_KS) || beyond(d->psi, LEAST_PSI)) moved |= FORECAST_MOVED_SHAPE;
        if (beyond(d->outside, LEAST_OUTSIDE)) moved |= FORECAST_MOVED_RANGE;
    }
    if (fabs(d->missing_now - d->missing_before) >= LEAST_MISSING) moved |= FORECAST_MOVED_MISSING;
    return moved;
}

static void compare(column *c, forecast_drift *out) {
    c->bins = bins_of(&c->all);
    count_bins(&c->bins, &c->all, c->in_bins);
    out->shift.usual = out->spread.usual = out->ks.usual = out->psi.usual = out->outside.usual = 0;
    take_usual(c, out);
    take(c->now, c->now_rows, c->centre, &c->part);
    measures m = measure(c, false);
    out->shift.value = m.shift, out->spread.value = m.spread, out->ks.value = m.ks, out->psi.value = m.psi;
    out->outside.value = outside_of(c, -1, -1);
}

static double first_known(const double *values, int64_t rows) {
    for (int64_t i = 0; i < rows; i++)
        if (!isnan(values[i])) return values[i];
    return 0;
}

bool drift_compare(const double *before, int64_t before_rows, const double *now, int64_t now_rows,
                   forecast_drift *out) {
    const forecast_drift_measure unknown = { (double)NAN, (double)NAN };
    double *room = malloc((size_t)(before_rows + MAX2(before_rows, now_rows)) * sizeof *room + 1);
    column  c    = { .before = before, .now = now, .before_rows = before_rows, .now_rows = now_rows };
    if (!room) return false;
    c.centre     = first_known(before, before_rows);
    c.all.sorted = room, c.part.sorted = room + before_rows;
    take(before, before_rows, c.centre, &c.all);
    take(now, now_rows, c.centre, &c.part);
    out->before = c.all.count, out->now = c.part.count;
    out->shift = out->spread = out->ks = out->psi = out->outside = unknown;
    out->missing_before = before_rows ? 1 - (double)out->before / (double)before_rows : 0;
    out->missing_now    = now_rows ? 1 - (double)out->now / (double)now_rows : 0;
    out->compared       = out->before >= LEAST_BEFORE && out->now >= LEAST_NOW;
    if (out->compared) compare(&c, out);
    out->moved = before_rows && now_rows ? judge(out) : 0;
    free(room);
    return true;
}

const char *drift_words(unsigned moved, char out[DRIFT_WORDS]) {
    static const struct { unsigned bit; const char *word; } words[] = {
        { FORECAST_MOVED_LEVEL, "level" },       { FORECAST_MOVED_SPREAD, "spread" },
        { FORECAST_MOVED_SHAPE, "distribution" }, { FORECAST_MOVED_RANGE, "range" },
        { FORECAST_MOVED_MISSING, "missing values" }
    };
    *out = 0;
    for (size_t i = 0; i < sizeof words / sizeof *words; i++)
        if (moved & words[i].bit)
            snprintf(out + strlen(out), DRIFT_WORDS - strlen(out), "%s%s", *out ? ", " : "", words[i].word);
    return out;
}
