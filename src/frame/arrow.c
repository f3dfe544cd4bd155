/* A frame from the Arrow C data and stream interfaces: columns are chosen by the schema, filled chunk by chunk, and
 * everything is copied. */
#include <inttypes.h>
#include <math.h>
#include <stdlib.h>

#include "../base/base.h"
#include "arrow_column.h"
#include "frame.h"

typedef struct reading {
    const struct ArrowSchema *schema;
    const tide_arrow_options *options;
    arrow_column *columns;        /* the time first, if there is one */
    int64_t       count, rows;
    bool          timed, is_struct;
} reading;

/* ---- the schema ---- */

static int64_t children_of(const struct ArrowSchema *s) { return strcmp(s->format, "+s") ? 1 : s->n_children; }

static const struct ArrowSchema *child_of(const struct ArrowSchema *s, int64_t i) {
    return strcmp(s->format, "+s") ? s : s->children[i];
}

static tide_status check_schema(const struct ArrowSchema *s, tide_failure *failure) {
    if (!s->format) return fail(failure, TIDE_EDATA, "Arrow: the schema has no format");
    if (strcmp(s->format, "+s") != 0) return TIDE_OK;
    if (s->n_children < 0 || s->n_children > INT32_MAX || (s->n_children && !s->children))
        return fail(failure, TIDE_EDATA, "Arrow: the schema has an odd number of columns");
    for (int64_t i = 0; i < s->n_children; i++)
        if (!s->children[i] || !s->children[i]->format || !s->children[i]->name || !*s->children[i]->name)
            return fail(failure, TIDE_EDATA, "Arrow: column %" PRId64 " of the schema has no name or no format", i + 1);
    return TIDE_OK;
}

static int64_t place_of(const struct ArrowSchema *s, const char *name) {
    for (int64_t i = 0; i < children_of(s); i++)
        if (child_of(s, i)->name && !strcmp(child_of(s, i)->name, name)) return i;
    return -1;
}

static bool is_time(const struct ArrowSchema *s) {
    const arrow_type *t = s->dictionary ? NULL : arrow_type_of(s->format);
    return t && t->kind == ARROW_TIME;
}

static tide_status choose(reading *r, int64_t place, bool time, tide_failure *failure) {
    const struct ArrowSchema *s = child_of(r->schema, place);
    const char *name = s->name && *s->name ? s->name : "value";
    const arrow_type *type = s->dictionary ? NULL : arrow_type_of(s->format);
    if (!type)
        return fail_at(failure, TIDE_EDATA, NULL, 0, name,
                       "Arrow: column '%.60s' has %s '%.20s'; numbers, booleans, timestamps and dates are taken", name,
                       s->dictionary ? "a dictionary of type" : "the type", s->format);
    if (type->kind == ARROW_TIME && !time)
        return fail_at(failure, TIDE_EDATA, NULL, 0, name,
                       "Arrow: column '%.60s' holds times, and another is the time axis: name the columns to take",
                       name);
    r->columns[r->count++] = (arrow_column){ .name = name, .type = type, .is_time = time, .place = place };
    return TIDE_OK;
}

static tide_status not_there(const char *name, tide_failure *failure) {
    return fail_at(failure, TIDE_EINVAL, NULL, 0, name, "Arrow: there is no column '%.60s'", name);
}

/* -1: there is none. */
static tide_status find_time(const reading *r, int64_t *place, tide_failure *failure) {
    *place = r->options->time ? place_of(r->schema, r->options->time) : -1;
    if (r->options->time && *place < 0) return not_there(r->options->time, failure);
    for (int64_t i = 0; !r->options->time && *place < 0 && i < children_of(r->schema); i++)
        if (is_time(child_of(r->schema, i))) *place = i;
    return TIDE_OK;
}

