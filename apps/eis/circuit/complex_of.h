/* C11's CMPLX, which glibc's <complex.h> shows to gcc only. */
#ifndef EIS_COMPLEX_OF_H
#define EIS_COMPLEX_OF_H

#include <complex.h>

#ifndef CMPLX
#define CMPLX(re, im) __builtin_complex((double)(re), (double)(im))
#endif

#endif
