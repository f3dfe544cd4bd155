/* Long format: rows of several series below each other are read as the table with a column for each series would be,
 * whatever their order, ids and spans, and files that only look so are not. */
#include <inttypes.h>

#include "data_support.h"

enum { ROOM = 1 << 17, SERIES = 5, DAYS = 40 };

typedef struct made { char text[ROOM]; size_t used; } made;

static void add(made *m, const char *format, ...) TIDE_PRINTF(2, 3);
static void add(made *m, const char *format, ...) {
    va_list args;
    va_start(args, format);
    m->used += (size_t)vsnprintf(m->text + m->used, ROOM - m->used, format, args);
    va_end(args);
    assert_true(m->used < ROOM);
}

static void reads(const char *text, frame_options o, frame *f) {
    tide_failure failure;
    if (read_text(text, &o, f, &failure) != TIDE_OK) fail_msg("%s", failure.message);
}

/* `row`: 0, or the line that is named. */
static void refuses(const char *text, frame_options o, int64_t row, const char *words) {
    frame        f;
    tide_failure failure;
    assert_int_equal(read_text(text, &o, &f, &failure), TIDE_EDATA);
    expect_has(failure.message, words);
    if (row) assert_int_equal(failure.row, row);
}

static void expect_names(const frame *f, const char *const *names, int64_t count) {
    assert_int_equal(f->columns, count);
    for (int64_t c = 0; c < count; c++) assert_string_equal(f->names[c], names[c]);
}

/* ---- any order is one table ---- */

static uint64_t drawn;
static int64_t draw(int64_t below) {
    drawn = drawn * 6364136223846793005u + 1442695040888963407u;
    return (int64_t)(drawn >> 33) % below;
}

typedef enum order { BY_ID, BY_TIME, NEWEST_FIRST, SHUFFLED, ORDERS } order;

static void arrange(int64_t *cell, order how) {
    for (int64_t i = 0; i < SERIES * DAYS; i++) {
        int64_t at = how == NEWEST_FIRST ? SERIES * DAYS - 1 - i : i;
        cell[i] = how == BY_ID ? at / DAYS * DAYS + at % DAYS : at % SERIES * DAYS + at / SERIES;
    }
    for (int64_t i = SERIES * DAYS - 1; how == SHUFFLED && i > 0; i--) {
        int64_t j = draw(i + 1), kept = cell[i];
        cell[i] = cell[j], cell[j] = kept;
    }
}

static double value_of(int64_t series, int64_t day) {
    return 100 * (double)series + 0.25 * (double)((day * day + 3 * series) % 37);
}

/* Ids as files have them; two columns where the second is there. */
static const char *const ids[][SERIES] = {
    { "s0", "s1", "s2", "s3", "s4" },
    { "7", "07", "7.0", "-1", "100000000000000000000" },
    { "a,b", "c\"d", "Z\xc3\xbcrich", "y", "ds" },
};

static void add_quoted(made *m, const char *id) {
    add(m, "\"");
    for (; *id; id++) add(m, *id == '"' ? "\"\"" : "%c", *id);
    add(m, "\"");
}

static void write_rows(made *m, const char *const *id, const int64_t *cell) {
    m->used = 0;
    add(m, "what,ds,y\n");
    for (int64_t i = 0; i < SERIES * DAYS; i++) {
        add_quoted(m, id[cell[i] / DAYS]);
        add(m, ",2020-0%d-%02d,%.17g\n", (int)(1 + cell[i] % DAYS / 31), (int)(1 + cell[i] % DAYS % 31),
            value_of(cell[i] / DAYS, cell[i] % DAYS));
    }
}

static void expect_table(const frame *f, const char *const *id, const int64_t *cell) {
    assert_int_equal(f->columns, SERIES);
    assert_int_equal(f->file_rows, DAYS);
    int64_t seen = 0, of[SERIES];
    for (int64_t i = 0; i < SERIES * DAYS; i++) { /* in the order of their first rows */
        bool known = false;
        for (int64_t s = 0; s < seen; s++) known = known || of[s] == cell[i] / DAYS;
        if (!known) of[seen++] = cell[i] / DAYS;
    }
    for (int64_t s = 0; s < SERIES; s++) {
        assert_string_equal(f->names[s], id[of[s]]);
        assert_string_equal(f->form.id[s], id[of[s]]);
        for (int64_t day = 0; day < DAYS; day++)
            expect_near(f->names[s], f->values[day * SERIES + s], value_of(of[s], day), 0);
    }
    for (int64_t day = 1; day < DAYS; day++) assert_true(f->time[day] > f->time[day - 1]);
}

