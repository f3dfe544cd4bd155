/* One row of a table to a point, and what is wrong with it if it is none. */
#include "table.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

static const char *column_text(const table *t, int at, char buffer[48]) {
    const slice *name = at < t->header.count ? &t->header.column[at].name : NULL;
    if (name && name->length) snprintf(buffer, 48, "column %.*s", (int)MIN2(name->length, 38), name->text);
    else snprintf(buffer, 48, "column %d", at + 1);
    return buffer;
}

static row_kind fault(reading *r, const table *t, const row_cells *c, int at, number_fault why, int64_t number) {
    char        name[48], column[sizeof r->failure->column] = "";
    const slice cell = at < c->count ? c->cell[at] : (slice){ "", 0 };
    if (at < t->header.count)
        snprintf(column, sizeof column, "%.*s", (int)MIN2(t->header.column[at].name.length, 60),
                 t->header.column[at].name.text);
    column_text(t, at, name);
    if (why == NUMBER_MIXED)
        reading_fail(r, number, column, "%s: \"%.*s\" in a table with decimal %s; one mark only", name,
                     (int)MIN2(cell.length, 60), cell.text, t->mark == DECIMAL_COMMA ? "commas" : "points");
    else
        reading_fail(r, number, column, "%s: \"%.*s\" is not a finite number", name, (int)MIN2(cell.length, 60),
                     cell.text);
    return ROW_FAULT;
}

/* A cell that is not there is no number. */
static number_fault number_at(const row_cells *c, const place *p, decimal *mark, double *out) {
    number_fault why = p->at < c->count ? cell_number(c->cell[p->at], mark, out) : NUMBER_NONE;
    if (why != NUMBER_GOOD) return why;
    *out = (p->log ? pow(10, *out) : *out) * p->factor;
    return isfinite(*out) ? NUMBER_GOOD : NUMBER_NONE;
}

static int numbers_among(const table *t, const row_cells *c, double v[3], number_fault why[3], decimal *mark) {
    const place *const places[3] = { &t->layout.f, &t->layout.re, &t->layout.im };
    int good = 0;
    for (int k = 0; k < 3; k++) {
        why[k] = number_at(c, places[k], mark, &v[k]);
        good += why[k] == NUMBER_GOOD;
    }
    return good;
}

/* With which separator the first row has numbers where they must be; the header's is tried first. */
static bool choose_separator(table *t, slice line, row_cells *c) {
    const char order[] = { t->header_separator, SEPARATORS[0], SEPARATORS[1], SEPARATORS[2], SEPARATORS[3],
                           SEPARATORS[4] };
    for (size_t i = 0; i < sizeof order; i++) {
        double       v[3];
        number_fault why[3];
        decimal      mark = DECIMAL_OPEN;
        if (!order[i]) continue;
        cells_split(line, order[i], c);
        if (numbers_among(t, c, v, why, &mark) < 3) continue;
        t->separator = order[i], t->mark = mark, t->cells = c->count;
        return true;
    }
    if (t->header_separator) cells_split(line, t->header_separator, c);
    return false;
}

bool row_fits(const table *t, slice line) {
    row_cells    c;
    double       v[3];
    number_fault why[3];
    decimal      mark = t->mark;
    if (!t->separator) return false;
    cells_split(line, t->separator, &c);
    return c.count == t->cells && numbers_among(t, &c, v, why, &mark) == 3;
}

/* ---- what the numbers mean ---- */

static void count_sign(table *t, const row_cells *c, eis_z z) {
    double phase;
    decimal mark = t->mark;
    t->positive += z.im > 0;
    if (t->layout.phase.at < 0 || t->layout.minus) return;
    if (number_at(c, &t->layout.phase, &mark, &phase) != NUMBER_GOOD || phase == 0 || z.im == 0) return;
    if ((phase > 0) == (z.im > 0)) t->agree++;
    else t->disagree++;
}

void table_sign(reading *r, const table *t) {
    if (t->disagree < 3 || t->disagree < 9 * t->agree) {
        r->sign_stated |= t->agree >= 3 && t->agree > 9 * t->disagree;
        return;
    }
    bool turn = 2 * t->positive > r->count - t->first && !r->options->flip_im;
    for (int64_t i = t->first; turn && i < r->count; i++) r->point[i].z.im = -r->point[i].z.im;
    r->sign_stated = true;
    reading_note(r, turn ? "the imaginary column holds -Im(Z), although its name has no minus: the phase beside it has "
                           "the other sign"
                         : "the phase has not the sign of the imaginary part, which was read as it stands");
}

