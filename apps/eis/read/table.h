/* Tables of frequencies and impedances in lines of text: with names of columns or without, one or several. */
#ifndef EIS_TABLE_H
#define EIS_TABLE_H

#include "layout.h"

/* An open table: how its rows are read. */
typedef struct table {
    layout  layout;
    header  header;
    char    header_separator, separator;  /* of the rows; 0: no row has been met yet */
    decimal mark;
    bool    open;
    int     cells;             /* of its first row */
    int64_t rows, closed_at;   /* closed_at: the line that ended it; 0 */
    int64_t preamble;          /* lines between the names and the first row */
    slice   sweep;             /* what its sweep column holds; text NULL: nothing yet */
    bool    sweep_pending;     /* a line between rows named another sweep */
    int64_t first;             /* of its points in the reading */
    int64_t agree, disagree, positive;  /* the imaginary part with the phase beside it; > 0 */
} table;

typedef enum row_kind { ROW_GOOD, ROW_NONE, ROW_FAULT } row_kind;

/* One line as a row of the open table: a point of the reading, or a rest without frequency. FAULT: the failure is
 * filled. */
row_kind row_read(reading *r, table *t, slice line, int64_t number, const char *label);
/* Has it the shape of a row of this table? */
bool     row_fits(const table *t, slice line);
/* The sign of the imaginary part where the phase beside it says otherwise; at the end of a table. */
void     table_sign(reading *r, const table *t);

/* Names of wells, runs and channels between tables. */
typedef struct label { char well[LABEL_SIZE / 2], run[LABEL_SIZE / 2]; } label;
bool label_read(label *l, slice line);
void label_text(const label *l, char out[LABEL_SIZE]);

/* All tables of the lines from..to. TIDE_EDATA when there is none, saying what was found and what would be accepted. */
tide_status tables_read(reading *r, const page *p, int64_t from, int64_t to);

/* The rows without names of columns; *first: where they begin. FOUND_NONE: there are none, or their names are `part`,
 * of which half is known. */
found rows_find(reading *r, const page *p, int64_t from, int64_t to, const header *part, table *t, int64_t *first);

#endif
