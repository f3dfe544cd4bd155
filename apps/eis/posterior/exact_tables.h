/* What does not depend on the spectrum: a row for each pair of membranes of the grid, in canonical labels. */
#ifndef EIS_EXACT_TABLES_H
#define EIS_EXACT_TABLES_H

#include "exact_batch.h"

typedef struct exact_pair { uint8_t ra, ca, rb, cb; bool twice; } exact_pair;  /* places on the axes; twice: the swapped
                                                                              copy is another circuit */
typedef struct exact_tables {
    int64_t    points;
    exact_pair pair[EXACT_PAIRS];
    double     over_rsh[CELL_POINTS];
    double    *both;   /* (3 points, EXACT_PAIRS): what |z|^2, re z and im z are multiplied by for A */
    double    *slope;  /* (points, EXACT_PAIRS): |z|^2 for B */
    double    *bias;   /* (CELL_POINTS, EXACT_PAIRS): ln of the prior, less sum ln |Z|^2 */
    float     *member; /* (EXACT_PAIRS, 4 CELL_POINTS): 1 where the pair has this value of Ra, Rb, Ca, Cb */
} exact_tables;

/* NULL: out of memory. */
exact_tables *exact_tables_new(int64_t points, const double *freq_hz);
void          exact_tables_free(exact_tables *t);
int64_t       exact_tables_bytes(const exact_tables *t);  /* of its tables of numbers */

#endif
