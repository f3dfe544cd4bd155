/* Holidays: the same as columns of 0 and 1 made by hand; the run keeps them, also for frames; steps longer than a day
 * count them; what is said and refused. */
#include "train_support.h"

#include <time.h>

enum { DAYS = 400, SEQ = 24, PRED = 6 };

static const int64_t begin_s = 1640995200; /* 2022-01-01 */
static char   notes[8192];
static double load[DAYS];
static bool   feast[DAYS], spring[DAYS];

static void make_numbers(void) {
    for (int i = 0; i < DAYS; i++) {
        feast[i]  = i % 9 == 4 || rand() % 12 == 0;
        spring[i] = feast[i] && i % 2;
        load[i]   = 10 + sin(i * 0.9) - 4 * feast[i] - 3 * spring[i];
    }
    feast[DAYS - PRED + 1] = true, spring[DAYS - PRED + 1] = (DAYS - PRED + 1) % 2;
}

static void date_of(char out[16], int day) {
    time_t    t = begin_s + 86400 * (time_t)day;
    struct tm parts;
    gmtime_r(&t, &parts);
    strftime(out, 16, "%Y-%m-%d", &parts);
}

static FILE *begin(const char *name, const char *header) {
    char path[96];
    snprintf(path, sizeof path, "%s/%s", folder, name);
    FILE *f = fopen(path, "w");
    fputs(header, f);
    return f;
}

/* Holidays of the days [0, stop); one of them has a name that no other has. */
static void write_holidays(const char *name, int stop) {
    char  date[16];
    FILE *f = begin(name, "day,name\n");
    for (int i = 0; i < stop; i++) {
        if (!feast[i]) continue;
        date_of(date, i);
        fprintf(f, "%s,%s\n", date, i == 4 ? "Once" : spring[i] ? "\"Spring, second\"" : "");
    }
    fclose(f);
}

static void write_days(const char *name, int stop, bool by_hand) {
    char  date[16], path[96];
    snprintf(path, sizeof path, "%s/%s", folder, name);
    FILE *f = fopen(path, "w");
    fputs(by_hand ? "date,load,holiday,second\n" : "date,load\n", f);
    for (int i = 0; i < stop; i++) {
        date_of(date, i);
        fprintf(f, by_hand ? "%s,%.5f,%d,%d\n" : "%s,%.5f\n", date, load[i], feast[i], spring[i] && i != 4);
    }
    fclose(f);
}

static int note(void *user, const forecast_event *e) {
    (void)user;
    size_t used = strlen(notes);
    if (e->stage == FORECAST_STAGE_WARNING) snprintf(notes + used, sizeof notes - used, "%s\n", e->message);
    return 0;
}

static void file_option(forecast_options *o, const char *option, const char *name) {
    char path[96];
    snprintf(path, sizeof path, "%s/%s", folder, name);
    set(o, option, path);
}

static void options_for(forecast_options *o, const char *data, const char *more) {
    small_options(o);
    file_option(o, "data", data);
    *o->freq = *notes = 0;
    set_all(o, "missing auto overwrite yes epochs 15 learning-rate 0.005 lradj constant patience 0 marks none");
    set_all(o, more);
}

static double trained(forecast_options *o) {
    forecast_result r       = { 0 };
    tide_failure    failure = { 0 };
    if (forecast_train(o, note, NULL, &r, &failure) != TIDE_OK) fail_msg("%s", failure.message);
    double mse = r.model.mse;
    forecast_result_free(&r);
    return mse;
}

static void answer(forecast_options *o, double out[PRED]) {
    forecast_result r       = { 0 };
    tide_failure    failure = { 0 };
    *notes = 0;
    file_option(o, "model", "run");
    if (forecast_predict(o, note, NULL, &r, &failure) != TIDE_OK) fail_msg("%s", failure.message);
    const char *line = strchr(r.csv, '\n');
    for (int s = 0; s < PRED; s++, line = strchr(line + 1, '\n')) out[s] = strtod(strchr(line, ',') + 1, NULL);
    forecast_result_free(&r);
}

