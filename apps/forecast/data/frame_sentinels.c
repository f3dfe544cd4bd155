/* Numbers that stand for a missing value, and numbers that no model can hold. Published scores take -9999 as a number,
 * so marks stay numbers unless --na names them; they are never passed over in silence. */
#include <float.h>
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/base.h"
#include "frame_reading.h"

static const double customary[] = {
    -9999, -999,  -99,    -99.9, -999.9, -999.99, -9999.9, -99999,        -999999,
    -888,  -8888, -777,   -7777, -200,   -32768,  -32767,  -2147483648.0, 999,
    999.9, 9999,  9999.9, 99999, 999999, 32767,   65535,   2147483647,    4294967295.0
};

static const double LARGE = 1e19;     /* fill values of NetCDF and GRIB: 1e20, 9.97e36 */
static const double LARGEST = 1e30;   /* squares of what lies beyond leave 32-bit numbers */
static const double SMALLEST = 1e-150; /* squares of what lies closer leave 64-bit numbers */

static bool is_customary(double value) {
    for (size_t i = 0; i < sizeof customary / sizeof *customary; i++)
        if (value == customary[i]) return true;
    return fabs(value) >= LARGE;
}

/* ---- marks ---- */

/* The least and the greatest value between two bounds, which are left out, and the next of each that is no customary
 * mark: two marks must not hide each other. */
typedef struct ends { double low, low2, high2, high; } ends;

static const ends no_ends = { INFINITY, INFINITY, -INFINITY, -INFINITY };

static void widen(ends *e, double v) {
    if (v < e->low) e->low2 = is_customary(e->low) ? e->low2 : e->low, e->low = v;
    else if (v > e->low && v < e->low2 && !is_customary(v)) e->low2 = v;
    if (v > e->high) e->high2 = is_customary(e->high) ? e->high2 : e->high, e->high = v;
    else if (v < e->high && v > e->high2 && !is_customary(v)) e->high2 = v;
}

static ends find_ends(const double *column, int64_t rows, int64_t columns, double above, double below) {
    ends e = no_ends;
    for (int64_t i = 0; i < rows; i++) {
        double v = column[i * columns];
        if (v > above && v < below) widen(&e, v);
    }
    return e;
}

static void count_value(const double *column, int64_t rows, int64_t columns, sentinel *s) {
    s->rows = 0;
    for (int64_t i = 0; i < rows; i++) {
        if (column[i * columns] != s->value) continue;
        if (!s->rows++) s->first = i;
        s->last = i;
    }
}

/* A customary mark stands outside the other values by half of their range, or is negative where they are not; any other
 * number must be repeated, rare and a hundred ranges away, or one where it alone is negative. */
static bool is_far(const sentinel *s) {
    double width = s->high - s->low, distance = s->value < s->low ? s->low - s->value : s->value - s->high;
    bool known = is_customary(s->value), alone_negative = s->value < 0 && s->low >= 0;
    return s->low <= s->high && distance > width * (alone_negative ? (known ? 0.02 : 1) : known ? 0.5 : 100);
}

static bool is_mark(const double *column, int64_t rows, int64_t columns, sentinel *s) {
    if (!is_far(s)) return false;
    count_value(column, rows, columns, s);
    return is_customary(s->value) || (s->high > s->low && s->rows > 1 && s->rows * 20 <= rows);
}

static sentinel at_top(const ends *e) {
    return (sentinel){ .value = e->high, .low = is_customary(e->low) ? e->low2 : e->low, .high = e->high2 };
}

static sentinel at_bottom(const ends *e) {
    return (sentinel){ .value = e->low, .low = e->low2, .high = is_customary(e->high) ? e->high2 : e->high };
}

int64_t sentinels_find(const double *column, int64_t rows, int64_t columns, sentinel *out, int64_t most) {
    double above = -INFINITY, below = INFINITY;
    int64_t found = 0;
    while (found < most) {
        ends e = find_ends(column, rows, columns, above, below);
        sentinel high = at_top(&e), low = at_bottom(&e);
        if (is_mark(column, rows, columns, &high)) out[found++] = high, below = e.high;
        else if (is_mark(column, rows, columns, &low)) out[found++] = low, above = e.low;
        else break;
    }
    return found;
}

void sentinel_text(char *buffer, size_t bytes, const char *name, const sentinel *s) {
    char value[32], low[32], high[32];
    num_format(value, s->value, false);
    snprintf(low, sizeof low, "%.4g", s->low);
    snprintf(high, sizeof high, "%.4g", s->high);
    snprintf(buffer, bytes, "'%.60s' holds %s in %" PRId64 " row%s, far from its other values (%s to %s): "
             "if it marks a missing value, `na` %s takes it as one",
             name, value, s->rows, s->rows == 1 ? "" : "s", low, high, value);
}

