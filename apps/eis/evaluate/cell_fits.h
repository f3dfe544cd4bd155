/* Fits of the recipe cell's circuit from a predictor's start, beside those from everywhere and from the truth. */
#ifndef EIS_CELL_FITS_H
#define EIS_CELL_FITS_H

#include "eis/circuit/recipe.h"
#include "eis/fit/guess.h"

typedef struct cell_fits {
    bool tried;
    double best; /* the least sum of squares that any of them came to */
    double from_start; /* from the predictor's starts alone */
    double searched; /* from the starts that follow from the spectrum, and with the predictor's too */
    double with_start;
    double p[ARCS_COUNT]; /* robust, from the truth */
} cell_fits;

/* `starts`: the predictor's. TIDE_EDEVICE in a build without cminpack. */
tide_status cell_fits_of(const sample *s, const fit_guessed *starts, cell_fits *out, tide_failure *failure);

/* Sums that differ by less are of one minimum. */
static inline bool cell_fits_reached(double sum, double best) { return sum <= best * (1 + 1e-3); }

#endif
