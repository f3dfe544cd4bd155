/* Behaviour of the published programs that a sound program does otherwise, to be asked for by name. */
#include <tidemill/forecast.h>

#include <stdio.h>

#include "base/base.h"
#include "options/options.h"

static const forecast_compat list[] = {
    { "marks-hourly", FORECAST_COMPAT_MARKS_HOURLY,
      "time features are the hourly four whatever the step of the series" },
    { "val-shuffled", FORECAST_COMPAT_VAL_SHUFFLED, "validation draws whole batches at random and drops the rest" },
    { "test-drop-last", FORECAST_COMPAT_TEST_DROP_LAST, "the test windows of a last partial batch are not scored" },
    { "scaler-refit", FORECAST_COMPAT_SCALER_REFIT, "prediction scales by the mean and deviation of the file given, "
                                                    "not of the training rows" },
    { "ms-last-column", FORECAST_COMPAT_MS_LAST_COLUMN, "`features` MS forecasts the file's last column whatever "
                                                        "`target` says" },
    { "metrics-scaled", FORECAST_COMPAT_METRICS_SCALED, "percentage errors are taken on scaled values, where truths "
                                                        "near 0 make them meaningless" },
    { "stop-on-test", FORECAST_COMPAT_STOP_ON_TEST,
      "early stopping and the best epoch are chosen on the test windows" },
    { "mac", FORECAST_COMPAT_MAC, "type1, type2, cosine and directional accuracy are those of the Mac guide "
                                  "(docs/guides.md): see `lradj` mac-..." },
    { NULL, 0, NULL },
};

const forecast_compat *forecast_compat_list(void) { return list; }

/* Its row, whatever the word was called before; the one without a name: none. */
static const forecast_compat *named(const char *text, size_t length) {
    const forecast_compat *row = list;
    char word[32];
    snprintf(word, sizeof word, "%.*s", (int)length, text);
    option_plain(forecast_option_find("compat"), word, word, sizeof word);
    while (row->name && strcmp(row->name, word) != 0) row++;
    return row;
}

tide_status forecast_compat_parse(const char *text, unsigned *bits, tide_failure *failure) {
    failure_clear(failure);
    if (!text || !bits) return fail(failure, TIDE_EINVAL, text ? "there is no place for the bits" : "there is no text");
    *bits = 0;
    while (*text) {
        size_t length = strcspn(text, ",");
        const forecast_compat *row = named(text, length);
        if (!row->name && length)
            return fail_at(failure, TIDE_EINVAL, NULL, 0, "compat", "`compat` has no '%.*s'; `compat` list names all",
                           (int)length, text);
        *bits |= row->bit;
        text += length + (text[length] == ',');
    }
    return TIDE_OK;
}
