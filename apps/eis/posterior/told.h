/* What was told beside a spectrum, as weights of the draws of its posterior. */
#ifndef EIS_TOLD_H
#define EIS_TOLD_H

#include "eis/circuit/prior.h"
#include "shape.h"
#include "summary.h"

/* "Rs=20+-1,Ra/Rb=4.8+-1" of the quantities that have an interval. TIDE_EINVAL: the column of what is wrong. */
tide_status told_parse(const char *text, eis_circuit circuit, priors *out, tide_failure *failure);
/* Whether one of them speaks of a membrane, and so says which is a. */
bool told_labels(const priors *told);
/* "Ra/Rb": as it was given. */
enum { TOLD_NAME = 16 };
void told_name(const prior *p, char name[TOLD_NAME]);

/* Multiplies weights by the priors' densities, and adds those to the draws' own. Weights then sum to 1, or are all 0.
 * False: out of memory. */
bool told_weigh(const priors *told, eis_circuit circuit, draw *draws, int64_t count);
/* The same where nothing is known: each draw moves along its fibre, on which all places are equally probable without
 * priors, to one by theirs. Far fewer draws are lost so. `rule` is of the density that was drawn from. TIDE_ENOMEM,
 * TIDE_ECANCELLED. */
tide_status told_slide(const priors *told, const fibre_rule *rule, uint64_t seed, const stopper *stop, draw *draws,
                       int64_t count);
/* (sum w)^2 / sum w^2: how many equal draws they are worth. */
double draws_worth(const draw *draws, int64_t count);

#endif
