/* Many columns take time in proportion: a file twice as wide is read, or refused, in about twice the time. */
#include <time.h>

#include "data_support.h"

enum { HALF = 100000, TRIES = 4, REPEATS = 3 };
typedef enum header { NAMED, UNNAMED, TWINS } header;

static char *wide_text(header kind, int columns) {
    size_t room = (size_t)columns * 14 + 100;
    char  *text = malloc(room), *at = text;
    assert_non_null(text);
    at += sprintf(at, "date");
    for (int c = 0; c < columns; c++)
        at += kind == UNNAMED ? sprintf(at, ",") : sprintf(at, ",c%d", kind == TWINS && c == columns - 1 ? 0 : c);
    for (int row = 0; row < 2; row++) {
        at += sprintf(at, "\n2024-01-%02d", row + 1);
        for (int c = 0; c < columns; c++) at += sprintf(at, ",%d", row);
    }
    return text;
}

/* The file's columns turned round, as a model may want them. */
static void select_backwards(frame *f, const char *path) {
    char **names = malloc((size_t)f->columns * sizeof *names);
    assert_non_null(names);
    for (int64_t c = 0; c < f->columns; c++) names[c] = strdup(f->names[f->columns - 1 - c]);
    int64_t count = f->columns;
    assert_int_equal(frame_select(f, path, names, count, NULL), TIDE_OK);
    for (int64_t c = 0; c < count; c++) free(names[c]);
    free(names);
}

static double cpu_seconds(void) {
    struct timespec now;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
    return (double)now.tv_sec + 1e-9 * (double)now.tv_nsec;
}

/* The least of a few, which is what the machine's other work disturbs least. */
static double seconds_of(header kind, int columns) {
    static const char *const says[] = { [UNNAMED] = "no column of values is left", [TWINS] = "are both named 'c0'" };
    char   path[64], *text = wide_text(kind, columns);
    double least = 1e9;
    write_temporary(path, text);
    for (int i = 0; i < REPEATS; i++) {
        frame         f       = { 0 };
        frame_options options = { 0 };
        tide_failure  failure = { 0 };
        double        began   = cpu_seconds();
        tide_status   status  = frame_read(path, &options, &f, &failure);
        if (kind == NAMED && status == TIDE_OK) select_backwards(&f, path);
        double took = cpu_seconds() - began;
        if (took < least) least = took;
        if (kind == NAMED && status != TIDE_OK) fail_msg("expected ok, got %s", failure.message);
        if (kind != NAMED && (status != TIDE_EDATA || !strstr(failure.message, says[kind])))
            fail_msg("expected \"%s\", got \"%s\"", says[kind], failure.message);
        frame_free(&f);
    }
    unlink(path);
    free(text);
    return least;
}

/* Work in pairs of columns would take 4 times as long, each time; caches that a wide file outgrows account for what is
 * beyond 2. */
static void test_twice_as_wide(void **state) {
    static const char *const names[] = { "named", "unnamed", "twins" };
    (void)state;
    for (int kind = NAMED; kind <= TWINS; kind++) {
        double half, whole;
        int    tries = 0;
        do half = seconds_of((header)kind, HALF), whole = seconds_of((header)kind, 2 * HALF);
        while (whole > 3.2 * half && ++tries < TRIES);
        if (tries == TRIES)
            fail_msg("%s: %d columns took %.3f s, twice as many %.3f s", names[kind], HALF, half, whole);
    }
}

static void test_one_note(void **state) {
    (void)state;
    char          path[64];
    frame         f       = { 0 };
    frame_options options = { 0 };
    write_temporary(path, "date,,a,,\n2024-01-01,1,2,3,4\n2024-01-02,1,3,3,4\n");
    assert_int_equal(frame_read(path, &options, &f, NULL), TIDE_OK);
    if (!strstr(f.warnings, "3 columns have no name, the first is column 2: left out\n"))
        fail_msg("the warnings are \"%s\"", f.warnings);
    frame_free(&f);
    unlink(path);
}

int main(void) {
    const struct CMUnitTest tests[] = { cmocka_unit_test(test_twice_as_wide), cmocka_unit_test(test_one_note) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
