/* How often the intervals of sums hold: bounds are made of paths as predict makes them, window by window, and compared
 * with the sums of what came. */
#ifndef FORECAST_SUM_SCORES_H
#define FORECAST_SUM_SCORES_H

#include <tidemill/forecast.h>

#include "paths.h"
#include "sums.h"

typedef struct sum_scores {
    sum_plan plan;
    int64_t  pred_len, level_count;
    double   level[FORECAST_MAX_LEVELS];
    int64_t  from;             /* series that are measured: of sums over rows all, else the sums alone */
    int64_t  stride, paths;    /* of the windows every so many; paths of each */
    int64_t  windows;          /* that were taken */
    double  *forecast, *truth; /* (pred_len, columns), original units: the caller's to fill */
    double  *path, *sums, *sample, *bounds;
    struct sum_cell *cells;    /* (series) */
} sum_scores;

/* Of so many windows as many are taken as keep the paths near 40 million numbers. The hierarchy is borrowed. false: out
 * of memory. */
bool sum_scores_new(sum_scores *s, const sum_plan *plan, int64_t pred_len, const double *levels, int64_t level_count,
                    int64_t windows);
/* Is this one of the windows to take? */
bool sum_scores_wanted(const sum_scores *s, int64_t window);
/* The window whose forecast and truth the caller has put in place; NaN: a truth that is not known. */
void sum_scores_take(sum_scores *s, const path_maker *m, const window_spread *spread);
/* The same in two steps: numbers of a window, sum_scores_numbers of them, by its forecast; counted, by its truth. */
int64_t sum_scores_numbers(const sum_scores *s);
void    sum_scores_bounds(sum_scores *s, const path_maker *m, const window_spread *spread, double *out);
void    sum_scores_count(sum_scores *s, const double *bounds);
/* `names`: of the columns. Its memory is the result's: sums_free. false: out of memory. */
bool sum_scores_result(const sum_scores *s, char *const *names, forecast_sums *out);
void sum_scores_free(sum_scores *s);

void sums_free(forecast_sums *s);

#endif
