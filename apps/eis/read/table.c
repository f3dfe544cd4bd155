/* Finds the tables in a text: a line of names opens one, the next line that is no row closes it. */
#include "table.h"

#include <stdlib.h>

enum { PREAMBLE_MOST = 6 };  /* lines of units, counts and remarks between the names and the first row */

/* What was met that is no table, for the message. */
typedef struct search {
    table  table;
    label  label;
    header part;         /* a line that names one half; count 0: none */
    bool   part_frequency;
    int64_t tables;
} search;

static bool is_comment(slice line) {
    return line.length > 0 && (*line.text == '#' || *line.text == '%');
}

static slice without_mark(slice line) {
    while (line.length > 0 && (*line.text == '#' || *line.text == '%')) line.text++, line.length--;
    return line;
}

/* Names are words: a row of numbers need not be looked at. */
static bool may_name(slice line) {
    int letters = 0;
    for (int64_t i = 0; i < line.length && i < 4096; i++) {
        unsigned char c = (unsigned char)(line.text[i] | 0x20);
        letters += (c >= 'a' && c <= 'z' && c != 'e') || (unsigned char)line.text[i] >= 0x80;
    }
    return letters > 0;
}

static void remember_part(search *s, const header *h) {
    if (s->part.count >= h->count || s->part.line == h->line) return;
    s->part = *h, s->part_frequency = false;
    for (int i = 0; i < h->count; i++) s->part_frequency |= h->column[i].role == ROLE_FREQUENCY;
}

static void close_table(reading *r, search *s, int64_t at) {
    if (s->table.open) table_sign(r, &s->table);
    s->table.open = false, s->table.closed_at = at;
}

static found open_table(reading *r, search *s, slice line, int64_t number) {
    if (!may_name(line)) return FOUND_NONE;
    for (const char *separator = SEPARATORS; *separator; separator++) {
        row_cells cells;
        header    h;
        layout    l;
        cells_split(line, *separator, &cells);
        if (cells.count < 2) continue;
        header_of(&cells, number, &h);
        found what = layout_find(r, &h, &l);
        if (what == FOUND_PART) remember_part(s, &h);
        if (what == FOUND_FAULT) return what;
        if (what != FOUND_ALL) continue;
        close_table(r, s, number);
        s->table = (table){ .layout = l, .header = h, .header_separator = *separator, .open = true,
                            .sweep_pending = true, .first = r->count };
        s->tables++;
        r->sign_stated |= l.minus;
        return FOUND_ALL;
    }
    return FOUND_NONE;
}

/* Units below the names, or a remark: true while a table may still begin. */
static bool is_preamble(table *t, slice line) {
    row_cells cells;
    if (t->rows || ++t->preamble > PREAMBLE_MOST) return false;
    cells_split(line, t->header_separator ? t->header_separator : ' ', &cells);
    layout_units(&cells, &t->layout);
    return true;
}

static tide_status read_line(reading *r, search *s, slice line, int64_t number) {
    char     label[LABEL_SIZE];
    table   *t = &s->table;
    row_kind kind = ROW_NONE;
    if (slice_is_blank(line) || (is_comment(line) && t->open)) return TIDE_OK;
    if (line.length > LINE_MOST)
        return reading_fail(r, number, NULL, "%lld characters; up to %d are read", (long long)line.length, LINE_MOST);
    bool names = label_read(&s->label, line);
    label_text(&s->label, label);
    if (names) t->sweep_pending = true;
    if (names) return TIDE_OK;
    found header = t->open && row_fits(t, line) ? FOUND_NONE : open_table(r, s, without_mark(line), number);
    if (header != FOUND_NONE) return header == FOUND_FAULT ? r->failure->status : TIDE_OK;
    if (t->open) kind = row_read(r, t, line, number, label);
    if (kind == ROW_FAULT) return r->failure->status;
    if (kind == ROW_NONE && t->open && !is_preamble(t, line)) close_table(r, s, number);
    else if (!t->open && t->closed_at && t->rows && row_fits(t, line))
        return reading_fail(r, t->closed_at, NULL, "this is no row of the table, but rows follow it at line %lld",
                            (long long)number);
    return TIDE_OK;
}

/* ---- when there is none ---- */

static tide_status refuse_part(reading *r, const search *s) {
    char list[360];
    header_list(&s->part, list, sizeof list);
    for (int i = 0; i < s->part.count; i++)
        if (s->part.column[i].name.length == 6 && memcmp(s->part.column[i].name.text, "#NAME?", 6) == 0)
            return reading_fail(r, s->part.line, "#NAME?",
                                "column %d is called #NAME?: a spreadsheet took a name that begins with a minus, such "
                                "as -Im(Z), for a formula; write the name again, or use `column`", i + 1);
    if (s->part_frequency)
        return reading_fail(r, s->part.line, "z_re_ohm",
                            "no column has the impedance; needed are a real and an imaginary part (z_re_ohm, z_im_ohm; "
                            "Z', -Z''; Re(Z)/Ohm, -Im(Z)/Ohm) or a magnitude and a phase; the columns are %s", list);
    return reading_fail(r, s->part.line, "freq/Hz",
                        "there is no column freq/Hz (nor frequency_hz, Frequency (Hz), f); the columns are %s", list);
}

static tide_status refuse(reading *r, const search *s) {
    if (s->tables && r->resting)
        return reading_fail(r, s->table.header.line, "frequency_hz", "no row below this line has a frequency above 0");
    if (s->tables) return reading_fail(r, s->table.header.line, NULL, "no rows of numbers follow the names of columns");
    if (*r->options->column)
        return fail_at(r->failure, TIDE_EDATA, r->path, 0, "column",
                       "%s: `column` %.80s fits no table of this file; it is the name or number of a column, or "
                       "frequency, real and imaginary part as three of them",
                       r->path, r->options->column);
    if (s->part.count) return refuse_part(r, s);
    return reading_fail(r, 0, NULL, "there is no table of frequencies and impedances; accepted are the files of "
                                    "instruments (docs/eis-files.md) and tables with columns such as frequency_hz, "
                                    "z_re_ohm, z_im_ohm");
}

/* ---- all ---- */

static tide_status read_lines(reading *r, const page *p, int64_t from, int64_t to, search *s) {
    tide_status status = TIDE_OK;
    for (int64_t i = from; i < to && status == TIDE_OK; i++) status = read_line(r, s, p->line[i], i + 1);
    if (status == TIDE_OK) close_table(r, s, to);
    return status;
}

static tide_status read_rows_alone(reading *r, const page *p, int64_t from, int64_t to, search *s) {
    int64_t first;
    s->table = (table){ .first = r->count };
    found what = rows_find(r, p, from, to, &s->part, &s->table, &first);
    if (what == FOUND_FAULT) return r->failure->status;
    if (what == FOUND_NONE) return refuse(r, s);
    s->tables = 1, s->table.open = true;
    return read_lines(r, p, first, to, s);
}

tide_status tables_read(reading *r, const page *p, int64_t from, int64_t to) {
    search *s      = calloc(1, sizeof *s);
    int64_t before = r->count;
    layout  numbers;
    if (!s) return fail(r->failure, TIDE_ENOMEM, "out of memory for %s", r->path);
    bool        by_number = layout_numbers(r, &s->part, &numbers) == FOUND_ALL;
    tide_status status    = by_number ? TIDE_OK : read_lines(r, p, from, to, s);
    if (status == TIDE_OK && r->count == before)
        status = by_number || !s->tables ? read_rows_alone(r, p, from, to, s) : refuse(r, s);
    free(s);
    return status;
}
