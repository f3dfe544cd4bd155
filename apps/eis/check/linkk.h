/* The linear Kramers-Kronig test: whether a spectrum is one that something linear, causal and steady can have. */
#ifndef EIS_LINKK_H
#define EIS_LINKK_H

#include "expansion.h"

typedef enum linkk_test { LINKK_COMPLEX, LINKK_REAL, LINKK_IMAG } linkk_test;

typedef struct linkk_question {
    linkk_test test;
    int    terms;        /* M */
    double extension;    /* of the time constants; 1: from 1 / w_max to 1 / w_min */
    bool   capacitance;  /* a series capacitance too; an inductance always */
    bool   admittance;   /* 1 / Z is expanded, with the parallel elements */
} linkk_question;

typedef struct linkk_fit {
    double mu;      /* 1 - sum of -R_k over negative ones / sum of R_k over the others */
    double square;  /* S = sum |residual|^2 */
    int    rank;    /* parameters that the data see */
    double r0_ohm, l_henry, per_farad;  /* of an impedance; NaN of an admittance */
} linkk_fit;

/* One M. `residual`: (Z - fit) / |Z|, a number a point. False: out of memory. */
bool linkk_fit_terms(const eis_spectrum *s, const linkk_question *q, linkk_fit *out, eis_z *residual);

enum { LINKK_LEAST = 2, LINKK_MOST = 50 };

/* The complex test at every M from 2 to min(points, 50), and the least of them that leaves what the plateau leaves. */
typedef struct linkk {
    linkk_question of;       /* the one that was chosen */
    linkk_fit      fit;
    bool           reached;  /* it is at the plateau; else the best there is */
    double         square[LINKK_MOST + 1];  /* S by M; NaN: not tried */
    eis_z         *residual;                /* by the chosen one */
    expansion      plateau;                 /* with the noise */
} linkk;

/* False: out of memory. linkk_free. */
bool linkk_scan(const eis_spectrum *s, linkk *out);
void linkk_free(linkk *k);

#endif
