/* What the network is shown: which values are known (a pattern), drawn rows as numbers, and the best that any predictor
 * could make of them. */
#ifndef EIS_KNOWN_SAMPLES_H
#define EIS_KNOWN_SAMPLES_H

#include "data.h"

enum { KNOWN_FEATURES = 2 * EIS_COUNT, KNOWN_PATTERNS_MOST = 31 };

/* The sets of known values, bit k for parameter k. The MLX guide's ten have three known, in its order; all: one to five
 * missing. */
int known_patterns(eis_masks masks, uint8_t out[KNOWN_PATTERNS_MOST]);

/* A sample is a row of floats. A row of zeros with every mask bit set has nothing to predict: it fills up a batch. */
enum {
    SAMPLE_MASK = EIS_COUNT,
    SAMPLE_LABEL = KNOWN_FEATURES,
    SAMPLE_TARGET = SAMPLE_LABEL + EIS_COUNT,
    SAMPLE_REAL,
    SAMPLE_WIDTH
};
/*   0  log10 of the known values, 0 where missing
 *   5  1 where known
 *  10  grid place of all five
 *  15  residual norm, scaled
 *  16  1: a sample, 0: filling */

/* The network's input. `value` of unknown parameters is not read. */
void known_features(const bool is[EIS_COUNT], const double value[EIS_COUNT], float out[KNOWN_FEATURES]);

/* (log10 r - mean) / sd, or r itself; r no lower than `floor`, as the norm of a ground truth that lies on the grid is
 * 0. */
typedef struct known_scale { bool log; double floor, mean, sd; } known_scale;
double known_scaled(const known_scale *s, double resnorm);
double known_unscaled(const known_scale *s, double scaled);

/* `held` of `count` samples are here, from number `first` on: all, but where ranks have a stretch each. */
typedef struct known_samples { int64_t count, first, held; float *row; } known_samples;

/* Whose samples are drawn: those of one of several ranks. */
typedef struct sample_share { int rank, ranks; } sample_share;
#define ALL_SAMPLES ((sample_share){ 0, 1 })
int64_t samples_stretch(int64_t count, int ranks);  /* samples that a rank has, the last ones fewer */

/* `each` rows of the pool for each pattern, drawn with replacement by counters of (seed, stream); of these the share's,
 * and one row of filling behind them. The target is the residual norm itself until it is scaled. False: out of
 * memory. */
bool known_samples_draw(const known_pool *p, eis_masks masks, int64_t each, uint64_t seed, uint32_t stream,
                        sample_share share, known_samples *out);
void known_samples_free(known_samples *s);
/* From the targets of all training samples; `raw`: no logarithm, no scaling. */
known_scale known_scale_of(const float *target, int64_t count, bool raw);
void        known_samples_scale(known_samples *s, const known_scale *scale);

/* ---- the ceiling (known_ceiling.c) ---- */

/* How often the best predictor is right on rows of the pool: it answers the value that is most frequent among the rows
 * with the same known values. Shares, over all missing values of all patterns; joint: both of two missing, NaN without
 * such patterns. */
typedef struct known_accuracy { double top1, top5, joint_top1, joint_top5; } known_accuracy;
bool known_ceiling(const known_pool *p, eis_masks masks, known_accuracy *out);  /* false: out of memory */

#endif
