/* What requests hold, as rows of tables. The same rows are the decoder, the checks and the description (openapi.h). */
#ifndef SERVE_RECORD_H
#define SERVE_RECORD_H

#include <tidemill/options.h>

#include "base/base.h"
#include "body.h"

typedef enum field_type {
    FIELD_TEXT,      /* const char *; NULL: absent */
    FIELD_NUMBER,    /* double; NaN: absent */
    FIELD_WHOLE,     /* int64_t; 0: absent */
    FIELD_BOOL,      /* bool */
    FIELD_NUMBERS,   /* numbers; at NULL: absent or empty. null is NaN, where the row says so (nullable) */
    FIELD_RECORD,    /* pointer to the struct of `of`; NULL: absent */
    FIELD_RECORDS,   /* record_list */
    FIELD_COLUMNS,   /* column_list: {"name": [numbers], ...} */
    FIELD_VALUES,    /* const char *: {"Rsh": 460, "Ca": "3.7uF"} or "Rsh=460,Ca=3.7uF", as the latter */
    FIELD_TIMES,     /* numbers: seconds since 1970, or "2026-12-01 00:00" */
    FIELD_OPTIONS    /* json_t *, borrowed: rows of `table` (options_apply); NULL: absent */
} field_type;

typedef struct record record;

typedef struct record_list { void *at; int64_t count; } record_list;
typedef struct column { const char *name; numbers values; } column;
typedef struct column_list { column *at; int64_t count; } column_list;

/* Which rows of a table a request may set: those that have one of `with` (0: all), but for what no request sets and the
 * group `not_group`. */
typedef struct option_door {
    const tide_option_table *(*table)(void);
    unsigned    with;
    const char *not_group;
} option_door;

typedef struct field {
    const char  *name;
    field_type   type;
    size_t       offset;
    bool         required, nullable;
    double       low, high;      /* of numbers, and of each of an array; both 0: any finite one */
    const char  *unit;           /* "Hz"; NULL */
    const char  *help;           /* one line */
    const record *of;            /* RECORD, RECORDS */
    const option_door *door;     /* OPTIONS */
    int64_t      most;           /* items of an array or a list; 0: any number */
} field;

struct record {
    const char  *name;           /* "Spectrum": in the description */
    const char  *help;
    const field *rows;
    int          count;
    size_t       size;           /* of the struct */
};

/* Decodes the object into `out`, a zeroed struct whose texts and arrays are the body's. All faults are told, each with
 * its pointer; false then. */
bool record_decode(body *b, const json_t *value, const record *r, const char *pointer, void *out, problem *p);

/* May a request set it? */
bool options_open(const option_door *door, const tide_option *row);
/* Sets what the object says; NULL: nothing. `pointer`: "/options". */
bool options_apply(const body *b, const option_door *door, const json_t *object, const char *pointer, void *options,
                   problem *p);
/* What an option's value is as a text, added to `t`; false: it is no value of an option (t->failed). */
bool options_value_text(const body *b, const json_t *v, text *t);
/* One option by its text, as a query has it. */
bool options_apply_text(const option_door *door, const char *name, const char *value, const char *pointer,
                        void *options, problem *p);

/* "2026-12-01", "2026-12-01T13:00", "2026-12-01 13:00:00+01:00", with Z: seconds since 1970 of what it shows, or of the
 * instant where it has an offset. False: it is no time. */
bool request_time_scan(const char *text, double *seconds);
/* "2026-12-01 13:00:00" */
void request_time_print(char out[32], int64_t seconds);

#endif
