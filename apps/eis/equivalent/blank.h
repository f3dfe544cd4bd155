/* What a spectrum without cells was found to be: a resistance, the leads' inductance and an electrode, in series. */
#ifndef EIS_BLANK_H
#define EIS_BLANK_H

#include "equivalent.h"

enum { BLANK_MOST = 4 }; /* R, L, and Q and n of the electrode */

typedef struct blank {
    equivalent circuit;                           /* its first parameter is the resistance */
    int    count;                                 /* parameters; 0: there is no blank */
    double value[BLANK_MOST];
    double covariance[BLANK_MOST * BLANK_MOST];   /* of their logarithms, count * count */
    char   note[1000];                            /* what was found, and what of the file was left out */
} blank;

#endif
