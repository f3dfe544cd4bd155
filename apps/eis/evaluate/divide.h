/* Test spectra in groups, by this process or by several (files/pieces.h): a group leaves a record of each of its
 * spectra, and every process adds up all records in the order of the spectra, so that the sums have the same bits. */
#ifndef EIS_DIVIDE_H
#define EIS_DIVIDE_H

#include "evaluate.h"

typedef struct divided {
    const char *name, *what;      /* of results, at most 11 letters; as evaluation_progress tells it */
    int64_t     level;            /* of noise: which, among all that are measured */
    double      noise;
    int64_t     spectra, each;    /* of a group, but for the last */
    int64_t     numbers;          /* of a record */
    /* Fills the records of `count` spectra, zeroed before. */
    tide_status (*make)(void *user, int64_t first, int64_t count, double *records, tide_failure *failure);
    void        (*add)(void *user, int64_t number, const double *record);
    void       *user;
} divided;

tide_status evaluation_divide(const evaluation *e, const divided *d, tide_failure *failure);

#endif
