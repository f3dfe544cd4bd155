/* What the steps of reading a frame hand on to each other. */
#ifndef FORECAST_FRAME_READING_H
#define FORECAST_FRAME_READING_H

#include <tidemill/io.h>

#include "frame.h"
#include "util.h"

typedef struct reading {
    const char          *path;
    const frame_options *options;
    tide_table           table;
    time_columns         time;         /* places are indices into the table's columns, names are NULL */
    date_shape           shape;        /* of their dates */
    bool                *left_out;     /* (table.columns) no series, whatever else they are */
    int64_t             *chosen;       /* the table's columns in the frame's order */
    int64_t              count;        /* of chosen */
    frame               *out;
    char                *notes;        /* warnings so far */
    tide_failure        *failure;
} reading;

/* frame_columns.c: fills chosen, count, out->names, out->target; needs the time columns and what is left out. */
tide_status reading_check_header(reading *r);
tide_status reading_choose(reading *r);
/* Of a table column named by the user (`option`): its index, or -1 with the failure set. */
int64_t reading_find(reading *r, const char *option, const char *name);
/* Is `name` in the comma-separated `list` (may be NULL)? */
bool list_has(const char *list, const char *name);

/* frame_time.c: fills time and shape; then out->time, time_name, format, step and the warnings about spacing. */
tide_status reading_find_time(reading *r);
tide_status reading_parse_time(reading *r);
bool        reading_is_time(const reading *r, int64_t column);

/* frame_parts.c: columns that only repeat the stamps are left out, with a warning. */
tide_status reading_leave_parts(reading *r);

/* frame_cells.c: fills out->values from the chosen columns; missing cells by the options. */
tide_status reading_parse_cells(reading *r);

/* frame_pems.c: the whole frame of a PEMS archive. */
tide_status reading_pems(reading *r);

tide_status reading_no_memory(reading *r);
/* Adds a line to the warnings. */
#define reading_note(r, ...) (notes_add(&(r)->notes, __VA_ARGS__) ? TIDE_OK : reading_no_memory(r))

#endif
