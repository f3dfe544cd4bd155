/* Wells by condition and time, and differences of pairs. */
#ifndef EIS_BATCH_GROUPS_H
#define EIS_BATCH_GROUPS_H

#include <jansson.h>

#include "base/base.h"
#include "rows.h"

/* TER or TEC of the wells of a condition at a time; or its differences, this group less another. Several spectra of a
 * well (of a donor, where pairs are by donor) count as one, their mean. NaN: too few. */
typedef struct batch_group {
    const char *what;                        /* "wells", "difference" */
    const char *condition, *time;
    const char *less_condition, *less_time;  /* what is taken off; "" */
    const char *paired_by;                   /* "well", "donor"; "" */
    const char *quantity, *unit;             /* "TER", "ohm cm2" */
    int64_t count;                           /* wells, or pairs */
    int64_t misfits;                         /* of the spectra: those that the circuit cannot have made */
    double  mean, median;
    double  low95, high95;                   /* of a mean difference: Student's interval over the pairs */
    double  sd;                              /* of the wells or pairs, as seen */
    double  within;                          /* root mean square of their errors, by the fits */
    double  between;                         /* what of sd^2 is more than within^2, as a root: 0 at least */
} batch_group;

typedef struct batch_groups { batch_group *of; int64_t count; } batch_groups;

/* Of the rows that a plate names and that have an answer: each condition at each time; each later time less the first
 * one, by well, and by donor where donors are named; each other condition less the first one of the plate, at the same
 * time, by donor, or by well where no donor is named. Per area where any row has one, and then of those that have. */
void groups_of(const batch_rows *rows, arena *memory, batch_groups *out);

void    groups_table(const batch_groups *g, text *out);
json_t *groups_json(const batch_groups *g); /* NULL: out of memory */
void    groups_text(const batch_groups *g, text *out);

#endif
