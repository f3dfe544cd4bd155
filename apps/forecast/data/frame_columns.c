/* The header, and which columns become variates in which order. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "frame_reading.h"

/* The first line of a file without a header: every cell a number or a time stamp. Counting names, 0, 1, 2 ... or from 1
 * on, are names. */
static bool looks_headerless(const tide_table *t, const number_reader *number) {
    bool counting = true;
    for (int64_t c = 0; c < t->columns; c++) {
        double value = -1;
        int64_t seconds;
        if (!number_parse(number, t->header[c], &value) && !time_parse(t->header[c], &seconds, NULL)) return false;
        double first = 0;
        number_parse(number, t->header[0], &first);
        counting = counting && (first == 0 || first == 1) && value == first + (double)c;
    }
    return !counting;
}

bool reading_has_names(reading *r, const tide_table *t) {
    number_reader number;
    if (!number_reader_open(&number, reading_decimal(r->options))) return false;
    bool named = true;
    for (int64_t c = 0; named && c < t->columns; c++) {
        double value;
        int64_t seconds;
        named = !number_parse(&number, t->header[c], &value) && !time_parse(t->header[c], &seconds, NULL);
    }
    number_reader_close(&number);
    return named;
}

typedef struct named { const char *name; int64_t column; } named;

static int by_name(const void *a, const void *b) {
    const named *x = a, *y = b;
    int order = strcmp(x->name, y->name);
    return order ? order : (x->column > y->column) - (x->column < y->column);
}

/* Sorted, twins are neighbours: there may be a million columns. The pair whose first stands leftmost is told. */
tide_status reading_check_twins(reading *r) {
    const tide_table *t = &r->table;
    named *sorted = malloc((size_t)t->columns * sizeof *sorted + 1), *twin = NULL;
    if (!sorted) return reading_no_memory(r);
    for (int64_t c = 0; c < t->columns; c++) sorted[c] = (named){ t->header[c], c };
    qsort(sorted, (size_t)t->columns, sizeof *sorted, by_name);
    for (int64_t i = 1; i < t->columns; i++)
        if (sorted[i].name[0] && !strcmp(sorted[i - 1].name, sorted[i].name) &&
            (!twin || sorted[i - 1].column < twin->column))
            twin = &sorted[i - 1];
    tide_status status = !twin ? TIDE_OK
                   : r->series ? forecast_fail(r->failure, TIDE_EDATA, r->path, 0, twin->name,
                                               "two series are both named '%s'; rename one", twin->name)
                               : forecast_fail(r->failure, TIDE_EDATA, r->path, reading_header_line(r), twin->name,
                                               "columns %" PRId64 " and %" PRId64 " are both named '%s'; rename one",
                                               reading_place(r, twin->column) + 1,
                                               reading_place(r, twin[1].column) + 1, twin->name);
    free(sorted);
    return status;
}

/* One note, however many there are. */
static tide_status note_unnamed(reading *r) {
    int64_t count = 0, first = 0;
    for (int64_t c = r->table.columns; c-- > 0;)
        if (!r->table.header[c][0]) count++, first = reading_place(r, c) + 1;
    if (!count) return TIDE_OK;
    if (count == 1) return reading_note(r, "column %" PRId64 " has no name: left out\n", first);
    return reading_note(r, "%" PRId64 " columns have no name, the first is column %" PRId64 ": left out\n", count,
                        first);
}

tide_status reading_check_header(reading *r) {
    if (r->options->kind == KIND_SOLAR) return TIDE_OK;
    number_reader number;
    if (!number_reader_open(&number, r->options->decimal)) return reading_no_memory(r);
    bool headerless = looks_headerless(&r->table, &number);
    number_reader_close(&number);
    if (headerless)
        return forecast_fail(r->failure, TIDE_EDATA, r->path, reading_header_line(r), NULL,
                             "the first line holds data, not column names; add a header line such as date,load,OT");
    tide_status status = note_unnamed(r);
    return status ? status : reading_check_twins(r);
}

const char *list_next(const char **list, size_t *length) {
    while (**list == ' ' || **list == ',') (*list)++;
    if (!**list) return NULL;
    const char *start = *list, *quote = *start == '"' ? strchr(start + 1, '"') : NULL;
    if (quote && (!quote[1] || quote[1] == ',')) { /* "remark, free" */
        *length = (size_t)(quote - start) - 1, *list = quote + 1;
        return start + 1;
    }
    *length = strcspn(start, ",");
    *list = start + *length;
    while (*length && start[*length - 1] == ' ') (*length)--;
    return start;
}

const char *reading_word(char buffer[WORD_TEXT], const char *name, bool in_list) {
    bool quoted = in_list && strchr(name, ',');
    int  used = snprintf(buffer, WORD_TEXT, quoted ? "'\"" : "'");
    for (; *name && used < WORD_TEXT - 8; name++)
        used += snprintf(buffer + used, WORD_TEXT - (size_t)used, *name == '\'' ? "'\\''" : "%c", *name);
    snprintf(buffer + used, WORD_TEXT - (size_t)used, quoted ? "\"'" : "'");
    return buffer;
}

bool reading_asked(const reading *r, const char *name) {
    const frame_options *o = r->options;
    return (o->target && !strcmp(o->target, name)) || list_has(o->columns, name) || list_has(o->targets, name) ||
           list_has(o->known, name);
}

bool list_has(const char *list, const char *name) {
    size_t length;
    for (const char *item; list && (item = list_next(&list, &length));)
        if (strlen(name) == length && !memcmp(item, name, length)) return true;
    return false;
}

static bool usable(const reading *r, int64_t column) {
    const char *name = r->table.header[column];
    return !reading_is_time(r, column) && !r->left_out[column] && name[0] && !list_has(r->options->ignore, name);
}

