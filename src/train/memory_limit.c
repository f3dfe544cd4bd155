/* --memory-limit as people write it. */
#include <math.h>

#include "base/base.h"
#include "step.h"

/* What 1 of the unit is in bytes: "M", "MB" and "MiB" are all 2^20; 0: no such unit. */
static double unit_bytes(const char *unit) {
    static const char letters[] = "KMGT";
    const char *letter = *unit ? strchr(letters, *unit & ~0x20) : NULL; /* small ones too */
    const char *rest = unit + 1;
    if (!letter || !*letter ||
        (*rest && strcmp(rest, "B") && strcmp(rest, "b") && strcmp(rest, "iB") && strcmp(rest, "ib")))
        return 0;
    return ldexp(1, 10 * (int)(letter - letters + 1));
}

tide_status train_memory_limit(const char *text, int64_t *bytes, tide_failure *failure) {
    char *end;
    double value = num_parse(text, &end), unit = 1;
    if (!*text) return *bytes = 0, TIDE_OK;
    bool number = end != text && isfinite(value) && value > 0;
    if (*end && strcmp(end, "%"))
        unit = unit_bytes(end);
    else if (*end)
        unit = value <= 100 ? 0.01 * (double)os_memory_bytes() : 0;
    else if (value <= 1)
        unit = (double)os_memory_bytes();
    else if (value != floor(value))
        unit = 0; /* neither a share nor bytes */
    if (!number || unit <= 0 || value * unit > 9e18 || value * unit < 1)
        return fail_at(failure, TIDE_EINVAL, NULL, 0, "memory-limit",
                       "`memory-limit` is a share of the machine's memory up to 1 (0.7, 70%%), a number with K, M, G "
                       "or T (512M, 2G), or "
                       "bytes, not '%s'",
                       text);
    *bytes = (int64_t)(value * unit);
    return TIDE_OK;
}
