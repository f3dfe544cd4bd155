/* Sample paths: futures of all steps and columns at once, so that what is made of them, a sum above all, is as
 * uncertain as its parts together are.
 *
 * Which errors go together is read from the windows of validation that the tables keep whole, by ranks alone: where
 * among all the windows an error of one stands, cell by cell (the empirical copula; as a forecast of quantiles is put
 * in order by the past it is the Schaake shuffle of Clark, Gangopadhyay, Hay, Rajagopalan and Wilby, Journal of
 * Hydrometeorology 2004). How large errors are the bands say: a cell of a path is their quantile at that rank. So the
 * quantiles of many paths are the bounds of `level`, and a window weighs as it is recent, as it does there.
 *
 * Few windows are coarse steps of a distribution: where in its step a cell lies is drawn for each by itself, as one
 * draw for all would make errors go together that do not. A window without a truth at a cell has there the rank of the
 * step next to it; without any of the column, the ranks of another window. */
#ifndef FORECAST_PATHS_H
#define FORECAST_PATHS_H

#include "conformal.h"

typedef struct rank_step { float low, width; } rank_step;  /* of a distribution, from 0 to 1 */

typedef struct path_maker {
    const band_tables *bands;  /* borrowed */
    double            *until;  /* (windows): the share of the weight up to each window, itself among it */
    rank_step         *rank;   /* (pred_len, columns, windows); NaN in a column without truths */
} path_maker;

/* Of tables that keep windows. false: out of memory. */
bool path_maker_new(path_maker *m, const band_tables *b);
void path_maker_free(path_maker *m);
/* Which path: the number (within 0 and 1) says which window, seed and index what else is drawn, by counters: the same
 * on every machine and for any number of threads. */
typedef struct path_draw { double number; int64_t seed, index; } path_draw;
path_draw path_drawn(int64_t seed, int64_t i);     /* the i-th sample under a seed */
path_draw path_spread(int64_t i, int64_t count);   /* of paths whose windows are spread evenly, for quantiles */
/* One path (pred_len, columns) around `forecast`; NaN in a column without truths. */
void path_make(const path_maker *m, path_draw draw, const double *forecast, const window_spread *s, double *out);

#endif