static int64_t count_since(const double *column, int64_t from, int64_t rows, int64_t columns, double value) {
    int64_t count = 0;
    for (int64_t i = from > 0 ? from : 0; i < rows; i++) count += column[i * columns] == value;
    return count;
}

static tide_status note_sentinel(reading *r, int64_t column, const sentinel *s) {
    const frame *f = r->out;
    char text[320], near[120] = "";
    int64_t look_back = r->options->look_back, late = 0;
    if (look_back) late = count_since(f->values + column, f->file_rows - look_back, f->file_rows, f->columns, s->value);
    if (late)
        snprintf(near, sizeof near, "; %" PRId64 " of them in the last %" PRId64 " rows, from which a forecast starts",
                 late, look_back);
    sentinel_text(text, sizeof text, f->names[column], s);
    return reading_note(r, "%s, else it is taken as it is (first at %s %" PRId64 "%s)\n", text,
                        reading_rows_are(r), reading_line(r, s->first, column), near);
}

/* The ends of all columns, row by row: a column alone is spread over all of memory. The caller frees them. */
static ends *find_all_ends(const frame *f) {
    ends *e = malloc((size_t)f->columns * sizeof *e + 1);
    for (int64_t c = 0; e && c < f->columns; c++) e[c] = no_ends;
    for (int64_t i = 0; e && i < f->file_rows; i++)
        for (int64_t c = 0; c < f->columns; c++) {
            double v = f->values[i * f->columns + c];
            if (!(v >= e[c].low2 && v <= e[c].high2)) widen(&e[c], v); /* between them it changes nothing */
        }
    return e;
}

tide_status reading_note_sentinels(reading *r) {
    enum { MOST = 4 };
    const frame *f = r->out;
    sentinel found[MOST];
    ends *e = find_all_ends(f);
    tide_status status = e ? TIDE_OK : reading_no_memory(r);
    for (int64_t c = 0; c < f->columns && !status; c++) {
        sentinel high = at_top(&e[c]), low = at_bottom(&e[c]);
        if (!is_far(&high) && !is_far(&low)) continue;
        int64_t count = sentinels_find(f->values + c, f->file_rows, f->columns, found, MOST);
        for (int64_t i = 0; i < count && !status; i++) status = note_sentinel(r, c, &found[i]);
    }
    free(e);
    return status;
}

/* ---- what no model can hold ---- */

static tide_status fail_large(reading *r, int64_t row, int64_t column) {
    char mark[32]; /* as --na takes it, whatever the file's decimal sign */
    num_format(mark, r->out->values[row * r->out->columns + column], false);
    const char *text = r->from || r->series ? mark : r->table.cells[row * r->table.columns + r->chosen[column]];
    return forecast_fail(r->failure, TIDE_EDATA, r->path, reading_line(r, row, column), r->out->names[column],
                         "'%.60s' is too large to forecast with, the limit is 1e30: correct it; if it marks a missing "
                         "value, "
                         "`na` %s takes it as one; if the column is right, give it in a larger unit", text, mark);
}

/* Differences so small that their squares vanish: the column would pass for a constant. */
static tide_status check_small(reading *r, int64_t column, const ends *e) {
    const frame *f = r->out;
    if (!(e->high > e->low) || e->high - e->low >= SMALLEST) return TIDE_OK;
    return forecast_fail(r->failure, TIDE_EDATA, r->path, 0, f->names[column],
                         "the values of '%.60s', %.3g to %.3g, are too small to tell apart: give the column in a "
                         "smaller unit%s",
                         f->names[column], e->low, e->high, reading_leave_out(r));
}

static tide_status check_large(reading *r, const ends *e) {
    const frame *f = r->out;
    int64_t c = 0;
    while (c < f->columns && e[c].high <= LARGEST && e[c].low >= -LARGEST) c++;
    for (int64_t i = 0; c < f->columns && i < f->file_rows * f->columns; i++)
        if (fabs(f->values[i]) > LARGEST) return fail_large(r, i / f->columns, i % f->columns);
    return TIDE_OK;
}

tide_status reading_check_sizes(reading *r) {
    ends *e = find_all_ends(r->out);
    tide_status status = e ? check_large(r, e) : reading_no_memory(r);
    for (int64_t c = 0; c < r->out->columns && !status; c++) status = check_small(r, c, &e[c]);
    free(e);
    return status;
}
