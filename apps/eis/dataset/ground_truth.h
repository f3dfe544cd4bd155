/* The circuits that stand for measurements when data are generated. */
#ifndef EIS_GROUND_TRUTH_H
#define EIS_GROUND_TRUTH_H

#include <tidemill/eis.h>

typedef struct ground_truth { char id[32]; double p[EIS_COUNT]; } ground_truth;

/* A JSON list of {"id", "rsh", "ra", "rb", "ca", "cb"}. malloc'ed. */
tide_status ground_truths_read(const char *path, ground_truth **out, int64_t *count, tide_failure *failure);
/* `count` of them: 40 % Latin hypercube, 30 % scrambled Sobol, 15 % around values of biology, then the 32 corners of
 * the range (grid_) and the same again (edge_), as the MLX guide's program has it. NULL: out of memory. */
ground_truth *ground_truths_draw(int64_t count, int64_t seed);

#endif
