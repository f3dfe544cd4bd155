/* Attributes as numbers beside each series: what there is to learn from, and the same of series that come later. */
#include "statics.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/base.h"
#include "base/json.h"
#include "frame_reading.h"
#include "util.h"

enum { MOST_VALUES = 50, FEWEST_SERIES = 2 };

static tide_status no_memory(tide_failure *failure) {
    return fail(failure, TIDE_ENOMEM, "out of memory for the attributes of the series");
}

/* ---- what is held ---- */

static void attribute_free(attribute *a) {
    for (int64_t i = 0; a->values && i < a->count; i++) free(a->values[i]);
    free(a->values);
    free(a->name);
    *a = (attribute){ 0 };
}

void statics_free(statics *s) {
    for (int64_t i = 0; i < s->count; i++) attribute_free(&s->of[i]);
    free(s->of);
    free(s->values);
    free(s->notes);
    *s = (statics){ 0 };
}

/* Its values (count) copied. false: out of memory, *out is empty. */
static bool attribute_make(const char *name, char *const *values, int64_t count, attribute *out) {
    *out = (attribute){ .name = strdup(name), .values = count ? calloc((size_t)count, sizeof *out->values) : NULL };
    bool fine = out->name && (!count || out->values);
    for (; fine && out->count < count; out->count += fine)
        fine = (out->values[out->count] = strdup(values[out->count])) != NULL;
    if (!fine) attribute_free(out);
    return fine;
}

static int64_t inputs_of(const attribute *a) { return a->count ? a->count : 1; }

bool statics_copy(const statics *from, statics *out) {
    *out = (statics){ 0 };
    if (!from->count) return true;
    size_t bytes = (size_t)(from->columns * from->inputs) * sizeof *out->values;
    out->of      = calloc((size_t)from->count, sizeof *out->of);
    out->values  = malloc(bytes + 1);
    bool fine    = out->of && out->values;
    for (int64_t i = 0; fine && i < from->count; i++) {
        fine = attribute_make(from->of[i].name, from->of[i].values, from->of[i].count, &out->of[i]);
        out->of[i].mean = from->of[i].mean, out->of[i].std = from->of[i].std;
        out->count = i + 1;
    }
    if (!fine) return statics_free(out), false;
    memcpy(out->values, from->values, bytes);
    out->inputs = from->inputs, out->columns = from->columns;
    return true;
}

void statics_text(const statics *s, char *buffer, size_t bytes) {
    size_t used = 0;
    *buffer = 0;
    for (int64_t i = 0; i < s->count && used < bytes; i++) {
        const attribute *a = &s->of[i];
        used += (size_t)snprintf(buffer + used, bytes - used, "%s%s", i ? ", " : "", a->name);
        if (a->count && used < bytes)
            used += (size_t)snprintf(buffer + used, bytes - used, " (%" PRId64 " values)", a->count);
    }
}

/* ---- the rows of series ---- */

static int64_t find_id(const static_table *t, const char *id) {
    int64_t low = 0, high = t->rows;
    while (low < high) {
        int64_t middle = low + (high - low) / 2;
        if (strcmp(t->ids[t->sorted[middle]], id) < 0) low = middle + 1;
        else high = middle;
    }
    return low < t->rows && !strcmp(t->ids[t->sorted[low]], id) ? t->sorted[low] : -1;
}

/* By its name, else by its ids without the name of the value. */
static int64_t row_of(const static_table *t, const static_columns *columns, int64_t column) {
    const long_form *form = columns->form;
    int64_t row = find_id(t, columns->names[column]);
    if (row >= 0 || !form || !form->ids || column >= form->columns) return row;
    text id = { 0 };
    for (int64_t i = 0; i < form->ids; i++) text_add(&id, "%s%s", i ? "/" : "", form->id[column * form->ids + i]);
    if (!id.failed) row = find_id(t, id.data);
    text_free(&id);
    return row;
}

static tide_status fail_series(const static_table *t, const char *name, int64_t missing, tide_failure *failure) {
    const char *near = near_name(name, t->ids, t->rows);
    char        more[60] = "";
    if (missing > 1) snprintf(more, sizeof more, ", nor have %" PRId64 " others", missing - 1);
    return fail_at(failure, TIDE_EDATA, t->path, 0, "static",
                   "the series '%.60s' has no attributes%s: each that is forecast needs a row%s%.60s%s", name, more,
                   near ? "; did you mean '" : "", near ? near : "", near ? "'?" : "");
}

