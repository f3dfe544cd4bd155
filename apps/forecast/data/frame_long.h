/* Long format: rows of several series one below the other, or in turns. What the steps that make a column of each
 * series hand on to each other. */
#ifndef FORECAST_FRAME_LONG_H
#define FORECAST_FRAME_LONG_H

#include "frame_time.h"

enum { MOST_KEYS = 4 };
typedef struct series_key { int64_t column[MOST_KEYS]; int count; } series_key;  /* count 0: the table is wide */

/* The rows by series, those of each by time; what stands more than once, in the order of the file. */
typedef struct series_order {
    int64_t *row, *start;           /* (rows); (series + 1): where each series begins in `row` */
    int64_t  series;
    int64_t  repeats, repeated;     /* rows whose series has their stamp already; the first of them, in `row` */
    bool     ascending, descending; /* every series, as the file has its rows */
} series_order;

struct long_table {
    series_key   key;
    int64_t     *value, values;   /* the columns that hold the series' values */
    int32_t     *of;              /* (rows) the series of each row, in the order of their first rows */
    int64_t      series;
    series_order order;
    int64_t     *time;            /* (rows) */
    double      *number;          /* (rows, values) */
    tide_table   table;           /* as the file has it; the reading's own has a column for each series and value */
};

/* Of a column of the reading's table behind the time columns. */
static inline int64_t series_of(const reading *r, int64_t column) {
    return (column - r->time.count) / r->series->values;
}
static inline int64_t value_of(const reading *r, int64_t column) {
    return (column - r->time.count) % r->series->values;
}

/* frame_series.c. Numbers what a column's cells say, from 0, in the order of their first rows; blanks around them do
 * not count. Returns how many there are, most + 1 if they are more, or -1: out of memory. */
int64_t series_number(const reading *r, int64_t column, int64_t most, int32_t *of);
/* The same of pairs of numbers. */
int64_t series_combine(const int32_t *a, const int32_t *b, int64_t rows, int64_t most, int32_t *of);
/* The rows of each series, as the file has them. false: out of memory. Free it whatever is returned. */
bool    series_group(const int32_t *of, int64_t rows, int64_t series, series_order *out);
/* And sorted. */
bool    series_sort(const int64_t *time, const int32_t *of, int64_t rows, int64_t series, series_order *out);
void    series_order_free(series_order *o);

/* frame_key.c: which columns tell series apart: those of `id`, else what does so unmistakably. */
tide_status reading_find_key(reading *r, series_key *key);
bool        key_has(const series_key *key, int64_t column);
bool        key_is_sure(const char *name);  /* unique_id, item_id, ...: by its name alone */

/* frame_long.c: the rows by series before their instants are known, by stamps of which only the order counts. `row` is
 * NULL for a table that is not in long format. */
tide_status reading_group_rows(reading *r, series_order *out);

/* The id cells of a row, joined by "/", cut to the buffer; returns the length of all. */
size_t series_text(const reading *r, const tide_table *t, int64_t row, char *buffer, size_t bytes);

/* frame_repeats.c: rows of one series and stamp, or step, become one, or are refused. Needs the numbers. */
tide_status reading_settle_repeats(reading *r);

/* frame_value.c: which columns hold the values, and that the others are left out. Needs the rows by series. */
tide_status reading_find_values(reading *r);
tide_status reading_note_others(reading *r);

/* frame_statics.c: the columns of `static-columns` say the same in all rows of a series; and what they say, kept in
 * out->statics. */
tide_status reading_check_statics(reading *r);
tide_status reading_keep_statics(reading *r);

/* frame_spans.c: chooses the columns, then fills time and values of `out`, and the lines of the reading's table. */
tide_status reading_lay_out(reading *r);

#endif
