#include "duration.h"

#include "base/base.h"

tide_status duration_parse(const char *text, const char *option, double *seconds, tide_failure *failure) {
    static const struct { char unit; double seconds; } units[] = { { 's', 1 }, { 'm', 60 }, { 'h', 3600 } };
    char  *end;
    double count = num_parse(text, &end);
    *seconds = 0;
    for (size_t i = 0; i < sizeof units / sizeof *units && end != text; i++)
        if (*end == units[i].unit && !end[1]) *seconds = count * units[i].seconds;
    if (*seconds > 0 && *seconds <= 3.6e6) return TIDE_OK;
    return fail_at(failure, TIDE_EINVAL, NULL, 0, option,
                   "`%s` is a time with its unit, such as 90s, 5m or 1h, not '%.20s'", option, text);
}
