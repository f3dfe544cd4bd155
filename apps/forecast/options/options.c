/* Reading, writing and finding options by name, as the table says. */
#include <tidemill/forecast.h>

#include <ctype.h>
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/base.h"

void forecast_options_default(forecast_options *o) {
    if (o) *o = (forecast_options){ .marks = "auto", .seq_len = 96, .pred_len = 96, .d_model = 128, .n_heads = 8,
                                    .e_layers = 2, .d_ff = 128,
                             .dropout = -1, .use_norm = true, .accumulate = 1, .patience = -1,
                             .lradj = FORECAST_LR_AUTO, .seed = 2023,
                             .directional_weight = 0.5, .device = "cpu", .plots = true, .compile = true,
                             .measure = true };
}

static char plain(char c) { return c == '_' ? '-' : c; }

static bool same_name(const char *a, const char *b) {
    for (; a && b && *a && plain(*a) == plain(*b); a++) b++;
    return a && b && !*a && !*b;
}

const forecast_option *forecast_option_find(const char *name) {
    int64_t count;
    const forecast_option *table = forecast_option_table(&count);
    for (int64_t i = 0; i < count; i++)
        if (same_name(name, table[i].name) || same_name(name, table[i].alias)) return &table[i];
    return NULL;
}

/* Levenshtein distance, of words of fewer than 64 letters. */
static int word_distance(const char *a, const char *b) {
    int m = (int)strlen(a), n = (int)strlen(b), row[64];
    if (m >= 64 || n >= 64) return 64;
    for (int j = 0; j <= n; j++) row[j] = j;
    for (int i = 1; i <= m; i++) {
        int diagonal = row[0];
        row[0]       = i;
        for (int j = 1; j <= n; j++) {
            int replace = diagonal + (plain(a[i - 1]) != b[j - 1]);
            diagonal    = row[j];
            row[j]      = MIN2(replace, MIN2(row[j], row[j - 1]) + 1);
        }
    }
    return row[n];
}

const char *forecast_option_nearest(const char *name, unsigned command) {
    int64_t count;
    const forecast_option *table = forecast_option_table(&count);
    const char *best = NULL;
    if (!name) return NULL;
    int         least = MAX2(2, (int)strlen(name) / 3) + 1;
    for (int64_t i = 0; i < count; i++) {
        if (!(table[i].flags & command) || table[i].flags & FORECAST_HIDDEN) continue;
        int d = word_distance(name, table[i].name);
        if (d < least) least = d, best = table[i].name;
    }
    return best;
}

/* ---- values ---- */

static tide_status set_bool(bool *out, const char *name, const char *text, tide_failure *failure) {
    static const char *const words[2][4] = { { "false", "no", "off", "0" }, { "true", "yes", "on", "1" } };
    for (int i = 0; i < 8; i++)
        if (!text || !strcmp(text, words[i / 4][i % 4])) {
            *out = !text || i >= 4;
            return TIDE_OK;
        }
    return fail_at(failure, TIDE_EINVAL, NULL, 0, name, "--%s is yes or no, not '%s'", name, text);
}

static tide_status set_choice(int *out, const forecast_option *row, const char *text, tide_failure *failure) {
    int         index = 0;
    const char *word  = row->choices;
    for (;; index++) {
        size_t length = strcspn(word, "|");
        bool   same   = strlen(text) == length;
        for (size_t i = 0; same && i < length; i++) same = plain(text[i]) == word[i];
        if (same) {
            *out = index;
            return TIDE_OK;
        }
        if (!word[length]) break;
        word += length + 1;
    }
    return fail_at(failure, TIDE_EINVAL, NULL, 0, row->name, "--%s is one of %s, not '%s'", row->name, row->choices,
                   text);
}

static tide_status set_number(forecast_options *o, const forecast_option *row, const char *text,
                              tide_failure *failure) {
    char  *end;
    double value = num_parse(text, &end);
    bool   whole = row->type == FORECAST_TYPE_INT, good = end != text && !*end && isfinite(value);
    if (!good || value < row->low || value > row->high || (whole && value != floor(value)))
        return fail_at(failure, TIDE_EINVAL, NULL, 0, row->name, "--%s is %s from %g to %g, not '%s'", row->name,
                       whole ? "a whole number" : "a number", row->low, row->high, text);
    if (whole) *(int64_t *)((char *)o + row->offset) = (int64_t)value;
    else *(double *)((char *)o + row->offset) = value;
    return TIDE_OK;
}

static tide_status set_value(forecast_options *o, const forecast_option *row, const char *text, tide_failure *failure) {
    char *field = (char *)o + row->offset;
    if (row->type == FORECAST_TYPE_BOOL) return set_bool((bool *)field, row->name, text, failure);
    if (!text) return fail_at(failure, TIDE_EINVAL, NULL, 0, row->name, "--%s needs a value", row->name);
    switch (row->type) {
    case FORECAST_TYPE_CHOICE: return set_choice((int *)field, row, text, failure);
    case FORECAST_TYPE_TEXT:
        if (strlen(text) >= row->size)
            return fail_at(failure, TIDE_EINVAL, NULL, 0, row->name, "--%s is longer than %zu bytes", row->name,
                           row->size - 1);
        memcpy(field, text, strlen(text) + 1);
        return TIDE_OK;
    default: return set_number(o, row, text, failure);
    }
}

tide_status forecast_option_set(forecast_options *o, const char *name, const char *text, tide_failure *failure) {
    failure_clear(failure);
    int64_t count;
    if (!o || !name)
        return fail(failure, TIDE_EINVAL, o ? "there is no name of an option" : "there are no options to set");
    const forecast_option *row = forecast_option_find(name), *table = forecast_option_table(&count);
    if (!row) {
        const char *near = forecast_option_nearest(name, FORECAST_FOR_TRAIN | FORECAST_FOR_EVALUATE |
                                                             FORECAST_FOR_PREDICT | FORECAST_FOR_EXPLAIN);
        return fail_at(failure, TIDE_EINVAL, NULL, 0, name, "there is no option '%s'%s%s%s", name,
                       near ? "; did you mean --" : "",
                       near ? near : "", near ? "?" : "");
    }
    tide_status status = set_value(o, row, text, failure);
    if (status == TIDE_OK) o->given[row - table] = true;
    return status;
}

const char *forecast_option_get(const forecast_options *o, const forecast_option *row, char *buffer, size_t size) {
    if (!o || !row || !buffer || !size) return "";
    const char *field = (const char *)o + row->offset;
    char        number[32];
    switch (row->type) {
    case FORECAST_TYPE_BOOL: snprintf(buffer, size, "%s", *(const bool *)field ? "true" : "false"); break;
    case FORECAST_TYPE_INT: snprintf(buffer, size, "%" PRId64, *(const int64_t *)field); break;
    case FORECAST_TYPE_REAL:
        num_format(number, *(const double *)field, false);
        snprintf(buffer, size, "%s", number);
        break;
    case FORECAST_TYPE_CHOICE: {
        const char *word = row->choices;
        for (int i = *(const int *)field; i > 0 && strchr(word, '|'); i--) word = strchr(word, '|') + 1;
        snprintf(buffer, size, "%.*s", (int)strcspn(word, "|"), word);
        break;
    }
    case FORECAST_TYPE_TEXT: snprintf(buffer, size, "%s", field); break;
    }
    return buffer;
}
