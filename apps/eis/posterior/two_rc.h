/* What any circuit of this family looks like from outside: an offset and two relaxations. */
#ifndef EIS_TWO_RC_H
#define EIS_TWO_RC_H

#include <tidemill/eis.h>

typedef struct two_rc {
    double offset_ohm, r_ohm[2], tau_s[2];  /* Z = offset + sum r / (1 + s tau), the slower first */
    double misfit;                          /* sum |data - Z|^2 / |data|^2 */
    int    unknowns;                        /* 4, or 5 with a free offset */
} two_rc;

/* The best fit. The offset is `offset_ohm`, or free if that is NaN. */
tide_status two_rc_fit(const eis_spectrum *s, double offset_ohm, two_rc *out, tide_failure *failure);
/* The noise that leaves this misfit: standard deviation of each part over |Z|. */
double two_rc_noise(const two_rc *fit, int64_t points);

#endif
