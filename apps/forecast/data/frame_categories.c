/* Columns of text or of codes as inputs of 0 and 1, one for each value, named COLUMN=VALUE. They stand behind the
 * table's own columns, whose places stay what they were. */
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "frame_reading.h"

enum { MOST_VALUES = 50, FEWEST_ROWS = 2, CODE_TEXT = 32 };

typedef struct value { char *text; int64_t rows; } value;

/* A column's cells as values (NULL: missing), and the values that get an input each, sorted. */
typedef struct column_values {
    const char *name;
    char      **text, *codes;  /* (rows); what the texts of a frame's codes stand in */
    value      *kept;          /* texts are the texts', the run's or CATEGORY_OTHER: not owned */
    int64_t     rows, count;
} column_values;

size_t category_base(const char *categorical, const char *name) {
    size_t length;
    for (const char *item; categorical && (item = list_next(&categorical, &length));)
        if (!strncmp(item, name, length) && name[length] == '=') return length;
    return 0;
}

bool list_has_column(const char *list, const char *categorical, const char *name) {
    size_t base = category_base(categorical, name), length;
    if (list_has(list, name)) return true;
    for (const char *item; base && list && (item = list_next(&list, &length));)
        if (length == base && !memcmp(item, name, base)) return true;
    return false;
}

void list_columns(char *buffer, size_t bytes, const char *categorical, char *const *names, int64_t count) {
    char **shown = calloc((size_t)count + 1, sizeof *shown);
    size_t before = 0;
    for (int64_t i = 0; shown && i < count; i++) {
        size_t base = category_base(categorical, names[i]);
        bool   again = base && base == before && !strncmp(names[i], names[i - 1], base);
        before = base;
        if (!again) shown[i] = base ? strndup(names[i], base) : strdup(names[i]);
    }
    names_list(buffer, bytes, shown ? shown : names, count);
    for (int64_t i = 0; shown && i < count; i++) free(shown[i]);
    free(shown);
}

/* ---- cells as values ---- */

char *category_cell(char *text) {
    text += strspn(text, " \t");
    size_t length = strlen(text), sign = *text == '-', digits = strspn(text + sign, "0123456789");
    while (length && strchr(" \t", text[length - 1])) length--;
    if (text[length]) text[length] = 0;
    char *point = text + sign + digits;
    if (digits && *point == '.' && point[1] && !point[1 + strspn(point + 1, "0")]) *point = 0;
    return text;
}

void category_text(char buffer[32], double code) { snprintf(buffer, CODE_TEXT, "%.15g", code); }

static char *text_of(const reading *r, const column_values *v, int64_t row, int64_t column) {
    if (!r->from) {
        char *text = category_cell(r->table.cells[row * r->table.columns + column]);
        return number_is_missing(text) || reading_is_text_mark(r, text) ? NULL : text;
    }
    double code = reading_value(r, row, column);
    if (isnan(code) || reading_is_mark(r, code)) return NULL;
    category_text(v->codes + row * CODE_TEXT, code);
    return v->codes + row * CODE_TEXT;
}

static bool read_values(reading *r, int64_t column, column_values *v) {
    v->name = r->table.header[column], v->rows = r->from ? r->out->file_rows : r->table.rows;
    v->text = malloc((size_t)v->rows * sizeof *v->text + 1);
    v->codes = r->from ? malloc((size_t)v->rows * CODE_TEXT + 1) : NULL;
    if (!v->text || (r->from && !v->codes)) return false;
    for (int64_t i = 0; i < v->rows; i++) v->text[i] = text_of(r, v, i, column);
    return true;
}

static int by_text(const void *a, const void *b) { return strcmp(((const value *)a)->text, ((const value *)b)->text); }

static int by_rows(const void *a, const void *b) {
    const value *x = a, *y = b;
    return x->rows != y->rows ? (x->rows < y->rows) - (x->rows > y->rows) : by_text(a, b);
}

static const value *find_value(const column_values *v, const char *text) {
    const value wanted = { .text = (char *)text };
    return text ? bsearch(&wanted, v->kept, (size_t)v->count, sizeof wanted, by_text) : NULL;
}

/* ---- which values have an input ---- */

/* All, with their rows. */
static bool count_values(column_values *v) {
    value *all = malloc((size_t)(v->rows + 1) * sizeof *all); /* room for CATEGORY_OTHER */
    int64_t n = 0, count = 0;
    if (!all) return false;
    for (int64_t i = 0; i < v->rows; i++)
        if (v->text[i]) all[n++] = (value){ v->text[i], 1 };
    qsort(all, (size_t)n, sizeof *all, by_text);
    for (int64_t i = 0; i < n; i++) {
        if (count && !strcmp(all[count - 1].text, all[i].text)) all[count - 1].rows++;
        else all[count++] = all[i];
    }
    v->kept = all, v->count = count;
    return true;
}

