/* The minima of a fit, from many starts. */
#ifndef EIS_FIT_SEARCH_H
#define EIS_FIT_SEARCH_H

#include "guess.h"
#include "start.h"

enum { MINIMA_MOST = 4 };

typedef struct fit_minimum {
    double x[VARIABLES_MOST], sum;
    double low[VARIABLES_MOST], high[VARIABLES_MOST]; /* of coordinates at which starts ended with the very same sum */
    bool at_bound[VARIABLES_MOST]; /* by variable */
    int starts; /* how many led there */
} fit_minimum;

/* Distinct ones, the best first. The slower of arcs that are alike stands first. */
typedef struct fit_minima {
    fit_minimum of[MINIMA_MOST];
    int count, starts;
} fit_minima;

/* Starts that somebody else has for a spectrum, beside those that follow from it. */
typedef struct fit_guesses {
    fit_start start[GUESSES_MOST];
    int count;
} fit_guesses;

/* Those of them (may be NULL) that are of the problem's circuit. */
void fit_guesses_of(const fit_problem *p, const fit_guessed *g, fit_guesses *out);

/* `stop` (may be NULL) is asked between starts. `guesses` (may be NULL) are followed as well, and what lies beside the
 * best of them: they add to what is found, and change nothing else. */
typedef bool (*fit_stop)(void *user);
/* From these starts, and, where the landscape is not NULL, from elements moved in the best minimum. */
tide_status fit_search_from(fit_problem *p, const landscape *land, const fit_start *start, int count, fit_stop stop,
                            void *user, fit_minima *out, tide_failure *failure);
/* From starts that follow from the one spectrum, and the guesses. */
tide_status fit_search(fit_problem *p, const fit_guesses *guesses, fit_stop stop, void *user, fit_minima *out,
                       tide_failure *failure);
/* From the guesses alone. */
tide_status fit_search_guesses(fit_problem *p, const fit_guesses *guesses, fit_stop stop, void *user, fit_minima *out,
                               tide_failure *failure);

/* The minimum below one start. */
tide_status fit_minimise(fit_problem *p, const double *from, fit_minimum *out, tide_failure *failure);

/* Exchanges the values of alike parts of the circuit until the slower stands first (order.c). */
void fit_order(const fit_problem *p, double *x);
/* Exchanges the first two arcs that are alike. False: there are none. */
bool fit_exchange(const fit_problem *p, double *x);

#endif
