/* Residuals of Student's distribution, which outliers do not pull: of fits and of posteriors alike. */
#ifndef EIS_STUDENT_H
#define EIS_STUDENT_H

#include <stdbool.h>
#include <stdint.h>

struct text; /* base/base.h */

enum { STUDENT_FREEDOM = 4 };
#define STUDENT_HARDLY 0.2 /* a point that counts less is an outlier: 4.6 scales */
/* The scale for normal residuals of deviation 1: the slope of ln of the density by r has the variance that its own
 * slope has as mean, so intervals hold what they say (at 1.05 times the width of those by the normal density). */
#define STUDENT_SCALE 0.8974

/* How much a residual counts beside a normal one; `square`: of the residual over the scale. */
static inline double student_counts(double square) { return (STUDENT_FREEDOM + 1) / (STUDENT_FREEDOM + square); }

/* "outliers, 2 of 61 points, which hardly count: 5, 17"; false: there are none. `share`: of each point, 0..1. */
bool student_outliers(const double *share, int64_t points, struct text *out);

#endif