/* Rare ones are one value together: an input that is 1 in a single row teaches nothing. */
static tide_status merge_rare(reading *r, column_values *v) {
    static char other[] = CATEGORY_OTHER;
    int64_t kept = 0, all = v->count;
    qsort(v->kept, (size_t)all, sizeof *v->kept, by_rows);
    while (kept < all && kept < MOST_VALUES && v->kept[kept].rows >= FEWEST_ROWS) kept++;
    if (!kept)
        return forecast_fail(r->failure, TIDE_EDATA, r->path, reading_header_line(r), v->name,
                             "`categorical`: no value of '%.60s' stands in two rows, so it is no category: leave it "
                             "out with `ignore`", v->name);
    v->count = kept;
    tide_status status = TIDE_OK;
    if (kept < all)
        status = reading_note(r, "'%.60s' has %" PRId64 " values, %" PRId64 " of them in one row alone, or beyond the "
                                 "%d commonest: they count together as " CATEGORY_OTHER "\n",
                              v->name, all, all - kept, MOST_VALUES);
    qsort(v->kept, (size_t)kept, sizeof *v->kept, by_text);
    if (kept == all || find_value(v, CATEGORY_OTHER)) return status;
    v->kept[v->count++] = (value){ other, 0 };
    qsort(v->kept, (size_t)v->count, sizeof *v->kept, by_text);
    return status;
}

/* Those that the run's columns name. */
static bool take_from_run(const reading *r, column_values *v) {
    const frame_options *o = r->options;
    size_t base = strlen(v->name);
    if (!(v->kept = malloc((size_t)(o->run_count + 1) * sizeof *v->kept))) return false;
    for (int64_t i = 0; i < o->run_count; i++)
        if (category_base(o->categorical, o->run_names[i]) == base && !strncmp(o->run_names[i], v->name, base))
            v->kept[v->count++] = (value){ o->run_names[i] + base + 1, 0 };
    qsort(v->kept, (size_t)v->count, sizeof *v->kept, by_text);
    return true;
}

/* ---- the inputs ---- */

static tide_status tell_unknown(reading *r, const column_values *v, bool other) {
    int64_t rows = 0, first = -1;
    for (int64_t i = 0; i < v->rows; i++)
        if (v->text[i] && !find_value(v, v->text[i]) && !rows++) first = i;
    if (!r->options->run_names || !rows) return TIDE_OK;
    char more[64] = "";
    if (rows > 1) snprintf(more, sizeof more, "; %" PRId64 " rows hold such values", rows);
    return reading_note(r, "'%.60s' holds '%.60s' (%s %" PRId64 "%s), which the run does not know: %s\n", v->name,
                        v->text[first], reading_rows_are(r), r->table.line[first], more,
                        other ? "it counts as " CATEGORY_OTHER : "none of its inputs is 1 there");
}

/* Room for `count` more columns of the table. */
static bool grow(reading *r, int64_t count) {
    tide_table *t = &r->table;
    int64_t wide = t->columns + count;
    char  **cells = r->from ? NULL : malloc((size_t)(t->rows * wide) * sizeof *cells + 1);
    char  **header = realloc(t->header, (size_t)wide * sizeof *header);
    if (header) t->header = header;
    bool *left_out = realloc(r->left_out, (size_t)(wide + 1) * sizeof *left_out);
    if (left_out) r->left_out = left_out;
    category *categories = realloc(r->categories, (size_t)(r->category_count + count) * sizeof *categories);
    if (categories) r->categories = categories;
    if (!header || !left_out || !categories || (!r->from && !cells)) return free(cells), false;
    for (int64_t i = 0; cells && i < t->rows; i++)
        memcpy(cells + i * wide, t->cells + i * t->columns, (size_t)t->columns * sizeof *cells);
    if (cells) free(t->cells), t->cells = cells;
    return true;
}

