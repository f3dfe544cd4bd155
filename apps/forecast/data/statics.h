/* Attributes of the series that time does not change, such as a store's type and size, as numbers beside each series:
 * from a file with a row for each, or from columns of a table in long format. */
#ifndef FORECAST_STATICS_H
#define FORECAST_STATICS_H

#include <jansson.h>
#include <tidemill/io.h>

#include "frame.h"

/* A number, or a category with an input of 0 and 1 for each of its values. */
typedef struct attribute {
    char   *name;
    int64_t count;        /* values of a category, in the order of their text; 0: it is a number */
    char  **values;
    double  mean, std;    /* of a number, over the series that were learned from */
} attribute;

typedef struct statics {
    int64_t    count;     /* attributes; 0: there are none */
    attribute *of;
    int64_t    inputs;    /* numbers of a series: one of each number, `count` of each category */
    int64_t    columns;
    float     *values;    /* (columns, inputs), as the model sees them; 0 for a column without attributes */
    char      *notes;     /* NULL, or lines to be told */
} statics;

/* What a file, or a table in long format, says: cells as text. */
typedef struct static_table {
    char      *path;      /* NULL: the data file's own columns */
    int64_t    rows, columns;
    char     **names;     /* (columns) */
    char     **ids;       /* (rows): the series, as its id is written */
    char     **cells;     /* (rows, columns) */
    int64_t   *line;      /* (rows) in the file */
    char       decimal;   /* sign of its numbers; 0: a point */
    int64_t   *sorted;    /* (rows), by id */
    tide_table table;     /* what the texts of a file point into */
    char      *memory;    /* what other texts point into */
} static_table;

/* The file: by the id columns of `form`, where it has all of them, else by its first column. TIDE_EDATA for a series
 * that has two rows, and for a file without attributes. Free it whatever is returned. */
tide_status static_table_read(const char *path, char decimal, const long_form *form, static_table *out,
                              tide_failure *failure);
/* With the texts in place: sorts the ids. */
tide_status static_table_finish(static_table *t, tide_failure *failure);
void        static_table_free(static_table *t);

/* Columns of a series, and which of them, from `first` on, must have a row of their own. */
typedef struct static_columns {
    char *const     *names;
    int64_t          count, first, needed;
    const long_form *form;   /* a frame's: a series is also found by its ids alone */
} static_columns;

/* Which attributes there are and how they are scaled, by the columns that need a row: values of a category that one
 * series alone has count together, what is the same for all is left out with a note. `categorical`: attributes that are
 * codes, a list. Fills out->values. */
tide_status statics_learn(const static_table *t, static_columns columns, const char *categorical, statics *out,
                          tide_failure *failure);
/* Fills s->values for these columns, by attributes that were learned before: each must be in the table, by its name. A
 * value that a category does not know counts as `other`, or as none, with a note. */
tide_status statics_fill(statics *s, const static_table *t, static_columns columns, tide_failure *failure);

bool statics_copy(const statics *from, statics *out);  /* without the notes; false: out of memory, *out is empty */
void statics_free(statics *s);

/* The attributes, without the values: [{"name", "values"} or {"name", "mean", "std"}, ...]; NULL when out of memory. */
json_t *statics_json(const statics *s);
/* false: it is no such list, or out of memory. */
bool    statics_from_json(const json_t *list, statics *out, bool *out_of_memory);
/* "type (3 values), size" */
void    statics_text(const statics *s, char *buffer, size_t bytes);

#endif
