/* Arrow's C data and stream interfaces: every type that is taken, offsets, bitmaps, chunks, and arrays that lie. What
 * is handed in is released exactly once, whatever happens. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include <tidemill/frame.h>

enum { MOST = 4 };

/* A record batch on static memory, whose releases are counted. */
typedef struct batch {
    struct ArrowSchema schema, field[MOST], *fields[MOST];
    struct ArrowArray  array, column[MOST], *columns[MOST];
    const void *buffers[MOST][2], *own[1];
    int         count, schemas_released, arrays_released;
} batch;

static void release_schema(struct ArrowSchema *s) { ++*(int *)s->private_data, s->release = NULL; }
static void release_array(struct ArrowArray *a) { ++*(int *)a->private_data, a->release = NULL; }
static int  ignored;

static void batch_new(batch *b, int64_t rows) {
    *b = (batch){ .count = 0 };
    b->schema = (struct ArrowSchema){ .format = "+s", .children = b->fields, .release = release_schema,
                                      .private_data = &b->schemas_released };
    b->array = (struct ArrowArray){ .length = rows, .n_buffers = 1, .buffers = b->own, .children = b->columns,
                                    .release = release_array, .private_data = &b->arrays_released };
}

static void add(batch *b, const char *name, const char *format, const void *validity, const void *data) {
    int i = b->count++;
    b->field[i] =
        (struct ArrowSchema){ .format = format, .name = name, .release = release_schema, .private_data = &ignored };
    b->buffers[i][0] = validity, b->buffers[i][1] = data;
    b->column[i] = (struct ArrowArray){ .length = b->array.length + b->array.offset, .null_count = validity ? -1 : 0,
                                        .n_buffers = strcmp(format, "n") ? 2 : 0, .buffers = b->buffers[i],
                                        .release = release_array, .private_data = &ignored };
    b->fields[i] = &b->field[i], b->columns[i] = &b->column[i];
    b->schema.n_children = b->array.n_children = b->count;
}

static tide_frame *taken(batch *b, const tide_arrow_options *o) {
    tide_frame  *f;
    tide_failure why = { 0 };
    if (tide_frame_from_arrow(&b->schema, &b->array, o, &f, &why) != TIDE_OK) fail_msg("%s", why.message);
    assert_int_equal(b->schemas_released, 1);
    assert_int_equal(b->arrays_released, 1);
    return f;
}

static void refused(batch *b, const tide_arrow_options *o, const char *part) {
    tide_frame  *f;
    tide_failure why = { 0 };
    tide_status  got = tide_frame_from_arrow(&b->schema, &b->array, o, &f, &why);
    if (got != TIDE_EDATA && got != TIDE_EINVAL)
        fail_msg("got %s where '%s' was expected", tide_status_name(got), part);
    if (!strstr(why.message, part)) fail_msg("'%s' does not say '%s'", why.message, part);
    assert_null(f);
    assert_int_equal(b->schemas_released, 1);
    assert_int_equal(b->arrays_released, 1);
}

static void expect(const tide_frame *f, const char *name, const double *want, int64_t rows) {
    int64_t       stride;
    const double *got = tide_frame_values(f, tide_frame_find(f, name), &stride);
    assert_non_null(got);
    for (int64_t i = 0; i < rows; i++)
        if (!(got[i * stride] == want[i] || (isnan(want[i]) && isnan(got[i * stride]))))
            fail_msg("column '%s', row %d: expected %g, got %g", name, (int)i, want[i], got[i * stride]);
}

static void test_types(void **state) {
    (void)state;
    static const uint8_t  bools = 0x5;
    static const int8_t   i8[3] = { -1, 0, 127 };
    static const uint8_t  u8[3] = { 1, 2, 255 };
    static const int16_t  i16[3] = { -300, 0, 300 };
    static const uint16_t u16[3] = { 1, 2, 65535 }, half[3] = { 0x3c00, 0xc000, 0x0001 };
    static const int32_t  i32[3] = { -70000, 0, 70000 };
    static const uint32_t u32[3] = { 0, 1, 4294967295u };
    static const int64_t  i64[3] = { -((int64_t)1 << 53), 0, (int64_t)1 << 53 };
    static const uint64_t u64[3] = { 0, 1, (uint64_t)1 << 53 };
    static const float    f32[3] = { 0.5F, -1, 1e30F };
    static const double   f64[3] = { 0.1, -2, 1e300 };
    const struct { const char *format; const void *data; double want[3]; } cases[] = {
        { "b", &bools, { 1, 0, 1 } },         { "c", i8, { -1, 0, 127 } },        { "C", u8, { 1, 2, 255 } },
        { "s", i16, { -300, 0, 300 } },       { "S", u16, { 1, 2, 65535 } },      { "i", i32, { -70000, 0, 70000 } },
        { "I", u32, { 0, 1, 4294967295.0 } }, { "l", i64, { -0x1p53, 0, 0x1p53 } }, { "L", u64, { 0, 1, 0x1p53 } },
        { "e", half, { 1, -2, 0x1p-24 } },    { "f", f32, { 0.5, -1, (double)1e30F } },
        { "g", f64, { 0.1, -2, 1e300 } },
        { "n", NULL, { NAN, NAN, NAN } },
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        batch b;
        batch_new(&b, 3);
        add(&b, "x", cases[i].format, NULL, cases[i].data);
        tide_frame *f = taken(&b, NULL);
        expect(f, "x", cases[i].want, 3);
        assert_null(tide_frame_time_name(f));
        tide_frame_free(f);
    }
}

