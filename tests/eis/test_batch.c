/* What batches rest on: Student's quantile, tables with decimal commas, a batch stopped by its listener. */
#include "eis/batch/student.h"
#include "eis/options/decimal.h"
#include "../folder.h"
#include "support.h"

/* Tables of the distribution, to their last digit. */
static void test_student(void **state) {
    static const struct { int64_t freedom; double quantile; } table[] = {
        { 1, 12.7062 }, { 2, 4.3027 }, { 3, 3.1824 }, { 4, 2.7764 }, { 7, 2.3646 },
        { 10, 2.2281 }, { 29, 2.0452 }, { 30, 2.0423 }, { 120, 1.9799 }, { 100000, 1.9600 }
    };
    (void)state;
    for (size_t i = 0; i < sizeof table / sizeof *table; i++)
        assert_true(fabs(student_quantile(table[i].freedom) - table[i].quantile) < 6e-5);
}

/* Numbers without quotes get a comma; words keep their points, and what holds the new separator gets quotes. */
static void test_decimal(void **state) {
    static const char usual[] = "a.b,c\n1.5,\"1.5\"\n-2e-7,x;y\n\"p,\"\"q\nr\",0.25\n,\n.5,1.5 ohm\n";
    static const char comma[] = "a.b;c\n1,5;\"1.5\"\n-2e-7;\"x;y\"\n\"p,\"\"q\nr\";0,25\n;\n,5;1.5 ohm\n";
    text table = { 0 };
    (void)state;
    text_add(&table, "%s", usual);
    decimal_table("", &table);
    assert_string_equal(table.data, usual);
    decimal_table(",", &table);
    assert_string_equal(table.data, comma);
    text_free(&table);
}

enum { SPECTRA = 6 };

/* Lines of the journal; 0: there is none. */
static int lines_in(const char *path) {
    FILE *file = fopen(path, "rb");
    int count = 0;
    for (int c; file && (c = getc(file)) != EOF;) count += c == '\n';
    if (file) fclose(file);
    return count;
}

static int stop_after_two(void *user, const eis_event *event) {
    (void)event;
    return lines_in(user) >= 3; /* the first is of the options */
}

static void make_files(eis_options *o) {
    char path[512];
    tide_failure why = { 0 };
    for (int i = 0; i < SPECTRA; i++) {
        snprintf(path, sizeof path, "%s/s%d.csv", folder, i);
        o->seed = i + 1;
        assert_int_equal(eis_simulate(o, path, &why), TIDE_OK);
        assert_int_equal(eis_option_set(o, "spectrum", path, &why), TIDE_OK);
    }
}

/* A listener that ends it: nothing is told then, what was answered is kept, and the same call goes on to the same. */
static void test_stopped(void **state) {
    char journal[EIS_TEXT_SIZE + 16];
    eis_options o;
    eis_fit_options fit;
    eis_result whole, result;
    tide_failure why = { 0 };
    (void)state;
    eis_options_default(&o), eis_fit_options_default(&fit);
    o.threads = 1;
    make_files(&o);
    assert_int_equal(eis_batch(&o, &fit, NULL, NULL, &whole, &why), TIDE_OK);
    snprintf(o.out, sizeof o.out, "%s/out", folder);
    snprintf(journal, sizeof journal, "%s/batch.jsonl", o.out);
    assert_int_equal(eis_batch(&o, &fit, stop_after_two, journal, &result, &why), TIDE_ECANCELLED);
    assert_null(result.csv);
    assert_in_range(lines_in(journal), 3, SPECTRA);
    assert_int_equal(eis_batch(&o, &fit, NULL, NULL, &result, &why), TIDE_OK);
    assert_int_equal(lines_in(journal), 1 + SPECTRA);
    assert_string_equal(result.csv, whole.csv);
    assert_string_equal(result.json, whole.json);
    eis_result_free(&whole), eis_result_free(&result);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_student),
        cmocka_unit_test(test_decimal),
        cmocka_unit_test(test_stopped),
    };
    return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
