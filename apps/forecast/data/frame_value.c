/* Which columns of a table in long format hold the values of its series: those of `value`, y or value, or the only
 * column of numbers. What is said of the others. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "frame_long.h"

static tide_status status_of(const reading *r) { return r->failure ? r->failure->status : TIDE_EDATA; }

static bool is_value(const struct long_table *l, int64_t column) {
    for (int64_t i = 0; i < l->values; i++)
        if (l->value[i] == column) return true;
    return false;
}

static void add_value(struct long_table *l, int64_t column) { l->value[l->values++] = column; }

/* Neither time nor what tells series apart, nor what only repeats these. */
static bool is_open(const reading *r, int64_t column) {
    const char *name = r->table.header[column];
    return name[0] && !r->left_out[column] && !reading_is_time(r, column) && !key_has(&r->series->key, column) &&
           !list_has(r->options->ignore, name) && !list_has(r->options->static_columns, name);
}

/* Most of what stands there are numbers, in groups of three or not. */
static bool holds_numbers(const reading *r, int64_t column, const number_reader *number) {
    int64_t numbers = 0, filled = 0;
    for (int64_t i = 0; i < r->table.rows; i++) {
        const char *text = reading_text(r, i, column);
        double      value;
        if (number_is_missing(text)) continue;
        filled++;
        numbers += number_parse(number, text, &value) || !text[strspn(text, "+-0123456789,.'")];
    }
    return filled && 2 * numbers >= filled;
}

/* One text in all rows of each series. */
static bool is_static(const reading *r, int64_t column) {
    const series_order *o = &r->series->order;
    for (int64_t s = 0; s < r->series->series; s++)
        for (int64_t i = o->start[s] + 1; i < o->start[s + 1]; i++)
            if (strcmp(reading_text(r, o->row[i], column), reading_text(r, o->row[i - 1], column))) return false;
    return true;
}

/* ---- as given, or by name ---- */

static tide_status take_given(reading *r) {
    size_t      length;
    const char *list = r->options->value;
    for (const char *item; (item = list_next(&list, &length));) {
        char *name = strndup(item, length);
        if (!name) return reading_no_memory(r);
        int64_t column = reading_find(r, "`value`", name);
        bool    taken  = column >= 0 && (reading_is_time(r, column) || key_has(&r->series->key, column) ||
                                     is_value(r->series, column));
        if (taken)
            forecast_fail(r->failure, TIDE_EDATA, r->path, reading_header_line(r), "value",
                          "`value`: '%.100s' holds the time stamps, tells the series apart or stands twice", name);
        free(name);
        if (column < 0 || taken) return status_of(r);
        add_value(r->series, column);
    }
    return TIDE_OK;
}

/* `target` may say it too, where it names a column of the file. */
static void take_named(reading *r) {
    const char *const usual[] = { r->options->target, "y", "value", "values" };
    for (size_t u = 0; u < sizeof usual / sizeof *usual; u++)
        for (int64_t c = 0; usual[u] && c < r->table.columns && !r->series->values; c++)
            if (is_open(r, c) && !(u ? strcasecmp : strcmp)(r->table.header[c], usual[u])) add_value(r->series, c);
}

/* ---- the only one ---- */

static tide_status fail_several(reading *r) {
    char   list[320];
    char **names = calloc((size_t)r->table.columns, sizeof *names);
    if (!names) return reading_no_memory(r);
    for (int64_t i = 0; i < r->series->values; i++) names[i] = r->table.header[r->series->value[i]];
    names_list(list, sizeof list, names, r->series->values);
    char word[WORD_TEXT];
    tide_status status = forecast_fail(r->failure, TIDE_EDATA, r->path, reading_header_line(r), NULL,
                                       "long format, and several columns may hold the values (%s): `value` %s takes "
                                       "one, or more of them", list, reading_word(word, names[0], true));
    free(names);
    return status;
}

static tide_status take_only(reading *r) {
    number_reader number;
    if (!number_reader_open(&number, reading_decimal(r->options))) return reading_no_memory(r);
    for (int constants = 0; constants < 2 && !r->series->values; constants++) /* only where nothing else is */
        for (int64_t c = 0; c < r->table.columns; c++)
            if (is_open(r, c) && (constants || !is_static(r, c)) && holds_numbers(r, c, &number) &&
                !reading_counts_rows(r, c, &number))
                add_value(r->series, c);
    number_reader_close(&number);
    if (r->series->values > 1) return fail_several(r);
    if (r->series->values) return TIDE_OK;
    return forecast_fail(r->failure, TIDE_EDATA, r->path, reading_header_line(r), NULL,
                         "long format, and no column of numbers is left for the values; see `value`, `id` and "
                         "`time-column`");
}

/* ---- the others ---- */

static tide_status note_others(reading *r, bool fixed) {
    char   list[320];
    char **names = calloc((size_t)r->table.columns, sizeof *names);
    if (!names) return reading_no_memory(r);
    int64_t found = 0;
    for (int64_t c = 0; c < r->table.columns; c++)
        if (is_open(r, c) && !is_value(r->series, c) && is_static(r, c) == fixed) names[found++] = r->table.header[c];
    names_list(list, sizeof list, names, found);
    free(names);
    if (!found) return TIDE_OK;
    return fixed ? reading_note(r, "the same in all rows of a series, and left out: %s\n", list)
                 : reading_note(r, "left out, as `value` does not name them: %s\n", list);
}

tide_status reading_find_values(reading *r) {
    tide_status status = r->options->value ? take_given(r) : TIDE_OK;
    if (status) return status;
    if (!r->series->values) take_named(r);
    return r->series->values ? TIDE_OK : take_only(r);
}

tide_status reading_note_others(reading *r) {
    tide_status status = note_others(r, true);
    return status ? status : note_others(r, false);
}