/* -1 for a column without a row that needs none. The caller's. */
static tide_status find_rows(const static_table *t, const static_columns *columns, int64_t **out,
                             tide_failure *failure) {
    int64_t missing = 0, first = -1, *row = malloc((size_t)columns->count * sizeof *row + 1);
    *out = row;
    if (!row) return no_memory(failure);
    for (int64_t c = 0; c < columns->count; c++) {
        bool needed = c >= columns->first && c < columns->first + columns->needed;
        row[c]      = row_of(t, columns, c);
        if (needed && row[c] < 0 && !missing++) first = c;
    }
    return missing ? fail_series(t, columns->names[first], missing, failure) : TIDE_OK;
}

/* ---- numbers ---- */

static tide_status fail_number(const static_table *t, int64_t row, int64_t column, tide_failure *failure) {
    const char *cell = t->cells[row * t->columns + column];
    bool        gone = number_is_missing(cell);
    return fail_at(failure, TIDE_EDATA, t->path, t->line[row], t->names[column],
                   "the attribute '%.60s' of '%.60s' %s%.40s%s, and it needs a number",
                   t->names[column], t->ids[row], gone ? "is missing" : "is '", gone ? "" : cell, gone ? "" : "'");
}

/* Of the rows that are used: numbers, but for cells that are missing? */
static bool holds_numbers(const static_table *t, const bool *used, int64_t column) {
    number_reader number;
    bool          all = number_reader_open(&number, t->decimal), some = false;
    for (int64_t r = 0; all && r < t->rows; r++) {
        double      value;
        const char *cell = t->cells[r * t->columns + column];
        if (!used[r] || number_is_missing(cell)) continue;
        some = all = number_parse(&number, cell, &value);
    }
    number_reader_close(&number);
    return all && some;
}

static tide_status read_number(const static_table *t, int64_t row, int64_t column, double *out,
                               tide_failure *failure) {
    number_reader number;
    if (!number_reader_open(&number, t->decimal)) return no_memory(failure);
    bool read = number_parse(&number, t->cells[row * t->columns + column], out);
    number_reader_close(&number);
    return read ? TIDE_OK : fail_number(t, row, column, failure);
}

/* *constant: there is nothing to learn. */
static tide_status learn_number(const static_table *t, const bool *used, int64_t column, attribute *out,
                                bool *constant, tide_failure *failure) {
    double  sum = 0, squares = 0, value;
    int64_t rows = 0;
    for (int pass = 0; pass < 2; pass++)
        for (int64_t r = 0; r < t->rows; r++) {
            tide_status status = used[r] ? read_number(t, r, column, &value, failure) : TIDE_OK;
            if (status != TIDE_OK) return status;
            if (!used[r]) continue;
            double off = pass ? value - sum / (double)rows : 0;
            if (pass) squares += off * off;
            else sum += value, rows++;
        }
    double mean = sum / (double)rows, std = sqrt(squares / (double)rows);
    *constant = !(std > 1e-12 * fabs(mean)) || !isfinite(std);
    if (*constant) return TIDE_OK;
    if (!attribute_make(t->names[column], NULL, 0, out)) return no_memory(failure);
    out->mean = mean, out->std = std;
    return TIDE_OK;
}

/* ---- categories ---- */

typedef struct value { char *text; int64_t series; } value;

static int by_text(const void *a, const void *b) { return strcmp(((const value *)a)->text, ((const value *)b)->text); }

static int by_series(const void *a, const void *b) {
    const value *x = a, *y = b;
    return x->series != y->series ? (x->series < y->series) - (x->series > y->series) : by_text(a, b);
}

/* All, the commonest first; how many. */
static int64_t count_values(const static_table *t, const bool *used, int64_t column, value *all) {
    int64_t n = 0, count = 0;
    for (int64_t r = 0; r < t->rows; r++) {
        char *cell = t->cells[r * t->columns + column];
        if (used[r] && !number_is_missing(cell)) all[n++] = (value){ category_cell(cell), 1 };
    }
    qsort(all, (size_t)n, sizeof *all, by_text);
    for (int64_t i = 0; i < n; i++)
        if (count && !strcmp(all[count - 1].text, all[i].text)) all[count - 1].series++;
        else all[count++] = all[i];
    qsort(all, (size_t)count, sizeof *all, by_series);
    return count;
}

static bool make_category(const static_table *t, int64_t column, value *kept, int64_t count, attribute *out) {
    char **names = calloc((size_t)count + 1, sizeof *names);
    qsort(kept, (size_t)count, sizeof *kept, by_text);
    for (int64_t i = 0; names && i < count; i++) names[i] = kept[i].text;
    bool made = names && attribute_make(t->names[column], names, count, out);
    free(names);
    return made;
}

