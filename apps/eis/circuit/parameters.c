/* Names, units, ranges, and values as people write them. */
#include <tidemill/eis.h>

#include <math.h>
#include <stdio.h>

#include "base/base.h"
#include "parameters.h"

#define R_RANGE 10, 1e4, "10..10000 ohm"
#define C_RANGE 1e-7, 5e-5, "1e-7..5e-5 F"

const eis_parameter eis_parameters[EIS_COUNT] = {
    { "Rsh", "ohm", R_RANGE }, { "Ra", "ohm", R_RANGE }, { "Rb", "ohm", R_RANGE }, { "Ca", "F", C_RANGE },
    { "Cb", "F", C_RANGE },
};

const ranges grid_ranges = { { 10, 10, 10, 1e-7, 1e-7, 0 }, { 1e4, 1e4, 1e4, 5e-5, 5e-5, 100 } };
const ranges usual_ranges = { { 1, 1, 1, 1e-8, 1e-8, 0 }, { 1e6, 1e6, 1e6, 1e-3, 1e-3, 1e4 } };

/* What can be asked for at all: ohm, and farad. */
static const struct {
    double low, high;
    const char *text;
} possible[] = { { 1e-6, 1e12, "1e-6..1e12 ohm" }, { 1e-15, 1e3, "1e-15..1000 F" } };

static const struct { const char *text; double factor; } prefixes[] = {
    { "", 1 }, { "u", 1e-6 }, { "k", 1e3 }, { "n", 1e-9 }, { "p", 1e-12 }, { "m", 1e-3 }, { "M", 1e6 },
    { "\xc2\xb5", 1e-6 }, { "\xce\xbc", 1e-6 },
};
enum { PREFIXES = sizeof prefixes / sizeof *prefixes };

double eis_grid_value(int parameter, int64_t i, int64_t points) {
    if (parameter < 0 || parameter >= EIS_COUNT) return NAN;
    double low = log10(eis_parameters[parameter].low), high = log10(eis_parameters[parameter].high);
    return pow(10, low + (double)i * (high - low) / (double)(points - 1));
}

int eis_parameter_find(const char *name, size_t length) {
    for (int k = 0; k < EIS_COUNT; k++)
        if (strlen(eis_parameters[k].name) == length && strncmp(name, eis_parameters[k].name, length) == 0) return k;
    return -1;
}

static bool is_unit(const char *s, const char *unit) {
    static const char *const ohms[] = { "", "ohm", "Ohm", "\xce\xa9", "\xe2\x84\xa6" };
    if (strcmp(unit, "F") == 0) return !*s || !strcmp(s, "F");
    for (size_t i = 0; i < sizeof ohms / sizeof *ohms; i++)
        if (strcmp(s, ohms[i]) == 0) return true;
    return false;
}

bool eis_quantity_parse(const char *text, const char *unit, double *out) {
    char  *end;
    double number = num_parse(text, &end);
    if (end == text || !isfinite(number)) return false;
    while (*end == ' ') end++;
    for (int i = 0; i < PREFIXES; i++) {
        size_t length = strlen(prefixes[i].text);
        if (strncmp(end, prefixes[i].text, length) != 0 || !is_unit(end + length, unit)) continue;
        *out = number * prefixes[i].factor;
        return true;
    }
    return false;
}

/* "; did you mean 3.7uF?" when a prefix brings the number into the usual range. */
static void put_hint(char *buffer, size_t size, const eis_parameter *p, double value) {
    char number[32];
    int k = (int)(p - eis_parameters);
    buffer[0] = 0;
    num_format(number, value, false);
    for (int i = 1; i < PREFIXES; i++) {
        double scaled = value * prefixes[i].factor;
        if (scaled < grid_ranges.low[k] || scaled > grid_ranges.high[k]) continue;
        snprintf(buffer, size, "; did you mean %s%s%s?", number, prefixes[i].text, p->unit[0] == 'F' ? "F" : "");
        return;
    }
}

static tide_status bad_value(const eis_parameter *p, double value, tide_failure *failure) {
    char hint[96], number[32], range[64];
    int k = (int)(p - eis_parameters);
    num_format(number, value, false);
    snprintf(range, sizeof range, "%g..%g %s", usual_ranges.low[k], usual_ranges.high[k], p->unit);
    if (value <= 0)
        return fail_at(failure, TIDE_EINVAL, NULL, 0, p->name, "%s must be positive (%s), not %s %s", p->name, range,
                       number, p->unit);
    put_hint(hint, sizeof hint, p, value);
    return fail_at(failure, TIDE_EINVAL, NULL, 0, p->name, "%s: %s %s is outside %s%s", p->name, number, p->unit, range,
                   hint);
}

