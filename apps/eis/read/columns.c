/* Names of columns to their meaning: sign, logarithm and unit are taken off, the rest is looked up in one table. */
#include "columns.h"

#include <stdio.h>
#include <string.h>

#include "base/base.h"

enum { KEY_SIZE = 64 };

/* Names without blanks, brackets, dots and underscores, in lower case, primes as '. '*' is the impedance's name: exact
 * ones stand before those that have it. */
static const struct { const char *key; role role; } names[] = {
    { "f", ROLE_FREQUENCY },      { "freq", ROLE_FREQUENCY },     { "frequency", ROLE_FREQUENCY },
    { "frequenz", ROLE_FREQUENCY }, { "frequence", ROLE_FREQUENCY }, { "fr\xc3\xa9quence", ROLE_FREQUENCY },
    { "freqactual", ROLE_FREQUENCY },

    { "sigmare", ROLE_SIGMA_RE }, { "sigmazre", ROLE_SIGMA_RE },  { "sigmarez", ROLE_SIGMA_RE },
    { "sdre", ROLE_SIGMA_RE },    { "resd", ROLE_SIGMA_RE },      { "zresd", ROLE_SIGMA_RE },
    { "stdre", ROLE_SIGMA_RE },   { "restd", ROLE_SIGMA_RE },     { "zrestd", ROLE_SIGMA_RE },
    { "zrealstd", ROLE_SIGMA_RE }, { "zresigma", ROLE_SIGMA_RE }, { "zrealsigma", ROLE_SIGMA_RE },
    { "sigmaim", ROLE_SIGMA_IM }, { "sigmazim", ROLE_SIGMA_IM },  { "sigmaimz", ROLE_SIGMA_IM },
    { "sdim", ROLE_SIGMA_IM },    { "imsd", ROLE_SIGMA_IM },      { "zimsd", ROLE_SIGMA_IM },
    { "stdim", ROLE_SIGMA_IM },   { "imstd", ROLE_SIGMA_IM },     { "zimstd", ROLE_SIGMA_IM },
    { "zimagstd", ROLE_SIGMA_IM }, { "zimsigma", ROLE_SIGMA_IM }, { "zimagsigma", ROLE_SIGMA_IM },

    { "z'", ROLE_RE },            { "zs'", ROLE_RE },             { "re", ROLE_RE },
    { "real", ROLE_RE },          { "zre", ROLE_RE },             { "zreal", ROLE_RE },
    { "rez", ROLE_RE },           { "realz", ROLE_RE },           { "zr", ROLE_RE },
    { "realpart", ROLE_RE },      { "rezs", ROLE_RE },            { "zrs", ROLE_RE },
    { "z''", ROLE_IM },           { "zs''", ROLE_IM },            { "im", ROLE_IM },
    { "imag", ROLE_IM },          { "imaginary", ROLE_IM },       { "zim", ROLE_IM },
    { "zimag", ROLE_IM },         { "zimg", ROLE_IM },            { "imz", ROLE_IM },
    { "imagz", ROLE_IM },         { "zi", ROLE_IM },              { "imaginarypart", ROLE_IM },
    { "img", ROLE_IM },           { "imzs", ROLE_IM },
    { "|z|", ROLE_MOD },          { "z", ROLE_MOD },              { "mod", ROLE_MOD },
    { "mag", ROLE_MOD },          { "magnitude", ROLE_MOD },      { "modulus", ROLE_MOD },
    { "zmod", ROLE_MOD },         { "zmag", ROLE_MOD },           { "absz", ROLE_MOD },
    { "zabs", ROLE_MOD },         { "modz", ROLE_MOD },           { "magz", ROLE_MOD },
    { "zmagnitude", ROLE_MOD },   { "impedance", ROLE_MOD },      { "|impedance|", ROLE_MOD },
    { "impedancemagnitude", ROLE_MOD }, { "impedancemodulus", ROLE_MOD },
    { "phase", ROLE_PHASE },      { "phz", ROLE_PHASE },          { "zphz", ROLE_PHASE },
    { "phi", ROLE_PHASE },        { "theta", ROLE_PHASE },        { "phasez", ROLE_PHASE },
    { "zphase", ROLE_PHASE },     { "argz", ROLE_PHASE },         { "phaseangle", ROLE_PHASE },
    { "angle", ROLE_PHASE },      { "zphi", ROLE_PHASE },         { "\xcf\x86", ROLE_PHASE },
    { "\xce\xb8", ROLE_PHASE },   { "phaseshift", ROLE_PHASE },   { "impedancephase", ROLE_PHASE },

    { "cycle", ROLE_SWEEP },      { "cyclenumber", ROLE_SWEEP },  { "zcycle", ROLE_SWEEP },
    { "loop", ROLE_SWEEP },       { "loopnumber", ROLE_SWEEP },   { "sweep", ROLE_SWEEP },
    { "sweepnumber", ROLE_SWEEP }, { "scan", ROLE_SWEEP },        { "segment", ROLE_SWEEP },
    { "segment#", ROLE_SWEEP },   { "well", ROLE_SWEEP },         { "spectrum", ROLE_SWEEP },

    { "rez*", ROLE_RE },          { "imz*", ROLE_IM },            { "|z*|", ROLE_MOD },
    { "phasez*", ROLE_PHASE },    { "zreal*", ROLE_RE },          { "zimag*", ROLE_IM },
    { "zmod*", ROLE_MOD },        { "zphz*", ROLE_PHASE },        { "z*real", ROLE_RE },
    { "z*imag", ROLE_IM },        { "z*''", ROLE_IM },            { "z*'", ROLE_RE },
};

