/* One column of Arrow's memory layout as doubles: a table of element types, validity bits, and times in seconds. */
#include "arrow_column.h"

#include <inttypes.h>
#include <math.h>
#include <stdlib.h>

#include "../base/base.h"

/* ---- types ---- */

static const int64_t EXACT = (int64_t)1 << 53;  /* up to here doubles hold whole numbers */

#define GET_SMALL(name, type)                                     \
    static bool name(const void *data, int64_t i, double *out) {  \
        return *out = (double)((const type *)data)[i], true;      \
    }
GET_SMALL(get_i8, int8_t)
GET_SMALL(get_u8, uint8_t)
GET_SMALL(get_i16, int16_t)
GET_SMALL(get_u16, uint16_t)
GET_SMALL(get_i32, int32_t)
GET_SMALL(get_u32, uint32_t)
GET_SMALL(get_f32, float)
GET_SMALL(get_f64, double)

static bool get_i64(const void *data, int64_t i, double *out) {
    int64_t v = ((const int64_t *)data)[i];
    return *out = (double)v, v >= -EXACT && v <= EXACT;
}

static bool get_u64(const void *data, int64_t i, double *out) {
    uint64_t v = ((const uint64_t *)data)[i];
    return *out = (double)v, v <= (uint64_t)EXACT;
}

static bool bit(const void *bitmap, int64_t i) { return ((const uint8_t *)bitmap)[i / 8] >> (i % 8) & 1; }

static bool get_bool(const void *data, int64_t i, double *out) { return *out = bit(data, i), true; }
static bool get_null(const void *data, int64_t i, double *out) { return (void)data, (void)i, *out = NAN, true; }

static bool get_half(const void *data, int64_t i, double *out) {
    unsigned h = ((const uint16_t *)data)[i], exponent = h >> 10 & 31, fraction = h & 1023;
    double size = exponent == 31 ? (fraction ? (double)NAN : (double)INFINITY)
                  : exponent     ? ldexp(1024 + fraction, (int)exponent - 25)
                                 : ldexp(fraction, -24);
    return *out = h >> 15 ? -size : size, true;
}

enum { DAY = 86400 };
static const arrow_type types[] = {
    { "n", 0, ARROW_NUMBER, 0, get_null },    { "b", 1, ARROW_NUMBER, 0, get_bool },
    { "c", 8, ARROW_NUMBER, 0, get_i8 },      { "C", 8, ARROW_NUMBER, 0, get_u8 },
    { "s", 16, ARROW_NUMBER, 0, get_i16 },    { "S", 16, ARROW_NUMBER, 0, get_u16 },
    { "i", 32, ARROW_NUMBER, 0, get_i32 },    { "I", 32, ARROW_NUMBER, 0, get_u32 },
    { "l", 64, ARROW_NUMBER, 0, get_i64 },    { "L", 64, ARROW_NUMBER, 0, get_u64 },
    { "e", 16, ARROW_NUMBER, 0, get_half },   { "f", 32, ARROW_NUMBER, 0, get_f32 },
    { "g", 64, ARROW_NUMBER, 0, get_f64 },    { "tss", 64, ARROW_TIME, 1, NULL },
    { "tsm", 64, ARROW_TIME, 1000, NULL },    { "tsu", 64, ARROW_TIME, 1000000, NULL },
    { "tsn", 64, ARROW_TIME, 1000000000, NULL }, { "tdD", 32, ARROW_TIME, -DAY, NULL },
    { "tdm", 64, ARROW_TIME, 1000, NULL },
};

const arrow_type *arrow_type_of(const char *format) {
    size_t length = format ? strcspn(format, ":") : 0;
    for (size_t i = 0; length && i < sizeof types / sizeof *types; i++)
        if (strlen(types[i].format) == length && !strncmp(types[i].format, format, length)) return &types[i];
    return NULL;
}

/* ---- elements ---- */

