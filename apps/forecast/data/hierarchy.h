/* Sums of series: what is added up to what, read from "total=north+south;north=a+b". */
#ifndef FORECAST_HIERARCHY_H
#define FORECAST_HIERARCHY_H

#include <tidemill/core.h>

typedef struct hierarchy {
    int64_t  count;
    char   **name;    /* (count), in the order written */
    int64_t *first;   /* (count + 1): where a sum's series begin among the members */
    int64_t *member;  /* series by their places, sums of sums worked out: parts add up whichever way they are added */
} hierarchy;

/* Definitions NAME=A+B+..., each on a line of its own or parted by ';'; "@FILE" reads them from a file, in which lines
 * that begin with # are comments. A name with one of =+;# or a blank at its ends stands in double quotes. What is added
 * are the `series`, or other sums. TIDE_EINVAL (failure->column "sum"; in a file with path and line) for what is no
 * definition, a name that is neither, with one that is near, a sum called as a series or as another sum, sums that go
 * round, and a series that a sum would count twice. "": none. Free with hierarchy_free, also after a failure. */
tide_status hierarchy_read(const char *text, char *const *series, int64_t series_count, hierarchy *out,
                           tide_failure *failure);
void        hierarchy_free(hierarchy *h);

#endif
