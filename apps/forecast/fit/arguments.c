/* What a program hands to a command: there at all, and each option within what its row of the table accepts. Parsed
 * options are; a struct that was filled by hand, or never, need not be. */
#include "resolve.h"

#include <inttypes.h>

#include "base/base.h"

static int words(const char *choices) {
    int count = 1;
    for (; *choices; choices++) count += *choices == '|';
    return count;
}

static bool fits(const forecast_option *row, const void *field) {
    switch (row->type) {
    case FORECAST_TYPE_INT:
        return (double)*(const int64_t *)field >= row->low && (double)*(const int64_t *)field <= row->high;
    case FORECAST_TYPE_REAL: return *(const double *)field >= row->low && *(const double *)field <= row->high;
    case FORECAST_TYPE_CHOICE: return *(const int *)field >= 0 && *(const int *)field < words(row->choices);
    case FORECAST_TYPE_TEXT: return memchr(field, 0, row->size) != NULL;
    default: return true;
    }
}

tide_status options_sound(const forecast_options *o, tide_failure *failure) {
    forecast_options standard;
    int64_t count;
    const forecast_option *table = forecast_option_table(&count);
    if (!o) return fail(failure, TIDE_EINVAL, "there are no options");
    forecast_options_default(&standard);
    for (int64_t i = 0; i < count; i++) {
        const char *field = (const char *)o + table[i].offset, *usual = (const char *)&standard + table[i].offset;
        size_t size = table[i].type == FORECAST_TYPE_INT    ? sizeof(int64_t)
                      : table[i].type == FORECAST_TYPE_REAL ? sizeof(double)
                                                            : 0;
        if (fits(&table[i], field) || (size && !memcmp(field, usual, size))) continue;
        return fail_at(failure, TIDE_EINVAL, NULL, 0, table[i].name,
                       "the option %s is outside what is accepted: forecast_options_default "
                       "makes sound options",
                       table[i].name);
    }
    return TIDE_OK;
}

tide_status arguments_sound(const forecast_options *o, const forecast_result *result, tide_failure *failure) {
    return result ? options_sound(o, failure) : fail(failure, TIDE_EINVAL, "there is no result to fill");
}
