/* Student's distribution. */
#ifndef EIS_BATCH_STUDENT_H
#define EIS_BATCH_STUDENT_H

#include <stdint.h>

/* The 97.5 % quantile with `freedom` >= 1 degrees of freedom: 95 % of the mass lies between it and its negative. */
double student_quantile(int64_t freedom);

#endif
