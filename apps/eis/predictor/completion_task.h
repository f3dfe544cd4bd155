/* A question to the network while it is being answered (completion.c): its labellings, its spectrum as features take
 * it, and what the network says of it. */
#ifndef EIS_PREDICTOR_COMPLETION_TASK_H
#define EIS_PREDICTOR_COMPLETION_TASK_H

#include "eis/posterior/completion.h"
#include "points.h"
#include "predictor.h"

enum { LABELLINGS = 2 };
#define LEAST_PROBABILITY 1e-38  /* its logarithm is finite */

/* In which order one parameter is asked about after the other, each given those before it. */
extern const int completion_chain[EIS_COUNT];

typedef struct labelling {
    bool      swapped;
    eis_known known;                /* in these labels */
    float     known_u[EIS_COUNT];
    double    weight;               /* of all labellings: they sum to 1 */
} labelling;

typedef struct network_task {
    const question     *q;
    const eis_spectrum *s;
    eis_recipe recipe;
    int64_t    quantities, bins, each;  /* each: probabilities an answer */
    int        labellings;
    labelling  labelling[LABELLINGS];
    spectrum_points points;
    float      raw[FEATURES_MOST];
    quick_fit  fit;
    float     *first;                   /* [labellings][each]: given the known values */
    int64_t    split;                   /* draws before this one are of the first labelling */
} network_task;

tide_status completion_no_memory(tide_failure *failure);

/* completion_draws.c: circuits into out->draws, log_density how probable the network holds each. Of the grid recipe
 * they are different cells, not yet weighed; of the lab recipe they are draws, and weigh what their labelling does. */
tide_status completion_draw_beams(network_task *t, completion *out, tide_failure *failure);
tide_status completion_draw_lab(network_task *t, completion *out, tide_failure *failure);

/* completion_weights.c: the draws weighed by their likelihood, where enough of them count; of the grid recipe also
 * whether any cell fits. */
tide_status completion_weigh_again(const network_task *t, completion *out, tide_failure *failure);

#endif
