/* Columns that only count rows: forecast, they would weigh in every score and tell nothing. Left out with a note,
 * unless they are asked for by name. */
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "frame_reading.h"

enum { FEWEST_ROWS = 20 };  /* below, a straight line may well be a series */

static bool has_counter_name(const char *name) {
    static const char *const names[] = { "no", "no.", "nr", "nr.", "id", "#", "index", "idx", "row", "rowid", "row_id",
                                         "rownum", "row_number", "record", "record_id", "unnamed: 0", "unnamed: 0.1",
                                         "level_0", "x1", "...1", "date", "ds", "datetime" };
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (!strcasecmp(name, names[i])) return true;
    return false;
}

static bool has_clock_name(const char *name) {
    static const char *const names[] = { "t", "time", "time_s", "seconds", "elapsed", "timestamp", "decimal date",
                                         "decimal_date", "decimal year",
                                         "decimal_year", "decimal" };
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (!strcasecmp(name, names[i])) return true;
    return false;
}

/* The same step, but for the digits that the file leaves off: 0.041667 beside 0.041666. */
static bool same_step(double now, double step, double value) {
    return fabs(now - step) <= 1e-9 * fabs(value) && fabs(now - step) <= 0.01 * fabs(step);
}

/* Numbers that rise, or fall, row by row: by one step for all, or, under a counter's name, by any. A counter counts in
 * whole numbers, a clock need not. */
bool reading_counts_rows(const reading *r, int64_t column, const number_reader *number) {
    bool clock = has_clock_name(r->table.header[column]), any_step = clock || has_counter_name(r->table.header[column]);
    double before = 0, step = 0;
    for (int64_t i = 0; i < r->table.rows; i++) {
        double value;
        if (!number_parse(number, r->table.cells[i * r->table.columns + column], &value)) return false;
        if (any_step && !clock && value != floor(value)) return false;
        if (i == 1) step = value - before;
        double now = value - before;
        if (i && (any_step ? now * step <= 0 : step == 0 || !same_step(now, step, value))) return false;
        before = value;
    }
    return r->table.rows >= (any_step ? 3 : FEWEST_ROWS);
}

tide_status reading_find_counters(reading *r) {
    number_reader number;
    if (r->options->kind != KIND_CUSTOM || r->options->run_names || r->series) return TIDE_OK;
    if (!number_reader_open(&number, reading_decimal(r->options))) return reading_no_memory(r);
    tide_status status = TIDE_OK;
    for (int64_t c = 0; c < r->table.columns && !status; c++) {
        const char *name = r->table.header[c];
        if (reading_is_time(r, c) || r->left_out[c] || !name[0] || list_has(r->options->ignore, name) ||
            reading_asked(r, name))
            continue;
        bool counts = reading_counts_rows(r, c, &number);
        r->left_out[c] = counts;
        if (counts && !r->options->columns)
            status = reading_note(r, "'%s' counts the rows (%s, %s, ...): left out; `columns` with its name among the "
                                     "others forecasts it\n", name,
                                  r->table.cells[c], r->table.cells[r->table.columns + c]);
    }
    number_reader_close(&number);
    return status;
}
