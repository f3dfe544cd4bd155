/* Each column's recent rows against the rows that were trained on. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/base.h"
#include "drift.h"
#include "explaining.h"

static void copy_column(const frame *f, int64_t column, int64_t first, int64_t rows, double *out) {
    for (int64_t i = 0; i < rows; i++) out[i] = f->values[(first + i) * f->columns + column];
}

tide_status explain_drifts(explaining *e, const frame *before, block trained, int64_t from, int64_t stop,
                           tide_failure *failure) {
    const frame     *now  = &e->data->frame;
    forecast_inputs *out  = e->out;
    int64_t          rows = stop - from;
    if (!before) return TIDE_OK;
    double *room = malloc((size_t)(trained.rows + rows) * sizeof *room + 1);
    pace    p    = { .all = now->columns };
    out->drift   = calloc((size_t)now->columns + 1, sizeof *out->drift);
    tide_status status = room && out->drift ? TIDE_OK : explaining_no_memory(failure);
    for (int64_t c = 0; status == TIDE_OK && c < now->columns; c++) {
        forecast_drift *d = &out->drift[out->drift_count++];
        copy_column(before, c, trained.start, trained.rows, room);
        copy_column(now, c, from, rows, room + trained.rows);
        d->column = strdup(now->names[c]);
        if (!d->column || !drift_compare(room, trained.rows, room + trained.rows, rows, d))
            status = explaining_no_memory(failure);
        if (status == TIDE_OK) status = explaining_pace(e, &p, 1, failure);
    }
    free(room);
    return status;
}
