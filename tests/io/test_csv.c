/* Text tables: what is accepted and how it is read, what is refused and with which line. */
#include <stdio.h>
#include <unistd.h>
#include <zlib.h>

#include "check.h"

static tide_status read_text(const char *text, int64_t length, const tide_csv_options *options, tide_table *t,
                             tide_failure *f) {
    const char *path = temporary("a.csv");
    file_write(path, (bytes){ (unsigned char *)(uintptr_t)text, length });
    return tide_csv_read(path, options, t, f);
}

typedef struct csv_case {
    const char *text;
    const char *wanted;  /* header and rows: cells joined by /, lines in front of rows: "a/b 2:1/2" */
    tide_csv_options options;
    bool repaired;
} csv_case;

static const csv_case sound[] = {
    { "a,b\n1,2\n3,4\n", "a/b 2:1/2 3:3/4", { 0 }, false },
    { "a,b\r\n1,2\r\n3,4", "a/b 2:1/2 3:3/4", { 0 }, false },
    { "a,b\r1,2\r3,4\r", "a/b 2:1/2 3:3/4", { 0 }, false },
    { "\xef\xbb\xbf" "a , b\n\n 1 ,\t2\n  \n", "a/b 3:1/2", { 0 }, false },
    { "a;b,c\n1;2,3\n", "a;b/c 2:1;2/3", { 0 }, false },  /* a tie goes to the comma */
    { "a;b;c,d\n1,5;2;3\n", "a/b/c,d 2:1,5/2/3", { 0 }, false },
    { "a\tb\n\t2\n", "a/b 2:/2", { 0 }, false },
    { "a|b\n|\n", "a/b 2:/", { 0 }, false },
    { "\"a;b\";c\n1;2\n", "a;b/c 2:1/2", { 0 }, false },
    { "a,b\n1,2\n", "0/1 1:a/b 2:1/2", { .headerless = true }, false },
    { "a;b,c\n", "a/b,c", { .separator = ';' }, false },
    { "a,b\n\"x\ny\",2\n3,4\n", "a/b 2:x\ny/2 4:3/4", { 0 }, false },
    { "a,b\n\"x\r\n\r\ny\",\"say \"\"no\"\"\"\n3,4", "a/b 2:x\r\n\r\ny/say \"no\" 5:3/4", { 0 }, false },
    { "Z\" (ohm),b\n1,2\n", "Z\" (ohm)/b 2:1/2", { 0 }, false },
    { "one\n1\n\n2\n", "one 2:1 4:2", { 0 }, false },
    { "a,b\n,\n", "a/b 2:/", { 0 }, false },
    { "T \xb0" "C,\xc3\xa9\n1,2\n", "T \xc2\xb0" "C/\xc3\xa9 2:1/2", { 0 }, true },
    { "\xed\xa0\x80,\xf5,\xc0\xaf\n", "\xc3\xad\xc2\xa0\xc2\x80/\xc3\xb5/\xc3\x80\xc2\xaf", { 0 }, true },
    { "a,\xe2\x82\n", "a/\xc3\xa2\xc2\x82", { 0 }, true },
    { "\xe2\x82\xac,\xf0\x9f\x8c\x8a\n", "\xe2\x82\xac/\xf0\x9f\x8c\x8a", { 0 }, false },
    { "a", "a", { 0 }, false },
};

static void add_row(bytes *b, char **cells, int64_t count) {
    for (int64_t i = 0; i < count; i++) {
        if (i) bytes_text(b, "/");
        bytes_text(b, cells[i]);
    }
}

static bytes flatten(const tide_table *t) {
    bytes b = { 0 };
    char number[32];
    add_row(&b, t->header, t->columns);
    for (int64_t r = 0; r < t->rows; r++) {
        snprintf(number, sizeof number, " %ld:", (long)t->line[r]);
        bytes_text(&b, number);
        add_row(&b, t->cells + r * t->columns, t->columns);
    }
    bytes_byte(&b, 0);
    return b;
}