/* ---- what is taken off ---- */

static bool take_prefix(slice *s, const char *prefix) {
    if (!slice_begins(*s, prefix)) return false;
    s->text += strlen(prefix), s->length -= (int64_t)strlen(prefix);
    *s = slice_trim(*s);
    return true;
}

static bool take_minus(slice *s) {
    static const char *const marks[] = { "-", "\xe2\x88\x92", "\xe2\x80\x93", "neg. ", "neg ", "negative ", "minus " };
    for (size_t i = 0; i < sizeof marks / sizeof *marks; i++)
        if (take_prefix(s, marks[i])) return true;
    return false;
}

/* log10(|Z|/ohm), lg f, log |Z| */
static bool take_log(slice *s) {
    static const char *const words[] = { "log10", "log", "lg" };
    slice rest = *s;
    bool  taken = false;
    for (size_t i = 0; i < sizeof words / sizeof *words && !taken; i++) taken = take_prefix(&rest, words[i]);
    bool longer = taken && rest.length > 0 && rest.text == s->text + strlen("log") && !strchr(" (|_", *rest.text);
    if (!taken || rest.length == 0 || longer) return false;
    if (*rest.text == '(' || *rest.text == '_') rest.text++, rest.length--;
    if (rest.length > 0 && rest.text[rest.length - 1] == ')' && !memchr(rest.text, '(', (size_t)rest.length))
        rest.length--;
    *s = slice_trim(rest);
    return true;
}

static int64_t last_of(slice s, const char *marks) {
    int64_t i = s.length - 1;
    while (i >= 0 && !strchr(marks, s.text[i])) i--;
    return i;
}

/* "(Hz)", "[ohm]", "/Hz", "_hz", " Hz" at the end; ZPlot's "(a)" and "(b)" are no units. */
static unit take_unit(slice *s) {
    int64_t open = s->length && strchr(")]", s->text[s->length - 1]) ? last_of(*s, "([") : -1;
    if (open > 0) {
        slice inside = { s->text + open + 1, s->length - open - 2 };
        unit  found  = unit_of(inside);
        bool  letter = inside.length == 1 && strchr("abAB", *inside.text);
        if (found.kind != UNIT_NONE || letter || inside.length == 0)
            *s = slice_trim((slice){ s->text, open });
        return found;
    }
    for (const char *mark = "/_ ,"; *mark; mark++) {
        int64_t at    = last_of(*s, (char[]){ *mark, 0 });
        unit    found = at > 0 ? unit_of((slice){ s->text + at + 1, s->length - at - 1 }) : (unit){ 0 };
        if (found.kind != UNIT_NONE) {
            *s = slice_trim((slice){ s->text, at });
            return found;
        }
    }
    return (unit){ 0 };
}

