#include "levels.h"

#include <inttypes.h>
#include <stdio.h>

#include "base/base.h"

static tide_status refuse(const char *what, tide_failure *failure) {
    return fail_at(failure, TIDE_EINVAL, NULL, 0, "level",
                   "`level` is a list of numbers from 1 to 99, in percent, such as 80,95, not '%.40s'", what);
}

static tide_status add(levels *l, double value, const char *text, tide_failure *failure) {
    int64_t at = l->count;
    if (!(value >= 1 && value <= 99)) return refuse(text, failure);
    for (int64_t i = 0; i < l->count; i++)
        if (l->of[i] == value) return TIDE_OK;
    if (l->count == FORECAST_MAX_LEVELS)
        return fail_at(failure, TIDE_EINVAL, NULL, 0, "level", "`level` takes up to %d levels",
                       (int)FORECAST_MAX_LEVELS);
    for (; at > 0 && l->of[at - 1] > value; at--) l->of[at] = l->of[at - 1];
    l->of[at] = value, l->count++;
    return TIDE_OK;
}

tide_status levels_take(const double *given, int64_t count, levels *out, tide_failure *failure) {
    tide_status status = TIDE_OK;
    *out = (levels){ 0 };
    if (count < 0 || (count && !given)) return fail(failure, TIDE_EINVAL, "there are no levels");
    for (int64_t i = 0; status == TIDE_OK && i < count; i++) {
        char text[40];
        snprintf(text, sizeof text, "%.9g", given[i]);
        status = add(out, given[i], text, failure);
    }
    return status;
}

tide_status levels_parse(const char *text, levels *out, tide_failure *failure) {
    tide_status status = TIDE_OK;
    *out = (levels){ 0 };
    for (const char *at = text; *text && status == TIDE_OK; at++) {
        char  *end;
        double value = num_parse(at, &end);
        end += strspn(end, " ");
        if (end == at || (*end && *end != ',')) return refuse(text, failure);
        status = add(out, value, text, failure);
        if (!*end) break;
        at = end;
    }
    return status;
}

tide_status levels_measured(const char *text, levels *out, tide_failure *failure) {
    return levels_parse(*text ? text : "80,95", out, failure);
}