static bool add_inputs(reading *r, const column_values *v) {
    static char off[] = "0", on[] = "1";
    const value *other = find_value(v, CATEGORY_OTHER);
    int64_t      first = r->table.columns, wide = first + v->count;
    int32_t     *codes = grow(r, v->count) ? malloc((size_t)v->rows * sizeof *codes + 1) : NULL;
    for (int64_t c = 0; codes && c < v->count; c++) {
        size_t bytes = strlen(v->name) + strlen(v->kept[c].text) + 2;
        char  *name  = malloc(bytes);
        if (!name && c == 0) free(codes);
        if (!name) return false;
        snprintf(name, bytes, "%s=%s", v->name, v->kept[c].text);
        r->categories[r->category_count++] = (category){ name, codes, (int32_t)c };
        r->table.header[first + c] = name, r->left_out[first + c] = false;
    }
    for (int64_t i = 0; codes && i < v->rows; i++) {
        const value *found = find_value(v, v->text[i]);
        if (!found && v->text[i]) found = other;
        codes[i] = found ? (int32_t)(found - v->kept) : -1;
        for (int64_t c = 0; !r->from && c < v->count; c++)
            r->table.cells[i * wide + first + c] = codes[i] == c ? on : off;
    }
    r->table.columns = codes ? wide : first;
    return codes != NULL;
}

double reading_category(const reading *r, int64_t row, int64_t category) {
    return r->categories[category].codes[row] == r->categories[category].value;
}

void reading_free_categories(reading *r) {
    for (int64_t i = 0; i < r->category_count; i++) {
        if (!r->categories[i].value) free(r->categories[i].codes); /* shared by the column's values */
        free(r->categories[i].name);
    }
    free(r->categories);
}

/* ---- the options ---- */

static tide_status expand(reading *r, int64_t column) {
    column_values v = { 0 };
    bool        for_run = r->options->run_names != NULL;
    bool        memory  = read_values(r, column, &v) && (for_run ? take_from_run(r, &v) : count_values(&v));
    tide_status status  = memory ? TIDE_OK : reading_no_memory(r);
    if (!status && !for_run) status = merge_rare(r, &v);
    if (!status) status = tell_unknown(r, &v, find_value(&v, CATEGORY_OTHER) != NULL);
    if (!status && !add_inputs(r, &v)) status = reading_no_memory(r);
    r->left_out[column] = true;
    free(v.text), free(v.codes), free(v.kept);
    return status;
}

/* A column A=b beside a category A would be taken for one of its values. */
static tide_status check_names(reading *r) {
    const char *list = r->options->categorical;
    for (int64_t c = 0; c < r->table.columns; c++) {
        const char *name = r->table.header[c];
        size_t      base = category_base(list, name);
        if (base)
            return forecast_fail(r->failure, TIDE_EDATA, r->path, reading_header_line(r), name,
                                 "'%.60s' would be a value of the category '%.*s': rename one of the two", name,
                                 (int)base, name);
        if (!list_has(list, name)) continue;
        if (r->options->target && !strcmp(r->options->target, name))
            return forecast_fail(r->failure, TIDE_EINVAL, NULL, 0, "categorical",
                                 "`categorical`: '%.60s' is the `target`, and what is forecast is a number", name);
        if (reading_is_time(r, c))
            return forecast_fail(r->failure, TIDE_EINVAL, r->path, reading_header_line(r), name,
                                 "`categorical`: '%.60s' holds the time stamps; `time-column` names another column as "
                                 "these", name);
    }
    return TIDE_OK;
}

/* Does the run have the column? Without a run: is it to be read? */
static bool is_wanted(const reading *r, const char *name) {
    const frame_options *o = r->options;
    bool wanted = !o->run_names;
    for (int64_t i = 0; i < o->run_count && !wanted; i++) {
        size_t base = category_base(o->categorical, o->run_names[i]);
        wanted = base == strlen(name) && !strncmp(name, o->run_names[i], base);
    }
    return wanted && !list_has(o->ignore, name) && (!o->columns || list_has(o->columns, name));
}

static tide_status expand_named(reading *r, const char *item, size_t length) {
    char *name = strndup(item, length);
    if (!name) return reading_no_memory(r);
    tide_status status = TIDE_OK;
    bool        elsewhere = r->options->attributes && names_find(r->table.header, r->table.columns, name) < 0;
    if (!elsewhere && is_wanted(r, name)) {
        int64_t column = reading_find(r, "`categorical`", name);
        if (column < 0) status = r->failure ? r->failure->status : TIDE_EDATA;
        else if (!r->left_out[column]) status = expand(r, column); /* else the list names it twice */
    }
    free(name);
    return status;
}

tide_status reading_expand_categories(reading *r) {
    const char *list = r->options->categorical;
    size_t      length;
    if (!list) return TIDE_OK;
    tide_status status = check_names(r);
    if (!status) status = reading_open_marks(r);
    for (const char *item; !status && (item = list_next(&list, &length));) status = expand_named(r, item, length);
    reading_close_marks(r);
    if (!status && !(r->out->categorical = strdup(r->options->categorical))) status = reading_no_memory(r);
    return status;
}
