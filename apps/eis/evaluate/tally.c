#include "tally.h"

#include <math.h>
#include <stdlib.h>

#include "base/base.h"

const double tally_shares[SHARES] = { 0.025, 0.1, 0.5, 0.9, 0.975 };

bool tally_new(tally *s, int64_t most) {
    *s = (tally){ .error = malloc((size_t)(2 * most) * sizeof *s->error) };
    s->width = s->error + most;
    return s->error != NULL;
}

void tally_free(tally *s) { free(s->error); }

void tally_add(tally *s, bool linear, const double at[SHARES], double truth) {
    s->in_80 += truth >= at[LOW_80] && truth <= at[HIGH_80];
    s->in_95 += truth >= at[LOW_95] && truth <= at[HIGH_95];
    s->error[s->count] = linear ? fabs(at[MEDIAN] - truth) : fabs(log10(at[MEDIAN] / truth));
    s->width[s->count++] = linear ? at[HIGH_95] - at[LOW_95] : log10(at[HIGH_95] / at[LOW_95]);
}

static int by_value(const void *a, const void *b) {
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

double tally_median(const double *v, int64_t count) {
    double *copy = malloc((size_t)MAX2(count, 1) * sizeof *copy), middle = NAN;
    if (copy && count > 0) {
        memcpy(copy, v, (size_t)count * sizeof *copy);
        qsort(copy, (size_t)count, sizeof *copy, by_value);
        middle = 0.5 * (copy[(count - 1) / 2] + copy[count / 2]);
    }
    free(copy);
    return middle;
}

static double share(int64_t part, int64_t of) { return of ? (double)part / (double)of : 0; }

static void put_median(json_t *o, const char *what, const char *unit, const double *v, int64_t count) {
    char key[64];
    snprintf(key, sizeof key, "%s%s%s", what, *unit ? "_" : "", unit);
    json_object_set_new(o, key, json_real(tally_median(v, count)));
}

json_t *tally_json(const tally *s, const char *quantity, const char *linear) {
    json_t *o = json_pack("{s:s, s:I, s:f, s:f}", "quantity", quantity, "cases", (json_int_t)s->count, "coverage_80",
                          share(s->in_80, s->count), "coverage_95", share(s->in_95, s->count));
    put_median(o, linear ? "median_abs_error" : "median_abs_log10_error", linear ? linear : "", s->error, s->count);
    put_median(o, "median_width_95", linear ? linear : "decades", s->width, s->count);
    return o;
}

void tally_text(const tally *s, text *out) {
    text_add(out, "   %.3f %.3f %9.3g %9.3g", share(s->in_80, s->count), share(s->in_95, s->count),
             tally_median(s->error, s->count), tally_median(s->width, s->count));
}
