/* Spectra without cells beside those of a batch: the one of the options, and those that rows of the plate name. */
#ifndef EIS_BATCH_BLANKS_H
#define EIS_BATCH_BLANKS_H

#include "eis/fit/fitted.h"
#include "plate.h"

typedef struct batch_blank {
    const char *path;
    blank is; /* count 0: there is none */
    equivalent circuit; /* that is fitted beside it; nothing where `auto` chooses */
    tide_failure why; /* status not TIDE_OK: it is none, and so no spectrum that it is of has an answer */
} batch_blank;

typedef struct blanks {
    batch_blank **of; /* the first is that of the options */
    int64_t count;
    const batch_blank **item; /* by spectrum; NULL: the first for all */
} blanks;

/* That of the options, with the circuit. */
tide_status blanks_begin(const eis_fit_options *fit, const eis_options *options, blanks *out, tide_failure *failure);
/* Those of the plate, once it was matched: each is a file of the batch, by its path or the end of it behind a slash, or
 * else any file. A file that is a blank and that no row is of is no spectrum of the batch: it leaves `m`. TIDE_EDATA
 * with line and column where there is no such file, or more than one. */
tide_status blanks_of_plate(blanks *b, const eis_fit_options *fit, const eis_options *options, plate *p, measured *m,
                            tide_failure *failure);
const batch_blank *blanks_item(const blanks *b, int64_t item);
void blanks_free(blanks *b);

#endif