static void test_any_order(void **state) {
    (void)state;
    static made m;
    for (drawn = 1; drawn < 4; drawn++)
        for (size_t kind = 0; kind < sizeof ids / sizeof *ids; kind++)
            for (order how = BY_ID; how < ORDERS; how++) {
                int64_t  cell[SERIES * DAYS];
                uint64_t seed = drawn;
                frame    f;
                arrange(cell, how);
                write_rows(&m, ids[kind], cell);
                reads(m.text, (frame_options){ .id = kind == 1 ? "what" : NULL }, &f);
                expect_table(&f, ids[kind], cell);
                frame_free(&f);
                drawn = seed;
            }
}

/* ---- two columns, several values ---- */

static void test_two_columns(void **state) {
    (void)state;
    static const char *const names[] = { "south/1", "south/2", "north/1", "north/2" };
    static const char *const both[] = { "south/1/y", "south/1/n", "south/2/y", "south/2/n",
                                        "north/1/y", "north/1/n", "north/2/y", "north/2/n" };
    static made m;
    frame f;
    m.used = 0;
    add(&m, "ds,store,item,city,n,y\n");
    for (int i = 0; i < 28; i++)
        for (int s = 0; s < 4; s++)
            add(&m, "2023-01-%02d,%s,%d,x,%d,%d\n", 1 + i, s / 2 ? "north" : "south", 1 + s % 2, i % 4, 10 * s + i % 3);
    reads(m.text, (frame_options){ 0 }, &f);
    expect_names(&f, names, 4);
    expect_has(f.warnings, "4 series by store, item, values in y");
    expect_has(f.warnings, "left out: city");
    expect_has(f.warnings, "`value` does not name them: n");
    assert_int_equal(f.form.place[0], 1);
    assert_int_equal(f.form.place[2], 5);
    frame_free(&f);
    reads(m.text, (frame_options){ .id = "store,item", .value = "y,n" }, &f);
    expect_names(&f, both, 8);
    for (int i = 0; i < 28 * 8; i++)
        expect_near(both[i % 8], f.values[i], i % 2 ? i / 8 % 4 : 10 * (i % 8 / 2) + i / 8 % 3, 0);
    frame_free(&f);
    refuses(m.text, (frame_options){ .id = "store" }, 3, "'south' has the stamp 2023-01-01 in line 2 and again here");
    refuses(m.text, (frame_options){ .id = "shop" }, 1, "`id`: there is no column 'shop'");
    refuses(m.text, (frame_options){ .id = "ds" }, 1, "holds the time stamps");
    refuses(m.text, (frame_options){ .id = "store,store" }, 1, "stands twice");
    refuses(m.text, (frame_options){ .value = "y,y" }, 1, "stands twice");
    refuses(m.text, (frame_options){ .value = "store", .id = "store,item" }, 1, "tells the series apart");
}

/* ---- which columns are read ---- */

static void write_four(made *m) {
    m->used = 0;
    add(m, "unique_id,ds,y\n");
    for (int s = 0; s < 4; s++)
        for (int i = 0; i < 28; i++) add(m, "s%d,2023-01-%02d,%d\n", s, 1 + i, 100 * s + i % 5);
}

static void test_choice(void **state) {
    (void)state;
    static const struct { frame_options o; const char *names[4]; int64_t count; } cases[] = {
        { { 0 }, { "s0", "s1", "s2", "s3" }, 4 },
        { { .target = "s1" }, { "s0", "s2", "s3", "s1" }, 4 },
        { { .target = "s1", .features = FEATURES_S }, { "s1" }, 1 },
        { { .columns = "s2,s0" }, { "s0", "s2" }, 2 },
        { { .ignore = "s3,s0" }, { "s1", "s2" }, 2 },
        { { .target = "y" }, { "s0", "s1", "s2", "s3" }, 4 },
    };
    static made m;
    write_four(&m);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        frame f;
        reads(m.text, cases[i].o, &f);
        expect_names(&f, cases[i].names, cases[i].count);
        for (int64_t c = 0; c < f.columns; c++) expect_near(f.names[c], f.values[c], 100 * (f.names[c][1] - '0'), 0);
        frame_free(&f);
    }
    refuses(m.text, (frame_options){ .columns = "s0,s9" }, 1, "there is no column 's9'");
    refuses(m.text, (frame_options){ .ignore = "s9" }, 1, "there is no column 's9'");
    refuses(m.text, (frame_options){ .target = "s9" }, 1, "there is no column 's9'");
    refuses(m.text, (frame_options){ .target = "y", .features = FEATURES_MS }, 1, "there is no column 'y'");
    refuses(m.text, (frame_options){ .id = "none" }, 30, "time runs backwards 3 times");
}

