/* Whether what a model leaves of a spectrum is noise. */
#ifndef EIS_RESIDUALS_H
#define EIS_RESIDUALS_H

#include <tidemill/eis.h>

typedef struct residuals {
    int64_t pairs, changes;  /* neighbours in frequency, real and imaginary parts; how many of them differ in sign */
    double  size;            /* root mean square of a part over |Z| */
    double  scatter;         /* standard deviation of a part over |Z| by differences of neighbours: the noise beside the
                                rest */
    double  correlation;     /* how many residuals count as one, at least 1 */
    bool    systematic;      /* far fewer changes of sign than noise has, in residuals that are not just rounding */
} residuals;

/* `model` at the spectrum's points. False: out of memory. */
bool residuals_of(const eis_spectrum *s, const eis_z *model, residuals *out);

#endif
