/* A time series table for forecasting: reading it, its time stamps, its marks, its split and its scaling.
 * Rules and check numbers: docs/forecast-data.md. Failures are user errors with file, row (1-based file line),
 * column. */
#ifndef FORECAST_FRAME_H
#define FORECAST_FRAME_H

#include <tidemill/frame.h>

#include "long_form.h"
#include "step.h"

typedef enum frame_kind { KIND_CUSTOM, KIND_ETTH, KIND_ETTM, KIND_SOLAR, KIND_PEMS } frame_kind;
typedef enum frame_features { FEATURES_M, FEATURES_S, FEATURES_MS } frame_features;
/* What becomes of rows with the same time stamp, or in the same step where a frequency is given with it. NONE: the same
 * row twice is one, and other values are refused (KIND_CUSTOM). KEEP: all stay. */
typedef enum frame_aggregate {
    AGGREGATE_NONE,
    AGGREGATE_KEEP,
    AGGREGATE_FIRST,
    AGGREGATE_LAST,
    AGGREGATE_MEAN,
    AGGREGATE_SUM,
    AGGREGATE_MIN,
    AGGREGATE_MAX,
    AGGREGATE_MEDIAN
} frame_aggregate;
/* auto: masked where a file is read as custom, else refused. */
typedef enum frame_missing {
    MISSING_AUTO,
    MISSING_ERROR,
    MISSING_FFILL,
    MISSING_LINEAR,
    MISSING_MASK
} frame_missing;

/* In which order a date has its parts. All but the first three need a whole column to be told from numbers or each
 * other. */
typedef enum date_shape {
    DATE_YMD,
    DATE_DMY,
    DATE_MDY,
    DATE_COMPACT /* 20160701 */,
    DATE_YM /* 2016-07 */,
    DATE_Y /* 2016 */,
    DATE_QUARTER /* 2016Q3 */,
    DATE_QUARTER_Y /* Q3 2016 */,
    DATE_HALF /* 2016H2 */,
    DATE_HALF_Y /* H2 2016 */,
    DATE_WEEK /* 2016-W26, ISO's */,
    DATE_WEEK_DAY /* 2016-W26-5 */,
    DATE_YM_LETTER /* 2016M07 */,
    DATE_NAME_Y /* Jul 2016 */,
    DATE_Y_NAME /* 2016-Jul */,
    DATE_D_NAME_Y /* 01-Jul-2016 */,
    DATE_NAME_D_Y /* Jul 1, 2016 */,
    DATE_Y_NAME_D /* 2016-Jul-01 */,
    DATE_SHAPES,
    DATE_LABELS = DATE_QUARTER /* from here on there are letters in it */
} date_shape;

/* How the file writes its time stamps, so that predictions are written the same way. */
typedef struct time_format {
    char kind;          /* 'd' calendar text, 's' epoch seconds, 'm' epoch milliseconds */
    char shape;         /* date_shape */
    char separator;     /* '-', '/' or '.'; beside letters also ' ', '_', ':', or 0 for none */
    char month_name;    /* 'b' Jan and Sep, 's' Jan and Sept, 'B' January; 0: none is written */
    char letters;       /* of names, Q and W: 0 as here, 'u' JAN, 'l' jan or q */
    bool short_year;    /* 23 for 2023: years from 1930 to 2029 */
    bool comma;         /* Jan 1, 2023 against Jan 1 2023 */
    bool padded;        /* 2016-07-01 against 2016-7-1 */
    bool hour_padded;   /* 00:00 against 0:00 */
    char middle;        /* ' ' or 'T'; 0: date only */
    bool seconds;       /* H:M:S against H:M */
    char colon;         /* of the clock: ':' (also 0), or '.' */
    char half;          /* 0; 'A' or 'a': a clock of twelve hours with AM and PM, or am and pm */
    char fraction;      /* zeros after the seconds: 3 for 12:00:00.000; other fractions are no stamps */
    char offset[8];     /* "", "Z", "+02:00": kept; in a zone only its form is */
} time_format;

/* Time stamps may stand in several columns: the date in one and the clock in another, or year, month, day ... in one
 * each. */
typedef enum time_part {
    PART_STAMP,
    PART_DATE,
    PART_CLOCK,
    PART_YEAR,
    PART_MONTH,
    PART_DAY,
    PART_HOUR,
    PART_MINUTE,
    PART_SECOND
} time_part;
enum { TIME_COLUMNS = 6 };
typedef struct time_columns {
    int count;                                                          /* 0: no time; the first is the frame's
                                                                           time_name */
    struct { char *name; int64_t place; time_part part; } of[TIME_COLUMNS];  /* `place` in the file, as a frame's */
} time_columns;
void time_columns_free(time_columns *t);
bool time_columns_copy(const time_columns *from, time_columns *out);  /* false: out of memory, *out is empty */

