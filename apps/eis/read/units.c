#include "units.h"

#include <string.h>
#include <strings.h>

#include "base/base.h"

#define DEGREE 1.7453292519943295e-2  /* rad */

static const struct { const char *name; unit_kind kind; double factor; } units[] = {
    { "hertz", UNIT_FREQUENCY, 1 },        { "hz", UNIT_FREQUENCY, 1 },  { "cps", UNIT_FREQUENCY, 1 },
    { "ohms", UNIT_OHM, 1 },               { "ohm", UNIT_OHM, 1 },       { "\xce\xa9", UNIT_OHM, 1 },
    { "\xe2\x84\xa6", UNIT_OHM, 1 },       { "\xcf\x89", UNIT_OHM, 1 },
    { "degrees", UNIT_PHASE, DEGREE },     { "degree", UNIT_PHASE, DEGREE }, { "deg", UNIT_PHASE, DEGREE },
    { "\xc2\xb0", UNIT_PHASE, DEGREE },    { "\xc2\xba", UNIT_PHASE, DEGREE },
    { "radians", UNIT_PHASE, 1 },          { "radian", UNIT_PHASE, 1 },  { "rad", UNIT_PHASE, 1 },
};

static const struct { const char *text; double factor; } prefixes[] = {
    { "", 1 },   { "m", 1e-3 }, { "k", 1e3 }, { "K", 1e3 },         { "M", 1e6 },         { "G", 1e9 },
    { "g", 1e9 }, { "T", 1e12 }, { "n", 1e-9 }, { "u", 1e-6 },      { "\xc2\xb5", 1e-6 }, { "\xce\xbc", 1e-6 },
};

/* ohm cm2, ohm*cm^2, ohm.cm², ohm·cm2 */
static slice strip_area(slice s, bool *area) {
    static const char *const ends[] = { "cm2", "cm^2", "cm\xc2\xb2" };
    for (size_t i = 0; i < sizeof ends / sizeof *ends; i++) {
        int64_t length = (int64_t)strlen(ends[i]);
        if (s.length <= length || strncasecmp(s.text + s.length - length, ends[i], (size_t)length) != 0) continue;
        s.length -= length, *area = true;
        while (s.length > 0 && strchr(" *._-", s.text[s.length - 1])) s.length--;
        if (s.length > 2 && memcmp(s.text + s.length - 2, "\xc2\xb7", 2) == 0) s.length -= 2;
        return slice_trim(s);
    }
    return s;
}

/* All of one case: then M is no sign of mega, and m none of milli. */
static bool hides_case(slice s, const char *prefix, const char *base) {
    bool hertz = strcmp(base, "hz") == 0;
    return (*prefix == 'm' && hertz && s.text[s.length - 2] == 'h')
        || (*prefix == 'M' && s.text[s.length - 1] != 'z' && hertz)
        || (*prefix == 'M' && strncmp(s.text + 1, "OHM", 3) == 0);
}

static bool is_unit(slice s, const char *prefix, const char *base) {
    size_t first = strlen(prefix), second = strlen(base);
    return (size_t)s.length == first + second && strncmp(s.text, prefix, first) == 0
        && strncasecmp(s.text + first, base, second) == 0;
}

unit unit_of(slice s) {
    bool area = false;
    s = strip_area(slice_trim(s), &area);
    for (size_t u = 0; u < sizeof units / sizeof *units; u++)
        for (size_t p = 0; p < sizeof prefixes / sizeof *prefixes; p++) {
            if (!is_unit(s, prefixes[p].text, units[u].name)) continue;
            if (hides_case(s, prefixes[p].text, units[u].name)) return (unit){ .kind = UNIT_UNCLEAR };
            return (unit){ units[u].kind, units[u].factor * prefixes[p].factor, area };
        }
    return (unit){ 0 };
}