static void test_sound(void **state) {
    (void)state;
    for (size_t i = 0; i < sizeof sound / sizeof *sound; i++) {
        const csv_case *c = &sound[i];
        tide_table t;
        tide_failure f = { 0 };
        tide_status status = read_text(c->text, (int64_t)strlen(c->text), &c->options, &t, &f);
        check_ok(c->text, status, &f);
        bytes got = flatten(&t);
        assert_string_equal((char *)got.data, c->wanted);
        assert_int_equal(t.repaired, c->repaired);
        bytes_clear(&got);
        tide_table_free(&t);
    }
}

static void test_refused(void **state) {
    (void)state;
    static const struct { const char *text; int length; int64_t row; const char *part; } cases[] = {
#define TEXT(text) text, sizeof text - 1
        { TEXT(""), 0, "this file is empty" },
        { TEXT("\n  \r\n"), 0, "this file is empty" },
        { TEXT("a,b\n1,2\n\n3\n"), 4, "this row has 1 cells where the first row has 2" },
        { TEXT("a,b\n\"x\ny\",2\n1,2,3\n"), 4, "this row has 3 cells" },
        { TEXT("a,b\n1,2\n3,\"4\n5,6\n"), 3, "a quote opened in this row is never closed" },
        { TEXT("a,b\n1,\0\n"), 2, "a zero byte" },
        { TEXT("\xff\xfe" "a\0,\0"), 1, "UTF-16; save it as UTF-8" },
        { TEXT("\x1f\x8b\x08\0\0\0\0\0\0\3\1\2\3\4\5"), 0, "gzip file is damaged or cut short" },
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        tide_table t;
        tide_failure f = { 0 };
        check_failure(cases[i].part, read_text(cases[i].text, cases[i].length, NULL, &t, &f), &f, TIDE_EDATA,
                      cases[i].part);
        assert_int_equal(f.row, cases[i].row);
        assert_string_equal(f.file, temporary("a.csv"));
        assert_null(t.cells);
    }
    tide_table t;
    tide_failure f = { 0 };
    check_failure("separator", read_text("a", 1, &(tide_csv_options){ .separator = '"' }, &t, &f), &f, TIDE_EINVAL,
                  "separator cannot be");
}

/* A whole file as it is, zero bytes too; gzip unpacked; what is no text by its name. */
static void test_bytes(void **state) {
    static const char text[] = "a\0b\xff\n";
    void        *got;
    size_t       size;
    tide_failure f = { 0 };
    const char  *path = temporary("a.bin");
    (void)state;
    file_write(path, (bytes){ (unsigned char *)(uintptr_t)text, sizeof text });
    check_ok("as it is", tide_file_read(path, &got, &size, &f), &f);
    assert_int_equal(size, sizeof text);
    assert_memory_equal(got, text, sizeof text);
    assert_int_equal(((char *)got)[size], 0);
    tide_free(got);
    gzFile out = gzopen(path, "wb");
    gzwrite(out, text, sizeof text);
    gzclose(out);
    check_ok("packed", tide_file_read(path, &got, &size, &f), &f);
    assert_int_equal(size, sizeof text);
    assert_memory_equal(got, text, sizeof text);
    tide_free(got);
    file_write(path, (bytes){ (unsigned char *)(uintptr_t)"%PDF-1.7", 8 });
    check_failure("a PDF", tide_file_read(path, &got, &size, &f), &f, TIDE_EDATA, "a PDF document");
    assert_null(got);
}

static void check_missing(const char *path, const char *part) {
    tide_table t;
    tide_failure f = { 0 };
    check_failure(path, tide_csv_read(path, NULL, &t, &f), &f, TIDE_EDATA, part);
    assert_string_equal(f.file, path);
}

static void test_missing(void **state) {
    (void)state;
    check_missing(temporary("absent"), "cannot open this file: no such file or folder");
    check_missing("/", "cannot open this file: it is a folder");
}

