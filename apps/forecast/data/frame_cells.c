/* Cells to numbers; missing ones refused or filled. */
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "frame_reading.h"

static bool read_one(reading *r, int64_t row, int64_t column, const number_reader *number) {
    frame *f = r->out;
    return reading_cell(r, number, r->table.cells[row * r->table.columns + r->chosen[column]],
                        &f->values[row * f->columns + column]);
}

/* Blanks that do not break and the minus of typesetters become those of keyboards. Did the column hold any? */
static bool plain_signs(reading *r, int64_t column) {
    static const struct {
        const char *sign;
        char plain;
    } signs[] = { { "\xc2\xa0", ' ' }, { "\xe2\x80\xaf", ' ' }, { "\xe2\x80\x89", ' ' }, { "\xe2\x88\x92", '-' } };
    bool any = false;
    for (int64_t i = 0; i < r->table.rows; i++)
        for (size_t s = 0; s < sizeof signs / sizeof *signs; s++) {
            char *at = r->table.cells[i * r->table.columns + column];
            for (size_t length = strlen(signs[s].sign); (at = strstr(at, signs[s].sign)) != NULL; any = true) {
                *at++ = signs[s].plain;
                memmove(at, at + length - 1, strlen(at + length - 1) + 1);
            }
        }
    return any;
}

/* A column that turns out to group its digits is read again from its first row; all are where the decimal sign is
 * another. */
static tide_status restyle(reading *r, int64_t row, int64_t column, number_reader *numbers) {
    const frame *f = r->out;
    char decimal = numbers[column].decimal;
    bool settled, stripped;
    if (plain_signs(r, r->chosen[column]) && read_one(r, row, column, &numbers[column])) return TIDE_OK;
    tide_status status = reading_strip_units(r, r->chosen[column], &numbers[column], &stripped);
    if (status || (stripped && read_one(r, row, column, &numbers[column]))) return status;
    status = reading_settle_style(r, r->chosen[column], row, &numbers[column], &settled);
    if (status || !settled) return status ? status : reading_fail_cell(r, row, r->chosen[column], &numbers[column]);
    bool all = numbers[column].decimal != decimal;
    for (int64_t c = all ? 0 : column; c < (all ? f->columns : column + 1); c++) {
        numbers[c] = numbers[column];
        for (int64_t i = 0; i < row + (c <= column); i++)
            if (!read_one(r, i, c, &numbers[c])) return reading_fail_cell(r, i, r->chosen[c], &numbers[c]);
    }
    return TIDE_OK;
}

/* Missing cells become NaN. */
static tide_status parse_values(reading *r, number_reader *numbers) {
    frame *f = r->out;
    for (int64_t i = 0; i < f->file_rows; i++)
        for (int64_t c = 0; c < f->columns; c++) {
            tide_status status = read_one(r, i, c, &numbers[c]) ? TIDE_OK : restyle(r, i, c, numbers);
            if (status) return status;
        }
    return TIDE_OK;
}

static int64_t count_missing(const frame *f, int64_t *first) {
    int64_t missing = 0;
    for (int64_t i = 0; i < f->file_rows * f->columns; i++)
        if (isnan(f->values[i]) && !missing++) *first = i;
    return missing;
}

/* The first row from `row` on that holds a value, or `rows`. */
static int64_t next_value(const double *column, int64_t row, int64_t rows, int64_t columns) {
    while (row < rows && isnan(column[row * columns])) row++;
    return row;
}

/* Rows [from, to) lie in a gap between `before` and `after`; at the file's ends the one neighbour serves for both. */
static void fill_gap(double *column, int64_t columns, int64_t from, int64_t to, double before, double after,
                     bool linear) {
    for (int64_t i = from; i < to; i++) {
        double share = linear ? (double)(i - from + 1) / (double)(to - from + 1) : 0;
        column[i * columns] = before + share * (after - before);
    }
}

static bool fill_column(double *column, int64_t rows, int64_t columns, bool linear) {
    int64_t row = next_value(column, 0, rows, columns);
    if (row == rows) return false;
    fill_gap(column, columns, 0, row, column[row * columns], column[row * columns], false);
    while (row < rows) {
        int64_t gap = row;
        while (gap < rows && !isnan(column[gap * columns])) gap++;
        row = next_value(column, gap, rows, columns);
        double before = column[(gap - 1) * columns];
        fill_gap(column, columns, gap, row, before, row < rows ? column[row * columns] : before, linear);
    }
    return true;
}

