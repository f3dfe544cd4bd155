/* The answer for one spectrum. */
#ifndef EIS_COMPLETION_H
#define EIS_COMPLETION_H

#include "residuals.h"
#include "summary.h"
#include "two_rc.h"

struct predictor;

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
    struct predictor *predictor;  /* network: a spectrum predictor (predictor/predictor.h) */
    const stopper *stop;          /* refined: asked while it is worked out; NULL */
    bool    rerank;               /* network: its candidates are weighed again by their likelihood */
} question;

/* What a network was not trained for, each a clause. */
enum { RANGE_REASONS = 8, RANGE_REASON = 128 };
typedef struct range_check { int count; char reason[RANGE_REASONS][RANGE_REASON]; } range_check;

typedef struct fibre_range { bool present; double low[EIS_COUNT], high[EIS_COUNT], g_low, g_high; } fibre_range;

typedef eis_verdict fit_verdict;

/* Two relaxations of any size and sign of offset: what the family can do without ranges or known membranes. */
typedef struct free_fit { bool is; double rs_ohm, ter_ohm; residuals left; } free_fit;

typedef struct completion {
    double  noise;           /* standard deviation of each part over |Z| */
    bool    noise_inferred;  /* it is the misfit of the free fit */
    double  rs_ohm;          /* of the best answer */
    bool    grid_adequate;
    double  grid_chi2;       /* reduced, of the best cell; NaN where no grid is asked */
    double  chi2;            /* reduced, of the best answer */
    bool    circuit_adequate; /* that is below its 99.9 % limit */
    double  noise_used;      /* of intervals: larger where more is left than noise, or what is left is not
                                independent */
    free_fit    free;
    residuals   left;        /* by the best answer */
    fit_verdict verdict;
    bool    ter_open;        /* TER has a lower limit only: the spectrum itself shows more than the circuit can
                                follow */
    double  lowest_hz, lag;  /* at the lowest frequency: -Im Z / |Z| */
    bool    rs_held;         /* the solution resistance was not given, and is held at an estimate */
    double  resnorm;         /* of the best answer */
    summary summary;
    fibre_range fibre;       /* shunt: what shares the best answer's spectrum, within the ranges */
    draw   *draws;
    int64_t draw_count;
    /* network */
    const char *recipe;      /* what the spectrum predictor was trained on; NULL: another method */
    range_check range;
    bool    reranked;        /* it was asked for, and the candidates were close enough together for it */
    double  effective_share; /* of the draws: 1 / (count sum of weight^2) */
} completion;

tide_status complete_one(const question *q, const eis_spectrum *s, completion *out, tide_failure *failure);
void completion_free(completion *c);
/* What follows from the draws; `aside` is the probability that none of them is near the answer. Draws may stand for
 * cells of the grid: their intervals go to the cells' edges. */
typedef enum draw_kind { DRAWS_ARE_POINTS, DRAWS_ARE_CELLS } draw_kind;
tide_status completion_finish(const question *q, const eis_spectrum *s, draw_kind kind, double aside, completion *out,
                              tide_failure *failure);
/* What Z = offset + sum r / (1 + s tau) leaves of the spectrum, into out->free. False: out of memory. */
bool completion_free_fit(const eis_spectrum *s, double offset_ohm, const double r_ohm[2], const double tau_s[2],
                         completion *out);
/* The noise that intervals are made with, where the best answer leaves `chi2` and `left`. */
double completion_widen(double noise, double chi2, double nu, const residuals *left);
/* The same by a trained spectrum predictor. (completion_network.c) */
tide_status complete_network(const question *q, const eis_spectrum *s, completion *out, tide_failure *failure);
/* Without a spectrum: the answer of a predictor from known values alone, or the prior (`model` NULL). Noise and chi2
 * are NaN. (completion_known.c) */
struct known_model;
tide_status complete_known(const question *q, struct known_model *model, completion *out, tide_failure *failure);
/* 99.9 % quantile of a reduced chi2 of nu degrees of freedom. */
double chi2_limit(double nu);
#define COMPLETION_LEAST_NOISE 1e-4  /* of an inferred one: better than any instrument, and no fit is exact */
#define COMPLETION_ELSEWHERE   0.012 /* probability of "none of these cells" where the grid is too coarse */

/* Whether the spectrum narrows a parameter: its 95 % interval is at most half as wide as the prior's, in decades. */
bool completion_identifies(const completion *c, int parameter);
/* "low", "high", "both" if the interval touches that end of the parameter's range; NULL. EIS_RS has an upper end only:
 * 0 is where resistances end, not this program. */
const char *completion_bound(const completion *c, int parameter);

#endif
