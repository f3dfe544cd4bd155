/* Spectra of the grid recipe made on a device: the processor draws circuits and the random words of errors, which are
 * those of sample_draw; impedances, noise, the quick fit and the features are programs there (fits.h). So the spectra
 * are the processor's but for rounding: of 4,096, all but one had every feature within 1e-4 of its spread, and that one
 * within 1e-2, where a fit ends a step earlier; another minimum would be possible, too. */
#ifndef EIS_MAKER_H
#define EIS_MAKER_H

#include "spectra.h"

typedef struct maker maker;
enum { MAKER_SPECTRA = 16384 }; /* at a time: enough for a large device, some 20 kB each there */

typedef struct maker_settings {
    const char *device;
    int         threads;
    int64_t     memory_limit;   /* bytes; 0: what the device has */
    int64_t     spectra;        /* at a time, at most */
} maker_settings;

/* *out NULL: the device lacks double precision, whose programs would run on the processor, slower than pool_row.
 * TIDE_ENOMEM where not even one spectrum has room. */
tide_status maker_open(const sampler_settings *s, const maker_settings *how, maker **out, tide_failure *failure);
void        maker_free(maker *m);
int64_t     maker_bytes(const maker *m);  /* that it holds, on the device and beside it */
/* Rows first .. first + count - 1 of the split, as pool_row makes them, `stride` apart. */
tide_status maker_rows(maker *m, sample_split split, uint64_t first, int64_t count, int64_t stride, float *rows,
                       tide_failure *failure);

#endif
