/* Rows without names of columns: frequency, real and imaginary part in this order, unless the numbers speak for another
 * one or `column` says so. */
#include "table.h"

#include <math.h>
#include <stdlib.h>

enum { RUN_LEAST = 3 };  /* rows that follow each other, to be a table */

static bool numbers_only(const row_cells *c) {
    for (int i = 0; i < c->count; i++)
        if (!cell_is_number(c->cell[i], DECIMAL_OPEN)) return false;
    return c->count >= 3;
}

static bool is_row(slice line, char separator, const table *t, int *count) {
    row_cells c;
    if (slice_is_blank(line) || line.length > LINE_MOST) return false;
    cells_split(line, separator, &c);
    *count = c.count;
    if (t->layout.least == 0) return numbers_only(&c);
    return c.count >= t->layout.least && cell_is_number(c.cell[t->layout.f.at], DECIMAL_OPEN)
        && cell_is_number(c.cell[t->layout.re.at], DECIMAL_OPEN)
        && cell_is_number(c.cell[t->layout.im.at], DECIMAL_OPEN);
}

/* Where RUN_LEAST lines of as many numbers begin; -1. */
static int64_t find_run(const page *p, int64_t from, int64_t to, char separator, const table *t, int *cells) {
    int64_t run = 0;
    for (int64_t i = from; i < to; i++) {
        int count = 0;
        if (!is_row(p->line[i], separator, t, &count)) run = slice_is_blank(p->line[i]) ? run : 0;
        else if (run > 0 && count == *cells) run++;
        else run = 1, *cells = count;
        if (run != RUN_LEAST) continue;
        for (; run > 0; i--) run -= !slice_is_blank(p->line[i]);
        return i + 1;
    }
    return -1;
}

/* ---- which of three columns is the frequency ---- */

typedef struct spacing { bool steady; double least, most; } spacing;

/* Positive, in one direction; the steps of its logarithm. */
static spacing spacing_of(const page *p, int64_t from, int64_t to, char separator, int at) {
    spacing s    = { true, INFINITY, -INFINITY };
    double  last = 0, v;
    for (int64_t i = from; i < to && s.steady; i++) {
        row_cells c;
        decimal   mark = DECIMAL_OPEN;
        if (slice_is_blank(p->line[i])) continue;
        cells_split(p->line[i], separator, &c);
        if (at >= c.count || cell_number(c.cell[at], &mark, &v) != NUMBER_GOOD) break;
        s.steady = v > 0;
        if (last > 0 && v > 0) s.least = fmin(s.least, log(v / last)), s.most = fmax(s.most, log(v / last));
        last = v;
    }
    s.steady = s.steady && s.least * s.most > 0;
    return s;
}

static bool is_even(spacing s) { return s.steady && fabs(s.most - s.least) < 0.02 * fabs(s.most); }

static bool is_frequency_last(const page *p, int64_t from, int64_t to, char separator) {
    spacing first = spacing_of(p, from, to, separator, 0), last = spacing_of(p, from, to, separator, 2);
    return is_even(last) && !is_even(first);
}

/* ---- the table ---- */

static header names_before(const page *p, int64_t first, char separator, int cells) {
    header h = { 0 };
    for (int64_t i = first - 1; i >= 0 && i >= first - 3; i--) {
        row_cells c;
        if (slice_is_blank(p->line[i]) || p->line[i].length > LINE_MOST) continue;
        cells_split(p->line[i], separator, &c);
        bool names = c.count == cells || (separator != ' ' && c.count >= 3); /* blanks stand in sentences, too */
        if (names && !numbers_only(&c)) header_of(&c, i + 1, &h);
        break;
    }
    return h;
}

static found refuse_names(reading *r, const header *h) {
    char list[300];
    header_list(h, list, sizeof list);
    reading_fail(r, h->line, "freq/Hz",
                 "none of these columns is known: %s; needed are a frequency (frequency_hz, freq/Hz) and an impedance "
                 "(z_re_ohm, z_im_ohm; Z', -Z''; |Z|, phase), or `column` with three numbers: frequency, real and "
                 "imaginary part", list);
    return FOUND_FAULT;
}

static found choose(reading *r, const page *p, int64_t first, int64_t to, int cells, const header *part, table *t) {
    static const layout plain = { .f = { 0, 1, false }, .re = { 1, 1, false }, .im = { 2, 1, false },
                                  .sigma_re = { -1 }, .sigma_im = { -1 }, .phase = { -1 }, .sweep = -1, .least = 3 };
    if (t->header.count) return t->header.line == part->line ? FOUND_NONE : refuse_names(r, &t->header);
    if (cells > 3) {
        reading_fail(r, first + 1, NULL, "%d columns of numbers without names; `column` with three numbers says which "
                                         "are the frequency, the real and the imaginary part, as 1,2,3", cells);
        return FOUND_FAULT;
    }
    t->layout = plain;
    if (!is_frequency_last(p, first, to, t->header_separator)) return FOUND_ALL;
    t->layout.f.at = 2, t->layout.re.at = 0, t->layout.im.at = 1;
    reading_note(r, "there are no names of columns; the frequency was taken from the last one, whose steps are even in "
                    "the logarithm; `column` says otherwise");
    return FOUND_ALL;
}

static found apply_units(reading *r, table *t) {
    place *const places[3] = { &t->layout.f, &t->layout.re, &t->layout.im };
    for (int k = 0; k < 3; k++) {
        unit u;
        bool given;
        if (units_wanted(r, k ? UNIT_OHM : UNIT_FREQUENCY, &u, &given) != TIDE_OK) return FOUND_FAULT;
        if (given) places[k]->factor = u.factor;
    }
    return FOUND_ALL;
}

found rows_find(reading *r, const page *p, int64_t from, int64_t to, const header *part, table *t, int64_t *first) {
    int   cells = 0;
    found asked = layout_numbers(r, &t->header, &t->layout);
    if (asked == FOUND_FAULT) return asked;
    if (asked == FOUND_NONE) t->layout.least = 0;
    *first = -1;
    for (const char *separator = SEPARATORS; *separator && *first < 0; separator++) {
        *first = find_run(p, from, to, *separator, t, &cells);
        t->header_separator = *separator;
    }
    if (*first < 0) return FOUND_NONE;
    t->header = names_before(p, *first, t->header_separator, cells);
    if (asked == FOUND_ALL) return layout_numbers(r, &t->header, &t->layout);
    found what = choose(r, p, *first, to, cells, part, t);
    return what == FOUND_ALL ? apply_units(r, t) : what;
}