/* Missing rows at one end of a column. */
static int64_t gap_at_end(const frame *f, int64_t column, bool last) {
    int64_t rows = 0;
    while (rows < f->file_rows && isnan(f->values[(last ? f->file_rows - 1 - rows : rows) * f->columns + column]))
        rows++;
    return rows;
}

/* Names the column with the longest gap at one end, and how many more have one. */
static tide_status note_gap(reading *r, bool last) {
    const frame *f = r->out;
    int64_t longest = 0, column = 0, others = -1;
    for (int64_t c = 0; c < f->columns; c++) {
        int64_t rows = gap_at_end(f, c, last);
        others += rows > 0;
        if (rows > longest) longest = rows, column = c;
    }
    char what[200], more[64] = "";
    if (!longest) return TIDE_OK;
    if (others > 0) snprintf(more, sizeof more, " and of %" PRId64 " more column%s", others, others == 1 ? "" : "s");
    snprintf(what, sizeof what, "%" PRId64 " row%s of '%.100s'%s", longest, longest == 1 ? "" : "s", f->names[column],
             more);
    if (!last) return reading_note(r, "the first %s: filled with the first value after them\n", what);
    if (r->series)
        return reading_note(r, "the last %s are filled: the forecast starts from made-up values; add the rows that "
                               "are there%s\n", what, reading_leave_out(r));
    return reading_note(
        r, "the last %s are filled: the forecast starts from made-up values; end the %s before %s %" PRId64 "%s\n",
        what, r->from ? "frame" : "file", reading_rows_are(r), r->table.line[f->file_rows - longest],
        reading_leave_out(r));
}

static tide_status fill_missing(reading *r, int64_t missing, int64_t first) {
    frame *f = r->out;
    bool linear = r->options->missing == MISSING_LINEAR;
    tide_status status = note_gap(r, false);
    if (!status) status = note_gap(r, true);
    for (int64_t c = 0; c < f->columns && !status; c++)
        if (!fill_column(f->values + c, f->file_rows, f->columns, linear))
            return forecast_fail(r->failure, TIDE_EDATA, r->path, 0, f->names[c],
                                 "'%.100s' holds no value at all: fill it%s", f->names[c], reading_leave_out(r));
    if (status) return status;
    return reading_note(r, "missing cells: %" PRId64 ", filled with %s, first at %s %" PRId64 "\n", missing,
                        linear ? "a straight line between their neighbours" : "the value before them",
                        reading_rows_are(r), reading_line(r, first / f->columns, first % f->columns));
}

tide_status reading_read_cells(reading *r) {
    frame *f = r->out;
    number_reader file, *numbers = malloc((size_t)f->columns * sizeof *numbers);
    f->values = malloc((size_t)(f->file_rows * f->columns) * sizeof *f->values);
    bool opened = numbers && f->values && number_reader_open(&file, reading_decimal(r->options));
    if (opened) file.thousands = r->options->thousands;
    for (int64_t c = 0; opened && c < f->columns; c++) numbers[c] = file;
    tide_status status = opened ? reading_open_marks(r) : reading_no_memory(r);
    if (!status) status = parse_values(r, numbers);
    if (!status) status = reading_note_decimals(r, &file);
    if (opened) number_reader_close(&file);
    reading_close_marks(r);
    free(numbers);
    return status;
}

tide_status reading_settle_missing(reading *r) {
    frame *f = r->out;
    int64_t first = 0;
    tide_status status = reading_check_sizes(r);
    if (!status && !r->marks_told) status = reading_note_sentinels(r);
    if (!status) status = reading_put_back(r);
    int64_t missing = status ? 0 : count_missing(f, &first);
    frame_missing how = r->options->missing;
    if (status || !missing) return status;
    if (reading_masks(r)) return reading_tell_gaps(r, missing);
    if (how == MISSING_ERROR || how == MISSING_AUTO)
        return forecast_fail(r->failure, TIDE_EDATA, r->path, reading_line(r, first / f->columns, first % f->columns),
                             f->names[first % f->columns],
                             "empty or NaN cells%s: %" PRId64 ", this is the first; `missing` mask learns around them, "
                             "`missing` ffill fills with the value before, `missing` linear with a line between the "
                             "neighbours", r->absent ? ", those of rows that are left out among them" : "", missing);
    return fill_missing(r, missing, first);
}
