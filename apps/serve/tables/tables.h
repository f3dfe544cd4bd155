/* Tables that were read once and are asked about again, as whoever drags a cut-off through a series does: their numbers
 * stay in memory, within a limit; those that nobody asked for longest go. By any threads. (tables.c) */
#ifndef SERVE_TABLES_H
#define SERVE_TABLES_H

#include <stdatomic.h>

#include <tidemill/forecast.h>

typedef struct tables tables;

/* Never changed once it is there. */
typedef struct table {
    int64_t    rows, columns;
    char     **names;
    double   **values;  /* by column: (rows), NaN for a gap */
    double    *time;    /* (rows), seconds since 1970; NULL: it has none */
    int64_t    bytes;
    atomic_int users;
} table;

/* `most_bytes`: of numbers that are kept; a larger table is read each time. NULL: out of memory. */
tables *tables_new(int64_t most_bytes);
void    tables_free(tables *all);
/* The table of that key, one user more: table_drop; NULL: it is not kept. */
table  *tables_find(tables *all, const char *key);
/* The same, read as the options say where it is not kept; who asks meanwhile for the same one waits for it. NULL with
 * the failure of forecast_read_frame. The key stands for the file as it is now and for the options. */
table  *tables_fetch(tables *all, const char *key, const forecast_options *o, tide_failure *failure);
void    table_drop(table *t);  /* NULL is fine */

#endif
