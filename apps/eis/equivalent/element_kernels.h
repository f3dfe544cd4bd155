/* The evaluators of the table of elements (element.c). */
#ifndef EIS_ELEMENT_KERNELS_H
#define EIS_ELEMENT_KERNELS_H

#include "element.h"

void element_r(const double *p, const frequencies *f, zblock z, zblock *d);
void element_c(const double *p, const frequencies *f, zblock z, zblock *d);
void element_l(const double *p, const frequencies *f, zblock z, zblock *d);
void element_cpe(const double *p, const frequencies *f, zblock z, zblock *d);
void element_la(const double *p, const frequencies *f, zblock z, zblock *d);
void element_w(const double *p, const frequencies *f, zblock z, zblock *d);
void element_g(const double *p, const frequencies *f, zblock z, zblock *d);
void element_k(const double *p, const frequencies *f, zblock z, zblock *d);
void element_zarc(const double *p, const frequencies *f, zblock z, zblock *d);
void element_hn(const double *p, const frequencies *f, zblock z, zblock *d);
/* element_diffusion.c */
void element_ws(const double *p, const frequencies *f, zblock z, zblock *d);
void element_wo(const double *p, const frequencies *f, zblock z, zblock *d);
void element_gs(const double *p, const frequencies *f, zblock z, zblock *d);
void element_tlmq(const double *p, const frequencies *f, zblock z, zblock *d);
void element_tlm(const double *p, const frequencies *f, zblock z, zblock *d);
void element_t(const double *p, const frequencies *f, zblock z, zblock *d);

#define HALF_PI 1.57079632679489661923132169163975

/* (s scale)^n = exp(n (ln w + ln scale)) (cos(n pi/2) + j sin(n pi/2)). */
static inline double complex power_of_s(double log_s, double n, double complex turn) { return exp(n * log_s) * turn; }
static inline double complex quarter_turns(double n) { return CMPLX(cos(n * HALF_PI), sin(n * HALF_PI)); }

#endif