/* The batch's offset moves its columns; a column has one of its own; bits of both bitmaps say what is missing. */
static void test_offsets(void **state) {
    (void)state;
    static const double  numbers[8] = { 0, 1, 2, 3, 4, 5, 6, 7 };
    static const uint8_t valid = 0xf7, rows = 0xfb;  /* element 3 is null; row 2 of the batch is */
    batch b;
    batch_new(&b, 4);
    b.array.offset = 1;
    add(&b, "x", "g", &valid, numbers);
    add(&b, "y", "g", NULL, numbers);
    b.column[0].offset = 1;
    b.own[0] = &rows, b.array.null_count = 1;
    tide_frame *f = taken(&b, NULL);
    expect(f, "x", (double[]){ 2, NAN, 4, 5 }, 4);  /* element 3 is gone twice: as null, and in row 2 */
    expect(f, "y", (double[]){ 1, NAN, 3, 4 }, 4);
    tide_frame_free(f);
}

static void test_times(void **state) {
    (void)state;
    static const int64_t half_s[2] = { 1500, 2500 }, whole[2] = { 1000, -2000 };
    static const int32_t days[2] = { 1, -1 };
    static const double  numbers[2] = { 3, 4 };
    const struct { const char *format; const void *data; int64_t want[2]; } cases[] = {
        { "tss:", whole, { 1000, -2000 } },  { "tsm:UTC", whole, { 1, -2 } }, { "tdD", days, { 86400, -86400 } },
        { "tdm", whole, { 1, -2 } },         { "tsu:", (int64_t[]){ 1000000, 3000000 }, { 1, 3 } },
        { "tsn:", (int64_t[]){ 1000000000, 0 }, { 1, 0 } },
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        batch b;
        batch_new(&b, 2);
        add(&b, "x", "g", NULL, numbers);
        add(&b, "when", cases[i].format, NULL, cases[i].data);
        tide_frame *f = taken(&b, NULL);
        assert_string_equal(tide_frame_time_name(f), "when");
        assert_int_equal(tide_frame_columns(f), 1);
        for (int k = 0; k < 2; k++) assert_int_equal(tide_frame_time(f)[k], cases[i].want[k]);
        tide_frame_free(f);
    }
    batch b;
    batch_new(&b, 2);
    add(&b, "t", "tsm:", NULL, half_s);
    tide_frame *f = taken(&b, NULL);
    assert_null(tide_frame_time(f));
    assert_true(tide_frame_time_real(f)[0] == 1.5 && tide_frame_time_real(f)[1] == 2.5);
    tide_frame_free(f);
    batch_new(&b, 2);
    add(&b, "x", "g", NULL, numbers);
    add(&b, "y", "g", NULL, numbers);
    f = taken(&b, &(tide_arrow_options){ .time = "y", .columns = (const char *[]){ "x" }, .count = 1 });
    assert_int_equal(tide_frame_time(f)[1], 4);
    tide_frame_free(f);
}

/* One thing wrong at a time. */
static void test_hostile(void **state) {
    (void)state;
    static const double  numbers[4] = { 1, 2, 3, 4 };
    static const int64_t large[4] = { 1, ((int64_t)1 << 53) + 1, 0, 0 };
    static const uint8_t some = 0x5;
    struct ArrowSchema words = { .format = "u" };
    batch b;
#define CASE(part, change)                 \
    do {                                   \
        batch_new(&b, 3);                  \
        add(&b, "x", "g", NULL, numbers);  \
        change;                            \
        refused(&b, NULL, part);           \
    } while (0)
    CASE("odd number of columns", b.schema.n_children = -1);
    CASE("odd number of columns", b.schema.children = NULL);
    CASE("no name or no format", b.fields[0] = NULL);
    CASE("no name or no format", b.field[0].name = NULL);
    CASE("no format", b.schema.format = NULL);
    CASE("the type 'u'", b.field[0].format = "u");
    CASE("the type 'd:10,2'", b.field[0].format = "d:10,2");
    CASE("a dictionary", b.field[0].dictionary = &words);
    CASE("another number of columns", b.array.n_children = 0);
    CASE("another number of columns", b.array.children = NULL);
    CASE("column that is missing", b.columns[0] = NULL);
    CASE("odd length or offset", b.array.length = -1);
    CASE("odd length or offset", b.array.offset = INT64_MAX);
    CASE("odd length or offset", b.column[0].offset = -1);
    CASE("odd length or offset", b.column[0].length = INT64_MAX);
    CASE("has 2 rows where 3 are needed", b.column[0].length = 2);
    CASE("number of buffers", b.column[0].n_buffers = 3);
    CASE("number of buffers", b.column[0].buffers = NULL);
    CASE("has no data", b.buffers[0][1] = NULL);
    CASE("no bitmap", b.column[0].null_count = 1);
    CASE("count of nulls", b.column[0].null_count = 9);
    CASE("was released before", b.column[0].release = NULL);
    CASE("row 2: a whole number beyond", (b.field[0].format = "l", b.buffers[0][1] = large));
    CASE("row 2: the time is missing",
         (b.field[0].format = "tss:", b.buffers[0][0] = &some, b.column[0].null_count = 1));
    CASE("column 'x' already", add(&b, "x", "g", NULL, numbers));
    CASE("another is the time axis", (add(&b, "t", "tss:", NULL, large), add(&b, "u", "tss:", NULL, large)));
    batch_new(&b, 3);
    add(&b, "x", "g", NULL, numbers);
    refused(&b, &(tide_arrow_options){ .time = "when" }, "there is no column 'when'");
}

