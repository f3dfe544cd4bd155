/* What the steps of reading a frame hand on to each other. */
#ifndef FORECAST_FRAME_READING_H
#define FORECAST_FRAME_READING_H

#include <tidemill/frame.h>
#include <tidemill/io.h>

#include "frame.h"
#include "util.h"

typedef struct na_mark { char *text; bool is_number; double value; } na_mark;

/* An input of 0 and 1: is the row's value of a category this one? */
typedef struct category { char *name; int32_t *codes, value; } category;

typedef struct reading {
    const char          *path;         /* NULL: a frame in memory is read */
    const tide_frame    *from;         /* that frame; the table has its names and its rows' numbers, and no cells */
    const frame_options *options;
    tide_table           table;
    time_columns         time;         /* places are indices into the table's columns, names are NULL */
    date_shape           shape;        /* of their dates */
    bool                *left_out;     /* (table.columns) no series, whatever else they are */
    int64_t             *chosen;       /* the table's columns in the frame's order */
    int64_t              count;        /* of chosen */
    frame               *out;
    char               **run_names;    /* the options', sorted; NULL */
    int64_t             *before;       /* of each row: the one before it that may be of its series, -1; NULL: the row
                                          above it */
    struct long_table   *series;       /* of a table in long format, which has become a column for each; NULL */
    na_mark             *marks;        /* of missing values, those of --na */
    int64_t              mark_count;
    time_step            grid;         /* that the rows were put on; UNIT_NONE: they stand as they were read */
    bool                 marks_told;   /* numbers that stand for missing values were looked for */
    int64_t              absent;       /* rows that the time axis lacks, to be put back as gaps */
    category            *categories;   /* the last columns of the table */
    int64_t              category_count;
    char                *notes;        /* warnings so far */
    tide_failure        *failure;
} reading;

/* What a row's number counts, for messages: lines of a file, rows of a frame. */
static inline const char *reading_rows_are(const reading *r) { return r->from ? "row" : "line"; }

/* Where the names of the columns stand; 0: in no file. */
static inline int64_t reading_header_line(const reading *r) { return r->from ? 0 : r->table.header_line; }
/* Where a column of the table stands in the file: not all may have been read. */
static inline int64_t reading_place(const reading *r, int64_t column) {
    return r->table.place ? r->table.place[column] : column;
}

/* frame_memory.c: cell (row, column of the table) of the frame that is read. */
double reading_value(const reading *r, int64_t row, int64_t column);

/* frame_columns.c: fills chosen, count, out->names, out->target; needs the time columns and what is left out. */
tide_status reading_check_header(reading *r);
tide_status reading_check_twins(reading *r);
tide_status reading_choose(reading *r);
/* Do the options take the column, as the target or not? */
bool        reading_wanted(const reading *r, int64_t column);
/* Is each cell of the table's first line a word, neither a number nor a time stamp? */
bool        reading_has_names(reading *r, const tide_table *t);
/* Of a table column named by the user (`option`): its index, or -1 with the failure set. */
int64_t reading_find(reading *r, const char *option, const char *name);
/* Does an option name this column as a series? */
bool reading_asked(const reading *r, const char *name);
/* Is `name` in the comma-separated `list` (may be NULL)? */
bool list_has(const char *list, const char *name);
/* A name as a shell takes it after an option, in quotes; in_list: after one that takes a list. */
enum { WORD_TEXT = 200 };
const char *reading_word(char buffer[WORD_TEXT], const char *name, bool in_list);
/* The next name of such a list, blanks around it dropped; NULL behind the last. A name with a comma stands in double
 * quotes. */
const char *list_next(const char **list, size_t *length);

/* frame_file.c: the table of a file, and its hash. */
tide_status reading_table(reading *r);

/* frame_header.c: how many lines of the text stand before the names (`found`: other than comments), and the same where
 * that is a guess, else 0. */
typedef struct names_line { int64_t skip, guess; bool found; } names_line;
tide_status reading_find_names(reading *r, const char *text, size_t size, names_line *out);
/* A date or a time of day, by itself: 20160701 and 2016-07 may be numbers. */
bool        reading_stamp_alone(const char *text);
/* Leaves out a first row that holds units. */
tide_status reading_drop_units(reading *r);

/* frame_narrow.c: sorts the run's names (run_names); the `choose` of reading a table, whose user is the reading. */
tide_status reading_sort_run_names(reading *r);
bool        reading_in_run(const reading *r, const char *name);
void        reading_narrow(void *user, int64_t count, char *const *names, char *const *first, bool *keep);

/* frame_time.c: fills time and shape; then out->time, time_name, format, step and the warnings about spacing. */
tide_status reading_find_time(reading *r);
tide_status reading_parse_time(reading *r);
bool        reading_is_time(const reading *r, int64_t column);
bool        reading_names_part(const char *name);  /* year, month, ..., second */

/* frame_guess.c: sets `before` by `id`, or a column whose name alone says it; or, without `id`, by all columns of text.
 * Numbers that are times ascend in each series by itself. */
tide_status reading_guess_series(reading *r, bool by_text);

/* frame_long.c: rows of several series below each other become columns, with their values, and the time is that of all.
 * Needs the stamps. After it the table holds no cells. */
