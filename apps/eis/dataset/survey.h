/* All residual norms of a grid against many ground truths, and their statistics. */
#ifndef EIS_SURVEY_H
#define EIS_SURVEY_H

#include <tidemill/eis.h>

#include "ground_truth.h"
#include "resnorm_grid.h"

enum { QUANTILES = 4 };
/* p25 median p75 p90 */
extern const struct survey_quantile { const char *name; double at; } survey_quantiles[QUANTILES];

typedef struct survey {
    resnorm_grid  grid;
    const char   *profile;         /* "app", "generator" */
    bool          full;            /* grid: every circuit, else one of each swapped pair */
    bool          reference;       /* one row of 0, the ground truth itself, counts for each */
    ground_truth *truth;
    int64_t       truths, circuits, rows;  /* circuits: of the grid; rows: all */
    int           threads;
    double       *kept;            /* [truth][grid.values] once survey_run is through; NULL: more than memory */
    bool          filled;          /* `kept` has them all already (survey_device.h) */
    double        low, high, quantile[QUANTILES];
} survey;

tide_status survey_new(const eis_options *o, survey *s, tide_failure *failure);
void        survey_free(survey *s);
tide_status survey_run(survey *s, tide_failure *failure);
/* The values of one ground truth, as resnorm_grid_fill has them: what was kept, or computed into `room`. */
const double *survey_values(const survey *s, int64_t truth, double *room, double *scratch);

#endif