tide_status arrow_array_check(const struct ArrowArray *a, const arrow_type *type, const char *name,
                              tide_failure *failure) {
    int64_t buffers = type->bits ? 2 : 0;
    const char *what = NULL;
    if (!a->release) what = "was released before";
    else if (a->length < 0 || a->offset < 0 || a->length > INT64_MAX / 16 - a->offset)
        what = "has an odd length or offset";
    else if (a->null_count < -1 || a->null_count > a->length) what = "has an odd count of nulls";
    else if (a->n_buffers != buffers || (buffers && !a->buffers)) what = "has another number of buffers than its type";
    else if (buffers && a->length && !a->buffers[1]) what = "has no data";
    else if (buffers && a->null_count > 0 && !a->buffers[0]) what = "has nulls and no bitmap that says where";
    else if (a->dictionary) what = "has a dictionary, and its schema none";
    if (!what) return TIDE_OK;
    return fail_at(failure, TIDE_EDATA, NULL, 0, name, "Arrow: column '%.60s' %s", name, what);
}

static bool grow(arrow_column *c, int64_t rows) {
    if (c->count + rows <= c->capacity && (c->values || c->raw)) return true;
    int64_t capacity = MAX2(c->count + rows, 2 * c->capacity);
    bool    raw      = c->type->kind == ARROW_TIME;
    void   *more     = realloc(raw ? (void *)c->raw : (void *)c->values, (size_t)capacity * 8 + 8);
    if (!more) return false;
    if (raw) c->raw = more;
    else c->values = more;
    c->capacity = capacity;
    return true;
}

static tide_status row_fail(const arrow_column *c, const char *what, tide_failure *failure) {
    return fail_at(failure, TIDE_EDATA, NULL, c->count + 1, c->name, "Arrow: column '%.60s', row %" PRId64 ": %s",
                   c->name,
                   c->count + 1, what);
}

static bool null_at(const struct ArrowArray *a, int64_t i) {
    return a && a->n_buffers > 0 && a->buffers && a->buffers[0] && a->null_count && !bit(a->buffers[0], i);
}

static tide_status add_time(arrow_column *c, const void *data, int64_t i, tide_failure *failure) {
    int64_t v = c->type->bits == 32 ? ((const int32_t *)data)[i] : ((const int64_t *)data)[i];
    (void)failure;
    c->raw[c->count++] = c->type->per_second < 0 ? v * -c->type->per_second : v;
    return TIDE_OK;
}

static tide_status add_number(arrow_column *c, const void *data, int64_t i, tide_failure *failure) {
    double *to = &c->values[c->count];
    if (!c->type->get(data, i, to))
        return row_fail(c, "a whole number beyond 2^53, which a double cannot hold", failure);
    if (c->is_time && !isfinite(*to)) return row_fail(c, "the time is no finite number", failure);
    c->count++;
    return TIDE_OK;
}

tide_status arrow_column_add(arrow_column *c, const struct ArrowArray *a, const struct ArrowArray *parent,
                             int64_t first,
                             int64_t rows, tide_failure *failure) {
    tide_status status = arrow_array_check(a, c->type, c->name, failure);
    if (status != TIDE_OK) return status;
    if (first > a->length || rows > a->length - first)
        return fail_at(failure, TIDE_EDATA, NULL, 0, c->name,
                       "Arrow: column '%.60s' has %" PRId64 " rows where %" PRId64 " are needed", c->name, a->length,
                       first + rows);
    if (!grow(c, rows)) return fail(failure, TIDE_ENOMEM, "out of memory for the column '%.60s'", c->name);
    const void *data = c->type->bits ? a->buffers[1] : NULL;
    for (int64_t i = first; status == TIDE_OK && i < first + rows; i++) {
        bool gap = null_at(a, a->offset + i) || null_at(parent, i);
        if (gap && (c->is_time || c->type->kind == ARROW_TIME)) status = row_fail(c, "the time is missing", failure);
        else if (gap) c->values[c->count++] = NAN;
        else status = (c->type->kind == ARROW_TIME ? add_time : add_number)(c, data, a->offset + i, failure);
    }
    return status;
}
