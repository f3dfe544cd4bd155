/* The columns of a table in long format, kept so that predictions are written in the same ones. */
#ifndef FORECAST_LONG_FORM_H
#define FORECAST_LONG_FORM_H

#include <stdbool.h>
#include <stdint.h>

typedef struct long_form {
    int64_t  ids, values, columns;  /* ids 0: the table has a column for each series; columns: of the frame */
    char   **names;                 /* (ids + values) */
    int64_t *place;                 /* (ids + values) where they stand in the file */
    char   **id;                    /* (columns, ids) what the id columns say of each of the frame's */
    int64_t *value;                 /* (columns) which of the values it has */
} long_form;

/* With no text yet. false: out of memory; free it all the same. */
bool long_form_new(long_form *out, int64_t ids, int64_t values, int64_t columns);
void long_form_free(long_form *f);  /* leaves it zeroed */
/* The columns `from` (count) of another, copied. false: out of memory, *out is empty. */
bool long_form_take(const long_form *f, const int64_t *from, int64_t count, long_form *out);
bool long_form_copy(const long_form *f, long_form *out);

#endif
