/* Every combination of grid values, and how well each explains a spectrum.
 *
 * Both membranes are tables over their (R, C) pairs; a cell is one a, one Rsh and one b. Where nothing is known of the
 * membranes the tables are the same, and a cell stands for itself and its swapped copy. */
#ifndef EIS_CELLS_H
#define EIS_CELLS_H

#include <tidemill/eis.h>

enum {
    CELL_POINTS = 12,  /* grid values of a missing parameter */
    CELL_LANES  = 8   /* b membranes that the kernels take together */
};

typedef struct cell_problem {
    eis_circuit circuit;
    eis_known   known;
    bool        canonical;         /* a is the slower membrane */
    double      rs_ohm;
    int64_t     count;             /* points of the spectrum */
    const double *freq_hz;
    const eis_z  *z;
} cell_problem;

typedef struct cells {
    int64_t points[EIS_COUNT];     /* 1 where the value is known */
    double  value[EIS_COUNT][CELL_POINTS];
    double  rs_ohm;
    bool    symmetric;             /* only b >= a is filled; a cell counts for two off the diagonal */
    int64_t na, nr, nb;            /* membranes a, shunts, membranes b */
    int64_t count, block_count;    /* cell = (block * nr + r) * CELL_LANES + lane */
    struct cell_block { int32_t a, first_b; } *block;
    float  *misfit;                /* sum |z - Z|^2 / |Z|^2 */
    float  *log_ratio;             /* sum ln (|z|^2 / |Z|^2): with the misfit, the likelihood up to a constant */
    float  *weight;                /* prior: 0, 1 or 2 */
    float  *probability;           /* after cells_weigh */
    int64_t best;                  /* least misfit among the cells with a weight */
} cells;

/* Misfits of every cell, in double precision, kept in single. False: out of memory. */
bool cells_new(const cell_problem *problem, cells *out);
/* The same without most cells that weigh nothing (in cells_weigh) under any noise up to the larger of `noise` and
 * sqrt(widened * least misfit / (2 points)); all others, and the best, have their bits and their order. */
bool cells_likely_new(const cell_problem *problem, double noise, double widened, cells *out);
void cells_free(cells *c);
/* Probabilities under noise of standard deviation `noise` |Z| in each part; they sum to 1. */
void cells_weigh(cells *c, double noise);
/* The cell's circuit, canonical where a cell stands for two. */
void cells_parameters(const cells *c, int64_t cell, double p[EIS_COUNT]);
/* The same as places on the axes: value[k][index[k]] in a circuit that need not be canonical. */
void cells_index(const cells *c, int64_t cell, int index[EIS_COUNT]);

/* ---- kernels (cells_kernel.c) ---- */

/* Impedances [frequency][pair of R and C], `width` a row: `count` rounded up to CELL_LANES. */
typedef struct membrane_table { int64_t count, width; double *re, *im; } membrane_table;

typedef struct cell_job {
    const membrane_table *a, *b;
    const double *rsh;
    int64_t nr, points;
    const eis_z *z;
    eis_circuit circuit;
    double rs_ohm;
} cell_job;

/* One a against CELL_LANES b from `first` on: misfit and log_ratio, each [nr][CELL_LANES]. */
void cell_block_shunt(const cell_job *job, int64_t a, int64_t first, float *misfit, float *log_ratio);
/* The same for any circuit and solution resistance; slower. */
void cell_block_any(const cell_job *job, int64_t a, int64_t first, float *misfit, float *log_ratio);
/* The misfit alone, of at most CELL_PART points, in single precision: its root is off by at most a hundred thousandth
 * of itself and 4e-6, for impedances of 1e-6 to 1e12 ohm. */
enum { CELL_PART = 16 };
void cell_block_part(const cell_job *job, const int64_t *point, int64_t points, int64_t a, int64_t first,
                     float *misfit);

#endif
