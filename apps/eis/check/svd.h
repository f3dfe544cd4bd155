/* Linear least squares by the singular value decomposition. */
#ifndef EIS_SVD_H
#define EIS_SVD_H

#include <stdbool.h>
#include <stdint.h>

enum { SVD_SIDES = 2 };

/* Of A (rows x columns, rows >= columns) beside right sides b. Singular values fall; those far below the largest keep
 * their relative accuracy where scaling of columns alone made them small. */
typedef struct svd {
    int     columns;
    double *value;
    double *right;                       /* row i: the right singular vector of value i */
    double *along[SVD_SIDES];            /* the left one times b */
    double  rest[SVD_SIDES][SVD_SIDES];  /* products of what no combination of columns reaches of the sides */
} svd;

/* `a` and `b` column by column, 1 or 2 sides; they are used up. False: out of memory. */
bool svd_new(svd *d, int64_t rows, int columns, double *a, int sides, double *b);
void svd_free(svd *d);
/* How many singular values are above `cut` times the largest. */
int svd_rank(const svd *d, double cut);
/* For the first side: the x of least |x| among those that use the first `rank` directions. */
void svd_solve(const svd *d, int rank, double *x);

#endif
