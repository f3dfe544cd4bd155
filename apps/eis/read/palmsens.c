/* PalmSens .pssession: JSON, in which each measurement has columns of values that say their unit; ZIm is stored as
 * -Im. Names are matched in any case. */
#include <jansson.h>
#include <strings.h>

#include "frames.h"

static const json_t *member(const json_t *object, const char *name) {
    const char *key;
    json_t     *value;
    json_object_foreach((json_t *)(uintptr_t)object, key, value) if (strcasecmp(key, name) == 0) return value;
    return NULL;
}

static bool ends_with(const char *text, const char *end) {
    size_t a = strlen(text), b = strlen(end);
    return a >= b && strcasecmp(text + a - b, end) == 0;
}

/* The values of the column with this type of unit. */
static const json_t *values_of(const json_t *measurement, const char *unit) {
    const json_t *columns = member(member(measurement, "dataset"), "values");
    size_t  i;
    json_t *column;
    json_array_foreach((json_t *)(uintptr_t)columns, i, column) {
        const char *type = json_string_value(member(member(column, "unit"), "type"));
        if (type && ends_with(type, unit)) return member(column, "datavalues");
    }
    return NULL;
}

static bool number_at(const json_t *values, size_t i, double *out) {
    const json_t *one = json_array_get(values, i), *v = json_is_object(one) ? member(one, "v") : one;
    *out = json_number_value(v);
    return json_is_number(v);
}

static tide_status read_measurement(reading *r, const json_t *m) {
    const json_t *f = values_of(m, "Hertz"), *re = values_of(m, "ZRe"), *im = values_of(m, "ZIm");
    const char   *title = json_string_value(member(m, "title"));
    if (!f || !re || !im) return TIDE_OK; /* of another technique */
    tide_status status = reading_begin_sweep(r, title ? title : "");
    for (size_t i = 0; i < json_array_size(f) && status == TIDE_OK; i++) {
        point  one = { 0 };
        double minus;
        bool   good = number_at(f, i, &one.freq_hz) && number_at(re, i, &one.z.re) && number_at(im, i, &minus);
        one.z.im = good ? -minus : 0;
        if (!good || one.freq_hz < 0 || (one.freq_hz > 0 && one.z.re == 0 && one.z.im == 0))
            return reading_fail(r, 0, NULL, "point %lld of measurement %lld has no usable frequency and impedance",
                                (long long)i + 1, (long long)r->sweeps);
        if (one.freq_hz == 0) r->resting++;
        else status = reading_add(r, &one);
    }
    return status;
}

tide_status palmsens_read(reading *r, const page *p) {
    json_error_t why;
    json_t      *all = json_loadb(p->memory, p->length, JSON_DISABLE_EOF_CHECK, &why), *one;
    tide_status  status = TIDE_OK;
    size_t       i;
    if (!all) return reading_fail(r, MAX2(why.line, 1), NULL, "this is no JSON: %.120s", why.text);
    r->sign_stated = true;
    json_array_foreach((json_t *)(uintptr_t)member(all, "measurements"), i, one) {
        if (status == TIDE_OK) status = read_measurement(r, one);
    }
    json_decref(all);
    if (status == TIDE_OK && r->count == 0)
        status = reading_fail(r, 0, NULL, "this session has no measurement with Hertz, ZRe and ZIm");
    return status;
}