/* A large table packed, through a pipe, and cut. */
static void test_packed(void **state) {
    (void)state;
    const char *path = temporary("a.csv.gz");
    gzFile out = gzopen(path, "wb");
    gzprintf(out, "n,square\n");
    for (int i = 0; i < 50000; i++) gzprintf(out, "%d,%d\n", i, i * 7);
    gzclose(out);
    tide_table t;
    tide_failure f = { 0 };
    check_ok("gz", tide_csv_read(path, NULL, &t, &f), &f);
    assert_int_equal(t.rows, 50000);
    assert_string_equal(t.cells[2 * 49999 + 1], "349993");
    assert_int_equal(t.line[49999], 50001);
    tide_table_free(&t);

    bytes whole = file_read(path);
    file_write(path, (bytes){ whole.data, whole.length - 100 });
    check_failure("cut", tide_csv_read(path, NULL, &t, &f), &f, TIDE_EDATA, "damaged or cut short");
    bytes_clear(&whole);
}

static void test_standard_input(void **state) {
    (void)state;
    int ends[2], kept = dup(STDIN_FILENO);
    tide_table t;
    tide_failure f = { 0 };
    assert_int_equal(pipe(ends), 0);
    assert_int_equal(write(ends[1], "a,b\n1,2\n", 8), 8);
    close(ends[1]);
    dup2(ends[0], STDIN_FILENO);
    close(ends[0]);
    check_ok("-", tide_csv_read("-", NULL, &t, &f), &f);
    dup2(kept, STDIN_FILENO);
    close(kept);
    assert_int_equal(t.rows, 1);
    assert_string_equal(t.cells[1], "2");
    tide_table_free(&t);
}

/* ---- a random table, written in a random way ---- */

enum { CELL = 24, MOST_COLUMNS = 12, MOST_ROWS = 9 };
typedef struct random_table { int64_t columns, rows; char cells[MOST_ROWS][MOST_COLUMNS][CELL]; } random_table;

static unsigned pick(uint64_t *seed, unsigned below) {
    *seed = *seed * 6364136223846793005u + 1442695040888963407u;
    return (unsigned)(*seed >> 33) % below;
}

/* A cell with blanks around it, some in quotes; what it says goes to `says`. */
static void write_cell(bytes *b, uint64_t *seed, bool quotes, char says[CELL]) {
    static const char *const words[] = { "", "1.5", "-12", "word", "two words", "a \"b\"", "x,y", "\xc2\xb5g", "0" };
    bool quoted = quotes && pick(seed, 3) == 0;
    const char *word = words[pick(seed, quoted ? 9 : 5)];
    snprintf(says, CELL, "%s", word);
    bytes_text(b, pick(seed, 4) ? "" : " \t");
    if (quoted) bytes_byte(b, '"');
    for (; *word; word++) {
        if (*word == '"') bytes_byte(b, '"');
        bytes_byte(b, (unsigned char)*word);
    }
    if (quoted) bytes_byte(b, '"');
    bytes_text(b, pick(seed, 4) ? "" : "  ");
}

static void write_table(bytes *b, uint64_t *seed, random_table *t) {
    static const char *const ends[] = { "\n", "\r\n", "\r" };
    const char *end = ends[pick(seed, 3)];
    bool quotes = pick(seed, 2);
    t->columns = 2 + pick(seed, MOST_COLUMNS - 1), t->rows = 1 + pick(seed, MOST_ROWS - 1);
    for (int64_t i = 0; i <= t->rows; i++) {
        for (int64_t c = 0; c < t->columns; c++) {
            if (c) bytes_byte(b, ',');
            write_cell(b, seed, quotes && i, t->cells[i][c]);
        }
        if (i < t->rows || pick(seed, 2)) bytes_text(b, end);
        if (pick(seed, 8) == 0 && i < t->rows) bytes_text(b, end);
    }
}

typedef struct chosen { bool keep[MOST_COLUMNS]; int asked; } chosen;

