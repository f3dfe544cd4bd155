/* Currencies, percent signs and units beside the numbers of a column, and an accountant's brackets: read where all
 * cells have the same, told, and refused where they mix. */
#include "data_support.h"

enum { ROWS = 40 };

typedef struct made { char text[20000]; size_t used; } made;

static void add(made *m, const char *format, ...) TIDE_PRINTF(2, 3);
static void add(made *m, const char *format, ...) {
    va_list args;
    va_start(args, format);
    m->used += (size_t)vsnprintf(m->text + m->used, sizeof m->text - m->used, format, args);
    va_end(args);
    assert_true(m->used < sizeof m->text);
}

static uint64_t seed = 7;

static int pick(int below) {
    seed = seed * 6364136223846793005u + 1442695040888963407u;
    return (int)((seed >> 33) % (uint64_t)below);
}

/* "1,234.50" of hundredths. */
static void print_number(char *buffer, size_t bytes, long hundredths, const char *thousands, char decimal) {
    long whole = hundredths / 100;
    if (whole >= 1000)
        snprintf(buffer, bytes, "%ld%s%03ld%c%02ld", whole / 1000, thousands, whole % 1000, decimal, hundredths % 100);
    else snprintf(buffer, bytes, "%ld%c%02ld", whole, decimal, hundredths % 100);
}

/* How a column is written: around a positive number, and around a negative one. */
static const struct {
    const char *before, *behind, *minus_before, *minus_behind, *thousands;
    char decimal;
    const char *note;
} forms[] = {
    { "$", "", "-$", "", ",", '.', "'a' has '$' beside its numbers, which is left out: '" },
    { "$", "", "$-", "", ",", '.', "'a' has '$' beside" },
    { "$", "", "($", ")", ",", '.', "'a' has negative numbers in brackets: '($" },
    { "$ ", "", "$ (", ")", "", '.', "'a' has negative numbers in brackets: '$ (" },
    { "", " €", "-", " €", " ", ',', "'a' has '€' beside" },
    { "", "€", "-", "€", ".", ',', "'a' has '€' beside" },
    { "EUR ", "", "EUR -", "", "", '.', "'a' has 'EUR' beside" },
    { "€ ", "", "€ -", "", "'", '.', "'a' has '€' beside" },
    { "", "%", "-", "%", "", '.', "'a' has '%' beside" },
    { "", " %", "-", " %", ",", '.', "'a' has '%' beside" },
    { "", "kW", "-", "kW", "", '.', "'a' has 'kW' beside" },
    { "", " m/s", "-", " m/s", "", '.', "'a' has 'm/s' beside" },
    { "", " \xc2\xb0" "C", "\xe2\x88\x92", " \xc2\xb0" "C", "", '.', "'a' has '\xc2\xb0" "C' beside" },
    { "", " m3", "-", " m3", "", '.', "'a' has 'm3' beside" },
    { "$", " /MWh", "-$", " /MWh", ",", '.', "'a' has '$ /MWh' beside" },
    { "", "", "(", ")", ",", '.', "'a' has negative numbers in brackets: '(" },
    { "  ", " kg ", " - ", " kg ", "", '.', "'a' has 'kg' beside" },
};