static void same(const char *what, const double *a, const double *b) {
    for (int s = 0; s < PRED; s++) expect_near(what, a[s], b[s], 1e-5);
}

/* A frame that ends where the forecast begins: the calendar says the rest. */
static void of_frame(double out[PRED]) {
    static int64_t  times[DAYS];
    forecast_model *m;
    tide_frame     *f;
    tide_failure    failure = { 0 };
    char            path[96];
    double          on[3];
    for (int i = 0; i < DAYS; i++) times[i] = begin_s + 86400 * (int64_t)i;
    snprintf(path, sizeof path, "%s/run", folder);
    assert_int_equal(forecast_model_load(path, NULL, &m, &failure), TIDE_OK);
    assert_int_equal(forecast_model_known(m), 2);
    assert_string_equal(forecast_model_column_name(m, 2), "holiday=Spring, second");
    assert_int_equal(forecast_model_holidays(m, times[13], NULL), 2);
    assert_int_equal(forecast_model_holidays(m, times[13] + 3600 * 23, on), 2);
    expect_near("holiday", on[0], feast[13], 0);
    expect_near("named", on[1], spring[13], 0);
    assert_int_equal(tide_frame_new(DAYS - PRED, &f, NULL), TIDE_OK);
    assert_int_equal(tide_frame_set_time(f, "date", times, NULL), TIDE_OK);
    assert_int_equal(tide_frame_add(f, "load", load, 1, NULL), TIDE_OK);
    if (forecast_model_predict_frame(m, f, out, &failure) != TIDE_OK) fail_msg("%s", failure.message);
    tide_frame_free(f);
    forecast_model_free(m);
}

static void test_by_hand(void **state) {
    (void)state;
    forecast_options o;
    double           kept[PRED], file[PRED], framed[PRED], later[PRED];
    write_days("series.csv", DAYS - PRED, false);
    write_days("hand.csv", DAYS - PRED, true);
    write_holidays("days.csv", DAYS);
    write_holidays("short.csv", DAYS - PRED);
    options_for(&o, "hand.csv", "known holiday,second");
    double hand = trained(&o);
    options_for(&o, "series.csv", "targets load");
    double blind = trained(&o);
    options_for(&o, "series.csv", "targets load");
    file_option(&o, "holidays", "days.csv");
    double mse = trained(&o);
    if (mse != hand) fail_msg("%.9g by the calendar, %.9g by hand", mse, hand);
    if (mse > 0.5 * blind) fail_msg("%g with holidays, %g without", mse, blind);
    *o.data = *o.holidays = 0;
    answer(&o, kept);
    file_option(&o, "data", "series.csv");
    answer(&o, file);
    same("a file", file, kept);
    of_frame(framed);
    for (int s = 0; s < PRED; s++) expect_near("a frame", framed[s], kept[s], 1e-4); /* its numbers have more digits */
    file_option(&o, "holidays", "short.csv");
    answer(&o, later);
    expect_has(notes, "after the last holiday that is known");
    assert_true(later[1] - kept[1] > 1); /* no feast on that day */

    options_for(&o, "series.csv", "targets load epochs 1");
    file_option(&o, "holidays", "short.csv");
    trained(&o);
    *o.data = *o.holidays = 0;
    answer(&o, later);
    expect_has(notes, "`holidays` FILE with later ones");
    file_option(&o, "holidays", "days.csv");
    answer(&o, kept);
    assert_true(fabs(later[1] - kept[1]) > 1e-3);
}

