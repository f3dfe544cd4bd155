/* The options of impedance spectroscopy by name: thin calls on the one option system (src/options). */
#include <tidemill/eis.h>

#include <stdlib.h>

const tide_option *eis_option_table(int64_t *count) {
    if (count) *count = eis_table()->count;
    return eis_table()->rows;
}

const tide_option *eis_option_find(const char *name) { return tide_option_find(eis_table(), name); }

const char *eis_option_nearest(const char *name, unsigned command) {
    return tide_option_nearest(eis_table(), name, command);
}

void eis_options_default(eis_options *o) { tide_options_default(eis_table(), o); }

tide_status eis_option_set(eis_options *o, const char *name, const char *text, tide_failure *failure) {
    return tide_option_set(eis_table(), o, name, text, failure);
}

const char *eis_option_get(const eis_options *o, const tide_option *row, char *buffer, size_t size) {
    return tide_option_get(o, row, buffer, size);
}

bool eis_option_given(const eis_options *o, const char *name) { return tide_option_given(eis_table(), o, name); }

size_t eis_options_size(void) { return sizeof(eis_options); }

eis_options *eis_options_new(void) {
    eis_options *o = malloc(sizeof *o);
    eis_options_default(o);
    return o;
}

void eis_options_free(eis_options *o) { free(o); }