static tide_status learn_category(const static_table *t, const bool *used, int64_t column, attribute *out,
                                  bool *constant, char **notes, tide_failure *failure) {
    static char other[] = CATEGORY_OTHER;
    value      *all = malloc((size_t)(t->rows + 1) * sizeof *all);
    int64_t     count = all ? count_values(t, used, column, all) : 0, kept = 0, rows = 0;
    tide_status status = TIDE_OK;
    bool        fine = all != NULL;
    for (int64_t r = 0; r < t->rows; r++) rows += used[r];
    while (kept < count && kept < MOST_VALUES && all[kept].series >= FEWEST_SERIES) kept++;
    *constant = !count || (count == 1 && all[0].series == rows);
    if (fine && !*constant && !kept)
        status = fail_at(failure, TIDE_EDATA, t->path, 0, t->names[column],
                         "no value of '%.60s' is that of two series, so it says nothing that another could share: "
                         "take the column out", t->names[column]);
    if (fine && !*constant && kept && kept < count) {
        fine = notes_add(notes, "'%s' has %" PRId64 " values, %" PRId64 " of them of one series alone, or beyond the "
                                "%d commonest: they count together as " CATEGORY_OTHER "\n", t->names[column], count,
                         count - kept, MOST_VALUES);
        bool there = false;
        for (int64_t i = 0; i < kept; i++) there = there || !strcmp(all[i].text, other);
        if (!there) all[kept++] = (value){ other, 0 };
    }
    if (fine && !*constant && status == TIDE_OK) fine = make_category(t, column, all, kept, out);
    free(all);
    return fine ? status : no_memory(failure);
}

static int64_t value_find(const attribute *a, const char *text) {
    for (int64_t i = 0; i < a->count; i++)
        if (!strcmp(a->values[i], text)) return i;
    return -1;
}

/* ---- numbers of the series ---- */

static tide_status note_unknown(statics *s, const attribute *a, const char *text, const char *id, bool other,
                                tide_failure *failure) {
    bool told = notes_add(&s->notes, "'%s' of '%s' is '%s', which the run does not know: %s\n", a->name, id, text,
                          other ? "it counts as " CATEGORY_OTHER : "none of its inputs is 1");
    return told ? TIDE_OK : no_memory(failure);
}

static tide_status put(statics *s, const attribute *a, const static_table *t, int64_t row, int64_t column, float *to,
                       tide_failure *failure) {
    double number = 0;
    char  *cell = t->cells[row * t->columns + column];
    if (!a->count) {
        tide_status status = read_number(t, row, column, &number, failure);
        *to = (float)((number - a->mean) / a->std);
        return status;
    }
    if (number_is_missing(cell)) return TIDE_OK;
    const char *text = category_cell(cell);
    int64_t at = value_find(a, text), other = value_find(a, CATEGORY_OTHER);
    if (at >= 0) to[at] = 1;
    else if (other >= 0) to[other] = 1;
    return at >= 0 || !s->columns ? TIDE_OK : note_unknown(s, a, text, t->ids[row], other >= 0, failure);
}

/* `column`: of each attribute in the table. */
static tide_status fill(statics *s, const static_table *t, const static_columns *columns, const int64_t *row,
                        const int64_t *column, tide_failure *failure) {
    float      *values = calloc((size_t)(columns->count * s->inputs) + 1, sizeof *values);
    tide_status status = values ? TIDE_OK : no_memory(failure);
    for (int64_t c = 0; status == TIDE_OK && c < columns->count; c++) {
        float *to = values + c * s->inputs;
        for (int64_t i = 0; status == TIDE_OK && row[c] >= 0 && i < s->count; to += inputs_of(&s->of[i++]))
            status = put(s, &s->of[i], t, row[c], column[i], to, failure);
    }
    if (status != TIDE_OK) return free(values), status;
    free(s->values);
    s->values = values, s->columns = columns->count;
    return TIDE_OK;
}

static tide_status learn_all(const static_table *t, const bool *used, const char *categorical, statics *out,
                             int64_t *column, tide_failure *failure) {
    for (int64_t c = 0; c < t->columns; c++) {
        attribute  *a = &out->of[out->count];
        bool        constant, number = !list_has(categorical, t->names[c]) && holds_numbers(t, used, c);
        tide_status status = number ? learn_number(t, used, c, a, &constant, failure)
                                    : learn_category(t, used, c, a, &constant, &out->notes, failure);
        if (status != TIDE_OK) return status;
        if (constant) {
            if (!notes_add(&out->notes, "the attribute '%s' is the same for all series: left out\n", t->names[c]))
                return no_memory(failure);
            continue;
        }
        column[out->count++] = c;
        out->inputs += inputs_of(a);
    }
    if (out->count) return TIDE_OK;
    return fail_at(failure, TIDE_EDATA, t->path, 0, "static",
                   "no attribute differs between the series that are forecast, so none tells anything: leave "
                   "them out");
}

