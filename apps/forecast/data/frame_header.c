/* Where the names of a file's columns stand: below comments and what else a station or a bank writes before them; and
 * the row of units below the names. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "frame_time.h"

enum { LAST_SKIPPED = 60, PROBE_LINES = 100, PROBE_BYTES = 1 << 20, FEWEST_LINES = 3 };

/* ---- cells ---- */

static bool is_number(const number_reader *number, const char *text) {
    double value;
    return number_parse(number, text, &value);
}

bool reading_stamp_alone(const char *text) {
    int64_t seconds;
    if (time_parse(text, &seconds, NULL) || clock_parse(text)) return true;
    for (date_shape s = DATE_YMD; s < DATE_SHAPES; s++)
        if ((s <= DATE_MDY || s >= DATE_LABELS) && time_parse_as(text, s, &seconds, NULL)) return true;
    return false;
}

/* (degC), [kW], %, m/s, and the usual ones. */
static bool is_unit(const char *text) {
    static const char *const usual[] = {
        "degC", "deg C", "Celsius", "C", "degF", "F", "K", "Kelvin", "Pa", "hPa", "kPa", "MPa", "mbar", "bar", "dbar",
        "psi", "m", "mm", "cm", "km", "nm", "um", "s", "ms", "min", "h", "W", "kW", "MW", "GW", "Wh", "kWh", "MWh",
        "GWh", "VA", "kVA", "MVA", "var", "kvar", "MVAr", "V", "kV", "mV", "A", "mA", "Hz", "kHz", "MHz", "J", "kJ",
        "MJ", "GJ", "kg", "g", "mg", "t", "l", "L", "ml", "m2", "m3", "deg", "degrees", "ppm", "ppb", "lux", "lx", "dB",
        "pH", "psu", "NTU", "kn", "kt", "knots", "mph", "kph", "EUR", "USD", "GBP", "CHF", "JPY", "RPM", "rpm", "Nm",
        "cfs", "ft", "in", "inches", "gal", "BTU", "umol", "percent", "pcs", "units", "unitless", "count"
    };
    size_t length = strlen(text);
    if (!length || length > 24) return false;
    if ((*text == '(' && text[length - 1] == ')') || (*text == '[' && text[length - 1] == ']')) return length > 2;
    if (length <= 12 && (strpbrk(text, "%/$") || strstr(text, "°") || strstr(text, "µ") || strstr(text, "€")))
        return true;
    for (size_t i = 0; i < sizeof usual / sizeof *usual; i++)
        if (!strcmp(usual[i], text)) return true;
    return false;
}

static bool is_blank(const char *text) { return !text[strspn(text, " \t-")]; }

/* Units alone, above numbers; above stamps may stand what describes them, as yyyy-mm-dd. */
static bool is_units_row(const tide_table *t, const number_reader *number) {
    int64_t units = 0;
    for (int64_t c = 0; c < t->columns; c++) {
        const char *text = t->cells[c], *below = t->cells[t->columns + c];
        if (is_number(number, text) || reading_stamp_alone(text)) return false;
        if (is_blank(text) || reading_stamp_alone(below)) continue;
        if (!is_unit(text) || !(is_number(number, below) || number_is_missing(below))) return false;
        units++;
    }
    return units > 0;
}

static bool row_has_number(const tide_table *t, int64_t row, const number_reader *number) {
    for (int64_t c = 0; c < t->columns; c++)
        if (is_number(number, t->cells[row * t->columns + c])) return true;
    return false;
}

static int by_text(const void *a, const void *b) { return strcmp(*(char *const *)a, *(char *const *)b); }

/* Most columns have a name, and no two the same. Sorts them. */
static bool names_differ(tide_table *t) {
    int64_t named = 0;
    bool differ = true;
    qsort(t->header, (size_t)t->columns, sizeof *t->header, by_text);
    for (int64_t c = 0; c < t->columns; c++) {
        named += t->header[c][0] != 0;
        differ = differ && (c == 0 || !t->header[c][0] || strcmp(t->header[c - 1], t->header[c]) != 0);
    }
    return differ && 2 * named > t->columns;
}

