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

/* What 1 of the text is in bytes, where `rest` stands behind its number; 0: it is none of ours. */
static tide_status unit_of(double value, const char *rest, const char *device, double *unit, tide_failure *failure) {
    bool        percent = strcmp(rest, "%") == 0, share = percent || (!*rest && value <= 1);
    tide_device d;
    *unit = *rest && !percent ? unit_bytes(rest) : *rest || value == floor(value); /* bytes are whole */
    if (!share) return TIDE_OK;
    tide_status status = tide_device_info(device, &d, failure);
    *unit = percent ? value <= 100 ? 0.01 * (double)d.memory_bytes : 0 : (double)d.memory_bytes;
    if (status != TIDE_OK || d.memory_bytes) return status;
    return fail_at(failure, TIDE_EINVAL, NULL, 0, "memory-limit",
                   "the device %s does not say how much memory it has: give `memory-limit` in bytes, such as 8G",
                   d.name);
}

tide_status train_memory_limit(const char *text, const char *device, int64_t *bytes, tide_failure *failure) {
    char  *end;
    double value = num_parse(text, &end), unit = 0;
    if (!*text) return *bytes = 0, TIDE_OK;
    bool        number = end != text && isfinite(value) && value > 0;
    tide_status status = number ? unit_of(value, end, device, &unit, failure) : TIDE_OK;
    if (status != TIDE_OK) return status;
    if (!number || unit <= 0 || value * unit > 9e18 || value * unit < 1)
        return fail_at(failure, TIDE_EINVAL, NULL, 0, "memory-limit",
                       "`memory-limit` is a share of the %s memory up to 1 (0.7, 70%%), a number with K, M, G or T "
                       "(512M, 2G), or bytes, not '%s'",
                       device && strcmp(device, "cpu") ? "device's" : "machine's", text);
    *bytes = (int64_t)(value * unit);
    return TIDE_OK;
}