static tide_status take(const char *name, const char *text, eis_known *out, tide_failure *failure) {
    static const char accepted[] = "Rsh, Ra, Rb, Ca and Cb";
    int    k = eis_parameter_find(name, strlen(name));
    double value;
    if (k < 0)
        return fail_at(failure, TIDE_EINVAL, NULL, 0, name, "there is no parameter \"%s\"; they are %s", name,
                       accepted);
    const eis_parameter *p = &eis_parameters[k];
    if (out->is[k]) return fail_at(failure, TIDE_EINVAL, NULL, 0, p->name, "%s is given twice", p->name);
    if (!eis_quantity_parse(text, p->unit, &value))
        return fail_at(failure, TIDE_EINVAL, NULL, 0, p->name, "%s: \"%s\" is not a value in %s, such as %s", p->name,
                       text, p->unit,
                       p->unit[0] == 'F' ? "3.7uF or 3.7e-6" : "4.8k or 4800");
    if (!(value >= usual_ranges.low[k] && value <= usual_ranges.high[k])) return bad_value(p, value, failure);
    out->is[k]    = true;
    out->value[k] = value;
    return TIDE_OK;
}

/* The next piece of text up to a comma, without the blanks around it. */
static const char *next_piece(const char *text, char *piece, size_t size) {
    size_t length = strcspn(text, ","), from = strspn(text, " "), to = length;
    while (to > from && text[to - 1] == ' ') to--;
    snprintf(piece, size, "%.*s", (int)(to > from ? to - from : 0), text + from);
    return text + length + (text[length] == ',');
}

tide_status eis_known_parse(const char *text, eis_known *out, tide_failure *failure) {
    failure_clear(failure);
    char        piece[128];
    tide_status status = TIDE_OK;
    if (!text || !out)
        return fail(failure, TIDE_EINVAL, text ? "there is no place for the known values" : "there is no text");
    *out               = (eis_known){ 0 };
    while (*text && status == TIDE_OK) {
        text        = next_piece(text, piece, sizeof piece);
        char *equal = strchr(piece, '=');
        if (!equal)
            return fail_at(failure, TIDE_EINVAL, NULL, 0, "known",
                           "\"%s\" is not NAME=VALUE, as in Rsh=460,Ra=4.8k,Ca=3.7uF", piece);
        char *value = equal + 1 + strspn(equal + 1, " ");
        while (equal > piece && equal[-1] == ' ') equal--;
        *equal = 0;
        status = take(piece, value, out, failure);
    }
    return status;
}

/* ---- ranges ---- */

static tide_status bad_range(const char *piece, tide_failure *failure) {
    return fail_at(failure, TIDE_EINVAL, NULL, 0, "range",
                   "\"%s\" is not NAME=LOW..HIGH of Rsh, Ra, Rb, Ca, Cb or Rs, as in Rs=0..1k,Ca=10nF..1mF", piece);
}

static tide_status take_range(char *piece, bool *given, ranges *out, tide_failure *failure) {
    char *equal = strchr(piece, '='), *dots = equal ? strstr(equal, "..") : NULL, whole[128];
    double low, high;
    snprintf(whole, sizeof whole, "%s", piece);
    if (!dots) return bad_range(whole, failure);
    size_t length = (size_t)(equal - piece);
    int k = length == 2 && !strncmp(piece, "Rs", 2) ? EIS_RS : eis_parameter_find(piece, length);
    const char *unit = k == EIS_RS ? "ohm" : k >= 0 ? eis_parameters[k].unit : "";
    *dots = 0;
    if (k < 0 || !eis_quantity_parse(equal + 1, unit, &low) || !eis_quantity_parse(dots + 2, unit, &high))
        return bad_range(whole, failure);
    int kind = unit[0] == 'F';
    if (given[k])
        return fail_at(failure, TIDE_EINVAL, NULL, 0, "range", "the range of %.*s is given twice", (int)length, whole);
    if (!(low < high) || !(low >= possible[kind].low || (k == EIS_RS && low == 0)) || high > possible[kind].high)
        return fail_at(failure, TIDE_EINVAL, NULL, 0, "range",
                       "%s: a range goes from its lower to its upper end, within %s%s", whole, possible[kind].text,
                       k == EIS_RS ? ", or from 0" : "");
    given[k] = true, out->low[k] = low, out->high[k] = high;
    return TIDE_OK;
}

tide_status ranges_parse(const char *text, ranges *out, tide_failure *failure) {
    char piece[128];
    bool given[EIS_WITH_RS] = { false };
    tide_status status = TIDE_OK;
    while (*text && status == TIDE_OK) {
        text = next_piece(text, piece, sizeof piece);
        status = take_range(piece, given, out, failure);
    }
    return status;
}
