/* Ticks at 1, 2 and 5 of a decade, and prefixes of units, so that nobody counts zeros. */
#include "scale.h"

#include <math.h>
#include <stdio.h>

#include "base/base.h"

enum { LEAST_THOUSANDS = -4, MOST_THOUSANDS = 3 };
static const char *const prefixes[] = { "p", "n", "u", "m", "", "k", "M", "G" };
static const double most = 1e300; /* beyond it differences overflow */

void extent_include(extent *e, double v, bool log) {
    if (!isfinite(v) || (log && !(v > 0))) return;
    e->low = fmin(e->low, fmax(v, -most));
    e->high = fmax(e->high, fmin(v, most));
}

extent extent_widened(extent e, double share, bool log) {
    if (!(e.low <= e.high)) return e;
    double by = log ? share * (log10(e.high) - log10(e.low)) : share * (e.high - e.low);
    return log ? (extent){ e.low * pow(10, -by), e.high * pow(10, by) } : (extent){ e.low - by, e.high + by };
}

/* ---- numbers ---- */

double si_thousand(double value, int digits, const char **prefix) {
    /* Rounding may carry: 999.96 is 1.00 k. */
    double rounded = fabs(value) * (1 + 0.5 * pow(10, -digits));
    int at = MOST_THOUSANDS;
    while (at > LEAST_THOUSANDS && rounded < pow(1000, at)) at--;
    *prefix = prefixes[at - LEAST_THOUSANDS];
    return pow(1000, at);
}

const char *si_format(char buffer[32], double value, int digits) {
    const char *prefix;
    if (!isfinite(value)) return snprintf(buffer, 32, "-"), buffer;
    if (value == 0) return snprintf(buffer, 32, "0 "), buffer;
    double thousand = si_thousand(value, digits, &prefix);
    snprintf(buffer, 32, "%.*g %s", digits, value / thousand, prefix);
    return buffer;
}

/* 1e-07 as 1e-7. */
static const char *plain(double v, char out[SCALE_TEXT]) {
    snprintf(out, SCALE_TEXT, "%.6g", v);
    char *e = strchr(out, 'e');
    while (e && e[2] == '0' && e[3]) memmove(e + 2, e + 3, strlen(e + 2));
    return out;
}

const char *scale_tick(const scale *s, double v, char out[SCALE_TEXT]) {
    double thousand = pow(1000, s->thousands);
    if (!s->log && fabs(v) < 1e6 * thousand && s->decimals <= 6)
        return snprintf(out, SCALE_TEXT, "%.*f", s->decimals, v == 0 ? 0 : v / thousand), out;
    if (!s->log || !s->unit || v >= 1e12 || v < 1e-13) return plain(v / thousand, out);
    si_format(out, v, 6);
    size_t length = strlen(out);
    if (out[length - 1] == ' ') out[length - 1] = 0;
    return out;
}

const char *base_title(const char *label, const char *unit, char out[SCALE_TITLE]) {
    snprintf(out, SCALE_TITLE, unit ? "%s (%s)" : "%s", label ? label : "", unit);
    return out;
}

const char *scale_title(const scale *s, const char *label, char out[SCALE_TITLE]) {
    char unit[SCALE_TEXT];
    if (s->unit) snprintf(unit, sizeof unit, "%s%s", prefixes[s->thousands - LEAST_THOUSANDS], s->unit);
    return base_title(label, s->unit ? unit : NULL, out);
}

/* ---- ticks ---- */

static void linear_ticks(scale *s, bool whole) {
    static const double steps[] = { 1, 2, 5, 10 };
    double rough = (s->high - s->low) / 6, power = pow(10, floor(log10(rough))), step = 10 * power;
    for (int i = 3; i >= 0; i--)
        if (steps[i] * power >= rough) step = steps[i] * power;
    if (whole) step = fmax(step, 1);
    s->decimals = (int)fmax(0, -floor(log10(step / pow(1000, s->thousands)) + 1e-9));
    for (double i = ceil(s->low / step - 1e-9); i * step <= s->high + 1e-9 * step && s->ticks < SCALE_TICKS; i++)
        s->tick[s->ticks++] = i * step;
}

/* Decades; 1, 2 and 5 of each where there are few, every second or third where there are many. */
static void log_ticks(scale *s) {
    static const double within[] = { 1, 2, 5 };
    double low = log10(s->low) - 1e-9, high = log10(s->high) + 1e-9;
    int each = high - low < 2.2 ? 3 : 1, every = (int)ceil((high - low) / 12);
    for (int decade = (int)floor(low / every) * every; decade <= high && s->ticks < SCALE_TICKS - 3; decade += every)
        for (int i = 0; i < each; i++) {
            double at = decade + log10(within[i]);
            if (at >= low && at <= high) s->tick[s->ticks++] = pow(10, decade) * within[i];
        }
}

static int thousands_of(double low, double high) {
    double size = fmax(fabs(low), fabs(high));
    int found = (int)floor(log10(size) / 3 + 1e-9);
    return MIN2(MAX2(found, LEAST_THOUSANDS), MOST_THOUSANDS);
}

void scale_show(scale *s, double low, double high, bool whole, const scale *like) {
    s->low = low, s->high = high;
    s->thousands = like ? like->thousands : s->unit && !s->log ? thousands_of(low, high) : 0;
    s->ticks = 0;
    if (s->log) log_ticks(s);
    else linear_ticks(s, whole);
}

/* What has no extent, or is empty, gets one. */
static extent settled(extent e, bool log) {
    if (!(e.low <= e.high)) return log ? (extent){ 1, 10 } : (extent){ 0, 1 };
    if (e.high - e.low > 1e-9 * fmax(fabs(e.low), fabs(e.high))) return e;
    double by = fmax(0.5 * fabs(e.low), 1e-12);
    return (extent){ e.low - by, e.high + by };
}

scale scale_of(extent e, bool log, bool whole, const char *unit) {
    scale s = { .unit = unit, .log = log && e.low > 0 && e.high >= 10 * e.low };
    extent of = settled(e, s.log);
    scale_show(&s, of.low, of.high, whole, NULL);
    return s;
}

bool scale_shows(const scale *s, double v) { return isfinite(v) && (!s->log || v > 0); }

double scale_along(const scale *s, double v) {
    if (!s->log) return (v - s->low) / (s->high - s->low);
    return (log10(v) - log10(s->low)) / (log10(s->high) - log10(s->low));
}