/* Nothing is released that was released before. */
static void test_released(void **state) {
    (void)state;
    static const double numbers[3] = { 1, 2, 3 };
    tide_frame  *f;
    tide_failure why = { 0 };
    batch        b;
    batch_new(&b, 3);
    add(&b, "x", "g", NULL, numbers);
    b.array.release = NULL;
    assert_int_equal(tide_frame_from_arrow(&b.schema, &b.array, NULL, &f, &why), TIDE_EINVAL);
    assert_int_equal(b.schemas_released, 1);
    assert_int_equal(b.arrays_released, 0);
}

/* ---- streams ---- */

typedef struct stream { struct ArrowArrayStream s; batch chunk[3]; int next, count, released, error_at; } stream;

static int get_schema(struct ArrowArrayStream *s, struct ArrowSchema *out) {
    stream *own = s->private_data;
    *out = own->chunk[0].schema;
    return 0;
}

static int get_next(struct ArrowArrayStream *s, struct ArrowArray *out) {
    stream *own = s->private_data;
    if (own->next == own->error_at) return 5;
    *out = own->next < own->count ? own->chunk[own->next].array : (struct ArrowArray){ 0 };
    own->next++;
    return 0;
}

static const char *last_error(struct ArrowArrayStream *s) { return (void)s, "the disk is on fire"; }

static void release_stream(struct ArrowArrayStream *s) {
    ++((stream *)s->private_data)->released;
    s->release = NULL;
}

static void stream_new(stream *s, int count) {
    static const double numbers[5] = { 1, 2, 3, 4, 5 };
    *s = (stream){ .count = count, .error_at = -1 };
    s->s = (struct ArrowArrayStream){ get_schema, get_next, last_error, release_stream, s };
    for (int i = 0; i < 3; i++) {
        batch_new(&s->chunk[i], i + 1);
        add(&s->chunk[i], "x", "g", NULL, numbers + i);
    }
}

static void test_stream(void **state) {
    (void)state;
    stream       s;
    tide_frame  *f;
    tide_failure why = { 0 };
    stream_new(&s, 3);
    assert_int_equal(tide_frame_from_arrow_stream(&s.s, NULL, &f, &why), TIDE_OK);
    expect(f, "x", (double[]){ 1, 2, 3, 3, 4, 5 }, 6);
    assert_int_equal(tide_frame_rows(f), 6);
    tide_frame_free(f);
    for (int i = 0; i < 3; i++) assert_int_equal(s.chunk[i].arrays_released, 1);
    assert_int_equal(s.chunk[0].schemas_released, 1);
    assert_int_equal(s.released, 1);
    stream_new(&s, 0);
    assert_int_equal(tide_frame_from_arrow_stream(&s.s, NULL, &f, &why), TIDE_OK);
    assert_int_equal(tide_frame_rows(f), 0);
    assert_int_equal(tide_frame_columns(f), 1);
    tide_frame_free(f);
}

static void test_broken_stream(void **state) {
    (void)state;
    stream       s;
    tide_frame  *f;
    tide_failure why = { 0 };
    stream_new(&s, 3);
    s.error_at = 1;
    assert_int_equal(tide_frame_from_arrow_stream(&s.s, NULL, &f, &why), TIDE_EDATA);
    assert_non_null(strstr(why.message, "error 5: the disk is on fire"));
    assert_int_equal(s.released, 1);
    stream_new(&s, 3);
    s.chunk[1].column[0].length = 0;
    why = (tide_failure){ 0 };
    assert_int_equal(tide_frame_from_arrow_stream(&s.s, NULL, &f, &why), TIDE_EDATA);
    assert_int_equal(s.chunk[1].arrays_released, 1);
    assert_int_equal(s.chunk[2].arrays_released, 0);
    assert_int_equal(s.released, 1);
    assert_int_equal(tide_frame_from_arrow_stream(&s.s, NULL, &f, NULL), TIDE_EINVAL);
}

int main(void) {
    const struct CMUnitTest tests[] = { cmocka_unit_test(test_types),   cmocka_unit_test(test_offsets),
                                        cmocka_unit_test(test_times),   cmocka_unit_test(test_hostile),
                                        cmocka_unit_test(test_released), cmocka_unit_test(test_stream),
                                        cmocka_unit_test(test_broken_stream) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
