/* Autolab FRA .dfr: a line VERSION, the number of points, one line more, then nine lines a point: frequency, Re, -Im,
 * two potentials or currents, the time, and three that are not needed. */
#include "cells.h"
#include "frames.h"

enum { HEAD_LINES = 3, POINT_LINES = 9 };

static tide_status read_point(reading *r, const page *p, int64_t at, decimal *mark) {
    double v[3];
    for (int k = 0; k < 3; k++)
        if (at + k >= p->count || cell_number(slice_trim(p->line[at + k]), mark, &v[k]) != NUMBER_GOOD)
            return reading_fail(r, MIN2(at + k, p->count - 1) + 1, NULL,
                                "a .dfr file has nine lines a point; here %s was to stand",
                                k == 0 ? "a frequency" : k == 1 ? "Re(Z)" : "-Im(Z)");
    point one = { .freq_hz = v[0], .z = { v[1], -v[2] }, .line = at + 1 };
    if (v[0] > 0 && (v[1] != 0 || v[2] != 0)) return reading_add(r, &one);
    if (v[0] == 0) r->resting++;
    else
        return reading_fail(r, at + 1, NULL,
                            "a frequency must be positive, and an impedance of 0 is not a measurement");
    return TIDE_OK;
}

tide_status dfr_read(reading *r, const page *p) {
    double      points = 0;
    decimal     mark = DECIMAL_OPEN;
    tide_status status = reading_begin_sweep(r, "");
    if (cell_number(slice_trim(p->line[1]), &mark, &points) != NUMBER_GOOD || points < 0 || points > MOST_POINTS)
        return reading_fail(r, 2, NULL, "here the number of points was to stand, at most %lld", (long long)MOST_POINTS);
    mark           = DECIMAL_OPEN;
    r->sign_stated = true;
    for (int64_t i = 0; i < (int64_t)points && status == TIDE_OK; i++)
        status = read_point(r, p, HEAD_LINES + i * POINT_LINES, &mark);
    return status;
}
