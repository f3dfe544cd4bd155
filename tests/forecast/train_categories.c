/* Columns of text as inputs: the same as columns of 0 and 1 made by hand, whichever values a later file holds; values
 * that the run does not know, rare ones, codes of a frame, and what is refused. */
#include "train_support.h"

enum { ROWS = 700, SEQ = 24, PRED = 6 };

static const char *const words[] = { "blue", "deep red", "green" };
static int    colour[ROWS];
static double flow[ROWS];
static char   notes[8192];

static void make_numbers(void) {
    for (int i = 0; i < ROWS; i++) {
        colour[i] = rand() % 4; /* 3: none */
        flow[i]   = 3 + 4 * (colour[i] == 1) + 0.2 * sin(i * 0.5236);
    }
}

static FILE *begin(const char *name, const char *header) {
    char path[96];
    snprintf(path, sizeof path, "%s/%s", folder, name);
    FILE *f = fopen(path, "w");
    fputs(header, f);
    return f;
}

static void stamp(FILE *f, int i) { fprintf(f, "2024-01-%02d %02d:00:00", 1 + i / 24, i % 24); }

/* Rows [first, stop), of those from `ahead` on the colour alone; row `odd` has a colour that no other has. */
static void write_words(const char *name, int first, int stop, int ahead, int odd) {
    FILE *f = begin(name, "date,colour,flow\n");
    for (int i = first; i < stop; i++) {
        stamp(f, i);
        fprintf(f, ",%s,", i == odd ? "purple" : colour[i] == 3 ? "" : words[colour[i]]);
        if (i < ahead) fprintf(f, "%.5f", flow[i]);
        fputs("\n", f);
    }
    fclose(f);
}

static void write_by_hand(const char *name) {
    FILE *f = begin(name, "date,colour=blue,colour=deep red,colour=green,flow\n");
    for (int i = 0; i < ROWS; i++) {
        stamp(f, i);
        fprintf(f, ",%d,%d,%d,%.5f\n", colour[i] == 0, colour[i] == 1, colour[i] == 2, flow[i]);
    }
    fclose(f);
}

static void file_option(forecast_options *o, const char *option, const char *name) {
    char path[96];
    snprintf(path, sizeof path, "%s/%s", folder, name);
    set(o, option, path);
}

static void options_for(forecast_options *o, const char *data, const char *more) {
    small_options(o);
    file_option(o, "data", data);
    set_all(o, "missing auto overwrite yes epochs 8 learning-rate 0.005 lradj constant patience 0");
    set_all(o, more);
}

static int note(void *user, const forecast_event *e) {
    (void)user;
    if (e->stage == FORECAST_STAGE_WARNING) {
        size_t used = strlen(notes);
        snprintf(notes + used, sizeof notes - used, "%s\n", e->message);
    }
    return 0;
}

static double trained(forecast_options *o) {
    forecast_result r       = { 0 };
    tide_failure    failure = { 0 };
    *notes = 0;
    if (forecast_train(o, note, NULL, &r, &failure) != TIDE_OK) fail_msg("%s", failure.message);
    double mse = r.model.mse;
    forecast_result_free(&r);
    return mse;
}

static void answer(forecast_options *o, const char *option, const char *file, double out[PRED]) {
    forecast_result r       = { 0 };
    tide_failure    failure = { 0 };
    file_option(o, "model", "run");
    *o->data = *o->future = *notes = 0;
    file_option(o, option, file);
    if (forecast_predict(o, note, NULL, &r, &failure) != TIDE_OK) fail_msg("%s", failure.message);
    const char *line = strchr(r.csv, '\n');
    for (int s = 0; s < PRED; s++, line = strchr(line + 1, '\n')) out[s] = strtod(strchr(line, ',') + 1, NULL);
    forecast_result_free(&r);
}

static void same(const char *what, const double *a, const double *b) {
    for (int s = 0; s < PRED; s++) expect_near(what, a[s], b[s], 1e-6);
}

static void test_by_hand(void **state) {
    (void)state;
    forecast_options o;
    write_words("words.csv", 0, ROWS, ROWS, -1);
    write_by_hand("hand.csv");
    options_for(&o, "hand.csv", "targets flow");
    set(&o, "known", "colour=blue,colour=deep red,colour=green");
    double hand = trained(&o);
    options_for(&o, "words.csv", "categorical colour known colour");
    double mse = trained(&o);
    if (mse != hand) fail_msg("%g from words, %g from 0 and 1", mse, hand);
    options_for(&o, "words.csv", "categorical colour");
    double past = trained(&o);
    if (mse > 0.4 * past) fail_msg("%g where it is known ahead, %g where it is not", mse, past);
    options_for(&o, "hand.csv", "targets flow");
    hand = trained(&o);
    if (past != hand) fail_msg("%g from words of the past, %g from 0 and 1", past, hand);
}

