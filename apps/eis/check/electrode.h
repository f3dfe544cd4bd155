/* What a bath without cells looks like: a resistance, and perhaps an electrode and the leads' inductance. */
#ifndef EIS_ELECTRODE_H
#define EIS_ELECTRODE_H

#include <tidemill/eis.h>

typedef struct electrode {
    double rs_ohm, l_henry;
    double q, n;       /* Z = 1 / (q s^n); q 0: there is none */
    double square;     /* sum |data - Z|^2 / |data|^2 */
    int    parameters;
} electrode;

/* The best fit to the points that are not left out (NULL: to all), with an electrode or without. False: out of
 * memory. */
bool electrode_fit(const eis_spectrum *s, const bool *left_out, bool with, electrode *out);

#endif