static void choose(void *user, int64_t count, char *const *names, char *const *first, bool *keep) {
    chosen *c = user;
    assert_true(names[0] && first[0]);
    for (int64_t i = 0; i < count; i++) assert_true(keep[i]);
    memcpy(keep, c->keep, (size_t)count);
    c->asked++;
}

static void check_random(const random_table *t, const tide_table *got, const chosen *c) {
    int64_t at = 0;
    assert_int_equal(got->rows, t->rows);
    for (int64_t i = 0; i < t->columns; i++) {
        if (!c->keep[i]) continue;
        assert_int_equal(got->place ? got->place[at] : at, i);
        assert_string_equal(got->header[at], t->cells[0][i]);
        for (int64_t r = 0; r < t->rows; r++)
            assert_string_equal(got->cells[r * got->columns + at], t->cells[r + 1][i]);
        at++;
    }
    assert_int_equal(got->columns, at);
}

static void test_random(void **state) {
    (void)state;
    uint64_t seed = 11;
    for (int i = 0; i < 4000; i++) {
        bytes b = { 0 };
        random_table t;
        chosen c = { .asked = 0 };
        tide_table got;
        tide_failure f = { 0 };
        write_table(&b, &seed, &t);
        for (int64_t k = 0; k < t.columns; k++) c.keep[k] = i % 3 ? pick(&seed, 3) > 0 : true;
        int64_t length = (int64_t)b.length;
        bytes_byte(&b, 0);
        tide_csv_options options = { .separator = ',', .choose = choose, .user = &c };
        check_ok((char *)b.data, tide_csv_take(b.data, (size_t)length, "memory", &options, &got, &f), &f);
        assert_int_equal(c.asked, 1);
        check_random(&t, &got, &c);
        tide_table_free(&got);
    }
}

/* A row of another length is told whatever is kept of it. */
static void test_ragged(void **state) {
    (void)state;
    static const char *const rows[] = { "1,2,3", "1,2,3,4,5", "1,\"2\",3", "1,2,3,\"4\",5", "1" };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        for (int last = 0; last < 2; last++) {
            char *text = malloc(100);
            chosen c = { .keep = { !last, false, false, last } };
            tide_table t;
            tide_failure f = { 0 };
            tide_csv_options options = { .choose = choose, .user = &c };
            int length = snprintf(text, 100, "a,b,c,d\n1,2,3,4\n%s\n1,2,3,4\n", rows[i]);
            tide_status status = tide_csv_take(text, (size_t)length, "memory", &options, &t, &f);
            check_failure(rows[i], status, &f, TIDE_EDATA, "cells where the first row has 4");
            assert_int_equal(f.row, 3);
        }
}

static void test_real(void **state) {
    (void)state;
    static const struct { const char *name; int64_t rows, columns; } files[] = {
        { "ETTh1.csv", 17420, 8 }, { "ETTm1.csv.gz", 69680, 8 }, { "weather.csv.gz", 52696, 22 },
    };
    const char *shared = getenv("TIDEMILL_SHARED");
    for (int i = 0; i < 3; i++) {
        char path[1024];
        tide_table t;
        tide_failure f = { 0 };
        snprintf(path, sizeof path, "%s/data/forecast/%s", shared ? shared : "../shared", files[i].name);
        if (access(path, R_OK) != 0) skip();
        check_ok(path, tide_csv_read(path, NULL, &t, &f), &f);
        assert_int_equal(t.rows, files[i].rows);
        assert_int_equal(t.columns, files[i].columns);
        assert_string_equal(t.header[0], "date");
        tide_table_free(&t);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_bytes),   cmocka_unit_test(test_random),         cmocka_unit_test(test_ragged),
        cmocka_unit_test(test_sound),  cmocka_unit_test(test_refused),        cmocka_unit_test(test_missing),
        cmocka_unit_test(test_packed), cmocka_unit_test(test_standard_input), cmocka_unit_test(test_real),
    };
    return cmocka_run_group_tests_name("csv", tests, NULL, remove_files);
}
