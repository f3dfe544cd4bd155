/* NAME[/NAME]=VALUE+-SD, ... with a column for what is wrong. */
#include "prior.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/base.h"

enum { NUMBER_TEXT = 48 };
static const char *const signs[] = { "+-", "\xc2\xb1", "\xb1" }; /* U+00B1 in UTF-8, and in Latin-1 */

typedef struct reading {
    const char *text, *at;
    const prior_names *names;
    tide_failure *failure;
} reading;

static void skip(reading *r) { r->at += strspn(r->at, " \t"); }

/* In letters: bytes that go on with one do not count. */
static int column(const reading *r) {
    int count = 1;
    for (const char *s = r->text; s < r->at; s++) count += ((unsigned char)*s & 0xc0) != 0x80;
    return count;
}

static tide_status expected(reading *r, const char *what) {
    skip(r);
    return fail_at(r->failure, TIDE_EINVAL, NULL, 0, "prior",
                   "`prior`, column %d of \"%.200s\": expected %s, but %s%.20s%s", column(r), r->text, what,
                   *r->at ? "there is \"" : "it ends", r->at, *r->at ? "\"" : "");
}

static tide_status unknown(reading *r, int found) {
    char what[600];
    if (found == PRIOR_AMBIGUOUS) return expected(r, "one parameter: this name is that of several, Rsh#1, Rsh#2");
    snprintf(what, sizeof what, "a parameter (%s)", r->names->list);
    return expected(r, what);
}

static tide_status read_name(reading *r, int *out) {
    skip(r);
    size_t length = strcspn(r->at, "/=, \t");
    *out = length ? r->names->find(r->names->of, r->at, length) : -1;
    if (*out < 0) return unknown(r, *out);
    r->at += length;
    skip(r);
    return TIDE_OK;
}

/* Where the value ends: at the sign, of which `length` tells the bytes, at the comma, or at the end. */
static size_t value_length(const char *s, size_t *length) {
    size_t end = strcspn(s, ",");
    *length = 0;
    for (size_t at = 0; at < end; at++)
        for (size_t i = 0; i < sizeof signs / sizeof *signs; i++)
            if (strncmp(s + at, signs[i], strlen(signs[i])) == 0) return *length = strlen(signs[i]), at;
    return end;
}

/* `length` bytes as a number: of a ratio a bare one, else in the parameter's unit. */
static bool read_number(const reading *r, const prior *p, size_t length, double *out) {
    char number[NUMBER_TEXT], *end;
    while (length && (r->at[length - 1] == ' ' || r->at[length - 1] == '\t')) length--;
    if (!length || length >= sizeof number) return false;
    memcpy(number, r->at, length), number[length] = 0;
    if (p->below < 0) return r->names->read(r->names->of, p->above, number, out);
    *out = num_parse(number, &end);
    return end != number && !*end && isfinite(*out);
}

static tide_status read_values(reading *r, prior *p) {
    size_t sign, length;
    skip(r);
    length = value_length(r->at, &sign);
    if (!read_number(r, p, length, &p->value))
        return expected(r, p->below < 0 ? "a value in the parameter's unit" : "a ratio, a bare number");
    r->at += length;
    if (!sign) return expected(r, "+- and a standard deviation (Rs=20+-1)");
    r->at += sign;
    skip(r);
    length = strcspn(r->at, ",");
    if (!read_number(r, p, length, &p->deviation) || !(p->deviation > 0))
        return expected(r, "a standard deviation above 0");
    r->at += length;
    return TIDE_OK;
}

static tide_status read_prior(reading *r, prior *p) {
    p->below = -1;
    tide_status status = read_name(r, &p->above);
    if (status == TIDE_OK && *r->at == '/') r->at++, status = read_name(r, &p->below);
    if (status != TIDE_OK) return status;
    if (*r->at != '=') return expected(r, p->below < 0 ? "= or / and another parameter" : "=");
    if (p->below == p->above) return expected(r, "the ratio of two different parameters before it");
    r->at++;
    return read_values(r, p);
}

static bool is_there(const priors *all, const prior *p) {
    for (int i = 0; i < all->count; i++)
        if (all->of[i].above == p->above && all->of[i].below == p->below) return true;
    return false;
}

tide_status priors_parse(const char *text, const prior_names *names, priors *out, tide_failure *failure) {
    reading r = { text, text, names, failure };
    *out = (priors){ 0 };
    for (skip(&r); *r.at; skip(&r)) {
        prior p = { 0 };
        const char *from = r.at;
        if (read_prior(&r, &p) != TIDE_OK) return TIDE_EINVAL;
        if (is_there(out, &p)) return r.at = from, expected(&r, "another parameter: this one has its prior");
        if (out->count == PRIORS_MOST) return r.at = from, expected(&r, "at most 16 priors");
        out->of[out->count++] = p;
        if (*r.at++ != ',') break;
        skip(&r);
        if (!*r.at) return expected(&r, "another prior");
    }
    return TIDE_OK;
}
