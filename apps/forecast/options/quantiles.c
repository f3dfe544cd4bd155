#include "quantiles.h"

#include <stdio.h>

#include "base/base.h"

static const double LEAST = 0.001, MIDDLE = 0.5;

static tide_status refuse(const char *what, tide_failure *failure) {
    return fail_at(failure, TIDE_EINVAL, NULL, 0, "quantiles",
                   "`quantiles` is a list of up to %d numbers from 0.001 to 0.999, with 0.5 and one to either side of "
                   "it, such as 0.1,0.5,0.9, not '%.60s'", (int)FORECAST_MAX_QUANTILES, what);
}

static bool within(double p) { return p >= LEAST && p <= 1 - LEAST; }

/* Into its place; what is there already stays once. false: there are too many. */
static bool add(quantiles *q, double value) {
    int at = q->count;
    for (int i = 0; i < q->count; i++)
        if (q->of[i] == value) return true;
    if (q->count == FORECAST_MAX_QUANTILES) return false;
    for (; at > 0 && q->of[at - 1] > value; at--) q->of[at] = q->of[at - 1];
    q->of[at] = value, q->count++;
    return true;
}

bool quantiles_sound(const double *of, int64_t count) {
    bool fine = count >= 3 && count <= FORECAST_MAX_QUANTILES, middle = false;
    for (int64_t i = 0; fine && i < count; i++) {
        fine   = within(of[i]) && (!i || of[i] > of[i - 1]);
        middle = middle || (of[i] == MIDDLE && i && i + 1 < count);
    }
    return fine && middle;
}

tide_status quantiles_parse(const char *text, quantiles *out, tide_failure *failure) {
    const char *list = *text ? text : "0.025,0.1,0.25,0.5,0.75,0.9,0.975";
    *out = (quantiles){ 0 };
    for (const char *at = list; *at; at++) {
        char  *end;
        double value = num_parse(at, &end);
        end += strspn(end, " ");
        if (end == at || (*end && *end != ',') || !within(value) || !add(out, value)) return refuse(text, failure);
        if (!*end) break;
        at = end;
    }
    if (!quantiles_sound(out->of, out->count)) return refuse(text, failure);
    return TIDE_OK;
}

void quantiles_print(const double *of, int64_t count, char *out, size_t size) {
    size_t used = 0;
    *out = 0;
    for (int64_t i = 0; i < count && used < size; i++) {
        char number[40];
        num_format(number, of[i], false);
        used += (size_t)snprintf(out + used, size - used, "%s%s", i ? "," : "", number);
    }
}