static eis_z impedance_of(const layout *l, const double v[3]) {
    double im = l->minus ? -v[2] : v[2];
    return l->polar ? (eis_z){ v[1] * cos(im), v[1] * sin(im) } : (eis_z){ v[1], im };
}

static tide_status follow_sweep(reading *r, table *t, const row_cells *c, const char *label) {
    int   at   = t->layout.sweep;
    slice cell = at >= 0 && at < c->count ? c->cell[at] : (slice){ "", 0 };
    bool  same = !t->sweep.text || (cell.length == t->sweep.length
                                   && memcmp(cell.text, t->sweep.text, (size_t)cell.length) == 0);
    bool  begins = t->sweep_pending || !same || r->sweeps == 0;
    char  own[LABEL_SIZE] = "";
    if (begins && at >= 0 && !cell_is_number(cell, DECIMAL_OPEN))
        snprintf(own, sizeof own, "%.*s", (int)MIN2(cell.length, 60), cell.text);
    t->sweep_pending = false, t->sweep = cell;
    return begins ? reading_begin_sweep(r, *own ? own : label) : TIDE_OK;
}

static row_kind keep(reading *r, table *t, const row_cells *c, const double v[3], int64_t number, const char *label) {
    point p = { .freq_hz = v[0], .z = impedance_of(&t->layout, v), .line = number };
    if (v[0] == 0) {
        r->resting++;
        return ROW_GOOD;
    }
    if (v[0] < 0)
        reading_fail(r, number, "frequency_hz", "a frequency must be positive, not %g Hz", v[0]);
    else if (p.z.re == 0 && p.z.im == 0)
        reading_fail(r, number, "z_re_ohm", "an impedance of 0 is not a measurement");
    else {
        const layout *l = &t->layout;
        decimal mark = t->mark;
        if (l->sigma_re.at >= 0 && l->sigma_im.at >= 0 && number_at(c, &l->sigma_re, &mark, &p.sigma.re) == NUMBER_GOOD
            && number_at(c, &l->sigma_im, &mark, &p.sigma.im) == NUMBER_GOOD && p.sigma.re > 0 && p.sigma.im > 0)
            r->has_sigma = true;
        else p.sigma = (eis_z){ 0, 0 };
        count_sign(t, c, p.z);
        if (follow_sweep(r, t, c, label) == TIDE_OK && reading_add(r, &p) == TIDE_OK) return ROW_GOOD;
    }
    return ROW_FAULT;
}

/* ---- a line ---- */

/* A damaged row, or no row at all? */
static row_kind judge(reading *r, const table *t, const row_cells *c, const number_fault why[3], int good,
                      int64_t number) {
    const place *const places[3] = { &t->layout.f, &t->layout.re, &t->layout.im };
    bool shape = t->rows ? c->count == t->cells : t->header.count == c->count;
    bool row   = t->rows ? (good > 0 && c->count > 1) || shape : good > 1 || (good > 0 && shape);
    for (int k = 0; row && k < 3; k++)
        if (why[k] != NUMBER_GOOD) return fault(r, t, c, places[k]->at, why[k], number);
    return ROW_NONE;
}

/* Cells at the end may be empty. Names and rows that are separated in two ways must match in number. */
static bool has_other_width(const table *t, const row_cells *c) {
    if (!t->header.count) return c->count != t->cells;
    return c->count > t->header.count || (t->separator != t->header_separator && c->count != t->header.count);
}

row_kind row_read(reading *r, table *t, slice line, int64_t number, const char *label) {
    row_cells    c;
    double       v[3] = { 0 };
    number_fault why[3] = { NUMBER_NONE, NUMBER_NONE, NUMBER_NONE };
    decimal      mark = DECIMAL_OPEN;
    if (t->separator) cells_split(line, t->separator, &c);
    else if (!choose_separator(t, line, &c)) return judge(r, t, &c, why, numbers_among(t, &c, v, why, &mark), number);
    int good = numbers_among(t, &c, v, why, &t->mark);
    if (good < 3) return judge(r, t, &c, why, good, number);
    if (has_other_width(t, &c)) {
        reading_fail(r, number, NULL, "this row has %d cells where the line of names has %d%s", c.count,
                     t->header.count,
                     t->separator == ',' ? "; decimal commas need another separator than the comma" : "");
        return ROW_FAULT;
    }
    t->rows++;
    return keep(r, t, &c, v, number, label);
}
