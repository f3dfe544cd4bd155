/* How noisy a spectrum is, told without any circuit. */
#ifndef EIS_CHECK_NOISE_H
#define EIS_CHECK_NOISE_H

#include "expansion.h"

typedef struct noise_estimate {
    eis_noise_source source;
    double  noise;     /* standard deviation of each part over |Z|, root mean square over the points */
    double  robust;    /* the same by the median, which outliers do not move; `noise` where there is no such */
    double  dof;       /* degrees of freedom that it stands on; infinite: stated */
    int64_t outliers;  /* points that are more than 5 times the noise off (of Kramers-Kronig) */
    int     drift;     /* replicates: numbers a sweep that smooth changes between sweeps took; 0: there were none */
} noise_estimate;

/* By Kramers-Kronig, of what expand_robust tells where it left no point out. */
noise_estimate noise_of_rest(const expansion *rest, double robust);
/* Of the spectrum's sigma, else by Kramers-Kronig. TIDE_ENOMEM. */
tide_status noise_of(const eis_spectrum *s, noise_estimate *out, tide_failure *failure);

/* Of `count` >= 2 sweeps in the same order of frequencies, within 1e-3 of each other. What changes smoothly from
 * sweep to sweep, as Kramers and Kronig allow, is taken off where it is significant. TIDE_EDATA: they are not on the
 * same frequencies; TIDE_ENOMEM. */
tide_status noise_of_replicates(const eis_spectrum *s, int64_t count, noise_estimate *out, tide_failure *failure);

#endif
