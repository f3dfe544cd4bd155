/* What is wrong with a spectrum, each fault told by its own test. */
#ifndef EIS_FAULTS_H
#define EIS_FAULTS_H

#include "expansion.h"

enum { FAULTS_MOST = 12 };

typedef struct faults {
    int64_t   count;
    eis_fault of[FAULTS_MOST];
    bool     *left_out;  /* a flag a point: an outlier, or of an artefact where Re Z < 0 */
    expansion rest;      /* without those: its noise is the spectrum's. All zero for two sweeps in one */
    double    robust;    /* its noise by the median, all points counted */
} faults;

/* What makes the rest meaningless comes alone, as the last. False: out of memory. faults_free. */
bool faults_of(const eis_spectrum *s, faults *out);
void faults_free(faults *f);
bool faults_unfit(const faults *f);  /* one of them is eis_fault.unfit */

/* Its points are in `left_out`. */
bool fault_leaves_out(eis_fault_kind kind);

/* "two-sweeps", "drift", ... */
const char *eis_fault_name(eis_fault_kind kind);

#endif