/* The accepted columns as `names` with NULL for the others; the caller frees the array, not the names. */
static char **usable_names(const reading *r) {
    char **names = calloc((size_t)r->table.columns, sizeof *names);
    for (int64_t c = 0; names && c < r->table.columns; c++)
        if (usable(r, c)) names[c] = r->table.header[c];
    return names;
}

static void fail_unknown(reading *r, const char *option, const char *name) {
    char **names = usable_names(r);
    if (!names) {
        reading_no_memory(r);
        return;
    }
    char list[400];
    names_list(list, sizeof list, names, r->table.columns);
    const char *near = near_name(name, names, r->table.columns);
    forecast_fail(r->failure, TIDE_EDATA, r->path, reading_header_line(r), name,
                  "%s: there is no column '%s'%s%s%s columns are %s", option,
                  name, near ? "; did you mean '" : "", near ? near : "", near ? "'? The" : "; the", list);
    free(names);
}

int64_t reading_find(reading *r, const char *option, const char *name) {
    for (int64_t c = 0; c < r->table.columns; c++)
        if (!strcmp(r->table.header[c], name)) return c;
    fail_unknown(r, option, name);
    return -1;
}

static tide_status check_list(reading *r, const char *option, const char *list) {
    size_t length;
    bool   ignored = list && list == r->options->ignore;
    for (const char *item; list && (item = list_next(&list, &length));) {
        char *name = strndup(item, length);
        if (!name) return reading_no_memory(r);
        int64_t found = ignored && reading_was_column(r, name) ? 0 : reading_find(r, option, name);
        free(name);
        if (found < 0) return r->failure ? r->failure->status : TIDE_EDATA;
    }
    return TIDE_OK;
}

static tide_status check_run_names(reading *r) {
    int64_t found = 0;
    for (int64_t c = 0; c < r->table.columns; c++) found += r->run_names && reading_in_run(r, r->table.header[c]);
    for (int64_t i = 0; found < r->options->run_count && i < r->options->run_count; i++)
        if (reading_find(r, "the run's columns", r->options->run_names[i]) < 0)
            return r->failure ? r->failure->status : TIDE_EDATA;
    return TIDE_OK;
}

bool reading_wanted(const reading *r, int64_t column) {
    if (r->run_names && !reading_in_run(r, r->table.header[column])) return false;
    return usable(r, column) && (!r->options->columns || list_has(r->options->columns, r->table.header[column]));
}

/* The target's table column; -1 with the failure set. */
static int64_t find_target(reading *r) {
    int64_t last = -1;
    bool of_all = r->options->features == FEATURES_M && reading_is_value(r, r->options->target);
    if (r->options->target && !of_all) {
        int64_t found = reading_find(r, "`target`", r->options->target);
        if (found >= 0 && !usable(r, found)) {
            fail_unknown(r, "`target`", r->options->target);
            return -1;
        }
        return found;
    }
    for (int64_t c = 0; c < r->table.columns; c++) {
        if (!reading_wanted(r, c)) continue;
        last = c;
        if (!strcmp(r->table.header[c], "OT")) break;
    }
    char word[WORD_TEXT];
    for (int64_t c = 0; last < 0 && c < r->table.columns; c++)
        if (r->left_out[c] && (!r->options->columns || list_has(r->options->columns, r->table.header[c])))
            forecast_fail(r->failure, TIDE_EDATA, r->path, reading_header_line(r), r->table.header[c],
                          "no series is left: '%s' only counts the rows or repeats their stamps; `target` %s "
                          "forecasts it all the same",
                          r->table.header[c], reading_word(word, r->table.header[c], false));
    if (last < 0)
        forecast_fail(r->failure, TIDE_EDATA, r->path, reading_header_line(r), NULL,
                      "no column of values is left; see `columns`, `ignore` and `time-column`");
    return last;
}

/* The last column if there is no OT: custom files are read with their target behind all others. */
static void order_columns(reading *r, int64_t target) {
    bool target_last = r->options->kind == KIND_CUSTOM, only_target = r->options->features == FEATURES_S;
    for (int64_t c = 0; c < r->table.columns; c++) {
        bool here = c == target ? !target_last : reading_wanted(r, c) && !only_target;
        if (here) r->chosen[r->count++] = c;
    }
    if (target_last) r->chosen[r->count++] = target;
    for (int64_t i = 0; i < r->count; i++)
        if (r->chosen[i] == target) r->out->target = i;
}

static tide_status name_columns(reading *r) {
    frame *f = r->out;
    f->names = calloc((size_t)r->count, sizeof *f->names);
    f->place = calloc((size_t)r->count, sizeof *f->place);
    if (!f->names || !f->place) return reading_no_memory(r);
    f->columns = r->count;
    for (int64_t i = 0; i < r->count; i++) {
        f->place[i] = reading_place(r, r->chosen[i]);
        f->names[i] = strdup(r->table.header[r->chosen[i]]);
        if (!f->names[i]) return reading_no_memory(r);
    }
    return TIDE_OK;
}

tide_status reading_choose(reading *r) {
    tide_status status = check_list(r, "`columns`", r->options->columns);
    if (!status) status = check_run_names(r);
    if (!status) status = check_list(r, "`ignore`", r->options->ignore);
    if (!status) status = reading_find_counters(r);
    if (status) return status;
    int64_t target = find_target(r);
    if (target < 0) return r->failure ? r->failure->status : TIDE_EDATA;
    r->chosen = calloc((size_t)r->table.columns, sizeof *r->chosen);
    if (!r->chosen) return reading_no_memory(r);
    order_columns(r, target);
    return name_columns(r);
}
