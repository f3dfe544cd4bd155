#include "finite.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>

#include "base/base.h"
#include "forecast/data/zoned.h"

/* Squares of scaled values beyond this leave float32. */
static const double MOST_DEVIATIONS = 1e15;

static double deviations_of(const dataset *d, int64_t row, int64_t column) {
    double v = d->frame.values[row * d->frame.columns + column];
    return isnan(v) ? 0 : fabs((v - d->scaler.mean[column]) / d->scaler.std[column]); /* gaps are filled */
}

bool find_extreme(const dataset *d, int64_t first, int64_t rows, extreme *out) {
    *out = (extreme){ -1, -1, MOST_DEVIATIONS };
    for (int64_t r = first; r < first + rows; r++)
        for (int64_t c = 0; c < d->frame.columns; c++) {
            double deviations = deviations_of(d, r, c);
            if (!(deviations <= out->deviations)) *out = (extreme){ r, c, deviations };
        }
    return out->row >= 0;
}

tide_status not_finite(const dataset *d, int64_t first, int64_t rows, const char *what, tide_failure *failure) {
    const frame *f = &d->frame;
    extreme      e;
    char         value[32], where[80];
    if (!find_extreme(d, first, rows, &e))
        return fail(
            failure, TIDE_EDATA,
            "%s is not a finite number, though no value it looks at is extreme: the numbers of the model are damaged; "
            "train again, or copy the run anew",
            what);
    num_format(value, f->values[e.row * f->columns + e.column], false);
    if (f->time) {
        char stamp[40];
        zoned_print(stamp, f->zone, f->time[e.row], &f->format);
        snprintf(where, sizeof where, "at %s", stamp);
    } else snprintf(where, sizeof where, "%" PRId64 " rows before the last", f->file_rows - 1 - e.row);
    return fail_at(failure, TIDE_EDATA, f->path, 0, f->names ? f->names[e.column] : NULL,
                   "%s is not a finite number: the data hold %s %s, %.2g standard deviations from the mean of the "
                   "training rows; correct that value", what,
                   value, where, e.deviations);
}
