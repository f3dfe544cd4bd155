/* A spectrum as a linear problem: Z = R_inf + j w L + 1 / (j w C) + sum of relaxations, every part of it weighted by
 * 1 / |Z| and counted in units of the largest |Z|. */
#ifndef EIS_DRT_INVERSE_H
#define EIS_DRT_INVERSE_H

#include <tidemill/eis.h>

#include "rbf.h"

/* Unknowns: the functions', then R_inf, L and, where it is there, 1 / C. */
typedef struct inverse {
    rbf     basis;
    bool    capacitance;
    int     unknowns;
    int64_t rows;          /* real parts, then imaginary parts */
    double  ohm;           /* the largest |Z| */
    double *a, *b;         /* row by row, columns of length 1; the weighted data */
    double *length;        /* which the columns had */
    double *gram, *right;  /* A'A, A'b */
    double *penalty;       /* in the same columns; 0 for R_inf, L, C */
    double *memory;
} inverse;

/* False: out of memory. */
bool inverse_new(inverse *v, const eis_spectrum *s, int penalty_order);
void inverse_free(inverse *v);

/* What a lambda gives without non-negativity. */
typedef struct trial {
    double lambda;
    double square;        /* sum of weighted residuals squared; NaN: not to be had in double precision */
    double roughness;     /* x'Mx */
    double trace;         /* of the matrix K that takes the data to the fit */
    double trace_square;  /* of K'K */
} trial;

/* `scratch` holds inverse_scratch doubles. */
size_t inverse_scratch(const inverse *v);
trial inverse_try(const inverse *v, double lambda, double *scratch);
/* The solution with all unknowns >= 0, in the columns' scale. False: out of memory. */
bool inverse_solve(const inverse *v, double lambda, double *scratch, double *x);
/* What x leaves of row i. */
double inverse_residual(const inverse *v, const double *x, int64_t i);

#endif
