#include "error_sums.h"

#include <math.h>
#include <stdlib.h>

bool error_sums_new(error_sums *t, int64_t origins, int64_t columns, int64_t horizon) {
    *t = (error_sums){ .origins = origins, .columns = columns, .horizon = horizon };
    t->cells  = calloc((size_t)(origins * columns) + 1, sizeof *t->cells);
    t->thirds = calloc((size_t)(3 * columns) + 1, sizeof *t->thirds);
    t->truth  = calloc((size_t)columns + 1, sizeof *t->truth);
    return t->cells && t->thirds && t->truth;
}

void error_sums_free(error_sums *t) {
    free(t->cells);
    free(t->thirds);
    free(t->truth);
    *t = (error_sums){ 0 };
}

int64_t error_third_stop(const error_sums *t, int third) { return (t->horizon * (third + 1) + 2) / 3; }

static void add(error_cell *c, const error_row *row) {
    c->count++;
    for (int k = 0; k < FORECAST_BY_COUNT; k++) {
        double error = row->forecast[k] - row->truth;
        c->absolute[k] += fabs(error), c->squared[k] += error * error;
    }
}

void error_sums_add(error_sums *t, const error_row *row) {
    int third = 0;
    if (isnan(row->truth)) return;
    while (third < 2 && row->step >= error_third_stop(t, third)) third++;
    add(&t->cells[row->origin * t->columns + row->column], row);
    add(&t->thirds[3 * row->column + third], row);
    t->truth[row->column] += fabs(row->truth);
}
