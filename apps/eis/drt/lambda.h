/* How much smoothness is asked for. */
#ifndef EIS_DRT_LAMBDA_H
#define EIS_DRT_LAMBDA_H

#include "inverse.h"

typedef struct lambda_wish {
    eis_lambda_by by;
    double given;
} lambda_wish;

/* "gcv", "l-curve" or a number from 1e-8 to 1e6. */
tide_status lambda_parse(const char *word, lambda_wish *out, tide_failure *failure);
/* What was wished for, as one of a row of lambdas where it was not given, with what it leaves without non-negativity.
 *   gcv      least square / (1 - trace / rows)^2 * (xi + (1 - xi) trace_square / rows): generalised cross-validation
 *            that is robust against too little smoothness (Lukas 2006), with xi 0.2 up to 100 rows, else 0.3
 *   l-curve  the sharpest bend of ln square against ln roughness (Hansen 1992) */
trial lambda_choose(const inverse *v, lambda_wish wish, double *scratch);

#endif