/* A run finds its series by name, in a table of either form. */
static void test_for_a_run(void **state) {
    (void)state;
    char *names[] = { "s3", "s1" }, *others[] = { "s3", "s7" };
    static made m;
    frame f;
    tide_failure failure;
    write_four(&m);
    frame_options o = { .run_names = names, .run_count = 2, .run_time = "ds", .id = "unique_id", .value = "y" };
    reads(m.text, o, &f);
    assert_int_equal(frame_select(&f, NULL, names, 2, &failure), TIDE_OK);
    assert_string_equal(f.names[0], "s3");
    assert_string_equal(f.form.id[0], "s3");
    expect_near("s3", f.values[0], 300, 0);
    frame_free(&f);
    reads("ds,s1,s2,s3\n2023-01-01,1,2,3\n2023-01-02,4,5,6\n", o, &f);
    assert_int_equal(f.columns, 2);
    assert_int_equal(f.form.ids, 0);
    frame_free(&f);
    o.run_names = others;
    refuses(m.text, o, 1, "the run's columns: there is no column 's7'");
}

/* ---- spans ---- */

/* Days [from, to) of January. */
static void add_span(made *m, const char *id, int from, int to) {
    for (int i = from; i < to; i++) add(m, "%s,2023-01-%02d,%d\n", id, 1 + i, 10 + i % 7);
}

static void write_spans(made *m) {
    m->used = 0;
    add(m, "unique_id,ds,y\n");
    add_span(m, "early", 0, 20), add_span(m, "all", 0, 28), add_span(m, "gap", 2, 10), add_span(m, "gap", 14, 28);
    add_span(m, "short", 5, 8), add_span(m, "late", 21, 28);
}

static void test_spans(void **state) {
    (void)state;
    static const char *const kept[] = { "early", "all", "gap" };
    static made m;
    frame f;
    write_spans(&m);
    frame_options o = { .missing = MISSING_LINEAR, .window = 6 };
    reads(m.text, o, &f);
    expect_names(&f, kept, 3);
    assert_int_equal(f.file_rows, 28);
    expect_has(f.warnings, "1 series left out, with fewer values than a window has rows: short");
    expect_has(f.warnings, "1 series left out, without a value among the training rows: late");
    expect_has(f.warnings, "the last 8 rows of 'early'");
    for (int i = 0; i < 28; i++) {
        expect_near("early", f.values[3 * i], 10 + (i < 20 ? i : 19) % 7, 0);
        expect_near("all", f.values[3 * i + 1], 10 + i % 7, 0);
        double line = 12 + (i - 9) * (10 - 12) / 5.0; /* from the 10th day's value to the 15th's */
        expect_near("gap", f.values[3 * i + 2], i < 2 ? 12 : i < 10 || i >= 14 ? 10 + i % 7 : line, 1e-12);
    }
    frame_free(&f);
    o.missing = MISSING_ERROR;
    refuses(m.text, o, 0, "empty or NaN cells: 14");
    o.missing = MISSING_FFILL, o.columns = "all,short,late";
    reads(m.text, o, &f);
    assert_int_equal(f.columns, 3);
    frame_free(&f);
    o.columns = "short"; /* what nobody asked for has no rows */
    reads(m.text, o, &f);
    assert_int_equal(f.file_rows, 3);
    frame_free(&f);
    o.columns = NULL, o.sizes = (split_sizes){ 1, 4 }; /* training ends later */
    reads(m.text, o, &f);
    assert_int_equal(f.columns, 4);
    frame_free(&f);
    o.window = 25, o.sizes = (split_sizes){ 0, 0 };
    reads(m.text, o, &f);
    assert_int_equal(f.columns, 1);
    frame_free(&f);
    o.window = 28, o.ignore = "all";
    refuses(m.text, o, 0, "the most are 22, of 'gap'");
}

/* A thousand series that share no stamp would make a table of 101 million cells. */
static void test_sparse(void **state) {
    (void)state;
    enum { ROWS = 101000, ROW = 32 };
    char  *text = malloc((size_t)ROWS * ROW);
    size_t used = (size_t)snprintf(text, ROW, "unique_id,ds,y\n");
    for (int64_t i = 0; i < ROWS; i++)
        used += (size_t)snprintf(text + used, ROW, "s%" PRId64 ",%" PRId64 ",%" PRId64 "\n", i / 101,
                                 1600000000 + 60 * i, i % 7);
    refuses(text, (frame_options){ 0 }, 0, "1000 series share so few of their 101000 time stamps");
    frame f;
    reads(text, (frame_options){ .columns = "s3,s4", .missing = MISSING_FFILL }, &f);
    assert_int_equal(f.columns, 2);
    frame_free(&f);
    free(text);
}

