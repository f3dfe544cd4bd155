/* What is being read: one file's points, as they are found, and what was chosen where it was not certain. */
#ifndef EIS_READING_H
#define EIS_READING_H

#include "base/base.h"
#include "lines.h"

enum { LEAST_POINTS = 5, LABEL_SIZE = 96 };
#define MOST_POINTS ((int64_t)1000000)  /* of one spectrum */
#define MOST_SWEEPS ((int64_t)10000)    /* of one file */

typedef struct point {
    double  freq_hz;
    eis_z   z, sigma;
    int64_t line;        /* of the file */
    int64_t sweep;       /* points of another number belong to another sweep */
} point;

/* A sweep that begins at a certain point: a block, a well, a cycle. */
typedef struct reading {
    const char        *path;
    const eis_options *options;
    tide_failure      *failure;
    point  *point;
    int64_t count, room;
    int64_t sweeps;               /* begun so far */
    char  (*label)[LABEL_SIZE];   /* of each; "": it has no name of its own */
    int64_t label_room;
    bool    has_sigma;
    bool    sign_stated;          /* the file says which sign its imaginary part has */
    int64_t resting;              /* rows without a frequency, left out */
    text    notes;                /* a sentence a line */
} reading;

tide_status reading_add(reading *r, const point *p);
tide_status reading_begin_sweep(reading *r, const char *label);
void        reading_drop(reading *r);
/* A sentence for the notes, unless it stands there already. */
void        reading_note(reading *r, const char *format, ...) TIDE_PRINTF(2, 3);
tide_status reading_fail(reading *r, int64_t line, const char *column, const char *format, ...) TIDE_PRINTF(4, 5);

#endif