/* Names that differ, above numbers: this is no line of another table. */
static bool is_clear(reading *r, tide_table *t) {
    number_reader number;
    if (!names_differ(t) || !number_reader_open(&number, reading_decimal(r->options))) return false;
    bool clear = row_has_number(t, 1, &number) && (row_has_number(t, 0, &number) || is_units_row(t, &number));
    number_reader_close(&number);
    return clear;
}

/* ---- lines ---- */

/* The first lines of a text: enough to tell names by. */
typedef struct probe {
    const char *text;
    size_t      size;
    bool        starved;  /* there was no memory to read a part of it */
} probe;

static size_t next_line(const char *text, size_t at, size_t size) {
    while (at < size && text[at] != '\n' && text[at] != '\r') at++;
    if (at + 1 < size && text[at] == '\r' && text[at + 1] == '\n') at++;
    return at < size ? at + 1 : size;
}

static size_t skip_lines(const char *text, size_t size, int64_t lines) {
    size_t at = 0;
    for (; lines > 0 && at < size; lines--) at = next_line(text, at, size);
    return at;
}

static probe take_probe(const reading *r, const char *text, size_t size) {
    if (size > 3 && !memcmp(text, "\xef\xbb\xbf", 3)) text += 3, size -= 3;
    size_t at = skip_lines(text, size, r->options->skip_rows), start = at;
    for (int line = 0; at < size && line < PROBE_LINES && (line < FEWEST_LINES || at - start < PROBE_BYTES); line++)
        at = next_line(text, at, size);
    return (probe){ .text = text, .size = at };
}

static tide_status read_part(probe *p, size_t from, size_t to, const tide_csv_options *csv, tide_table *t,
                             tide_failure *failure) {
    size_t size = to - from;
    char  *copy = malloc(size + 1);
    *t = (tide_table){ 0 };
    if (copy) memcpy(copy, p->text + from, size), copy[size] = 0;
    tide_status status = copy ? tide_csv_take(copy, size, NULL, csv, t, failure) : TIDE_ENOMEM;
    p->starved = p->starved || status == TIDE_ENOMEM;
    return status;
}

static tide_status read_probe(const reading *r, probe *p, int64_t skip, tide_table *t, tide_failure *failure) {
    tide_csv_options csv = { .separator = r->options->separator, .skip = skip };
    return read_part(p, 0, p->size, &csv, t, failure);
}

/* How many lines from line `skip` on are comments or blank; *last: the last comment. */
static int64_t count_comments(const probe *p, int64_t skip, int64_t *last) {
    size_t at = skip_lines(p->text, p->size, skip);
    int64_t lines = 0;
    *last = -1;
    for (; at < p->size; lines++, at = next_line(p->text, at, p->size)) {
        size_t blank = strspn(p->text + at, " \t");
        char c = p->text[at + blank];
        if (c != '#' && c != '\n' && c != '\r') break;
        if (c == '#') *last = lines;
    }
    return *last < 0 ? 0 : lines;
}

/* Behind the comments; of "# date,load" above data the last comment has the names. */
static int64_t skip_comments(reading *r, probe *p, int64_t skip) {
    int64_t last, comments = count_comments(p, skip, &last);
    tide_table t;
    if (!comments) return skip;
    bool names = read_probe(r, p, skip + comments, &t, NULL) != TIDE_OK || reading_has_names(r, &t);
    tide_table_free(&t);
    return skip + (names ? comments : last);
}

