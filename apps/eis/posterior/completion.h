/* The answer for one spectrum. */
#ifndef EIS_COMPLETION_H
#define EIS_COMPLETION_H

#include "eis/check/noise.h"
#include "eis/circuit/parameters.h"
#include "residuals.h"
#include "shape_sampler.h"
#include "summary.h"
#include "told.h"
#include "two_rc.h"

struct predictor;
struct cells_device;

typedef struct question {
    eis_circuit circuit;
    eis_method  method;
    eis_known   known;
    double  rs_ohm;          /* NaN: free */
    priors  told;            /* refined: known beside the spectrum, with errors */
    ranges  range;           /* refined: in which all is sought; others: the grid's */
    double  noise;           /* NaN: from the data */
    bool    canonical;       /* a is the slower membrane */
    int64_t top_k;
    eis_resnorm_kind resnorm;
    int64_t seed;
    struct predictor *predictor;  /* network: a spectrum predictor (predictor/predictor.h) */
    const stopper *stop;          /* refined: asked while it is worked out; NULL */
    struct cells_device *cells;   /* exact: where cells are computed (cells_device.h); NULL: here */
    bool    rerank;               /* network: its candidates are weighed again by their likelihood */
    bool    robust;               /* refined: Student's likelihood (student.h) */
    const noise_estimate *seen;   /* what the spectrum's noise is, if that has been told on the way; NULL */
    const eis_spectrum *all;      /* robust: with the points that hardly count; NULL: not yet told apart */
} question;

/* What a network was not trained for, each a clause. */
enum { RANGE_REASONS = 8, RANGE_REASON = 128 };
typedef struct range_check { int count; char reason[RANGE_REASONS][RANGE_REASON]; } range_check;

typedef struct fibre_range { bool present; double low[EIS_COUNT], high[EIS_COUNT], g_low, g_high; } fibre_range;

enum { TWINS = 4 };
typedef struct twin_circuits { int count; double p[TWINS][EIS_COUNT]; } twin_circuits;

typedef eis_verdict fit_verdict;

/* Two relaxations of any size and sign of offset: what the family can do without ranges or known membranes. */
typedef struct free_fit { bool is; double rs_ohm, ter_ohm; residuals left; } free_fit;

typedef struct completion {
    double  noise;           /* standard deviation of each part over |Z|: given, or told without any circuit */
    eis_noise_source noise_source;
    double  noise_dof;       /* degrees of freedom that it stands on; infinite: given or stated */
    double *share;           /* robust: how much each point counts, 0..1; NULL */
    int64_t points;          /* of them */
    char *flaws; /* what is wrong with the data, a sentence a line (check/faults.h); NULL: nothing */
    int64_t joined_from;     /* points of the spectrum where they were joined to fewer; 0 */
    double  rs_ohm;          /* of the best answer */
    bool    grid_adequate;
    double  grid_chi2;       /* reduced, of the best cell; NaN where no grid is asked */
    double  chi2;            /* reduced, of the best answer */
    bool    circuit_adequate; /* that is below its 99.9 % limit */
    bool    overstated;      /* and below its 0.1 % limit: the noise is smaller than the one given */
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
    fibre_range fibre;       /* shunt, nothing known: what shares the best answer's spectrum, within the ranges */
    twin_circuits twins;     /* one known: the circuits that share the best answer's spectrum and that value */
    draw   *draws;
    int64_t draw_count;
    double  effective;       /* how many independent draws they are worth; NaN: not sampled */
    double  disagreement;    /* of two independent halves: by how much ends and middles of the intervals of TER, TEC, n1
                                and d1 differ at most, over the interval's width, in logarithms; NaN: not sampled */
    one_relaxation one;      /* the circuit with a single relaxation, beside this one */
    /* network */
    const char *recipe;      /* what the spectrum predictor was trained on; NULL: another method */
    range_check range;
    bool    reranked;        /* it was asked for, and the candidates were close enough together for it */
    double  effective_share; /* of the draws: 1 / (count sum of weight^2) */
} completion;

tide_status complete_one(const question *q, const eis_spectrum *s, completion *out, tide_failure *failure);
/* Of what an instrument measured: what is wrong with it is found first (check/faults.h), told in `flaws`, and what is
 * no noise left out; TIDE_EDATA where no answer should be believed. */
tide_status complete_measured(const question *q, const eis_spectrum *s, completion *out, tide_failure *failure);
void completion_free(completion *c);
/* What follows from the draws; `aside` is the probability that none of them is near the answer. Draws may stand for
 * cells of the grid: their intervals go to the cells' edges. */
typedef enum draw_kind { DRAWS_ARE_POINTS, DRAWS_ARE_CELLS } draw_kind;
tide_status completion_finish(const question *q, const eis_spectrum *s, draw_kind kind, double aside, completion *out,
                              tide_failure *failure);
/* What Z = offset + sum r / (1 + s tau) leaves of the spectrum, into out->free. False: out of memory. */
bool completion_free_fit(const eis_spectrum *s, double offset_ohm, const double r_ohm[2], const double tau_s[2],
                         completion *out);
/* Sets noise, its source and degrees of freedom: what was given, else told without any circuit. TIDE_EDATA: more than
 * 30 %. */
tide_status completion_noise(const question *q, const eis_spectrum *s, completion *out, tide_failure *failure);
/* Parameters that the answer has, each counted if the spectrum can tell it. */
int completion_unknowns(const question *q);

/* ---- verdict.c ---- */

/* chi2_fits (chi2.h) by the answer's noise. */
bool completion_chi2_fits(const completion *c, double chi2, double nu);
/* The noise that intervals are made with, where the best answer leaves `chi2` of `nu` degrees of freedom and `left`. */
double completion_widen(const completion *c, double chi2, double nu, const residuals *left);
/* Whether such a circuit can have made the spectrum. TIDE_EDATA where none comes near. */
tide_status completion_judge(const question *q, const eis_spectrum *s, completion *out, tide_failure *failure);
tide_status completion_no_answer(const question *q, const eis_spectrum *s, tide_failure *failure);

/* ---- completions of other kinds ---- */

/* The same by a trained spectrum predictor. (completion_network.c) */
tide_status complete_network(const question *q, const eis_spectrum *s, completion *out, tide_failure *failure);
/* Without a spectrum: the answer of a predictor from known values alone, or the prior (`model` NULL). Noise and chi2
 * are NaN. (completion_known.c) */
struct known_model;
tide_status complete_known(const question *q, struct known_model *model, completion *out, tide_failure *failure);
#define COMPLETION_LEAST_NOISE 1e-4  /* of an inferred one: better than any instrument, and no fit is exact */
#define COMPLETION_ELSEWHERE   0.012 /* probability of "none of these cells" where the grid is too coarse */

/* Whether the spectrum determines a parameter: its 95 % interval spans at most a factor of 4, and ends within its
 * range. */
bool completion_identifies(const question *q, const completion *c, int parameter);
/* "low", "high", "both" if the interval touches that end of the parameter's range; NULL. 0 is no end of EIS_RS' range:
 * it is where resistances end. */
const char *completion_bound(const question *q, const completion *c, int parameter);

#endif
