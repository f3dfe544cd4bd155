/* The end of every example: 0 if the engine had nothing to say, else its failure on stderr. */
#ifndef EXAMPLE_H
#define EXAMPLE_H

#include <stdio.h>
#include <tidemill/tidemill.h>

static inline int finish(tide_graph *g, bool as_expected) {
    const tide_failure *why = tide_error(g);
    if (why->status) fprintf(stderr, "%s\n", why->message);
    else if (!as_expected) fprintf(stderr, "the numbers are not what they should be\n");
    int code = why->status || !as_expected;
    tide_graph_free(g);
    return code;
}

#endif