/* The first line from `skip` on that names the columns of all below it; 0: there is none. */
static int64_t find_names(reading *r, probe *p, int64_t skip, bool clear) {
    int64_t last = r->options->skip_rows + LAST_SKIPPED;
    for (; skip <= last; skip++) {
        tide_table t;
        if (read_probe(r, p, skip, &t, NULL) != TIDE_OK) continue;
        bool found = t.rows > 1 && t.columns > 1 && reading_has_names(r, &t);
        bool fits  = found && (!clear || is_clear(r, &t));
        tide_table_free(&t);
        if (fits) return skip;
        if (!found && !clear) return 0;
    }
    return 0;
}

/* Numbers alone, or with a time: a row of data, where "Latitude,52.5" is none. */
static bool is_data(const tide_table *t, const number_reader *number) {
    bool numbers = false, times = false, words = false;
    for (int64_t c = 0; t->rows && c < t->columns; c++) {
        bool time = reading_stamp_alone(t->cells[c]), value = is_number(number, t->cells[c]);
        times   = times || time;
        numbers = numbers || value;
        words   = words || !(time || value || is_blank(t->cells[c]));
    }
    return numbers && (times || !words);
}

/* Does a row of data stand in the lines from `skip` on to line `names`? Then they are a table of their own. */
static bool holds_data(const reading *r, probe *p, int64_t skip, int64_t names) {
    tide_csv_options csv = { .separator = r->options->separator, .headerless = true };
    number_reader number;
    bool found = false;
    if (!number_reader_open(&number, reading_decimal(r->options))) return true;
    for (size_t at = skip_lines(p->text, p->size, skip), end; !found && skip < names; skip++, at = end) {
        tide_table t;
        end   = next_line(p->text, at, p->size);
        found = read_part(p, at, end, &csv, &t, NULL) == TIDE_OK && is_data(&t, &number);
        tide_table_free(&t);
    }
    number_reader_close(&number);
    return found;
}

tide_status reading_find_names(reading *r, const char *text, size_t size, names_line *out) {
    probe p = take_probe(r, text, size);
    tide_table t;
    *out = (names_line){ .skip = skip_comments(r, &p, r->options->skip_rows) };
    tide_failure failure = { 0 };
    tide_status status = read_probe(r, &p, out->skip, &t, &failure);
    bool one_column = status == TIDE_OK && t.columns == 1; /* the first line does not show what separates the others */
    tide_table_free(&t);
    bool ragged = status == TIDE_EDATA && failure.row && failure.row <= LAST_SKIPPED + r->options->skip_rows;
    if (!ragged && !one_column) return p.starved ? reading_no_memory(r) : TIDE_OK;
    int64_t found = find_names(r, &p, out->skip + 1, true);
    if (found && holds_data(r, &p, out->skip, found)) found = 0;
    out->guess = found || one_column ? 0 : find_names(r, &p, out->skip + 1, false);
    out->found = found > 0;
    if (found) out->skip = found;
    return p.starved ? reading_no_memory(r) : TIDE_OK;
}

/* ---- below the names ---- */

tide_status reading_drop_units(reading *r) {
    tide_table *t = &r->table;
    number_reader number;
    char list[100], *units[8];
    int64_t count = 0;
    if (t->rows < 2 || r->options->kind == KIND_SOLAR) return TIDE_OK;
    if (!number_reader_open(&number, reading_decimal(r->options))) return reading_no_memory(r);
    bool found = is_units_row(t, &number);
    number_reader_close(&number);
    if (!found) return TIDE_OK;
    for (int64_t c = 0; c < t->columns && count < 8; c++)
        if (!is_blank(t->cells[c])) units[count++] = t->cells[c];
    names_list(list, sizeof list, units, count);
    int64_t line = t->line[0];
    t->rows--;
    memmove(t->cells, t->cells + t->columns, (size_t)(t->rows * t->columns) * sizeof *t->cells);
    memmove(t->line, t->line + 1, (size_t)t->rows * sizeof *t->line);
    return reading_note(r, "line %" PRId64 " holds units (%s) and is left out\n", line, list);
}