tide_status statics_learn(const static_table *t, static_columns columns, const char *categorical, statics *out,
                          tide_failure *failure) {
    int64_t *row = NULL, *column = calloc((size_t)t->columns + 1, sizeof *column);
    bool    *used = calloc((size_t)t->rows + 1, sizeof *used);
    *out = (statics){ .of = calloc((size_t)t->columns + 1, sizeof *out->of) };
    tide_status status = column && used && out->of ? find_rows(t, &columns, &row, failure) : no_memory(failure);
    for (int64_t c = columns.first; status == TIDE_OK && c < columns.first + columns.needed; c++) used[row[c]] = true;
    if (status == TIDE_OK) status = learn_all(t, used, categorical, out, column, failure);
    if (status == TIDE_OK) status = fill(out, t, &columns, row, column, failure);
    free(row);
    free(column);
    free(used);
    if (status != TIDE_OK) statics_free(out);
    return status;
}

static tide_status find_attributes(const statics *s, const static_table *t, int64_t *column, tide_failure *failure) {
    for (int64_t i = 0; i < s->count; i++) {
        const char *name = s->of[i].name;
        column[i] = names_find(t->names, t->columns, name);
        if (column[i] >= 0) continue;
        char        list[300];
        const char *near = near_name(name, t->names, t->columns);
        names_list(list, sizeof list, t->names, t->columns);
        return fail_at(failure, TIDE_EDATA, t->path, 0, name,
                       "the run goes by the attribute '%.60s', and none is named so%s%.60s%s: there are %s", name,
                       near ? "; did you mean '" : "", near ? near : "", near ? "'?" : "", list);
    }
    return TIDE_OK;
}

tide_status statics_fill(statics *s, const static_table *t, static_columns columns, tide_failure *failure) {
    int64_t    *row = NULL, *column = calloc((size_t)s->count + 1, sizeof *column);
    tide_status status = column ? find_attributes(s, t, column, failure) : no_memory(failure);
    if (status == TIDE_OK) status = find_rows(t, &columns, &row, failure);
    if (status == TIDE_OK) status = fill(s, t, &columns, row, column, failure);
    free(row);
    free(column);
    return status;
}

/* ---- kept in a run ---- */

json_t *statics_json(const statics *s) {
    json_t *list = json_array();
    for (int64_t i = 0; i < s->count; i++) {
        const attribute *a = &s->of[i];
        json_t *one = json_with(json_object(), "name", json_text(a->name)), *values = a->count ? json_array() : NULL;
        for (int64_t v = 0; v < a->count; v++) values = json_with_item(values, json_text(a->values[v]));
        if (a->count) one = json_with(one, "values", values);
        else one = json_with(json_with(one, "mean", json_real(a->mean)), "std", json_real(a->std));
        list = json_with_item(list, one);
    }
    return list;
}

static bool read_values(const json_t *list, attribute *out, bool *out_of_memory) {
    size_t count = json_array_size(list);
    char **texts = calloc(count + 1, sizeof *texts);
    bool   sound = count > 0 && texts;
    for (size_t i = 0; sound && i < count; i++) {
        texts[i] = (char *)json_string_value(json_array_get(list, i));
        sound    = texts[i] && (!i || strcmp(texts[i - 1], texts[i]) < 0);
    }
    char *name = out->name;
    bool  made = sound && attribute_make(name, texts, (int64_t)count, out);
    if (made) free(name);
    else *out = (attribute){ .name = name };
    *out_of_memory = *out_of_memory || !texts || (sound && !made);
    free(texts);
    return made;
}

static bool read_attribute(const json_t *one, attribute *out, bool *out_of_memory) {
    const char   *name = json_string_value(json_object_get(one, "name"));
    const json_t *values = json_object_get(one, "values"), *mean = json_object_get(one, "mean"),
                 *std = json_object_get(one, "std");
    if (!name || !*name) return false;
    if (!(out->name = strdup(name))) return *out_of_memory = true, false;
    if (values) return read_values(values, out, out_of_memory);
    out->mean = json_number_value(mean), out->std = json_number_value(std);
    return json_is_number(mean) && json_is_number(std) && isfinite(out->mean) && isfinite(out->std) && out->std > 0;
}

bool statics_from_json(const json_t *list, statics *out, bool *out_of_memory) {
    size_t count = json_array_size(list);
    *out = (statics){ 0 };
    if (!count) return false;
    out->of    = calloc(count, sizeof *out->of);
    bool fine  = out->of != NULL;
    if (!fine) *out_of_memory = true;
    for (size_t i = 0; fine && i < count; i++) {
        out->count = (int64_t)i + 1;
        fine = read_attribute(json_array_get(list, i), &out->of[i], out_of_memory);
        out->inputs += inputs_of(&out->of[i]);
    }
    if (!fine) statics_free(out);
    return fine;
}
