/* A circuit, a spectrum and weights as a problem of least squares: what is free, its coordinates, its residuals. */
#ifndef EIS_FIT_PROBLEM_H
#define EIS_FIT_PROBLEM_H

#include "eis/equivalent/equivalent.h"

typedef struct fit_data {
    int64_t n;
    double *omega, *log_omega;
    double *weight; /* roots of the weights: n of the real parts, then n of the imaginary ones */
    double complex *z;
    double size; /* sum of weight |part|^2: residuals are divided by its root per part, so that 1 is all */
} fit_data;

/* By the words of eis_fit_options.weights. TIDE_EINVAL where they need standard deviations that the spectrum lacks. */
tide_status fit_data_new(const eis_spectrum *s, int weights, fit_data *out, tide_failure *failure);
void fit_data_free(fit_data *d);

enum { VARIABLES_MOST = 240, PRIOR_TERMS = 4 };

/* What is known beside the data: q = factor exp(sum of power x), or its logarithm, is `value`, with a normal error of
 * `deviation`. It counts as one residual more. */
typedef struct fit_prior {
    int terms, variable[PRIOR_TERMS];
    double power[PRIOR_TERMS], factor, value, deviation;
    bool logarithm;
} fit_prior;
enum { FIT_PRIORS_MOST = 32 };

/* Free parameters by variable; tied ones go along. The coordinate of a variable is ln |p|. Of several spectra of one
 * circuit some parameters are the same for all: one variable. */
typedef struct fit_problem {
    const equivalent *e;
    const fit_data *data; /* of each spectrum */
    int spectra;
    int64_t rows; /* residuals: those of the data, then the priors' */
    double size; /* of all data */
    fit_prior prior[FIT_PRIORS_MOST];
    int priors;
    double variance; /* of a weighted residual, by which a prior's residual is one of these */
    int variables;
    int of[VARIABLES_MOST]; /* the parameter that a variable is, of the first spectrum that has it */
    int spectrum[VARIABLES_MOST]; /* that spectrum */
    int *variable; /* and back, at spectrum * PARAMETERS_MOST + parameter; -1: fixed */
    double low[VARIABLES_MOST], high[VARIABLES_MOST]; /* of coordinates; may be infinite */
    bool held[VARIABLES_MOST]; /* variables that stay where they are */
    double complex *model, *derivative; /* room for one spectrum: n, n * parameters */
    double *scratch;
} fit_problem;

/* False: out of memory. */
bool fit_problem_new(const equivalent *e, const fit_data *data, fit_problem *out);
/* The same of several spectra, of which the `shared` parameters are one variable each. fit_joined_variables tells how
 * many variables there will be: at most VARIABLES_MOST. */
bool fit_problem_join(const equivalent *e, const fit_data *data, int spectra, const bool *shared, fit_problem *out);
int64_t fit_joined_variables(const equivalent *e, int64_t spectra, const bool *shared);
void fit_problem_free(fit_problem *p);

/* All parameters' values at coordinates x, of the first spectrum. */
void fit_values(const fit_problem *p, const double *x, double *values);
void fit_values_of(const fit_problem *p, int spectrum, const double *x, double *values);
/* A value as a coordinate of variable v, within its bounds. */
double fit_coordinate(const fit_problem *p, int v, double value);
/* By how many standard deviations a prior is off at x, and, if `slope` is not NULL, its derivatives by its variables.
 */
double fit_pull(const fit_prior *q, const double *x, double *slope);
/* The sum of squares at x, in the weights' unit, priors included. */
double fit_sum(const fit_problem *p, const double *x);
/* Derivatives of the residuals by the variables that are not held, column by column, at x. Returns how many. */
int fit_jacobian(const fit_problem *p, const double *x, double *jacobian);
/* Moves x to a minimum; the sum there, infinite where the model is no number. */
tide_status fit_descend(fit_problem *p, double *x, double *sum, tide_failure *failure);
/* Moves x near a minimum, for a part of the work. */
tide_status fit_approach(fit_problem *p, double *x, double *sum, tide_failure *failure);
/* The largest cosine between the residuals and a column of the jacobian: 0 at a minimum. */
double fit_slope(const fit_problem *p, const double *x, double *jacobian);

#endif
