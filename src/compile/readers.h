/* Who reads a node: what the passes over products ask of the nodes that follow one. */
#ifndef TIDE_READERS_H
#define TIDE_READERS_H

#include "pass.h"

typedef struct readers {
    const pass_graph *g;
    int32_t *count, *last;  /* of each node: how many read it, and the last of them; what is wanted or assigned is read
                               by 0 */
} readers;

readers readers_of(const pass_graph *g);
/* The only reader of the node, seen through reshapes, and permutations if they may be, that nothing else reads either;
 * 0: there are several, or none. */
int32_t only_reader(const readers *r, int32_t id, bool permuted);
/* The cast to the 16-bit type that is all that reads the value so; 0. */
int32_t only_cast(const readers *r, int32_t value, int type, bool permuted);

/* A sum that is all that becomes of a product, with a row of F32 that is repeated for each of the product's rows; the
 * product is the sum's input `side`. sum 0: there is none. */
typedef struct biased { int32_t sum, row, side; } biased;
biased only_biased(const readers *r, int32_t product);

#endif
