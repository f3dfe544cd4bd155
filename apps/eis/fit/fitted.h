/* A fit as it is told. */
#ifndef EIS_FIT_FITTED_H
#define EIS_FIT_FITTED_H

#include <setjmp.h>

#include "base/base.h"
#include "blank.h"
#include "eis/plots/spectrum_plots.h"
#include "prior.h"
#include "profile.h"
#include "robust.h"
#include "search.h"
#include "uncertainty.h"

struct eis_fitted_parts {
    tide_allocator system;
    arena memory; /* of all that is told */
    jmp_buf out_of_memory;
};

/* The circuit of the options, with what of the blank it has not, and starts, bounds, ties and fixed values. */
tide_status fit_circuit(const eis_fit_options *o, const blank *b, equivalent *out, tide_failure *failure);

/* What counts beside the data and the options. */
typedef struct fit_beside {
    double noise; /* of each part over |Z|, known without the circuit, where there is no sigma: by it priors count */
    const blank *blank; /* NULL, or count 0: there is none */
    const fit_guessed *guessed; /* more starts, where they are of the circuit; NULL: none */
} fit_beside;
tide_status fit_one(const equivalent *e, const eis_fit_options *o, const eis_spectrum *s, const fit_beside *beside,
                    eis_listener listener, void *user, eis_fitted *out, tide_failure *failure);

/* Of a measured spectrum: what is wrong with it is found first, told in `warning`, and what is no noise left out;
 * TIDE_EDATA where no fit should be believed. Without a circuit, by `auto`. */
tide_status fit_measured(const equivalent *e, const eis_fit_options *o, const blank *b, const eis_spectrum *s,
                         const fit_guessed *guessed, eis_listener listener, void *user, eis_fitted *out,
                         tide_failure *failure);

/* The same of several, in which the parameters that the options name in `same` are one. */
tide_status fit_measured_joint(const equivalent *e, const eis_fit_options *o, const blank *b, int64_t count,
                               const eis_spectrum *s, eis_listener listener, void *user, eis_fitted *out,
                               tide_failure *failure);

typedef struct listening {
    eis_listener listener;
    void *user;
} listening;
bool fit_stopped(void *listening_of); /* a fit_stop */
/* As fit_one, of several spectra; `noise` of each. */
tide_status fit_joint(const equivalent *e, const eis_fit_options *o, const blank *b, int count, const eis_spectrum *s,
                      const double *noise, listening *l, eis_fitted *out, tide_failure *failure);
/* The mean square of a weighted residual, if the noise is all that is left. */
double fit_noise_variance(const fit_data *d, const eis_spectrum *s, double noise);
tide_status fit_enough_points(const equivalent *e, const eis_spectrum *s, tide_failure *failure);

/* The circuit of the options, or `auto`, for each spectrum anew. */
bool fit_is_auto(const eis_fit_options *o);
tide_status fit_auto(const eis_fit_options *o, const eis_spectrum *s, const fit_beside *beside, eis_listener listener,
                     void *user, eis_fitted *out, tide_failure *failure);
tide_status fitted_keep_candidates(eis_fitted *f, const eis_fit_candidate *tried, int count, tide_failure *failure);

/* By what a value is, resistances and the like times the area, capacitances and the like over it. */
eis_per_area fit_per_area(slot_role role, double area_cm2, double value, double error);

/* What follows from the parameters of an epithelium, whatever its fibre leaves open (quantities.c). */
struct telling;
void fit_quantities(struct telling *t);
/* Whether there are any of this circuit. */
bool fit_has_quantities(const equivalent *e);
/* Along the fibre of the lumped epithelium all five parameters move, some of them not at once: where one is open, and
 * nothing pins it, all are. */
void fit_open_fibre(const fit_problem *p, fit_uncertainty *u);

/* Their values at x, in that order; returns how many there are. */
enum { FIT_QUANTITIES = 4 };
int fit_quantity_values(const fit_problem *p, const double *x, double out[FIT_QUANTITIES]);

const char *fit_weights_name(eis_weights weights);
/* "infinity" or "0", where a value of any unit has run out of all that is measured; NULL: it has not. */
const char *fit_out_of_sight(double value);
/* Nyquist, Bode and residual plots of the fit and the spectrum that it is of; of several, an array of them, those of
 * each with its number. */
tide_status fitted_plots(const eis_fitted *f, const eis_spectrum *s, const plot_place *to, tide_failure *failure);

const char *fit_verdict_name(eis_verdict verdict);
const char *fit_state_name(eis_fit_state state); /* "free", "at_low" */
struct json_t *fitted_json(const eis_fitted *f); /* NULL when out of memory */
struct text;
void fitted_text(const eis_fitted *f, struct text *out);
void fitted_cell(struct text *out, double v); /* a number and a comma; nothing if it is none */
void fitted_row_header(struct text *out);
void fitted_rows(const eis_fitted *f, struct text *out); /* a line a parameter, as CSV */

#endif