/* Rows of validation and test, the last of the file: below 1 a share of all, else that many; 0: the kind's own. Rows
 * that are forecast: the look-back before them does not count. KIND_CUSTOM alone has a choice. */
typedef struct split_sizes { double val, test; } split_sizes;

typedef struct frame_options {
    frame_kind     kind;
    frame_features features;
    const char    *target;        /* NULL: "OT" if there, else the last column */
    const char    *columns;       /* NULL: all; else a comma-separated list */
    const char    *ignore;        /* NULL, or a comma-separated list */
    const char    *categorical;   /* likewise: columns of text or codes, an input for each of their values */
    bool           attributes;    /* the series have some, and `categorical` may name them: what is no column is passed
                                     over */
    const char    *static_columns; /* of long format, likewise: attributes of its series */
    const char    *targets, *known;  /* likewise: series by name, whatever they could be taken for */
    const char    *time_column;   /* NULL: date, ds, timestamp, else the only column that parses as time */
    const char    *run_time;      /* NULL; "" or the (first) time column of the run that the file is read for: tried
                                     first */
    const char    *freq;          /* NULL: found from the stamps; else a word of step_parse */
    const time_step *run_step;    /* NULL, or that of the run that the file is read for: taken where the rows follow
                                     it */
    frame_missing  missing;
    frame_aggregate aggregate;
    bool           strict_dates;
    date_shape     date_order;    /* what 1/2/2023 means: DATE_DMY, DATE_MDY; 0: found */
    bool           sort;          /* put the rows in the order of time */
    const char    *tz;            /* NULL, or the time zone whose local times the stamps are, or in which instants are
                                     shown */
    char           separator;     /* 0: found */
    char           decimal;       /* 0 or '.': point; ',' */
    char           thousands;     /* 0: found where it is certain; else what groups digits by three */
    const char    *na;            /* NULL, or a comma-separated list of marks of a missing value, text or numbers */
    int64_t        skip_rows;     /* lines before the header */
    int64_t        look_back;     /* 0, or the last rows, which a forecast from the file's end looks at: named where
                                     they hold marks */
    const char    *id, *value;    /* of long format, or NULL: found; lists of the columns that tell series apart
                                     ("none": the table is not taken for long format) and of those of values */
    int64_t        window;        /* rows of a window: series of long format with fewer values are left out, as are
                                     those without one among the training rows; 0: all are kept */
    split_sizes    sizes;
    char *const   *run_names;     /* NULL, or the run's columns (run_count): no other is read, in place of `columns` */
    int64_t        run_count;
} frame_options;

/* Values in the reference's column order: custom: the target last; other kinds: file order. Zero it before first
 * use. */
typedef struct frame {
    int64_t     rows, columns;    /* rows: those that splits and scores use */
    char      **names;
    double     *values;           /* (file_rows, columns), as read. NaN where `gaps` says so, and in PEMS, whose are
                                     filled when they are scaled */
    int64_t     gaps;             /* cells that are missing and masked */
    int64_t    *time;             /* (file_rows) seconds since 1970, of the wall-clock label or, with a zone, of the
                                     instant; NULL without a time column */
    struct zone *zone;            /* NULL, or what shows the instants as labels (zone.h): that of `tz`, or else of the
                                     offsets in the file where these vary */
    char       *time_name;        /* header of the time column; NULL */
    int64_t     time_place;       /* where it stands in the file, as `place` */
    time_columns time_columns;    /* all that make up the stamps */
    time_step   step;
    time_format format;
    long_form   form;             /* of a table in long format */
    int64_t     target;           /* index into names */
    int64_t    *place;            /* (columns) where each stands in the file, ascending from left; NULL: in this
                                     order */
    int64_t     file_rows;        /* >= rows: ETT's benchmark uses 14,400 of 17,420; the rest serves for forecasting
                                     from the end */
    struct static_table *statics; /* attributes of its series (statics.h) in a table in long format; NULL */
    char        found_thousands;  /* the sign that was found to group digits; 0: none was */
    char        found_decimal;    /* ',' where that was found with it */
    char       *categorical;      /* names of columns whose values are columns here, A=value; NULL */
    char       *warnings;         /* "" or lines, each ending in a newline */
    char       *path;             /* as given, for messages; NULL: no file */
    char        sha256[65];       /* of the file, or of the table's numbers and names; "" for standard input and for a
                                     file read for a run */
} frame;

/* path "-" is standard input. */
tide_status frame_read(const char *path, const frame_options *options, frame *out, tide_failure *failure);
/* The same of a table in memory, which is copied. Options of text (separator, decimal, thousands, skip_rows,
 * date_order, time_column) do not apply, and no column is left out unless `columns` or `ignore` says so. */
