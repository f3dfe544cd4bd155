/* The exact posteriors of many spectra on the same frequencies at once, as a program of the engine: on any device that
 * computes in double precision. For circuits of the grid without a solution resistance, about which nothing is known;
 * what is known picks cells of the answer.
 *
 * With Y = 1/Z = 1/Rsh + 1/Zm the misfit sum |z/Z - 1|^2 of a cell is A + 2 B / Rsh + C / Rsh^2, where A and B are sums
 * over the frequencies that two matrix products give for every pair of membranes:
 *     A = sum |z|^2 w - 2 (re z re Zm + im z im Zm) w + 1,  B = sum |z|^2 w re Zm - re z,  C = sum |z|^2,  w = 1/|Zm|^2
 * so of 12^5 cells only the 10,440 pairs are multiplied. Where a cell explains the spectrum, terms of the size of 1
 * leave squares of the noise, 1e-6 and less: in single precision the rounding of so many terms (1e-6) would be as
 * large, in double (1e-14) the log-likelihood is off by 1e-8. So all is double up to the difference from the best cell,
 * and single from there on, which is exact to 1e-7 of the difference itself. */
#ifndef EIS_EXACT_BATCH_H
#define EIS_EXACT_BATCH_H

#include "exact.h"

/* Unordered pairs of the 144 membranes; a cell is a value of Rsh and a pair. */
enum { EXACT_MEMBRANES = CELL_POINTS * CELL_POINTS, EXACT_PAIRS = EXACT_MEMBRANES * (EXACT_MEMBRANES + 1) / 2,
       EXACT_CELLS = CELL_POINTS * EXACT_PAIRS };

typedef struct exact_batch exact_batch;

typedef struct exact_batch_settings {
    const char *device;         /* NULL: "cpu" */
    int         threads;        /* 0: all */
    int64_t     memory_limit;   /* bytes; 0: what the device has */
    int64_t     spectra;        /* at a time, at most: fewer where the memory is too small for so many */
    bool        scores;         /* every cell's score; else the marginals */
} exact_batch_settings;

/* What a run gives, row by row, until the next run. */
typedef struct exact_answers {
    const float *marginal;      /* (count, EIS_COUNT, CELL_POINTS), in canonical labels; NULL: scores were asked for */
    const float *peak;          /* (count), of the most probable cell; NULL likewise */
    const float *score;         /* (count, CELL_POINTS, EXACT_PAIRS), ln of the probability over that of the most
                                   probable cell; NULL: marginals were asked for */
    const int32_t *best;        /* (count), the most probable cell: Rsh's place times EXACT_PAIRS, plus the pair */
} exact_answers;

/* TIDE_ENOMEM where not even one spectrum has room. */
tide_status exact_batch_open(const exact_batch_settings *s, int64_t points, const double *freq_hz, exact_batch **out,
                             tide_failure *failure);
void        exact_batch_free(exact_batch *b);

int64_t     exact_batch_spectra(const exact_batch *b);  /* at a time */
int64_t     exact_batch_bytes(const exact_batch *b);    /* that it holds */
const char *exact_batch_note(const exact_batch *b);     /* why it runs on another device; "" */

/* Of `count` spectra, 1 to exact_batch_spectra, `z` with `points` each; noise: as in cells_weigh, positive. */
tide_status exact_batch_run(exact_batch *b, int64_t count, const eis_z *z, const double *noise, exact_answers *out,
                            tide_failure *failure);
/* The program, and what it was fed last: for who wants to time it. */
enum { EXACT_FEEDS = 3 };
tide_program *exact_batch_program(const exact_batch *b, tide_feed feeds[EXACT_FEEDS]);

/* The places of a cell's values on the axes, in canonical labels. */
void exact_batch_index(const exact_batch *b, int64_t cell, int index[EIS_COUNT]);

/* exact_posterior_new from the scores (CELL_POINTS, EXACT_PAIRS) of the sample's spectrum. False: out of memory. */
bool exact_posterior_of(const exact_batch *b, const float *score, const sample *s, unsigned missing,
                        exact_posterior *out);

#endif
