/* The answer for one spectrum. */
#ifndef EIS_COMPLETION_H
#define EIS_COMPLETION_H

#include "summary.h"
#include "two_rc.h"

typedef struct question {
    eis_circuit circuit;
    eis_method  method;
    eis_known   known;
    double  rs_ohm;          /* NaN: free */
    double  noise;           /* NaN: from the data */
    bool    canonical;       /* a is the slower membrane */
    int64_t top_k;
    eis_resnorm_kind resnorm;
    int64_t seed;
} question;

typedef struct fibre_range { bool present; double low[EIS_COUNT], high[EIS_COUNT], g_low, g_high; } fibre_range;

typedef struct completion {
    double  noise;           /* standard deviation of each part over |Z| */
    bool    noise_inferred;
    double  rs_ohm;          /* of the best answer */
    bool    grid_adequate;
    double  grid_chi2;       /* reduced, of the best cell */
    double  chi2;            /* reduced, of the best answer */
    bool    circuit_adequate; /* that is below its 99.9 % limit */
    double  noise_used;      /* exact: inflated where no cell fits */
    double  resnorm;         /* of the best answer */
    summary summary;
    fibre_range fibre;       /* shunt: what shares the best answer's spectrum, within the ranges */
    draw   *draws;
    int64_t draw_count;
} completion;

tide_status complete_one(const question *q, const eis_spectrum *s, completion *out, tide_failure *failure);
void completion_free(completion *c);

/* Whether the spectrum narrows a parameter: its 95 % interval is at most half as wide as the prior's, in decades. */
bool completion_identifies(const completion *c, int parameter);
/* "low", "high", "both" if the interval touches that end of the parameter's range; NULL. */
const char *completion_bound(const completion *c, int parameter);

#endif
