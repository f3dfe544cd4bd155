#include "arguments.h"

#include <stdlib.h>
#include <string.h>

#include "base/base.h"

static int words(const char *choices) {
    int count = 1;
    for (; *choices; choices++) count += *choices == '|';
    return count;
}

static bool fits(const eis_option *row, const void *field) {
    switch (row->type) {
    case EIS_TYPE_INT:
        return (double)*(const int64_t *)field >= row->low && (double)*(const int64_t *)field <= row->high;
    case EIS_TYPE_REAL: return *(const double *)field >= row->low && *(const double *)field <= row->high;
    case EIS_TYPE_CHOICE: return *(const int *)field >= 0 && *(const int *)field < words(row->choices);
    case EIS_TYPE_TEXT:
    case EIS_TYPE_LIST: return memchr(field, 0, row->size) != NULL;
    default: return true;
    }
}

tide_status options_good(const eis_options *o, tide_failure *failure) {
    int64_t count;
    const eis_option *table = eis_option_table(&count);
    if (!o) return fail(failure, TIDE_EINVAL, "there are no options");
    eis_options *standard = malloc(sizeof *standard);
    if (!standard) return fail(failure, TIDE_ENOMEM, "out of memory for the options");
    eis_options_default(standard);
    const eis_option *fault = NULL;
    for (int64_t i = 0; i < count && !fault; i++) {
        const char *field = (const char *)o + table[i].offset, *usual = (const char *)standard + table[i].offset;
        size_t size = table[i].type == EIS_TYPE_INT    ? sizeof(int64_t)
                      : table[i].type == EIS_TYPE_REAL ? sizeof(double)
                                                       : 0;
        if (!fits(&table[i], field) && !(size && !memcmp(field, usual, size))) fault = &table[i];
    }
    free(standard);
    if (!fault) return TIDE_OK;
    return fail_at(failure, TIDE_EINVAL, NULL, 0, fault->name,
                   "the option %s is outside what is accepted: eis_options_default makes sound "
                   "options",
                   fault->name);
}

tide_status arguments_good(const eis_options *o, eis_result *result, tide_failure *failure) {
    if (!result) return fail(failure, TIDE_EINVAL, "there is no result to fill");
    *result = (eis_result){ 0 };
    return options_good(o, failure);
}
