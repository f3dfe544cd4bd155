/* Ivium .ids and .idf: bytes with text between; behind each line `primary_data` the number of columns (3), that of
 * points, and rows of Re, Im and f, twelve characters each, which need no blank between them. */
#include "cells.h"
#include "frames.h"

enum { WIDTH = 12 };

static bool whole_number(slice s, int64_t *out) {
    double  v;
    decimal mark = DECIMAL_OPEN;
    if (cell_number(slice_trim(s), &mark, &v) != NUMBER_GOOD || v < 0 || v > 1e9) return false;
    *out = (int64_t)v;
    return true;
}

static bool row_of(slice line, double v[3]) {
    row_cells c;
    decimal   mark = DECIMAL_OPEN;
    cells_split(line, ' ', &c);
    for (int k = 0; k < 3; k++) {
        int64_t at   = k, left = line.length - at * WIDTH;
        slice   wide = { line.text + at * WIDTH, MIN2((int64_t)WIDTH, left) };
        if (c.count < 3 && left <= 0) return false;
        if (cell_number(c.count >= 3 ? c.cell[k] : slice_trim(wide), &mark, &v[k]) != NUMBER_GOOD) return false;
    }
    return true;
}

static tide_status read_rows(reading *r, const page *p, int64_t first, int64_t count) {
    tide_status status = reading_begin_sweep(r, "");
    for (int64_t i = first; i < first + count && status == TIDE_OK; i++) {
        double v[3];
        if (i >= p->count || p->line[i].length > LINE_MOST || !row_of(p->line[i], v))
            return reading_fail(r, MIN2(i, p->count - 1) + 1, NULL,
                                "primary_data is to have %lld rows of three numbers; row %lld is none",
                                (long long)count, (long long)(i - first + 1));
        point one = { .freq_hz = v[2], .z = { v[0], v[1] }, .line = i + 1 };
        if (v[2] == 0) r->resting++;
        else if (v[2] < 0 || (v[0] == 0 && v[1] == 0))
            status = reading_fail(r, i + 1, NULL, "a frequency must be positive, and an impedance of 0 is not a "
                                                  "measurement");
        else status = reading_add(r, &one);
    }
    return status;
}

tide_status ivium_read(reading *r, const page *p) {
    tide_status status = TIDE_OK;
    r->sign_stated = true;
    for (int64_t i = 0; i + 2 < p->count && status == TIDE_OK; i++) {
        int64_t columns, points;
        if (slice_find(p->line[i], "primary_data") < 0) continue;
        if (!whole_number(p->line[i + 1], &columns) || columns != 3 || !whole_number(p->line[i + 2], &points))
            continue; /* of another technique */
        status = read_rows(r, p, i + 3, points);
    }
    if (status == TIDE_OK && r->count == 0)
        status = reading_fail(r, 0, NULL, "this Ivium file has no primary_data of three columns, which is what an "
                                          "impedance measurement has");
    return status;
}
