/* What the parts of a completion show each other. */
#ifndef EIS_COMPLETION_PARTS_H
#define EIS_COMPLETION_PARTS_H

#include "completion.h"
#include "density.h"

/* completion.c: what the two relaxations of the free fit stand on, NaN: free. */
double completion_offset(const question *q);

/* What the grid's best cell, and what a circuit leaves (`model` has room for the spectrum; false: out of
 * memory). */
void completion_judge_grid(const cells *c, const eis_spectrum *s, completion *out);
bool completion_judge_circuit(const question *q, const eis_spectrum *s, const double *p, eis_z *model, completion *out);

/* refined.c: the draws, what they are worth, and one relaxation beside them. */
tide_status completion_refined(const question *q, const eis_spectrum *s, const two_rc *fit, completion *out,
                               tide_failure *failure);

#endif
