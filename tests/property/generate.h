/* Random graphs: the same seed makes the same graph on every device. */
#ifndef GENERATE_H
#define GENERATE_H

#include <tidemill/tidemill.h>

enum { POOL = 48, FEEDS = 8, VARIABLES = 8, WANTED = 40 };

/* exact: made without rounding, so that comparisons, sorting and rounding to whole numbers agree between devices. */
typedef struct item { tide_val v; bool exact; } item;

typedef struct maker {
    tide_graph *g;
    uint64_t    state;
    uint64_t    numbers;       /* of the elements of leaves, apart from the graph's shape; 0: from `state` */
    bool        fixed;         /* constants in place of inputs; variables that are there are used again */
    tide_dtype  type;          /* of the floating values */
    item        pool[POOL];
    int         count;
    tide_feed   feeds[FEEDS];  /* data is the maker's */
    int         n_feeds;
    tide_val    variables[VARIABLES];
    int         n_variables;
    tide_val    wanted[WANTED];  /* all F64, effects last */
    int         n_values, n_wanted;
} maker;

/* Fills the graph: values, gradients of their sum and assignments. */
void maker_build(maker *m, tide_graph *g, uint64_t seed, int ops);
/* The same without inputs. Another `numbers` (not 0) gives the same graph with other constants; variables keep the
 * values they have. */
void maker_build_fixed(maker *m, tide_graph *g, uint64_t seed, int ops, uint64_t numbers);
void maker_free(maker *m);

#endif