/* The whole day is marked in hours; months count. */
static void test_steps(void **state) {
    (void)state;
    static const struct { const char *freq; int64_t time_s; double days; } cases[] = {
        { "h", 1671926400 + 13 * 3600, 1 }, { "h", 1671926400 + 49 * 3600, 0 }, { "d", 1671926400, 1 },
        { "w", 1671926400 - 6 * 86400, 2 }, { "w", 1671926400 - 86400, 3 }, { "m", 1669852800, 3 },
        { "m", 1672531200, 1 }, { "ends of months", 1672444800, 3 },
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        forecast_options o;
        forecast_model  *m;
        tide_frame      *f;
        tide_failure     failure = { 0 };
        static double    values[200];
        static int64_t   times[200];
        int64_t          step = *cases[i].freq == 'h' ? 3600 : *cases[i].freq == 'd' ? 86400 : 7 * 86400;
        FILE *days = begin("few.csv", "holiday,ds\nEve,24/12/2022\nChristmas,25/12/2022\nSecond,26/12/2022\n"
                                      "Also,26/12/2022\nNew Year,1/1/2023\n");
        fclose(days);
        for (int k = 0; k < 200; k++) {
            struct tm month = { .tm_year = 110 + k / 12, .tm_mon = k % 12, .tm_mday = *cases[i].freq != 'e' };
            bool by_months = strchr("me", *cases[i].freq) != NULL;
            values[k] = sin(k), times[k] = by_months ? (int64_t)timegm(&month) : begin_s + step * k;
        }
        assert_int_equal(tide_frame_new(200, &f, NULL), TIDE_OK);
        assert_int_equal(tide_frame_set_time(f, "date", times, NULL), TIDE_OK);
        assert_int_equal(tide_frame_add(f, "load", values, 1, NULL), TIDE_OK);
        options_for(&o, "series.csv", "seq-len 12");
        *o.data = *o.out = 0;
        file_option(&o, "holidays", "few.csv");
        forecast_trainer *t;
        if (forecast_trainer_new(&o, f, NULL, NULL, &t, &failure) != TIDE_OK) fail_msg("%s", failure.message);
        assert_int_equal(forecast_trainer_model(t, &m, &failure), TIDE_OK);
        double on;
        assert_int_equal(forecast_model_holidays(m, cases[i].time_s, &on), 1);
        if (on != cases[i].days) fail_msg("case %zu: %g days, not %g", i, on, cases[i].days);
        forecast_model_free(m), forecast_trainer_free(t), tide_frame_free(f);
    }
}

static void test_refused(void **state) {
    (void)state;
    static const struct { const char *text, *says; } cases[] = {
        { "2022-01-01\n2022-02-01\n", "add a header line such as date,name" },
        { "date,name\n", "a header but no rows" },
        { "date,name\n1/2/2022,a\n3/4/2022,b\n", "`date-order` dmy or mdy" },
        { "date,name\n2022-01-01,a\n2022-13-01,b\n2022-02-01,c\n", "'2022-13-01' is no day" },
        { "date,name\nChristmas,a\nEaster,b\n", "is no day" },
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        forecast_options o;
        forecast_result  r       = { 0 };
        tide_failure     failure = { 0 };
        write_days("series.csv", DAYS, false);
        fclose(begin("bad.csv", cases[i].text));
        options_for(&o, "series.csv", "epochs 1");
        file_option(&o, "holidays", "bad.csv");
        if (forecast_train(&o, NULL, NULL, &r, &failure) == TIDE_OK) fail_msg("case %zu was taken", i);
        expect_has(failure.message, cases[i].says);
        expect_has(failure.file, "bad.csv");
        forecast_result_free(&r);
    }
    forecast_options o;
    forecast_result  r       = { 0 };
    tide_failure     failure = { 0 };
    write_days("hand.csv", DAYS, true);
    write_holidays("days.csv", DAYS);
    options_for(&o, "hand.csv", "epochs 1");
    file_option(&o, "holidays", "days.csv");
    assert_int_equal(forecast_train(&o, NULL, NULL, &r, &failure), TIDE_EDATA);
    expect_has(failure.message, "there is a column 'holiday'");
}

int main(void) {
    srand(11);
    make_numbers();
    const struct CMUnitTest tests[] = { cmocka_unit_test(test_by_hand), cmocka_unit_test(test_steps),
                                        cmocka_unit_test(test_refused) };
    return cmocka_run_group_tests_name("holidays", tests, make_folder, remove_folder);
}
