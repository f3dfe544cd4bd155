/* Numbers of a data file. Short ones, nearly all of a typical file, take an exact fast path; the rest go to strtod. */
#include <ctype.h>
#include <float.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "util.h"

bool number_reader_open(number_reader *r, char decimal) {
    r->decimal = decimal ? decimal : '.';
    r->thousands = 0;
    r->locale = newlocale(LC_ALL_MASK, "C", (locale_t)0);
    return r->locale != (locale_t)0;
}

void number_reader_close(number_reader *r) {
    if (r->locale) freelocale(r->locale);
    r->locale = (locale_t)0;
}

static bool is_blank(char c) { return c == ' ' || c == '\t'; }

static const char *skip_blanks(const char *p) {
    while (is_blank(*p)) p++;
    return p;
}

/* What a number's text says: digits * 10^exponent. */
typedef struct decimal {
    uint64_t digits;
    int64_t  exponent;
    int      significant;  /* digits read from the first that is not zero on */
    bool     negative;
    const char *end;       /* behind the number; NULL: there is none */
} decimal;

static const char *scan_digits(const char *p, decimal *d, bool behind_point) {
    for (; *p >= '0' && *p <= '9'; p++) {
        if (d->significant || *p != '0') d->significant++;
        if (d->significant <= 19) d->digits = d->digits * 10 + (uint64_t)(*p - '0');
        d->exponent -= behind_point;
    }
    return p;
}

static const char *scan_exponent(const char *p, decimal *d) {
    if (*p != 'e' && *p != 'E') return p;
    bool negative = p[1] == '-';
    const char *q = p + 1 + (p[1] == '-' || p[1] == '+');
    if (!isdigit((unsigned char)*q)) return NULL;
    int64_t value = 0;
    for (; isdigit((unsigned char)*q); q++)
        if (value < 100000) value = value * 10 + (*q - '0');
    d->exponent += negative ? -value : value;
    return q;
}

static decimal scan_decimal(const char *p, char point) {
    decimal d = { .negative = *p == '-' };
    p += *p == '-' || *p == '+';
    const char *start = p;
    p = scan_digits(p, &d, false);
    ptrdiff_t count = p - start;
    if (*p == point) {
        start = p + 1;
        p = scan_digits(start, &d, true);
        count += p - start;
    }
    d.end = count ? scan_exponent(p, &d) : NULL;
    return d;
}

static const double powers[] = { 1e0,  1e1,  1e2,  1e3,  1e4,  1e5,  1e6,  1e7,  1e8,  1e9,  1e10, 1e11,
                                 1e12, 1e13, 1e14, 1e15, 1e16, 1e17, 1e18, 1e19, 1e20, 1e21, 1e22 };

/* Both numbers are exact doubles, so the one operation rounds correctly. */
static bool exact_value(const decimal *d, double *value) {
    if (d->significant > 15 || d->exponent < -22 || d->exponent > 22) return false;
    double digits = (double)d->digits;
    *value = d->exponent < 0 ? digits / powers[-d->exponent] : digits * powers[d->exponent];
    if (d->negative) *value = -*value;
    return true;
}

/* 16 to 19 digits, where long double is x87's with 64 bits: the quotient is rounded to 64 bits first, which misleads
 * the second rounding to 53 only if it hits the middle between two doubles. */
static bool extended_value(const decimal *d, double *value) {
    static const long double divisors[] = { 1e0L,  1e1L,  1e2L,  1e3L,  1e4L,  1e5L,  1e6L,  1e7L,  1e8L,  1e9L,
                                            1e10L, 1e11L, 1e12L, 1e13L, 1e14L, 1e15L, 1e16L, 1e17L, 1e18L, 1e19L };
    if (LDBL_MANT_DIG != 64 || d->significant > 19 || d->exponent > 0 || d->exponent < -19) return false;
    long double quotient = (long double)d->digits / divisors[-d->exponent];
    uint64_t mantissa;
    memcpy(&mantissa, &quotient, sizeof mantissa);
    if ((mantissa & 0x7ff) == 0x400) return false;
    *value = (double)(d->negative ? -quotient : quotient);
    return true;
}

/* strtod wants a point. Longer text than the buffer is no number that anyone wrote. */
static double slow_value(const number_reader *r, const char *start, const char *end) {
    if (r->decimal == '.') return strtod_l(start, NULL, r->locale);
    char buffer[512];
    size_t length = (size_t)(end - start);
    if (length >= sizeof buffer) return (double)NAN;
    memcpy(buffer, start, length);
    buffer[length] = 0;
    char *point = strchr(buffer, r->decimal);
    if (point) *point = '.';
    return strtod_l(buffer, NULL, r->locale);
}

bool number_is_grouped(const char *text, char thousands, char decimal, int *groups, bool *fraction) {
    const char *p = skip_blanks(text);
    p += *p == '-' || *p == '+';
    size_t first = strspn(p, "0123456789");
    if (first < 1 || first > 3 || *p == '0') return false;
    *groups = 0;
    for (p += first; *p == thousands && strspn(p + 1, "0123456789") == 3; p += 4) (*groups)++;
    *fraction = *p == decimal;
    if (*fraction) p += 1 + strspn(p + 1, "0123456789");
    return *groups && !*skip_blanks(p);
}

static bool parse_grouped(const number_reader *r, const char *text, double *value) {
    number_reader plain = *r;
    char buffer[64];
    size_t length = 0;
    int groups;
    bool fraction;
    if (strlen(text) >= sizeof buffer || !number_is_grouped(text, r->thousands, r->decimal, &groups, &fraction))
        return false;
    for (; *text; text++)
        if (*text != r->thousands) buffer[length++] = *text;
    buffer[length] = 0;
    plain.thousands = 0;
    return number_parse(&plain, buffer, value);
}

/* Digits, 15 at most, with a point or without, and nothing around them: nearly all cells of a file. The same value as
 * by the longer way. */
static bool parse_short(const char *p, char point, double *value) {
    bool negative = *p == '-';
    uint64_t digits = 0;
    p += negative || *p == '+';
    const char *start = p, *behind = NULL;
    for (; *p >= '0' && *p <= '9'; p++) digits = digits * 10 + (uint64_t)(*p - '0');
    if (*p == point)
        for (behind = ++p; *p >= '0' && *p <= '9'; p++) digits = digits * 10 + (uint64_t)(*p - '0');
    ptrdiff_t count = p - start - (behind != NULL);
    if (*p || count < 1 || count > 15) return false;
    double whole = (double)digits;
    *value       = behind ? whole / powers[p - behind] : whole;
    if (negative) *value = -*value;
    return true;
}

bool number_parse(const number_reader *r, const char *text, double *value) {
    if (parse_short(text, r->decimal, value)) return true;
    if (r->thousands && strchr(skip_blanks(text), r->thousands)) return parse_grouped(r, text, value);
    const char *start = skip_blanks(text);
    decimal d = scan_decimal(start, r->decimal);
    if (!d.end || *skip_blanks(d.end)) return false;
    if (!exact_value(&d, value) && !extended_value(&d, value)) *value = slow_value(r, start, d.end);
    return isfinite(*value);
}

bool number_is_missing(const char *text) {
    static const char *const words[] = { "", "nan", "na", "n/a", "null", "none" };
    const char *start = skip_blanks(text);
    size_t length = strlen(start);
    while (length && is_blank(start[length - 1])) length--;
    for (size_t i = 0; i < sizeof words / sizeof *words; i++)
        if (strlen(words[i]) == length && !strncasecmp(start, words[i], length)) return true;
    return false;
}
