/* Scanner and printer. */
#include "numbers.h"

#include <math.h>
#include <stdio.h>

static const double power10[] = { 1e0,  1e1,  1e2,  1e3,  1e4,  1e5,  1e6,  1e7,  1e8,  1e9,  1e10, 1e11,
                                  1e12, 1e13, 1e14, 1e15, 1e16, 1e17, 1e18, 1e19, 1e20, 1e21, 1e22 };
enum { EXACT_POWER = 22, EXACT_DIGITS = 15, MOST_DIGITS = 18 };

static bool is_digit(char c) { return c >= '0' && c <= '9'; }

/* Digits into a whole number, as many as it holds; the others only count. */
static const char *scan_digits(const char *s, uint64_t *whole, int *kept, int *dropped) {
    for (; is_digit(*s); s++) {
        if (*kept < MOST_DIGITS) *whole = *whole * 10 + (uint64_t)(*s - '0'), *kept += *whole != 0;
        else ++*dropped;
    }
    return s;
}

/* The exponent behind e; NULL: none is there. */
static const char *scan_exponent(const char *s, int *exponent) {
    bool negative = *s == '-';
    int  e = 0;
    if (*s == '-' || *s == '+') s++;
    if (!is_digit(*s)) return NULL;
    for (; is_digit(*s); s++)
        if (e < 100000) e = e * 10 + (*s - '0');
    *exponent += negative ? -e : e;
    return s;
}

#ifdef __SIZEOF_INT128__
enum { LONG_POWER = 19 };
static const uint64_t whole10[] = {
    1u, 10u, 100u, 1000u, 10000u, 100000u, 1000000u, 10000000u, 100000000u, 1000000000u, 10000000000u, 100000000000u,
    1000000000000u, 10000000000000u, 100000000000000u, 1000000000000000u, 10000000000000000u, 100000000000000000u,
    1000000000000000000u, 10000000000000000000u
};

/* whole / 10^digits, both moved up to their highest bits: a quotient of 63 or 64 bits, whose last one tells too whether
 * anything is left, so that it is rounded but once, to the 53 of a double. */
static double divided(uint64_t whole, int digits) {
    __extension__ typedef unsigned __int128 wide;
    uint64_t divisor = whole10[digits];
    int      up = __builtin_clzll(whole), over = __builtin_clzll(divisor);
    wide     shifted = (wide)(whole << up) << 63;
    divisor <<= over;
    uint64_t quotient = (uint64_t)(shifted / divisor);
    quotient |= shifted != (wide)quotient * divisor;
    return ldexp((double)quotient, over - up - 63);
}
#endif

/* A product or quotient of two numbers that doubles hold exactly is rounded once (Clinger, PLDI 1990), and so is a
 * quotient of whole numbers; the others are strtod's. */
static double value_of(const char *begin, uint64_t whole, int exponent, int kept, bool all, bool negative) {
    double v = (double)whole;
    bool   exact = all && kept <= EXACT_DIGITS && exponent <= EXACT_POWER && exponent >= -EXACT_POWER;
    if (exact) v = exponent < 0 ? v / power10[-exponent] : v * power10[exponent];
#ifdef __SIZEOF_INT128__
    else if (all && exponent <= 0 && exponent >= -LONG_POWER) v = divided(whole, -exponent);
#endif
    else return num_parse(begin, NULL);
    return negative ? -v : v;
}

bool number_scan(const char **at, double *out) {
    const char *begin = *at, *s = begin + (*begin == '-'), *digits = s;
    uint64_t whole = 0;
    int kept = 0, dropped = 0, behind = 0, exponent = 0;
    s = scan_digits(s, &whole, &kept, &dropped);
    if (s == digits || (*digits == '0' && s > digits + 1)) return false;
    exponent = dropped;
    if (*s == '.') {
        const char *point = ++s;
        s = scan_digits(s, &whole, &kept, &behind);
        if (s == point) return false;
        exponent -= (int)(s - point) - behind;
    }
    if ((*s == 'e' || *s == 'E') && !(s = scan_exponent(s + 1, &exponent))) return false;
    *out = value_of(begin, whole, exponent, kept, !dropped && !behind, *begin == '-');
    *at  = s;
    return true;
}

/* ---- printing ---- */

/* floor(log10(v)) for v > 0 within what power10 spans, else beyond it. */
static int magnitude(double v) {
    int e = 0;
    if (v >= 1) {
        while (e < EXACT_POWER && v >= power10[e + 1]) e++;
        return e;
    }
    while (e > -EXACT_POWER && v * power10[-e] < 1) e--;
    return e;
}

/* `digits` digits of the whole number as %g places them, trailing zeros left out. */
static int place(char *out, uint64_t whole, int digits, int e, bool negative) {
    char text[24];
    int  n = 0, length = 0, last = digits;
    int  i = digits - 1;
    for (; whole >> 32; i--, whole /= 10) text[i] = (char)('0' + whole % 10);
    for (uint32_t rest = (uint32_t)whole; i >= 0; i--, rest /= 10) text[i] = (char)('0' + rest % 10);
    while (last > 1 && text[last - 1] == '0') last--;
    if (negative) out[n++] = '-';
    if (e < 0) {
        out[n++] = '0', out[n++] = '.';
        for (i = -1; i > e; i--) out[n++] = '0';
        for (; length < last; length++) out[n++] = text[length];
    } else {
        for (; length <= e; length++) out[n++] = text[length];
        if (last > length) out[n++] = '.';
        for (; length < last; length++) out[n++] = text[length];
    }
    out[n] = 0;
    return n;
}

static int print_slowly(char *out, double value, int digits) {
    int length = snprintf(out, NUMBER_TEXT, "%.*g", digits, value);
    for (char *c = out; *c; c++)
        if (*c == ',') *c = '.'; /* of a locale with a comma */
    return length;
}

int number_print(char out[NUMBER_TEXT], double value, int digits) {
    static const double near_half = 1e-4;
    double v = fabs(value);
    if (!isfinite(value)) return snprintf(out, NUMBER_TEXT, "null");
    if (v == 0) return snprintf(out, NUMBER_TEXT, "0");
    if (digits == 0) return num_format(out, value, false);
    int e = magnitude(v);
    if (e < -4 || e >= digits || v < 1e-4) return print_slowly(out, value, digits);
    /* Scaling errs by less than near_half below 10^11; where that could turn the last digit, printf decides. */
    double scaled = v * power10[digits - 1 - e], rest = scaled - (double)(uint64_t)scaled;
    if (fabs(rest - 0.5) < near_half || digits > 11) return print_slowly(out, value, digits);
    uint64_t whole = (uint64_t)(scaled + 0.5);
    if ((double)whole >= power10[digits]) return print_slowly(out, value, digits);
    return place(out, whole, digits, e, value < 0);
}

void numbers_print(text *t, const double *values, int64_t count, int64_t stride, int digits) {
    char block[64 * NUMBER_TEXT];
    int  used = 0;
    block[used++] = '[';
    for (int64_t i = 0; i < count; i++) {
        if (i) block[used++] = ',';
        used += number_print(block + used, values[i * stride], digits);
        if (used < (int)sizeof block - 2 * NUMBER_TEXT) continue;
        text_put(t, block, (size_t)used);
        used = 0;
    }
    block[used++] = ']';
    text_put(t, block, (size_t)used);
}
