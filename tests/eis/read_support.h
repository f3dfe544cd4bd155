/* What the tests of the readers share. */
#ifndef EIS_READ_SUPPORT_H
#define EIS_READ_SUPPORT_H

#include "support.h"

static inline eis_spectra read_good(const char *path, const eis_options *o) {
    eis_spectra  s;
    tide_failure failure = { 0 };
    if (eis_spectra_read(path, o, &s, &failure) != TIDE_OK) fail_msg("%s was refused: %s", path, failure.message);
    return s;
}

static inline void expect_refusal(const char *path, const eis_options *o, int64_t row, const char *column,
                                  const char *part) {
    eis_spectra  s;
    tide_failure failure = { 0 };
    if (eis_spectra_read(path, o, &s, &failure) != TIDE_EDATA) fail_msg("%s was not refused as data", path);
    assert_int_equal(s.count, 0);
    expect_has(failure.message, part);
    if (failure.row != row) fail_msg("\"%s\" is at row %lld, not %lld", failure.message, (long long)failure.row,
                                     (long long)row);
    assert_string_equal(failure.column, column);
}

static inline void expect_range(const char *what, const eis_spectrum *s, double low, double high, double relative) {
    double least = INFINITY, most = 0;
    for (int64_t i = 0; i < s->count; i++) least = fmin(least, s->freq_hz[i]), most = fmax(most, s->freq_hz[i]);
    expect_near(what, least, low, relative);
    expect_near(what, most, high, relative);
}

#endif
