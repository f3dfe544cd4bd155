/* Prediction intervals by split conformal calibration: how far off a forecaster was on windows that it did not learn
 * from, kept as quantiles, says how far off it will be.
 *
 * Of m residuals the k-th is what a share k / (m + 1) of futures stays below (Vovk, Gammerman and Shafer, Algorithmic
 * Learning in a Random World, 2005). Their bound for a share p is the ceil((m + 1) p)-th, which holds p at least; with
 * few residuals that is points more. Here it is between two residuals (Hyndman and Fan, Sample quantiles in statistical
 * packages, American Statistician 1996, type 6), so that p is held in the mean. Lower and upper bounds are quantiles of
 * the signed residual, each by itself, so an interval need not be symmetric. More that differs from the textbook:
 *   - Series drift, so a residual weighs as it is recent: half as much for every half of the windows that it is older
 *     (Barber, Candes, Ramdas and Tibshirani, Conformal prediction beyond exchangeability, Annals of Statistics 2023).
 *   - Windows begin a row apart and share truths, so m is no count of windows: it is Kish's number of them, (sum w)^2 /
 *     sum w^2, divided by how much more the means over blocks vary than they would if neighbours were independent.
 *   - What moved much before a forecast will move much after it: residuals are calibrated in units of a scale that
 *     follows the deviation of the window's own look-back (locally weighted conformal inference: Lei, G'Sell, Rinaldo,
 *     Tibshirani and Wasserman, Distribution-free predictive inference for regression, JASA 2018).
 *   - Of a model whose head says how wide it is at each value, residuals are the scores of truths in that (spread.h),
 *     and the look-back's scale plays no part.
 * Of the model some windows are kept whole, too: which errors go together is what sample paths need (paths.h). */
#ifndef FORECAST_CONFORMAL_H
#define FORECAST_CONFORMAL_H

#include <tidemill/core.h>

#include "spread.h"

enum { FORECASTERS = 4 };  /* the model, then last_value, seasonal_naive, linear */

/* The quantiles of every column at some steps of the horizon; between them they are interpolated: windows begin in each
 * row, so from step to step residuals change little. */
typedef struct band_tables {
    int64_t  pred_len, columns, knots, points;
    int64_t *step;                   /* (knots) from 0 to pred_len - 1, ascending */
    double  *unit;                   /* (columns) the deviation of each column's training rows: where a scale is 1 */
    double  *probability;            /* (points) ascending, within 0 to 1 */
    spread_shape shape;              /* of the model's head: its residuals are scores. widths 0: (truth - forecast) /
                                        scale, as the others' are */
    float   *quantile[FORECASTERS];  /* (knots, columns, points) of residuals; NULL: not calibrated. A column without
                                        truths has NaN */
    double  *effective;              /* (FORECASTERS, knots): m */
    int64_t  windows;                /* of the model, kept whole; 0: none */
    float   *window;                 /* (pred_len, columns, windows): their residuals, oldest first; NaN: no truth */
} band_tables;

/* Between 0, one width for all windows, and 1, a width as the window's deviation; a deviation below a tenth of the
 * training rows' says no more. At 3/4 coverage kept best over four drifting series, and a series whose noise is steady
 * loses little (bench/results/intervals.md). */
#define BANDS_FOLLOW_PERCENT 75
#define BANDS_FOLLOW (BANDS_FOLLOW_PERCENT / 100.0)
#define BANDS_FLOOR 0.1

/* Chooses steps and probabilities: every step up to 32 and every probability that a level of 1, 2, ... 99 % needs,
 * fewer of both where many columns would make the tables of four forecasters longer than a million numbers. Zero `b`
 * first. false: out of memory. */
bool   bands_new(band_tables *b, int64_t pred_len, int64_t columns, const double *unit);
void   bands_free(band_tables *b);
bool   bands_any(const band_tables *b);  /* of any forecaster */
/* The rows (count) before a forecast, from the first forecast column on. */
typedef struct look_back {
    const float  *scaled;    /* NaN where a value is missing */
    int64_t       count, stride;
    const double *std;       /* (columns): what they were scaled by */
    const float  *blind;     /* NULL, or (columns): above 0 for one whose past is not looked at */
} look_back;
/* The scales (columns) of one window. Of a column of which nothing is seen: 1. */
void   bands_scales(const band_tables *b, const look_back *window, float *out);
/* The residual that a share `probability` of futures stays below. NaN where nothing is known. */
double bands_quantile(const band_tables *b, int forecaster, int64_t column, int64_t step, double probability);
/* What to add to a forecast so that its residual is this: `cell` is step * columns + column. Of a model with a head `s`
 * has its widths. */
double bands_error(const band_tables *b, int forecaster, int64_t cell, const window_spread *s, double residual);
/* Lower and upper bound of each level (levels, 2) around a forecast. */
void   bands_at(const band_tables *b, int forecaster, int64_t cell, double forecast, const window_spread *s,
                const double *levels, int64_t level_count, double *out);
/* The same of the first `cells` cells of a window, to the bit: (cells, levels, 2). */
void   bands_of_window(const band_tables *b, int forecaster, int64_t cells, const double *forecast,
                       const window_spread *s, const double *levels, int64_t level_count, double *out);
/* The highest level, in percent, that this many residuals can vouch for: beyond, an interval reaches as far as the
 * farthest of them. */
double bands_reach(const band_tables *b, int forecaster, int64_t step);

/* Residuals of one forecaster, window after window. NaN truths are left out. */
typedef struct residuals {
    int64_t pred_len, columns, windows, knots;
    int64_t apart;          /* rows from one window to the next */
    const int64_t *step;    /* NULL: each knot is its own */
    const spread_shape *shape;  /* NULL, or of the forecaster's head: residuals are scores */
    int64_t stride, kept;   /* every stride-th window, the newest among them, so that memory is bounded */
    const float *scale;     /* (windows, columns), borrowed */
    float  *values;         /* (knots, columns, kept) */
} residuals;
/* `apart`: rows from one window to the next, 1 where each row has one. false: no memory */
bool residuals_new(residuals *r, const band_tables *b, int64_t windows, int64_t apart, const float *scale);
/* The same of all steps and fewer windows: an eighth of a horizon apart or more, as neighbours are near copies, and no
 * more than 4 MB of them. None where not even two are within that. */
bool residuals_new_whole(residuals *r, const band_tables *b, int64_t windows, int64_t apart, const float *scale);
/* Are there fewer of them than so far apart there could be, for their size? */
bool residuals_left_out(const residuals *whole);
/* What the i-th of `kept` weighs: by how recent it is, the newest 1. */
double residual_weight(int64_t i, int64_t kept);
/* Some windows as they were forecast, (windows, pred_len, columns) each, and of a head (..., widths); else NULL. */
typedef struct seen_windows { const float *prediction, *truth, *widths; } seen_windows;
/* Of windows `at` and on. */
void residuals_add(residuals *r, int64_t at, int64_t count, const seen_windows *seen);
void residuals_free(residuals *r);
/* Fills the forecaster's table. false: out of memory. */
bool bands_calibrate(band_tables *b, int forecaster, const residuals *r);
/* Moves what residuals_new_whole gathered into the tables. */
void bands_keep_windows(band_tables *b, residuals *whole);

#endif
