#include "duration.h"

#include <math.h>

#include "base/base.h"

static const double MOST_S = 3.6e7;

tide_status duration_parse(const char *text, const char *option, double *seconds, tide_failure *failure) {
    static const struct { char unit; double seconds; } units[] = { { 's', 1 }, { 'm', 60 }, { 'h', 3600 },
                                                                   { 'd', 86400 } };
    const char *at = text;
    *seconds = 0;
    while (*at) {
        char  *end;
        double count = num_parse(at, &end);
        size_t i = 0;
        while (i < sizeof units / sizeof *units && units[i].unit != *end) i++;
        if (end == at || i == sizeof units / sizeof *units || !(count >= 0) || !isfinite(count)) break;
        *seconds += count * units[i].seconds;
        at = end + 1;
    }
    if (!*at && *seconds > 0 && *seconds <= MOST_S) return TIDE_OK;
    return fail_at(failure, TIDE_EINVAL, NULL, 0, option,
                   "`%s` is a time above 0 with its unit, such as 90s, 10m, 2h or 1h30m, not '%.20s'", option, text);
}
