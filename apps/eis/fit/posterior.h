/* The posterior of a fitted circuit, as it is told. */
#ifndef EIS_FIT_POSTERIOR_H
#define EIS_FIT_POSTERIOR_H

#include "fitted.h"
#include "target.h"

struct text;

/* Of the quantities and free parameters. posterior_draws_free. */
typedef struct posterior_draws {
    int marginals, quantities;
    int parameter[PARAMETERS_MOST]; /* which a marginal after the quantities is */
    int64_t count;
    double *value, *weight; /* count x marginals; the weights sum to 1 */
    const char *method;
    double effective, noise, noise_dof;
    double low[PARAMETERS_MOST], high[PARAMETERS_MOST]; /* ranges of those parameters' values */
    bool assumed_low[PARAMETERS_MOST], assumed_high[PARAMETERS_MOST];
} posterior_draws;

typedef struct posterior_question {
    const equivalent *e;
    const eis_fit_options *o;
    const eis_spectrum *s; /* the points that are fitted */
    double widening; /* of the noise, where the circuit does not fit */
    const stopper *stop;
    const eis_fitted *f; /* the fit, judged */
} posterior_question;

/* TIDE_EDATA: it could not be sampled, and why. */
tide_status posterior_of_any(const posterior_question *q, posterior_draws *out, tide_failure *failure);
/* The lumped epithelium, by the sampler of `complete` (posterior_lumped.c). */
bool posterior_is_lumped(const equivalent *e);
tide_status posterior_of_lumped(const posterior_question *q, posterior_draws *out, tide_failure *failure);
/* Room for draws; the marginals of the problem's quantities and variables. False: out of memory. */
bool posterior_draws_new(const fit_problem *p, int64_t count, posterior_draws *out);
void posterior_draws_free(posterior_draws *d);

/* Into f->posterior; TIDE_EDATA where it cannot be had, with f as it was. */
tide_status fit_posterior(const posterior_question *q, eis_fitted *f, tide_failure *failure);

struct json_t *posterior_json(const eis_fit_posterior *p);
void posterior_text(const eis_fit_posterior *p, struct text *out);
/* The cells of a row of fit.csv, which ends with them: low, median, high, bound; empty where there is no such marginal,
 * or `p` is NULL. */
void posterior_cells(const eis_fit_posterior *p, const char *name, struct text *out);
/* The draws as CSV: weight, then the marginals. */
void posterior_table(const eis_fit_posterior *p, struct text *out);

#endif