/* ---- what is refused, by the line of the file ---- */

static void test_places(void **state) {
    (void)state;
    static made m;
    write_four(&m);
    add(&m, "s1,2023-01-03,7\n");
    refuses(m.text, (frame_options){ 0 }, 114, "'s1' has the stamp 2023-01-03 in line 32 and again here");
    write_four(&m);
    add(&m, ",2023-01-03,7\n");
    refuses(m.text, (frame_options){ 0 }, 114, "does not say which series it belongs to");
    write_four(&m);
    add(&m, "s0,2023-01-29,x9\ns1,2023-01-29,1\ns2,2023-01-29,1\ns3,2023-01-29,1\n");
    refuses(m.text, (frame_options){ 0 }, 114, "'x9' is not a finite number");
    write_four(&m);
    add(&m, "s3,2023-01-29,3\ns0,2023-01-29,1\ns1,2023-01-29,\ns2,2023-01-29,1\n");
    refuses(m.text, (frame_options){ .missing = MISSING_ERROR }, 116, "empty or NaN cells: 1");
    write_four(&m);
    add(&m, "s0,2023-01-29,1\ns1,2023-01-29,1e31\ns2,2023-01-29,1\ns3,2023-01-29,1\n");
    refuses(m.text, (frame_options){ 0 }, 115, "'1e+31' is too large");
    m.used = 0;
    add(&m, "a,b,ds,y\n");
    for (int i = 0; i < 8; i++) add(&m, "x/y,z,2023-01-%02d,1\nx,y/z,2023-01-%02d,2\n", 1 + i, 1 + i);
    refuses(m.text, (frame_options){ .id = "a,b" }, 0, "two series are both named 'x/y/z'");
    m.used = 0;
    add(&m, "what,ds,price,sold\n");
    for (int i = 0; i < 8; i++) add(&m, "x,2023-01-%02d,1,%d\ny,2023-01-%02d,2,3\n", 1 + i, i, 1 + i);
    refuses(m.text, (frame_options){ .id = "what", .ignore = "sold,price" }, 1, "no column of numbers is left");
}

/* ---- rows of one stamp, or of one step ---- */

enum { QUARTERS = 80, SHORT_BY = 3 };

static void write_quarters(made *m) {
    m->used = 0;
    add(m, "unique_id,ds,y\n");
    for (int q = 0; q < QUARTERS; q++)
        for (int s = 0; s < 2; s++) {
            if (s == 1 && q >= QUARTERS - SHORT_BY) continue;
            add(m, "s%d,2023-01-01 %02d:%02d,", s, q / 4, q % 4 * 15);
            add(m, q % 7 == 3 ? "\n" : "%d\n", q * (s + 1));
        }
}

static double sum_of_hour(int s, int hour) {
    double sum = 0;
    for (int q = 4 * hour; q < 4 * hour + 4; q++)
        if (q % 7 != 3 && !(s == 1 && q >= QUARTERS - SHORT_BY)) sum += q * (s + 1);
    return sum;
}

static void test_merged(void **state) {
    (void)state;
    static made m;
    frame f;
    write_quarters(&m);
    reads(m.text, (frame_options){ .aggregate = AGGREGATE_SUM, .freq = "h" }, &f);
    assert_int_equal(f.file_rows, QUARTERS / 4);
    assert_int_equal(f.columns, 2);
    for (int hour = 0; hour < QUARTERS / 4; hour++)
        for (int s = 0; s < 2; s++) expect_near("sum", f.values[2 * hour + s], sum_of_hour(s, hour), 0);
    expect_has(f.warnings, "157 rows became 40, one for each series and step of h, with the sum of its values");
    expect_has(f.warnings, "the last step of 1 series is a sum of fewer than 4 rows");
    frame_free(&f);
    add(&m, "s1,2023-01-01 00:15,5\ns1,2023-01-01 00:15,6\n");
    reads(m.text, (frame_options){ .aggregate = AGGREGATE_LAST }, &f);
    expect_near("last", f.values[2 * 1 + 1], 6, 0);
    frame_free(&f);
    reads(m.text, (frame_options){ .aggregate = AGGREGATE_MEAN }, &f);
    expect_near("mean", f.values[2 * 1 + 1], (2 + 5 + 6) / 3.0, 1e-15);
    frame_free(&f);
    refuses(m.text, (frame_options){ .aggregate = AGGREGATE_KEEP }, 159, "in line 5 and again here (and");
    refuses(m.text, (frame_options){ 0 }, 159, "`aggregate` first, last or mean makes one row of them");
    write_quarters(&m);
    add(&m, "s1,2023-01-01 00:15,2\n");
    reads(m.text, (frame_options){ 0 }, &f);
    expect_has(f.warnings, "1 row repeats what stands before it, time stamp and values: left out, the first at "
                           "line 159");
    frame_free(&f);
    refuses(m.text, (frame_options){ .strict_dates = true }, 159, "has the stamp 2023-01-01 00:15 in line 5");
}

