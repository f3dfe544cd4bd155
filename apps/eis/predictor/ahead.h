/* A block of spectra that a device makes while others are visited, on a thread of its own. */
#ifndef EIS_AHEAD_H
#define EIS_AHEAD_H

#include "maker.h"

typedef struct ahead ahead;

/* Of blocks of `count` rows, `stride` apart; NULL: out of memory. `m` is borrowed. */
ahead *ahead_new(maker *m, int64_t count, int64_t stride);
void   ahead_free(ahead *a);  /* waits; NULL is fine */

/* Begins to make the block whose first spectrum is `first` into `rows`; nothing where no thread can be had. */
void        ahead_begin(ahead *a, uint64_t first, float *rows);
/* Makes it now, or waits for it where it was begun. A failure comes with the block that it was of. */
tide_status ahead_make(ahead *a, uint64_t first, float *rows, tide_failure *failure);

#endif
