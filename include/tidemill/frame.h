/* Tables in memory: named columns of numbers, with gaps, and a time axis or none.
 *
 * A frame has `rows` rows. A gap is NaN. Time is seconds since 1970-01-01, whole (int64) or not (double); it is what
 * the source stores: a time zone that the source names is not applied. (Arrow's timestamps with a zone are UTC, those
 * without one what a clock shows; the forecaster takes the former with its option `tz`.) A frame is plain data: many
 * threads may read it at once, one may change it. Every function that can fail says what is wrong and where:
 * failure->row is 1-based, failure->column the column's name. */
#ifndef TIDEMILL_FRAME_H
#define TIDEMILL_FRAME_H

#include "core.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef struct tide_frame tide_frame;

/* ---- made by hand --------------------------------------------------------------------------------------- */

/* Without columns. TIDE_EINVAL for a negative number of rows. */
TIDE_API tide_status tide_frame_new(int64_t rows, tide_frame **out, tide_failure *failure);
TIDE_API void        tide_frame_free(tide_frame *f);  /* NULL is fine */

/* Another column: `values` has `rows` numbers, each `stride` behind the one before (1: neighbours; the number of
 * columns for a column of a row-major table; 0 and less are refused). add copies them; borrow keeps the pointer, which
 * must stay until the frame is freed. The name is copied; it must be there, and new. */
TIDE_API tide_status tide_frame_add(tide_frame *f, const char *name, const double *values, int64_t stride,
                                    tide_failure *failure);
TIDE_API tide_status tide_frame_borrow(tide_frame *f, const char *name, const double *values, int64_t stride,
                                       tide_failure *failure);
/* The time axis, copied, in place of an earlier one: whole seconds, or any finite ones. `name` may be NULL: "time". */
TIDE_API tide_status tide_frame_set_time(tide_frame *f, const char *name, const int64_t *seconds,
                                         tide_failure *failure);
TIDE_API tide_status tide_frame_set_time_real(tide_frame *f, const char *name, const double *seconds,
                                              tide_failure *failure);

/* ---- long format ---------------------------------------------------------------------------------------- */

/* A frame whose rows are those of several series below each other, in any order, as one with a column for each series:
 *   id   (rows) the series of each row, as text; borrowed for the call
 * The rows of *out, which is the caller's, are the times of all series in their order, a series has gaps where it has
 * no row. Series stand in the order of their first rows, named by their id, or ID/NAME where the frame has several
 * columns. TIDE_EDATA, with the row: an id that is NULL or "", a time that its series has already. TIDE_EINVAL: no time
 * axis, two columns that would have one name. */
TIDE_API tide_status tide_frame_pivot(const tide_frame *f, const char *const *id, tide_frame **out,
                                      tide_failure *failure);

/* ---- looked at ------------------------------------------------------------------------------------------ */

/* Of NULL: 0 and NULL. Pointers live as long as the frame (of a borrowed column: as the caller's memory). */
TIDE_API int64_t       tide_frame_rows(const tide_frame *f);
TIDE_API int64_t       tide_frame_columns(const tide_frame *f);
TIDE_API const char   *tide_frame_name(const tide_frame *f, int64_t column);        /* NULL: there is none */
TIDE_API int64_t       tide_frame_find(const tide_frame *f, const char *name);      /* -1: there is none */
TIDE_API const double *tide_frame_values(const tide_frame *f, int64_t column, int64_t *stride);  /* stride not NULL */
TIDE_API const char   *tide_frame_time_name(const tide_frame *f);                   /* NULL: no time axis */
TIDE_API const int64_t *tide_frame_time(const tide_frame *f);       /* NULL: none, or not in whole seconds */
TIDE_API const double *tide_frame_time_real(const tide_frame *f);   /* NULL: none, or in whole seconds */

/* ---- from Arrow ----------------------------------------------------------------------------------------- */

/* The C data interface and the C stream interface, as their specification declares them
 * (arrow.apache.org/docs/format/CDataInterface.html): no Arrow library is needed. */
#ifndef ARROW_C_DATA_INTERFACE
#define ARROW_C_DATA_INTERFACE
#define ARROW_FLAG_DICTIONARY_ORDERED 1
#define ARROW_FLAG_NULLABLE 2
#define ARROW_FLAG_MAP_KEYS_SORTED 4

struct ArrowSchema {
    const char *format, *name, *metadata;
    int64_t flags, n_children;
    struct ArrowSchema **children, *dictionary;
    void (*release)(struct ArrowSchema *);
    void *private_data;
};

struct ArrowArray {
    int64_t length, null_count, offset, n_buffers, n_children;
    const void **buffers;
    struct ArrowArray **children, *dictionary;
    void (*release)(struct ArrowArray *);
    void *private_data;
};
#endif

#ifndef ARROW_C_STREAM_INTERFACE
#define ARROW_C_STREAM_INTERFACE
struct ArrowArrayStream {
    int (*get_schema)(struct ArrowArrayStream *, struct ArrowSchema *out);
    int (*get_next)(struct ArrowArrayStream *, struct ArrowArray *out);
    const char *(*get_last_error)(struct ArrowArrayStream *);
    void (*release)(struct ArrowArrayStream *);
    void *private_data;
};
#endif

/* Which columns, and which of them is the time. */
typedef struct tide_arrow_options {
    const char        *time;     /* its name; NULL: the one column of times or dates, if there is one */
    const char *const *columns;  /* NULL: all; else `count` names, in this order, the time not among them */
    int64_t            count;
} tide_arrow_options;

/* A record batch (a struct of columns), or one column; and a stream of record batches, one after the other. Numbers of
 * every width, half floats and booleans (0 and 1) become doubles, nulls gaps. Whole numbers beyond 2^53 are refused, as
 * are other types (text, lists, dictionaries, decimals, durations) in the columns that are asked for. Times are
 * timestamps of any unit or dates; a column of numbers, of seconds, where `time` names it. They must be there in every
 * row, and are whole seconds if all of them are.
 * Everything is copied. What is handed in is released, once, before the call returns, also when it fails; what was
 * released before is TIDE_EINVAL. Content that contradicts itself is TIDE_EDATA: missing buffers or children, negative
 * lengths or offsets, children shorter than their parent, counts that differ. `options` may be NULL. */
TIDE_API tide_status tide_frame_from_arrow(struct ArrowSchema *schema, struct ArrowArray *array,
                                           const tide_arrow_options *options, tide_frame **out, tide_failure *failure);
TIDE_API tide_status tide_frame_from_arrow_stream(struct ArrowArrayStream *stream, const tide_arrow_options *options,
                                                  tide_frame **out, tide_failure *failure);

#ifdef __cplusplus
}
#endif

#endif
