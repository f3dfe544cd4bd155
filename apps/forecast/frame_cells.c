/* Cells to numbers; missing ones refused or filled. */
#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "frame_reading.h"

static tide_status fail_cell(reading *r, int64_t row, const char *name, const char *text) {
    bool whole = r->table.columns == 1 && text[strcspn(text, ",;\t|")];
    bool comma = r->options->decimal != ',' && strchr(text, ',') && text[strspn(text, "+-0123456789., \t")] == 0;
    return forecast_fail(r->failure, TIDE_EDATA, r->path, r->table.line[row], name,
                         "'%.60s' is not a finite number; %s", text,
                         whole ? "the whole line is one cell: give the --sep that stands between the columns" :
                         comma ? "for decimal commas give --decimal ," : "correct it, or leave the column out with --ignore");
}

/* Missing cells become NaN and are counted. */
static tide_status parse_values(reading *r, const number_reader *number, int64_t *missing, int64_t *first) {
    frame *f = r->out;
    for (int64_t i = 0; i < f->file_rows; i++)
        for (int64_t c = 0; c < f->columns; c++) {
            const char *text = r->table.cells[i * r->table.columns + r->chosen[c]];
            double *value = &f->values[i * f->columns + c];
            if (number_parse(number, text, value)) continue;
            if (!number_is_missing(text)) return fail_cell(r, i, f->names[c], text);
            if (!(*missing)++) *first = i * f->columns + c;
            *value = (double)NAN;
        }
    return TIDE_OK;
}

/* The first row from `row` on that holds a value, or `rows`. */
static int64_t next_value(const double *column, int64_t row, int64_t rows, int64_t columns) {
    while (row < rows && isnan(column[row * columns])) row++;
    return row;
}

/* Rows [from, to) lie in a gap between `before` and `after`; at the file's ends the one neighbour serves for both. */
static void fill_gap(double *column, int64_t columns, int64_t from, int64_t to, double before, double after, bool linear) {
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

static tide_status fill_missing(reading *r, int64_t missing, int64_t first) {
    frame *f = r->out;
    bool linear = r->options->missing == MISSING_LINEAR;
    for (int64_t c = 0; c < f->columns; c++)
        if (!fill_column(f->values + c, f->file_rows, f->columns, linear))
            return forecast_fail(r->failure, TIDE_EDATA, r->path, 0, f->names[c],
                                 "the column holds no value at all; leave it out with --ignore");
    return reading_note(r, "missing cells: %" PRId64 ", filled with %s, first at line %" PRId64 "\n", missing,
                        linear ? "a straight line between their neighbours" : "the value before them",
                        r->table.line[first / f->columns]);
}

tide_status reading_parse_cells(reading *r) {
    frame *f = r->out;
    int64_t missing = 0, first = 0;
    f->values = malloc((size_t)(f->file_rows * f->columns) * sizeof *f->values);
    number_reader number;
    if (!f->values || !number_reader_open(&number, r->options->decimal)) return reading_no_memory(r);
    tide_status status = parse_values(r, &number, &missing, &first);
    number_reader_close(&number);
    if (status || !missing) return status;
    if (r->options->missing == MISSING_ERROR)
        return forecast_fail(r->failure, TIDE_EDATA, r->path, r->table.line[first / f->columns], f->names[first % f->columns],
                             "empty or NaN cells: %" PRId64 ", this is the first; --missing ffill fills with the value before, "
                             "--missing linear with a line between the neighbours", missing);
    return fill_missing(r, missing, first);
}
