/* Scores of a grid predictor beside the exact posterior's. */
#ifndef EIS_EVALUATE_GRID_H
#define EIS_EVALUATE_GRID_H

#include "evaluate.h"

enum { GRID_GROUP = 32 }; /* spectra that are worked on at a time */

/* A mean over cases each; a case is one spectrum with one set of missing parameters. */
enum {
    EXACT_TOP1, EXACT_TOP5, NETWORK_TOP1, NETWORK_TOP5, RERANKED_TOP1, RERANKED_TOP5, CANDIDATE_MASS,
    EXACT_HIT1, EXACT_HIT5, NETWORK_HIT1, NETWORK_HIT5, RERANKED_HIT1, RERANKED_HIT5,
    EXACT_LABEL, NETWORK_LABEL, JOINT_EXCESS, MARGINAL_EXCESS, CHANCE_TOP1, CHANCE_TOP5, SCORES
};

typedef struct tally {
    int64_t     cases;
    double      sum[SCORES];
    calibration joint, marginal;
} tally;

typedef struct grid_level {
    double noise;
    bool   kept_out;                          /* cells that were never trained on */
    tally  all, missing[EIS_COUNT];           /* by how many are missing: 1 to 5 */
    tally  pattern[1 << EIS_COUNT];           /* by which */
} grid_level;

/* The score as a mean; the calibration errors are apart. */
static inline double tally_mean(const tally *t, int score) { return t->cases ? t->sum[score] / (double)t->cases : 0; }

/* `number`: of the level, among all. */
tide_status grid_level_measure(const evaluation *e, int64_t number, grid_level *level, tide_failure *failure);

/* evaluate_grid_report.c */
json_t *grid_level_json(const grid_level *level);
json_t *grid_quantities_json(void);
void    grid_level_text(const grid_level *level, text *out);

#endif