static tide_status choose_all(reading *r, tide_failure *failure) {
    const tide_arrow_options *o = r->options;
    int64_t     time, most = o->columns ? o->count : children_of(r->schema);
    tide_status status = find_time(r, &time, failure);
    if (status == TIDE_OK && o->count < 0) status = fail(failure, TIDE_EINVAL, "Arrow: %" PRId64 " columns", o->count);
    if (status != TIDE_OK) return status;
    r->columns = calloc((size_t)most + 1, sizeof *r->columns);
    if (!r->columns) return fail(failure, TIDE_ENOMEM, "out of memory for the frame");
    r->timed = time >= 0;
    if (r->timed) status = choose(r, time, true, failure);
    for (int64_t i = 0; status == TIDE_OK && i < most; i++) {
        int64_t place = o->columns ? (o->columns[i] ? place_of(r->schema, o->columns[i]) : -1) : i;
        if (place < 0) status = not_there(o->columns[i] ? o->columns[i] : "", failure);
        else if (place != time) status = choose(r, place, false, failure);
    }
    return status;
}

/* ---- the arrays ---- */

static tide_status check_struct(const reading *r, const struct ArrowArray *a, tide_failure *failure) {
    const char *what = NULL;
    if (a->length < 0 || a->offset < 0 || a->length > INT64_MAX / 16 - a->offset) what = "an odd length or offset";
    else if (a->n_children != r->schema->n_children || (a->n_children && !a->children))
        what = "another number of columns than its schema";
    else if (a->n_buffers != 1 || !a->buffers) what = "another number of buffers than its type";
    else if (a->null_count > 0 && !a->buffers[0]) what = "nulls and no bitmap that says where";
    for (int64_t i = 0; !what && i < a->n_children; i++)
        if (!a->children[i]) what = "a column that is missing";
    return what ? fail(failure, TIDE_EDATA, "Arrow: the record batch has %s", what) : TIDE_OK;
}

/* A struct's offset moves its children too; what it has as null is null in all of them. */
static tide_status add_chunk(reading *r, const struct ArrowArray *a, tide_failure *failure) {
    tide_status status = r->is_struct ? check_struct(r, a, failure) : TIDE_OK;
    if (status == TIDE_OK && a->length > INT64_MAX / 16 - r->rows)
        status = fail(failure, TIDE_EDATA, "Arrow: there are more rows than can be counted");
    for (int64_t i = 0; status == TIDE_OK && i < r->count; i++) {
        arrow_column *c = &r->columns[i];
        status = r->is_struct ? arrow_column_add(c, a->children[c->place], a, a->offset, a->length, failure)
                              : arrow_column_add(c, a, NULL, 0, MAX2(a->length, 0), failure);
    }
    if (status == TIDE_OK) r->rows += a->length;
    return status;
}

/* ---- the frame ---- */

static bool all_whole(const arrow_column *c) {
    for (int64_t i = 0; i < c->count; i++)
        if (c->raw ? c->raw[i] % MAX2(c->type->per_second, 1) != 0
                   : c->values[i] != floor(c->values[i]) || fabs(c->values[i]) > 9e15)
            return false;
    return true;
}

static tide_status put_time(tide_frame *f, const arrow_column *c, tide_failure *failure) {
    bool     whole   = all_whole(c);
    int64_t *seconds = whole ? malloc((size_t)c->count * sizeof *seconds + 1) : NULL;
    double  *real    = whole ? NULL : malloc((size_t)c->count * sizeof *real + 1);
    int64_t  unit    = MAX2(c->type->per_second, 1);
    if (!seconds && !real) return fail(failure, TIDE_ENOMEM, "out of memory for the times");
    for (int64_t i = 0; i < c->count; i++) {
        if (whole) seconds[i] = c->raw ? c->raw[i] / unit : (int64_t)c->values[i];
        else real[i] = c->raw ? (double)c->raw[i] / (double)unit : c->values[i];
    }
    return frame_take_time(f, c->name, seconds, real, failure);
}

static tide_status make_frame(reading *r, tide_frame **out, tide_failure *failure) {
    tide_status status = tide_frame_new(r->rows, out, failure);
    for (int64_t i = 0; status == TIDE_OK && i < r->count; i++) {
        arrow_column *c = &r->columns[i];
        if (c->is_time) status = put_time(*out, c, failure);
        else {
            double *values = c->values ? c->values : calloc(1, sizeof *values); /* of no chunk at all */
            c->values      = NULL;
            status = values ? frame_take(*out, c->name, values, failure)
                            : fail(failure, TIDE_ENOMEM, "out of memory for the frame");
        }
    }
    if (status == TIDE_OK) return status;
    tide_frame_free(*out);
    *out = NULL;
    return status;
}