/* What is known may hold some of the values alone; what the run does not know is none of them. */
static void test_ahead(void **state) {
    (void)state;
    forecast_options o;
    double file[PRED], end[PRED], odd[PRED], none[PRED];
    int    last = ROWS - 1, was = colour[last];
    for (int i = ROWS - PRED; i < ROWS; i++) colour[i] = 1;
    write_words("cut.csv", 0, ROWS - PRED, ROWS, -1);
    write_words("ahead.csv", ROWS - PRED, ROWS, 0, -1);
    write_words("end.csv", ROWS - 60, ROWS, ROWS - PRED, -1);
    write_words("odd.csv", ROWS - PRED, ROWS, 0, last);
    colour[last] = 3;
    write_words("none.csv", ROWS - PRED, ROWS, 0, -1);
    options_for(&o, "cut.csv", "categorical colour known colour");
    trained(&o);
    forecast_result r       = { 0 };
    tide_failure    failure = { 0 };
    file_option(&o, "model", "run");
    *o.data = 0;
    assert_int_equal(forecast_predict(&o, NULL, NULL, &r, &failure), TIDE_EINVAL);
    expect_has(failure.message, "`future` FILE with colour, or");
    answer(&o, "future", "ahead.csv", file);
    for (int i = ROWS - PRED; i < ROWS; i++) colour[i] = 3;
    write_words("empty.csv", ROWS - PRED, ROWS, 0, -1);
    answer(&o, "future", "empty.csv", none);
    for (int s = 0; s < PRED; s++)
        if (file[s] < none[s] + 1) fail_msg("%g of no colour, %g of one that stands for 4 more", none[s], file[s]);
    answer(&o, "data", "end.csv", end);
    same("the end of the file", end, file);
    answer(&o, "future", "none.csv", none);
    answer(&o, "future", "odd.csv", odd);
    same("an unknown value", odd, none);
    expect_has(notes, "'colour' holds 'purple' (line 7), which the run does not know");
    colour[last] = was;
}

/* A past-only category is empty in the rows to come, or is not in their file at all. */
static void test_past(void **state) {
    (void)state;
    forecast_options o;
    double           a[PRED], b[PRED];
    FILE            *f = begin("past.csv", "date,colour,plan,flow\n"), *ahead = begin("plan.csv", "date,plan\n");
    for (int i = 0; i < ROWS; i++) {
        bool to_come = i >= ROWS - PRED;
        stamp(f, i);
        fprintf(f, ",%s,%d,", to_come || colour[i] == 3 ? "" : words[colour[i]], i % 5 < 2);
        if (!to_come) fprintf(f, "%.5f", flow[i]);
        fputs("\n", f);
        if (to_come) stamp(ahead, i), fprintf(ahead, ",%d\n", i % 5 < 2);
    }
    fclose(f), fclose(ahead);
    options_for(&o, "past.csv", "categorical colour known plan");
    trained(&o);
    expect_has(notes, "the last 6 rows hold nothing but what is known ahead");
    answer(&o, "data", "past.csv", a);
    answer(&o, "future", "plan.csv", b);
    same("the rows to come", a, b);
}

static void test_rare(void **state) {
    (void)state;
    forecast_options o;
    double           a[PRED];
    write_words("rare.csv", 0, ROWS, ROWS, 100);
    options_for(&o, "rare.csv", "categorical colour,colour epochs 1");
    trained(&o);
    expect_has(notes, "'colour' has 4 values, 1 of them in one row alone");
    answer(&o, "data", "rare.csv", a);
    expect_has(notes, "'colour' holds 'purple' (line 102), which the run does not know: it counts as other");
    FILE *f = begin("many.csv", "date,station,flow\n");
    for (int i = 0; i < ROWS; i++) stamp(f, i), fprintf(f, ",%d.0,%.5f\n", 100 + i % 60, flow[i]);
    fclose(f);
    options_for(&o, "many.csv", "categorical station epochs 1");
    trained(&o);
    expect_has(notes, "'station' has 60 values, 10 of them in one row alone, or beyond the 50");
    forecast_model *m;
    tide_failure    failure = { 0 };
    char            path[96];
    snprintf(path, sizeof path, "%s/run", folder);
    assert_int_equal(forecast_model_load(path, NULL, &m, &failure), TIDE_OK);
    assert_int_equal(forecast_model_columns(m), 52);
    assert_string_equal(forecast_model_column_name(m, 0), "station=100");
    assert_string_equal(forecast_model_target_name(m, 0), "flow");
    forecast_model_free(m);
}

