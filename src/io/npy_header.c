/* A parser for the one dictionary that stands before a numpy array. No Python is read beyond it. */
#include "npy_header.h"

#include <string.h>

#include "../base/base.h"

static void skip_blanks(const char **p) {
    while (**p == ' ' || **p == '\t' || **p == '\n' || **p == '\r') (*p)++;
}

static bool take(const char **p, const char *word) {
    skip_blanks(p);
    size_t length = strlen(word);
    if (strncmp(*p, word, length) != 0) return false;
    *p += length;
    return true;
}

/* A quoted word of fewer than `room` characters without escapes. */
static bool take_quoted(const char **p, char *out, size_t room) {
    skip_blanks(p);
    char quote = **p;
    if (quote != '\'' && quote != '"') return false;
    const char *start = *p + 1, *end = strchr(start, quote);
    if (!end || (size_t)(end - start) >= room) return false;
    memcpy(out, start, (size_t)(end - start));
    out[end - start] = 0;
    *p = end + 1;
    return strchr(out, '\\') == NULL;
}

/* Digits, with the L that Python 2 put after them. */
static bool take_size(const char **p, int64_t *out) {
    skip_blanks(p);
    if (**p < '0' || **p > '9') return false;
    int64_t value = 0;
    for (; **p >= '0' && **p <= '9'; (*p)++) {
        int digit = **p - '0';
        if (value > (INT64_MAX - digit) / 10) return false;
        value = value * 10 + digit;
    }
    if (**p == 'L') (*p)++;
    *out = value;
    return true;
}

static tide_status take_shape(const source *s, const char **p, tide_shape *shape, tide_failure *f) {
    shape->ndim = 0;
    bool comma = true, sound = take(p, "(");
    while (sound && !take(p, ")")) {
        int64_t size;
        sound = comma && take_size(p, &size);
        if (!sound) break;
        if (shape->ndim == TIDE_MAX_DIMS)
            return source_fail(s, f, "it has more than the %d axes that are accepted", TIDE_MAX_DIMS);
        shape->dim[shape->ndim++] = size;
        comma = take(p, ",");
        sound = comma || shape->ndim != 1;  /* Python writes (3,): (3) is a number */
    }
    return sound ? TIDE_OK : source_fail(s, f, "its header has no shape like (3, 4)");
}

static tide_status take_type(const source *s, const char **p, npy_header *h, tide_failure *f) {
    static const char accepted[] = "f2, f4, f8, i1, i2, i4, i8, u1, u2, u4, u8 and b1 are accepted";
    char text[16];
    skip_blanks(p);
    if (**p == '[') return source_fail(s, f, "it is a structured array; %s", accepted);
    if (!take_quoted(p, text, sizeof text)) return source_fail(s, f, "its header has no element type like '<f4'");
    bool has_order = text[0] && strchr("<>|=", text[0]);
    h->type = stored_by_npy(text + has_order);
    h->big_endian = text[0] == '>';
    return h->type ? TIDE_OK : source_fail(s, f, "its element type is '%s'; %s", text, accepted);
}

static tide_status take_order(const source *s, const char **p, bool *fortran, tide_failure *f) {
    *fortran = take(p, "True");
    if (*fortran || take(p, "False")) return TIDE_OK;
    return source_fail(s, f, "fortran_order in its header is neither True nor False");
}

static tide_status take_entry(const source *s, const char **p, npy_header *h, unsigned *seen, tide_failure *f) {
    static const char *const keys[] = { "descr", "fortran_order", "shape" };
    char key[32];
    unsigned which = 0;
    if (!take_quoted(p, key, sizeof key) || !take(p, ":"))
        return source_fail(s, f, "its header is not a Python dictionary");
    while (which < 3 && strcmp(key, keys[which]) != 0) which++;
    if (which == 3 || (*seen & 1u << which))
        return source_fail(
            s, f, "its header has the key '%s' unexpectedly; descr, fortran_order and shape are accepted, once each",
            key);
    *seen |= 1u << which;
    if (which == 0) return take_type(s, p, h, f);
    if (which == 1) return take_order(s, p, &h->fortran, f);
    return take_shape(s, p, &h->shape, f);
}

tide_status npy_header_parse(const source *s, const char *text, npy_header *out, tide_failure *f) {
    const char *p = text;
    unsigned seen = 0;
    bool comma = true, open = take(&p, "{");
    while (open && !take(&p, "}")) {
        if (!comma) return source_fail(s, f, "its header lacks a comma between two entries");
        tide_status status = take_entry(s, &p, out, &seen, f);
        if (status) return status;
        comma = take(&p, ",");
    }
    skip_blanks(&p);
    if (!open || *p) return source_fail(s, f, "its header is not a Python dictionary");
    if (seen != 7) return source_fail(s, f, "its header lacks one of descr, fortran_order, shape");
    return TIDE_OK;
}
