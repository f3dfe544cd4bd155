/* One column of Arrow arrays, chunk after chunk. */
#ifndef FRAME_ARROW_COLUMN_H
#define FRAME_ARROW_COLUMN_H

#include <tidemill/frame.h>

typedef enum arrow_kind { ARROW_NUMBER, ARROW_TIME } arrow_kind;

/* What a format says: how elements become numbers. */
typedef struct arrow_type {
    const char *format;       /* up to its ':' for timestamps */
    int         bits;         /* an element; 1: a bitmap, 0: nulls alone */
    arrow_kind  kind;
    int64_t     per_second;   /* times: units a second; negative: seconds a unit */
    bool      (*get)(const void *data, int64_t i, double *out);  /* false: a whole number beyond 2^53 */
} arrow_type;

/* NULL: not one that is taken. */
const arrow_type *arrow_type_of(const char *format);

typedef struct arrow_column {
    const char       *name;
    const arrow_type *type;
    int64_t           place;     /* among the schema's children; -1: the array itself */
    bool              is_time;   /* gaps are refused then */
    double           *values;    /* numbers; times as whole units, see `raw` */
    int64_t          *raw;       /* times that are stored as whole numbers; NULL */
    int64_t           count, capacity;
} arrow_column;

/* Appends `rows` elements from `first` on, those that `parent` (may be NULL) has as nulls too. */
tide_status arrow_column_add(arrow_column *c, const struct ArrowArray *a, const struct ArrowArray *parent,
                             int64_t first,
                             int64_t rows, tide_failure *failure);

/* An array whose buffers can be read for all of its elements. */
tide_status arrow_array_check(const struct ArrowArray *a, const arrow_type *type, const char *name,
                              tide_failure *failure);

#endif