/* ---- the rest ---- */

static bool is_prime(slice s, int64_t i, const char *bytes) {
    int64_t length = (int64_t)strlen(bytes);
    return s.length - i >= length && memcmp(s.text + i, bytes, (size_t)length) == 0;
}

/* ' for each stroke of a prime: typewriter's and printer's ones, " for two. Returns the bytes that it took, 0: none. */
static int take_prime(slice s, int64_t i, int *strokes) {
    static const struct { const char *bytes; int strokes; } primes[] = {
        { "\"\"", 2 }, { "\"", 2 }, { "'", 1 }, { "\xe2\x80\xb2", 1 }, { "\xe2\x80\xb3", 2 }, { "\xe2\x80\x99", 1 },
        { "\xe2\x80\x9d", 2 }, { "`", 1 }, { "\xc2\xb4", 1 },
    };
    for (size_t k = 0; k < sizeof primes / sizeof *primes; k++)
        if (is_prime(s, i, primes[k].bytes)) {
            *strokes = primes[k].strokes;
            return (int)strlen(primes[k].bytes);
        }
    return 0;
}

static bool make_key(slice s, char key[KEY_SIZE]) {
    int n = 0;
    for (int64_t i = 0; i < s.length;) {
        int strokes = 0, taken = take_prime(s, i, &strokes);
        if (n + 3 > KEY_SIZE) return false;
        for (int k = 0; k < strokes; k++) key[n++] = '\'';
        if (!taken && !strchr(" \t_.(){}[]*:", s.text[i]))
            key[n++] = (char)(s.text[i] >= 'A' && s.text[i] <= 'Z' ? s.text[i] + 'a' - 'A' : s.text[i]);
        i += taken ? taken : 1;
    }
    key[n] = 0;
    return n > 0;
}

/* `object` receives what stands for '*'. */
static bool matches(const char *pattern, const char *key, char object[OBJECT_SIZE]) {
    *object = 0;
    if (*pattern != *key) return false; /* no pattern begins with '*' */
    const char *star  = strchr(pattern, '*');
    size_t      begin = star ? (size_t)(star - pattern) : 0, length = strlen(key), end = star ? strlen(star + 1) : 0;
    if (!star) return strcmp(pattern, key) == 0;
    if (length <= begin + end || length - begin - end >= OBJECT_SIZE || strncmp(pattern, key, begin) != 0
        || strcmp(key + length - end, star + 1) != 0)
        return false;
    memcpy(object, key + begin, length - begin - end);
    object[length - begin - end] = 0;
    return !strchr(object, '\'');
}

column column_of(slice name) {
    column c = { .name = slice_trim(name) };
    slice  s = c.name;
    char   key[KEY_SIZE];
    take_prefix(&s, "data:");
    take_prefix(&s, "Definition=");
    c.minus = take_minus(&s);
    c.log   = take_log(&s);
    c.unit  = take_unit(&s);
    if (!make_key(s, key)) return c;
    for (size_t i = 0; i < sizeof names / sizeof *names && c.role == ROLE_OTHER; i++)
        if (matches(names[i].key, key, c.object)) c.role = names[i].role;
    bool own = c.unit.kind == UNIT_NONE || c.unit.kind == UNIT_UNCLEAR || c.unit.kind == role_unit(c.role);
    if (c.role == ROLE_SWEEP || !own) *c.object = 0;
    if (!own && c.role != ROLE_SWEEP) c.role = ROLE_OTHER; /* "Z imag (V)" is no impedance */
    return c;
}

const char *role_name(role r) {
    static const char *const words[] = { "other", "frequency", "real part", "imaginary part", "magnitude", "phase",
                                         "standard deviation of the real part",
                                         "standard deviation of the imaginary part", "sweep" };
    return words[r];
}

unit_kind role_unit(role r) {
    static const unit_kind kinds[] = { UNIT_NONE, UNIT_FREQUENCY, UNIT_OHM, UNIT_OHM, UNIT_OHM, UNIT_PHASE, UNIT_OHM,
                                       UNIT_OHM, UNIT_NONE };
    return kinds[r];
}
