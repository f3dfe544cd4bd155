/* The plate: a table that says of each spectrum which well it is of, its condition, donor, time and area. */
#ifndef EIS_BATCH_PLATE_H
#define EIS_BATCH_PLATE_H

#include <tidemill/eis.h>
#include <tidemill/io.h>

#include "eis/read/measured.h"

/* A row of it; words "", numbers NaN: it does not say. */
typedef struct plate_row {
    const char *file, *sweep, *well, *condition, *donor, *time, *blank;
    double area_cm2, time_number;
    int64_t line;
    const char *path; /* of the file that it names, among those that were read; NULL: it names nothing */
} plate_row;

typedef struct plate {
    const char *path;
    plate_row *of;
    int64_t count;
    tide_table table;
    const plate_row **item; /* by spectrum; NULL: no row names it */
} plate;

/* Columns by their names, in any case: file, sweep, well, condition, donor, time, area_cm2, blank. Others are told.
 * TIDE_EDATA with line and column: no file, a number that is none, an area that is not above 0. */
tide_status plate_read(const char *path, eis_listener listener, void *user, plate *out, tide_failure *failure);
/* Which row names which spectrum: `file` is the path or its end, behind a slash; of a file with several sweeps `sweep`,
 * else `well`, a number or what the sweep's name begins with; a row with neither names all. TIDE_EDATA: two rows name
 * the same, or a row files of several folders. */
tide_status plate_match(plate *s, const measured *m, tide_failure *failure);
/* Whether a word is the path or its end behind a slash. */
bool plate_names_file(const char *word, const char *path);
void plate_free(plate *s);

#endif