tide_status frame_from_memory(const tide_frame *from, const frame_options *options, frame *out, tide_failure *failure);
void        frame_free(frame *f);  /* NULL is fine; leaves it zeroed */
/* Keeps the named columns, in this order (those a model was trained on). Fails naming the first that is missing. */
tide_status frame_select(frame *f, const char *path, char *const *names, int64_t count, tide_failure *failure);
/* Behind the columns of f others, of (file_rows, count) values. false: out of memory, f is as before. */
bool        frame_append(frame *f, char *const *names, int64_t count, const double *values);
int64_t     frame_gaps(const frame *f);   /* missing cells of the file's rows, counted anew */
/* The file has ETT's columns and length: the caller says "for published numbers use --kind etth". */
bool        frame_looks_like_ett(const frame *f);

/* A number that stands for a missing value: lone, far outside of the others, repeated or a customary one such as
 * -9999. */
typedef struct sentinel {
    double  value, low, high;      /* low and high: of the column's other values */
    int64_t rows, first, last;     /* how many rows hold it, and the first and last of them */
} sentinel;
/* Those of a column of (rows) values, each `columns` behind the one before; returns how many, `most` at most. */
int64_t sentinels_find(const double *column, int64_t rows, int64_t columns, sentinel *out, int64_t most);
/* "'wind' holds -9999 in 4 rows, ...: if it marks a missing value, --na -9999 takes it as one". */
void    sentinel_text(char *buffer, size_t bytes, const char *name, const sentinel *s);

/* ---- time ---- */
/* Labels: an offset is kept in the format and shifts nothing.
 * Y-m-d, Y-m-d H:M[:S[.000]] (also with / and T, unpadded, with Z or +hh:mm), or an epoch of 9 to 11 digits in seconds,
 * 12 to 15 in milliseconds (whole seconds). false: not a time stamp; `format` may be NULL. */
bool    time_parse(const char *text, int64_t *seconds, time_format *format);
/* The same for one shape of date, also with AM and PM and a clock with points, and DATE_YMD with points between its
 * parts. */
bool    time_parse_as(const char *text, date_shape shape, int64_t *seconds, time_format *format);
/* 2016-07-01 00:00:00 alone, as time_parse_as reads it. */
bool    time_parse_usual(const char *text, int64_t *seconds, time_format *format);
/* Days that a date of the shape stands for, at least: 1, 7, 28, ... */
int32_t date_shape_days(date_shape shape);
/* Does every stamp, a step after the one before, look another? */
bool    date_shape_shows(date_shape shape, time_step step);
bool    clock_parse(const char *text);  /* H:M[:S], with nothing before it */
int32_t time_offset(const time_format *format);  /* seconds that the offset says; 0 without one */
/* cut to the buffer, whatever is given */
void    time_print(char buffer[40], int64_t seconds, const time_format *format);
/* what one column shows */
void    time_print_part(char buffer[40], int64_t seconds, const time_format *format, time_part part);
/* in the years 0 to 9999, which have four digits */
bool    time_writable(int64_t seconds);

/* ---- marks ---- */
/* Number of marks for a step (hourly: 4, ...), and the marks of one stamp, each in [-0.5, 0.5]. */
int32_t marks_count(time_step step);  /* 0 for UNIT_NONE and UNIT_YEAR */
void    marks_fill(int64_t seconds, time_step step, float *marks);

/* ---- splits and scaling ---- */
typedef struct block { int64_t start, rows; } block;          /* rows [start, start + rows), early rows included */
typedef struct split { block train, val, test; } split;
tide_status split_sized(const frame *f, frame_kind kind, split_sizes sizes, int64_t seq_len, int64_t pred_len,
                        split *out, tide_failure *failure);
/* Blocks by the kind's rule; val and test start seq_len rows early (PEMS: not). Fails if the rows are fewer than one
 * window, seq_len + pred_len; a single block may still hold none. */
tide_status split_make(const frame *f, frame_kind kind, int64_t seq_len, int64_t pred_len, split *out,
                       tide_failure *failure);
/* Fails, naming the block and what would fit, if train, val or test holds no window: training needs all three. */
tide_status split_require(const frame *f, frame_kind kind, split s, int64_t seq_len, int64_t pred_len,
                          tide_failure *failure);
int64_t     block_windows(block b, int64_t seq_len, int64_t pred_len);  /* rows - seq_len - pred_len + 1, never below
                                                                           0 */
int64_t     train_rows(frame_kind kind, int64_t rows);                  /* of the train block */
int64_t     train_rows_sized(frame_kind kind, split_sizes sizes, int64_t rows);

typedef struct scaler { int64_t columns; double *mean, *std; } scaler;
/* Over rows [start, start + rows) of train, NaN left out; a constant column (within rounding) gets std 1. */
tide_status scaler_fit(const frame *f, block train, scaler *out);
void        scaler_free(scaler *s);
/* (rows, columns) float32 of the scaled values; NaN takes the value before it, at the start the first one after it. */
void        scaler_apply(const scaler *s, const double *values, int64_t rows, float *out);
/* The same, and NaN stays. */
void        scaler_apply_gapped(const scaler *s, const double *values, int64_t rows, float *out);

#endif
