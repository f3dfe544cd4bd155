/* The distributions of spectra that predictors are trained on. */
#ifndef EIS_RECIPE_H
#define EIS_RECIPE_H

#include "arcs.h"

enum { SAMPLE_MOST = 100, GRID_FREQUENCIES = 61, CELL_FEWEST = 15, CELL_DECADES_LOW = 2, CELL_DECADES_HIGH = 7 };

/* Disjoint streams of counters: what is tested on was never trained on. */
typedef enum sample_split { SPLIT_TRAIN, SPLIT_VALIDATE, SPLIT_TEST } sample_split;

/* A circuit and a noisy measurement of it. a is the slower membrane (of equal ones, the one of higher resistance). */
typedef struct sample {
    double  p[EIS_WITH_RS];
    double  arcs[ARCS_COUNT];      /* cell recipe, in place of p: the slower arc first */
    int     index[EIS_COUNT];      /* grid recipe: of the parameters on their axes of 12; lab: nearest */
    double  noise;                 /* standard deviation of each part over |Z| */
    int64_t count;
    double  freq_hz[SAMPLE_MOST];  /* falling */
    eis_z   z[SAMPLE_MOST];
} sample;

typedef struct sampler_settings {
    eis_recipe recipe;
    uint64_t   seed;
    double     keep_out;      /* grid: share of the cells, by a hash, that SPLIT_TRAIN never draws; the other splits
                                 draw from all */
    bool       kept_out_only; /* grid: draw only from those */
    double     noise;         /* fixed; 0: log-uniform in NOISE_LOW..NOISE_HIGH */
} sampler_settings;
#define NOISE_LOW  0.001
#define NOISE_HIGH 0.05

/* Spectrum `number` of a split: the same for the same settings, whoever asks in whatever order.
 *   EIS_RECIPE_GRID indices uniform on the 12^5 grid, then canonical; 61 frequencies 100 kHz..0.1 Hz even in the
 *   logarithm;
 *                    independent normal noise of noise |Z| in each part
 *   EIS_RECIPE_LAB the five log-uniform in eis_parameters' ranges, then canonical; Rs uniform in 0..100 ohm; 20 to 100
 *                    frequencies, top log-uniform in 10 kHz..1 MHz, bottom in 0.01..10 Hz, in half of the spectra even
 *                    in the
 *                    logarithm, else drawn; each
 *                    point with probability 1 % an outlier: an error ten times as large
 *   EIS_RECIPE_CELL two arcs in series with what measured spectra have beside them, 15 to 100 frequencies of any range
 *                    (recipe_cell.c), outliers as in EIS_RECIPE_LAB */
void sample_draw(const sampler_settings *s, sample_split split, uint64_t number, sample *out);

/* Of the grid recipe all but z, and the words that its errors are made of: two a point, as sample_measure takes
 * them. */
void sample_draw_words(const sampler_settings *s, sample_split split, uint64_t number, sample *out,
                       uint32_t words[2 * GRID_FREQUENCIES]);

/* Whether a cell is among those kept out. Symmetric in the membranes. */
bool cell_kept_out(const sampler_settings *s, const int index[EIS_COUNT]);

#endif
