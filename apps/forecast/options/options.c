/* The forecaster's options by name: thin calls on the one option system (src/options). */
#include <tidemill/forecast.h>

#include <stdlib.h>

const tide_option *forecast_option_table(int64_t *count) {
    if (count) *count = forecast_table()->count;
    return forecast_table()->rows;
}

const tide_option *forecast_option_find(const char *name) { return tide_option_find(forecast_table(), name); }

const char *forecast_option_nearest(const char *name, unsigned command) {
    return tide_option_nearest(forecast_table(), name, command);
}

void forecast_options_default(forecast_options *o) { tide_options_default(forecast_table(), o); }

tide_status forecast_option_set(forecast_options *o, const char *name, const char *text, tide_failure *failure) {
    return tide_option_set(forecast_table(), o, name, text, failure);
}

const char *forecast_option_get(const forecast_options *o, const tide_option *row, char *buffer, size_t size) {
    return tide_option_get(o, row, buffer, size);
}

bool forecast_option_given(const forecast_options *o, const char *name) {
    return tide_option_given(forecast_table(), o, name);
}

size_t forecast_options_size(void) { return sizeof(forecast_options); }

forecast_options *forecast_options_new(void) {
    forecast_options *o = malloc(sizeof *o);
    forecast_options_default(o);
    return o;
}

void forecast_options_free(forecast_options *o) { free(o); }