static void test_forms(void **state) {
    (void)state;
    for (size_t k = 0; k < sizeof forms / sizeof *forms; k++) {
        made *m = calloc(1, sizeof *m);
        long values[ROWS];
        frame f;
        tide_failure failure;
        add(m, "b;a;c\n");
        for (int i = 0; i < ROWS; i++) {
            char number[40];
            bool minus = i % 3 == 1;
            values[i] = 100000 + pick(500000) - (i % 5 ? 0 : 90000);
            print_number(number, sizeof number, values[i], forms[k].thousands, forms[k].decimal);
            add(m, "%d;%s%s%s;%d\n", i * i % 23, minus ? forms[k].minus_before : forms[k].before, number,
                minus ? forms[k].minus_behind : forms[k].behind, i * 7 % 19);
            if (i == 6) add(m, "1;;2\n"), add(m, "1;%s;2\n", forms[k].decimal == ',' ? "0,00" : "0");
            if (minus) values[i] = -values[i];
        }
        if (read_text(m->text, &(frame_options){ .missing = MISSING_FFILL }, &f, &failure))
            fail_msg("%s\n%s", failure.message, m->text);
        expect_has(f.warnings, forms[k].note);
        assert_int_equal(f.file_rows, ROWS + 2);
        for (int i = 0; i < ROWS; i++)
            expect_near(forms[k].note, f.values[3 * (i > 6 ? i + 2 : i) + 1], (double)values[i] / 100, 1e-9);
        assert_true(f.values[3 * 7 + 1] == f.values[3 * 6 + 1] && f.values[3 * 8 + 1] == 0);
        frame_free(&f);
        free(m);
    }
}

/* Plain cells before the first with a unit, marks and words of a missing value. */
static void test_gaps(void **state) {
    (void)state;
    frame f;
    tide_failure failure;
    frame_options options = { .missing = MISSING_LINEAR, .na = "--" };
    if (read_text("a;b\nNA;1\n10%;2\n--;3\n;4\n16%;5\n0;6\n-2.5%;7\n", &options, &f, &failure))
        fail_msg("%s", failure.message);
    static const double expected[] = { 10, 10, 12, 14, 16, 0, -2.5 };
    for (int i = 0; i < 7; i++) assert_true(f.values[2 * i] == expected[i]);
    expect_has(f.warnings, "'a' has '%' beside its numbers, which is left out: '10%' is read as 10\n");
    frame_free(&f);
}

static void test_refused(void **state) {
    (void)state;
    static const struct { const char *cells[6]; int64_t row; const char *part; } cases[] = {
        { { "12 kg", "13 kg", "3 g", "4 kg" }, 4, "'3 g' here, and '12 kg' in line 2: a column has one unit, or none" },
        { { "12%", "13", "14%" }, 3, "'13' here, and '12%' in line 2" },
        { { "5", "12%", "14%" }, 2, "'5' here, and '12%' in line 3" },
        { { "$5", "€6", "$7" }, 3, "'€6' here" },
        { { "1.2M", "900k", "1.1M" }, 3, "'900k' here" },
        { { "$5", "$6", "?", "$7" }, 4,
          "'?' is not a finite number as '$5' is; if it marks a missing value, `na` '?'" },
        { { "$5", "$6", "<7", "$7" }, 4, "'<7' is not a finite number as '$5' is; correct it" },
        { { "(5)", "(6)", "(7)" }, 2, "'(5)' is not a finite number" },
        { { "5", "(6)", "-7", "8" }, 3, "'(6)' is not a finite number" },
        { { "5 am", "6 am", "7 am" }, 2, "" },
        { { "12-Jan", "13-Jan", "14-Jan" }, 2, "" },
        { { "one", "two", "3 kW" }, 2, "the column holds text" },
        { { "1 2:30", "1 3:30", "1 4:30" }, 2, "" },
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        made *m = calloc(1, sizeof *m);
        frame f;
        tide_failure failure;
        add(m, "b;a\n");
        for (int k = 0; cases[i].cells[k]; k++) add(m, "%d;%s\n", k * k % 7, cases[i].cells[k]);
        if (read_text(m->text, &(frame_options){ 0 }, &f, &failure) != TIDE_EDATA) fail_msg("read: %s", m->text);
        if (failure.row != cases[i].row) fail_msg("row %d: %s", (int)failure.row, failure.message);
        expect_has(failure.message, cases[i].part);
        frame_free(&f);
        free(m);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = { cmocka_unit_test(test_forms), cmocka_unit_test(test_gaps),
                                        cmocka_unit_test(test_refused) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