/* ---- files that only look so ---- */

static void test_others(void **state) {
    (void)state;
    static made m;
    frame f;
    m.used = 0;
    add(&m, "date,season,a\n");
    for (int i = 0; i < 28; i++) add(&m, "2023-01-%02d,%s,%d\n", 1 + i, i / 7 % 2 ? "dry" : "wet", i % 5);
    reads(m.text, (frame_options){ .ignore = "season" }, &f);
    assert_int_equal(f.columns, 1);
    assert_int_equal(f.form.ids, 0);
    frame_free(&f);
    refuses(m.text, (frame_options){ 0 }, 2, "the column holds text");
    refuses(m.text, (frame_options){ .value = "a" }, 1, "no column tells series apart");
    m.used = 0; /* the number of the only series beside its values */
    add(&m, "series_id,date,a,b\n");
    for (int i = 0; i < 28; i++) add(&m, "4,2023-01-%02d,%d,%d\n", 1 + i, i % 5, i % 3);
    reads(m.text, (frame_options){ 0 }, &f);
    assert_int_equal(f.columns, 3);
    frame_free(&f);
    m.used = 0; /* two rows of each stamp, of which columns of the file are asked for */
    add(&m, "date,part,a\n");
    for (int i = 0; i < 28; i++) add(&m, "2023-01-%02d,%s,%d\n", 1 + i / 2, i % 2 ? "pm" : "am", i % 5);
    reads(m.text, (frame_options){ .columns = "a", .aggregate = AGGREGATE_KEEP }, &f);
    assert_int_equal(f.file_rows, 28);
    frame_free(&f);
    reads(m.text, (frame_options){ 0 }, &f);
    assert_int_equal(f.columns, 2);
    frame_free(&f);
    m.used = 0; /* an hour that clocks show twice, and a column that tells it */
    add(&m, "time,zone,a\n");
    for (int i = 0; i < 48; i++)
        add(&m, "2023-10-%02d %02d:00,%d,%d\n", 28 + (i > 27 ? i - 1 : i) / 24, (i > 27 ? i - 1 : i) % 24, i > 27, i);
    refuses(m.text, (frame_options){ 0 }, 30, "reads it as an hour that clocks showed twice; `aggregate` first");
    reads(m.text, (frame_options){ .aggregate = AGGREGATE_KEEP }, &f);
    assert_int_equal(f.form.ids, 0);
    frame_free(&f);
    m.used = 0; /* the newest block first, and a column that names the blocks */
    add(&m, "date,block,a\n");
    for (int i = 0; i < 28; i++) add(&m, "2023-01-%02d,%s,%d\n", (i + 14) % 28 + 1, i < 14 ? "new" : "old", i % 5);
    refuses(m.text, (frame_options){ 0 }, 16, "time runs backwards 1 time");
}

/* Numbers that are times in each series by itself. */
static void test_years(void **state) {
    (void)state;
    static made m;
    frame f;
    for (int by_time = 0; by_time < 2; by_time++) {
        m.used = 0;
        add(&m, "country,code,year,gdp\n");
        for (int i = 0; i < 60; i++) {
            int s = by_time ? i % 3 : i / 20, year = by_time ? i / 3 : i % 20;
            add(&m, "c%d,k%d,%d,%d\n", s, s, 1990 + year, 100 * s + year % 3);
        }
        reads(m.text, (frame_options){ 0 }, &f);
        assert_int_equal(f.columns, 3);
        assert_int_equal(f.file_rows, 20);
        assert_int_equal(f.step.unit, UNIT_YEAR);
        expect_near("c2", f.values[5], 201, 0);
        frame_free(&f);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_any_order), cmocka_unit_test(test_two_columns), cmocka_unit_test(test_choice),
        cmocka_unit_test(test_for_a_run), cmocka_unit_test(test_spans),       cmocka_unit_test(test_sparse),
        cmocka_unit_test(test_places),
        cmocka_unit_test(test_merged),
        cmocka_unit_test(test_others),    cmocka_unit_test(test_years),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
