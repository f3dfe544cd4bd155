/* The posterior of a circuit of which at most one parameter is known, by independent weighted draws. */
#ifndef EIS_SHAPE_SAMPLER_H
#define EIS_SHAPE_SAMPLER_H

#include "density.h"
#include "sampler.h"
#include "shape.h"

/* Whether `sample_shapes` takes this density: all but one of the shunt circuit's five parameters are free, or all of
 * the chain's membranes. */
bool shapes_apply(const density *d);

typedef struct shape_account {
    double effective; /* how many equal draws these are worth: (sum w)^2 / sum w^2 */
    double log_evidence; /* ln of the prior's mean of the likelihood */
} shape_account;

/* `count` weighted draws into `out`; `near` is a model of the spectrum, for the weights of the proposals. TIDE_ENOMEM;
 * TIDE_EDATA where no circuit comes near; TIDE_ECANCELLED. */
tide_status sample_shapes(const density *d, const eis_spectrum *s, const eis_z *near, int64_t count, rng *r,
                          const stopper *stop, draw *out, shape_account *account);

/* Rs + R / (1 + s R C), and ln of its evidence over `log_evidence`; NaN: not compared. The prior is uniform in ln R and
 * ln C over the ranges of Rsh and Ca. */
typedef struct one_relaxation {
    double log_odds, r_ohm, c_farad;
} one_relaxation;
one_relaxation one_relaxation_beside(const density *d, const eis_spectrum *s, const eis_z *near, double log_evidence);

#endif