tide_status reading_pivot(reading *r);
void        reading_long_free(reading *r);
/* Of long format: is it a column of the file, or that of the values? */
bool        reading_was_column(const reading *r, const char *name);
bool        reading_is_value(const reading *r, const char *name);
/* The line of the file where a value of `out` stands; where none does, that of another at its stamp. */
int64_t     reading_line(const reading *r, int64_t row, int64_t column);

/* frame_categories.c: the columns of `categorical` are left out, and an input for each of their values stands behind
 * the table's columns; needs the time columns. */
tide_status reading_expand_categories(reading *r);
void        reading_free_categories(reading *r);
#define CATEGORY_OTHER "other" /* the values that are too rare for an input of their own, together */
/* 1 where the row has the value, else 0. */
double      reading_category(const reading *r, int64_t row, int64_t category);
/* Of COLUMN=VALUE, where COLUMN is in the list (may be NULL), the length of COLUMN; else 0. */
size_t      category_base(const char *categorical, const char *name);
/* Does the list have the column, or the category that it is a value of? */
bool        list_has_column(const char *list, const char *categorical, const char *name);
/* names_list of the columns as options name them: a category once. */
void        list_columns(char *buffer, size_t bytes, const char *categorical, char *const *names, int64_t count);
/* A number as the value of a category. */
void        category_text(char buffer[32], double code);
/* A cell as one, in place: blanks around it do not count, and 3.0 is 3: whole numbers are written so where gaps stand
 * beside them. */
char       *category_cell(char *text);

/* frame_parts.c: columns that only repeat the stamps are left out, with a warning. */
tide_status reading_leave_parts(reading *r);

/* The decimal sign: what is given, else what a given sign for thousands leaves. */
char reading_decimal(const frame_options *o);

/* frame_aggregate.c: rows of one time stamp, or of one step, become one, or are refused; needs the values. */
tide_status reading_aggregate(reading *r);
/* The stamps of the steps of `freq` that times lie in, the first of all of them `first`; without it the times. Sets
 * grid. */
void        reading_put_on_grid(reading *r, const int64_t *time, int64_t rows, int64_t first, int64_t *label);

/* frame_step.c: the step, and what is to be said of rows that it does not explain. */
tide_status reading_settle_step(reading *r);

/* frame_cells.c: fills out->values from the chosen columns; then missing cells by the options. */
tide_status reading_read_cells(reading *r);
tide_status reading_settle_missing(reading *r);
/* frame_gaps.c: do gaps stay, for the model to learn around them? */
bool        reading_masks(const reading *r);
/* Puts rows that the time axis lacks back in, without a value in any column (r->absent of them). */
tide_status reading_put_back(reading *r);
/* Says which gaps there are, `missing` cells in all, and that they are masked; refuses a column that holds nothing. */
tide_status reading_tell_gaps(reading *r, int64_t missing);
/* frame.c: what all ways of reading begin and end with. */
tide_status reading_check_options(reading *r);
tide_status reading_finish(reading *r);
void        reading_free(reading *r);  /* all but `out` */

/* frame_ids.c: columns that only count rows are left out, with a warning; needs the time columns. */
tide_status reading_find_counters(reading *r);
bool        reading_counts_rows(const reading *r, int64_t column, const number_reader *number);

/* frame_numbers.c: the marks of --na, to be closed whatever the status. */
tide_status reading_open_marks(reading *r);
void        reading_close_marks(reading *r);
/* A cell as a number, NaN where a value is missing; false: it is neither. */
bool        reading_cell(const reading *r, const number_reader *number, const char *text, double *value);
bool        reading_is_mark(const reading *r, double value);
bool        reading_is_text_mark(const reading *r, const char *text);
/* `number` cannot read the cell at (row, table column): if the column's cells prove that digits are grouped, sets how
 * (noted, *settled); fails where that is open. */
tide_status reading_settle_style(reading *r, int64_t column, int64_t row, number_reader *number, bool *settled);
/* frame_units.c: takes a currency, a percent sign or a unit out of the column's cells where all have it (*stripped,
 * noted), and brackets that mean a minus; fails where they mix. */
tide_status reading_strip_units(reading *r, int64_t column, const number_reader *number, bool *stripped);
/* Notes columns that a given decimal comma reads as fractions, though their cells prove groups of three. */
tide_status reading_note_decimals(reading *r, const number_reader *file);
/* ", or leave the column out with --ignore", unless the file is read for a run, which needs its columns. */
const char *reading_leave_out(const reading *r);
/* Refuses the cell, with what it holds and what would help. */
tide_status reading_fail_cell(reading *r, int64_t row, int64_t column, const number_reader *number);

/* frame_sentinels.c: notes numbers that stand for missing values; refuses those that are too large or too close for a
 * model. */
tide_status reading_note_sentinels(reading *r);
tide_status reading_check_sizes(reading *r);

/* frame_pems.c: the whole frame of a PEMS archive. */
tide_status reading_pems(reading *r);

tide_status reading_no_memory(reading *r);
/* Adds a line to the warnings. */
#define reading_note(r, ...) (notes_add(&(r)->notes, __VA_ARGS__) ? TIDE_OK : reading_no_memory(r))

#endif