/* A frame holds codes. */
static void test_frame(void **state) {
    (void)state;
    static int64_t   times[ROWS];
    static double    codes[ROWS], end[ROWS];
    forecast_options o;
    tide_frame      *f, *hand;
    double           a[PRED], b[PRED], on[3][ROWS];
    tide_failure     failure = { 0 };
    for (int i = 0; i < ROWS; i++) {
        times[i] = 1704067200 + 3600 * (int64_t)i, codes[i] = colour[i] == 3 ? (double)NAN : 10.0 * colour[i];
        end[i] = i < ROWS - PRED ? flow[i] : NAN;
        for (int c = 0; c < 3; c++) on[c][i] = colour[i] == c;
    }
    static const char *const names[] = { "colour=0", "colour=10", "colour=20" };
    assert_int_equal(tide_frame_new(ROWS, &f, NULL), TIDE_OK);
    assert_int_equal(tide_frame_new(ROWS, &hand, NULL), TIDE_OK);
    tide_frame_set_time(f, "date", times, NULL), tide_frame_set_time(hand, "date", times, NULL);
    tide_frame_add(f, "colour", codes, 1, NULL);
    for (int c = 0; c < 3; c++) tide_frame_add(hand, names[c], on[c], 1, NULL);
    tide_frame_add(f, "flow", end, 1, NULL), tide_frame_add(hand, "flow", end, 1, NULL);
    options_for(&o, "words.csv", "categorical colour known colour");
    *o.data = *o.out = 0;
    forecast_trainer *t;
    forecast_model   *m;
    if (forecast_trainer_new(&o, f, NULL, NULL, &t, &failure) != TIDE_OK) fail_msg("%s", failure.message);
    if (forecast_trainer_model(t, &m, &failure) != TIDE_OK) fail_msg("%s", failure.message);
    assert_int_equal(forecast_model_known(m), 3);
    if (forecast_model_predict_frame(m, f, a, &failure) != TIDE_OK) fail_msg("%s", failure.message);
    if (forecast_model_predict_frame(m, hand, b, &failure) != TIDE_OK) fail_msg("%s", failure.message);
    same("codes", a, b);
    for (int i = ROWS - PRED; i < ROWS; i++) codes[i] = 10.0 * ((colour[i] + 1) % 3); /* what is ahead is seen */
    tide_frame *other;
    assert_int_equal(tide_frame_new(ROWS, &other, NULL), TIDE_OK);
    tide_frame_set_time(other, "date", times, NULL), tide_frame_add(other, "colour", codes, 1, NULL);
    tide_frame_add(other, "flow", end, 1, NULL);
    assert_int_equal(forecast_model_predict_frame(m, other, b, &failure), TIDE_OK);
    assert_true(fabs(a[0] - b[0]) + fabs(a[1] - b[1]) > 1e-6);
    forecast_model_free(m), forecast_trainer_free(t);
    tide_frame_free(f), tide_frame_free(hand), tide_frame_free(other);
}

static void test_refused(void **state) {
    (void)state;
    static const struct { const char *data, *options, *says; } cases[] = {
        { "words.csv", "target flow", "with `categorical` 'colour', or leave it out with `ignore`" },
        { "words.csv", "categorical color", "`categorical`: there is no column 'color'; did you mean 'colour'" },
        { "words.csv", "categorical colour target colour", "is the `target`" },
        { "words.csv", "categorical colour targets colour", "is no number to forecast" },
        { "words.csv", "categorical colour kind pems", "holds numbers alone" },
        { "words.csv", "categorical date", "holds the time stamps" },
        { "hand.csv", "categorical colour", "'colour=blue' would be a value of the category 'colour'" },
        { "unique.csv", "categorical note", "no value of 'note' stands in two rows" },
    };
    write_words("words.csv", 0, ROWS, ROWS, -1);
    FILE *f = begin("unique.csv", "date,note,flow\n");
    for (int i = 0; i < ROWS; i++) stamp(f, i), fprintf(f, ",n%d,%.5f\n", i, flow[i]);
    fclose(f);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        forecast_options o;
        forecast_result  r       = { 0 };
        tide_failure     failure = { 0 };
        options_for(&o, cases[i].data, cases[i].options);
        if (forecast_train(&o, NULL, NULL, &r, &failure) == TIDE_OK) fail_msg("%s was taken", cases[i].options);
        expect_has(failure.message, cases[i].says);
        forecast_result_free(&r);
    }
}

int main(void) {
    srand(7);
    make_numbers();
    const struct CMUnitTest tests[] = { cmocka_unit_test(test_by_hand), cmocka_unit_test(test_ahead),
                                        cmocka_unit_test(test_past), cmocka_unit_test(test_rare),
                                        cmocka_unit_test(test_frame), cmocka_unit_test(test_refused) };
    return cmocka_run_group_tests_name("categories", tests, make_folder, remove_folder);
}
