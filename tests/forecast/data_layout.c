/* Where a file's names and rows stand: comments and other lines before the names, units below them, columns that are
 * not asked for. Whatever is left unread, the rest is read as if it had been alone. */
#include "data_support.h"

enum { ROWS = 30 };

typedef struct made { char text[200000]; size_t used; } made;

static void add(made *m, const char *format, ...) TIDE_PRINTF(2, 3);
static void add(made *m, const char *format, ...) {
    va_list args;
    va_start(args, format);
    m->used += (size_t)vsnprintf(m->text + m->used, sizeof m->text - m->used, format, args);
    va_end(args);
    assert_true(m->used < sizeof m->text);
}

static void add_rows(made *m) {
    char s = strchr(m->text, ';') ? ';' : ',';
    for (int i = 0; i < ROWS; i++) add(m, "2020-01-%02d%c%d.5%c%d\n", 1 + i, s, i * i % 17, s, i * 7 % 11);
}

static void check_rows(const frame *f) {
    assert_int_equal(f->file_rows, ROWS);
    assert_int_equal(f->columns, 2);
    for (int i = 0; i < ROWS; i++)
        assert_true(f->values[2 * i] == i * i % 17 + 0.5 && f->values[2 * i + 1] == i * 7 % 11);
}

static void test_found(void **state) {
    (void)state;
    static const struct { const char *before, *note; } cases[] = {
        { "date,a,b\n", NULL },
        { "# one\n#two,with,commas\n\n# three\ndate,a,b\n", NULL },
        { "\xef\xbb\xbf# one\r\ndate,a,b\r\n", NULL },
        { "# date,a,b\n", NULL },
        { "# made by us\n# date,a,b\n", NULL },
        { "Station\ndate,a,b\n", "names of the columns stand in line 2:" },
        { "# made\nStation,7\nLatitude,52.5\n\ndate,a,b\n", "names of the columns stand in line 5:" },
        { "Station\ndate;a;b\n;(m);[%]\n", "line 3 holds units ((m), [%])" },
        { "Station\ndate,a,b\n,(m),[%]\n", "line 3 holds units ((m), [%])" },
        { "date,a,b\n-,kW,-\n", "line 2 holds units (kW)" },
        { "date,a,b\n(UTC),\xc2\xb0" "C,m/s\n", "line 2 holds units" },
        { "\"date\",\"a\",\"b\"\n\"\",\"%\",\"%\"\n", "line 2 holds units" },
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        made *m = calloc(1, sizeof *m);
        frame f;
        tide_failure failure;
        add(m, "%s", cases[i].before);
        add_rows(m);
        if (read_text(m->text, &(frame_options){ 0 }, &f, &failure)) fail_msg("%s\n%s", failure.message, m->text);
        check_rows(&f);
        if (cases[i].note) expect_has(f.warnings, cases[i].note);
        else assert_string_equal(f.warnings, "");
        frame_free(&f);
        free(m);
    }
}

/* What is no preamble and no units: told, and not left out. */
static void test_refused(void **state) {
    (void)state;
    static const struct { const char *before; int64_t row; const char *part; } cases[] = {
        { "date,c\n2020-01-01,5\n2020-01-02,6\ndate,a,b\n", 4, "`skip-rows` 3 leaves out those before them" },
        { "date,c\n2020-01-01,5\n", 3, "this row has 3 cells where the first row has 2; all rows must have as many" },
        { "Station\ndate,a,a\n", 2, "`skip-rows` 1 leaves out" },
        { "date,a,b\n2020-01-01,kW,7\n", 2, "'kW' is not a finite number" },
        { "date,a,b\n,first,7\n", 2, "" },
        { "date,a,b\n?,?,?\n", 2, "" },
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        made *m = calloc(1, sizeof *m);
        frame f;
        tide_failure failure;
        add(m, "%s", cases[i].before);
        add_rows(m);
        assert_int_equal(read_text(m->text, &(frame_options){ 0 }, &f, &failure), TIDE_EDATA);
        assert_int_equal(failure.row, cases[i].row);
        expect_has(failure.message, cases[i].part);
        frame_free(&f);
        free(m);
    }
}

/* ---- columns that are not asked for ---- */

enum { WIDE = 60 };

/* Ids, hours, whole numbers, gaps and words among the columns; the last are asked for. */
static void write_wide(made *m, bool long_format) {
    if (long_format) add(m, "id,");
    for (int c = 0; c < WIDE; c++) add(m, "%sc%d", c ? "," : "", c);
    add(m, ",when,hour,x,y\n");
    for (int i = 0; i < 2 * ROWS; i++) {
        int day = long_format ? i % ROWS : i / 2;
        if (long_format) add(m, "%d,", i / ROWS);
        for (int c = 0; c < WIDE; c++)
            if (c % 7 == 3) add(m, "%sword%d", c ? "," : "", i % 3);
            else if (c % 7 == 5) add(m, ",%s", i % 5 ? "1.5" : "");
            else add(m, "%s%d.%d", c ? "," : "", i * c % 13, c % 10);
        add(m, ",2020-01-%02d,%d,%d.25,%d\n", 1 + day, long_format ? 5 : i % 2, i, i * i % 19);
    }
}

static void test_narrow(void **state) {
    (void)state;
    made *m = calloc(1, sizeof *m);
    frame f;
    tide_failure failure;
    char *names[] = { "y", "x" };
    frame_options given[] = { { .columns = "x,y" }, { .run_names = names, .run_count = 2, .run_time = "when" },
                              { .columns = "x,y", .ignore = "c3,c10" } };
    write_wide(m, false);
    for (size_t i = 0; i < sizeof given / sizeof *given; i++) {
        if (read_text(m->text, &given[i], &f, &failure)) fail_msg("%s", failure.message);
        assert_int_equal(f.file_rows, 2 * ROWS);
        assert_int_equal(f.columns, 2);
        assert_int_equal(f.place[0], WIDE + 2); /* in the file, not in what is kept of it */
        assert_int_equal(f.place[1], WIDE + 3);
        assert_int_equal(f.time_columns.count, 2);
        assert_int_equal(f.time_columns.of[0].place, WIDE);
        assert_int_equal(f.time_columns.of[1].place, WIDE + 1);
        assert_string_equal(f.time_columns.of[1].name, "hour");
        for (int r = 0; r < 2 * ROWS; r++)
            assert_true(f.values[2 * r] == r + 0.25 && f.values[2 * r + 1] == r * r % 19);
        frame_free(&f);
    }
    assert_int_equal(read_text(m->text, &(frame_options){ .columns = "x,z" }, &f, &failure), TIDE_EDATA);
    expect_has(failure.message, "there is no column 'z'");
    expect_has(failure.message, "c0, c1, c2");
    frame_free(&f);
    m->used = 0;
    write_wide(m, true);
    assert_int_equal(read_text(m->text, &(frame_options){ .columns = "x,y" }, &f, &failure), TIDE_EDATA);
    expect_has(failure.message, "`id` names the column that tells these apart");
    frame_free(&f);
    free(m);
}

int main(void) {
    const struct CMUnitTest tests[] = { cmocka_unit_test(test_found), cmocka_unit_test(test_refused),
                                        cmocka_unit_test(test_narrow) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