static tide_status begin(reading *r, const struct ArrowSchema *schema, const tide_arrow_options *options,
                         tide_failure *failure) {
    static const tide_arrow_options none = { 0 };
    *r = (reading){ .schema = schema, .options = options ? options : &none };
    tide_status status = check_schema(schema, failure);
    if (status != TIDE_OK) return status;
    r->is_struct = strcmp(schema->format, "+s") == 0;
    return choose_all(r, failure);
}

static void end(reading *r) {
    for (int64_t i = 0; i < r->count; i++) free(r->columns[i].values), free(r->columns[i].raw);
    free(r->columns);
}

/* Each is released by whoever was handed it, once. */
static void release_schema(struct ArrowSchema *s) { if (s && s->release) s->release(s); }
static void release_array(struct ArrowArray *a) { if (a && a->release) a->release(a); }

tide_status tide_frame_from_arrow(struct ArrowSchema *schema, struct ArrowArray *array,
                                  const tide_arrow_options *options, tide_frame **out, tide_failure *failure) {
    failure_clear(failure);
    reading     r      = { 0 };
    tide_status status = TIDE_OK;
    if (out) *out = NULL;
    if (!out) status = fail(failure, TIDE_EINVAL, "frame: there is no place for it");
    else if (!schema || !array || !schema->release || !array->release)
        status = fail(failure, TIDE_EINVAL, "Arrow: there is no schema or no array, or it was released before");
    if (status == TIDE_OK) status = begin(&r, schema, options, failure);
    if (status == TIDE_OK) status = add_chunk(&r, array, failure);
    if (status == TIDE_OK) status = make_frame(&r, out, failure);
    end(&r);
    release_schema(schema), release_array(array);
    return status;
}

static tide_status stream_fail(struct ArrowArrayStream *s, int code, tide_failure *failure) {
    const char *why = s->get_last_error ? s->get_last_error(s) : NULL;
    return fail(failure, TIDE_EDATA, "Arrow: the stream failed with error %d%s%.400s", code, why ? ": " : "",
                why ? why : "");
}

static tide_status read_stream(struct ArrowArrayStream *stream, reading *r, tide_failure *failure) {
    for (;;) {
        struct ArrowArray chunk = { 0 };
        int code = stream->get_next(stream, &chunk);
        if (code) return stream_fail(stream, code, failure);
        if (!chunk.release) return TIDE_OK;
        tide_status status = add_chunk(r, &chunk, failure);
        release_array(&chunk);
        if (status != TIDE_OK) return status;
    }
}

tide_status tide_frame_from_arrow_stream(struct ArrowArrayStream *stream, const tide_arrow_options *options,
                                         tide_frame **out, tide_failure *failure) {
    failure_clear(failure);
    struct ArrowSchema schema = { 0 };
    reading            r      = { 0 };
    int                code   = 0;
    tide_status        status = TIDE_OK;
    if (out) *out = NULL;
    if (!out) status = fail(failure, TIDE_EINVAL, "frame: there is no place for it");
    else if (!stream || !stream->release || !stream->get_schema || !stream->get_next)
        status = fail(failure, TIDE_EINVAL, "Arrow: there is no stream, or it was released before");
    if (status == TIDE_OK && (code = stream->get_schema(stream, &schema))) status = stream_fail(stream, code, failure);
    if (status == TIDE_OK && !schema.release) status = fail(failure, TIDE_EDATA, "Arrow: the stream has no schema");
    if (status == TIDE_OK) status = begin(&r, &schema, options, failure);
    if (status == TIDE_OK) status = read_stream(stream, &r, failure);
    if (status == TIDE_OK) status = make_frame(&r, out, failure);
    end(&r);
    release_schema(&schema);
    if (stream && stream->release) stream->release(stream);
    return status;
}
