/* What the tests of training share: a small series, a folder of their own, runs with small options. */
#ifndef TRAIN_SUPPORT_H
#define TRAIN_SUPPORT_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
/* cmocka needs the four above */
#include <cmocka.h>
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <tidemill/forecast.h>
#include <unistd.h>

#include "../folder.h"

static inline void expect_near(const char *what, double got, double expected, double tolerance) {
    if (!(fabs(got - expected) <= tolerance))
        fail_msg("%s: expected %.9g, got %.9g, %.3g allowed", what, expected, got, tolerance);
}

static inline void expect_has(const char *text, const char *part) {
    if (!text || !strstr(text, part)) fail_msg("expected \"%s\" in \"%s\"", part, text ? text : "(null)");
}

static inline void set(forecast_options *o, const char *name, const char *text) {
    tide_failure failure = { 0 };
    if (forecast_option_set(o, name, text, &failure) != TIDE_OK) fail_msg("--%s %s: %s", name, text, failure.message);
}

/* "name value name value ...", blanks between. */
static inline void no_failure(tide_status status, const tide_failure *why) {
    if (status != TIDE_OK) fail_msg("%s", why->message);
}

static inline void set_all(forecast_options *o, const char *words) {
    char  copy[1024], *rest = copy;
    snprintf(copy, sizeof copy, "%s", words);
    for (char *name = strtok_r(rest, " ", &rest); name; name = strtok_r(rest, " ", &rest))
        set(o, name, strtok_r(rest, " ", &rest));
}

/* Hourly rows of three columns: two tides and a column that follows both. */
static inline void write_series(const char *path, int rows) {
    FILE *f = fopen(path, "w");
    assert_non_null(f);
    fputs("date,north,south,flow\n", f);
    for (int i = 0; i < rows; i++) {
        double a = sin(i * 0.5059) + 0.3 * sin(i * 0.2618), b = cos(i * 0.5236 + 1);
        fprintf(f, "2024-%02d-%02d %02d:00:00,%.5f,%.5f,%.5f\n", 1 + i / 24 / 28, 1 + i / 24 % 28, i % 24, a, 3 * b,
                10 + a * b);
    }
    fclose(f);
}

/* As set-up: a folder with series.csv of so many rows. */
static inline int folder_with_series(void **state, int rows) {
    char path[96];
    if (make_folder(state)) return -1;
    snprintf(path, sizeof path, "%s/series.csv", folder);
    write_series(path, rows);
    return 0;
}

static inline void small_options(forecast_options *o) {
    char path[96];
    forecast_options_default(o);
    snprintf(path, sizeof path, "%s/series.csv", folder);
    set(o, "data", path);
    snprintf(path, sizeof path, "%s/run", folder);
    set(o, "out", path);
    set_all(o, "seq-len 24 pred-len 6 d-model 16 d-ff 16 n-heads 2 batch-size 16 epochs 3 learning-rate 0.003 "
               "missing error freq h");
    if (getenv("TIDEMILL_DEVICE")) set(o, "device", getenv("TIDEMILL_DEVICE"));
}

static inline char *whole_file(const char *folder, const char *name, size_t *size) {
    char path[160];
    snprintf(path, sizeof path, "%s/%s", folder, name);
    FILE *f = fopen(path, "rb");
    if (!f) fail_msg("%s is not there", path);
    fseek(f, 0, SEEK_END);
    *size      = (size_t)ftell(f);
    char *data = malloc(*size + 1);
    rewind(f);
    assert_int_equal(fread(data, 1, *size, f), *size);
    data[*size] = 0;
    fclose(f);
    return data;
}

static inline bool same_file(const char *folder_a, const char *folder_b, const char *name) {
    size_t m, n;
    char  *a = whole_file(folder_a, name, &m), *b = whole_file(folder_b, name, &n);
    bool   same = m == n && !memcmp(a, b, m);
    free(a);
    free(b);
    return same;
}

#endif
