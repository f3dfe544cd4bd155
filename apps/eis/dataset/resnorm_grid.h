/* Residual norms of every circuit of a grid against one ground truth. */
#ifndef EIS_RESNORM_GRID_H
#define EIS_RESNORM_GRID_H

#include <tidemill/eis.h>

/* Swapped circuits have the same spectrum, so only pairs of membranes a <= b are computed: values stand as
 * [a][Rsh][b from a / RESNORM_LANES * RESNORM_LANES on]; those with b < a or b >= membranes belong to no circuit. */
enum { RESNORM_LANES = 8 };

typedef struct resnorm_grid {
    eis_circuit      circuit;
    eis_resnorm_kind kind;
    int64_t points;              /* grid values of each parameter */
    int64_t membranes, width;    /* points^2, and rounded up to RESNORM_LANES */
    int64_t frequencies;
    double *freq_hz, *axis[EIS_COUNT], *re, *im;  /* re, im: [frequency][width] of one membrane */
    int64_t values;              /* of one ground truth */
} resnorm_grid;

bool resnorm_grid_new(eis_circuit circuit, eis_resnorm_kind kind, int64_t points, int64_t frequencies, double low_hz,
                      double high_hz,
                      resnorm_grid *out);
void resnorm_grid_free(resnorm_grid *g);

/* First b of row a, and where the row of (a, Rsh r) begins. */
static inline int64_t resnorm_first(int64_t a) { return a / RESNORM_LANES * RESNORM_LANES; }
/* `out` has room for g->values; `scratch` for 2 g->width numbers and g->frequencies spectra points twice. */
void resnorm_grid_fill(const resnorm_grid *g, const double truth[EIS_COUNT], double *out, double *scratch);
int64_t resnorm_grid_scratch(const resnorm_grid *g);  /* doubles */

#endif
