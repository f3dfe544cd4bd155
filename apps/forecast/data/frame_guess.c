/* Which rows may be of one series, before the time is known: numbers that are times, epochs, 20160701 or years, ascend
 * from row to row, in long format in each series by itself. */
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "frame_long.h"

enum { ROWS_A_SERIES = 3 };

/* Text in the first row that holds anything, under a name that no time has. */
static bool may_name(const reading *r, int64_t column, const number_reader *number) {
    int64_t seconds, row = 0;
    double  value;
    while (row + 1 < r->table.rows && number_is_missing(reading_text(r, row, column))) row++;
    const char *text = reading_text(r, row, column);
    return !number_parse(number, text, &value) && !time_parse(text, &seconds, NULL) && !number_is_missing(text);
}

static bool takes(const reading *r, int64_t column, bool by_text, const number_reader *number) {
    const char *id = r->options->id, *name = r->table.header[column];
    if (!name[0] || list_has(r->options->ignore, name)) return false;
    if (by_text) return may_name(r, column, number);
    return id ? list_has(id, name) : key_is_sure(name);
}

/* Numbers the rows by all columns that are taken; 0: none is, or there are nearly as many series as rows. */
static int64_t number_all(const reading *r, bool by_text, const number_reader *number, int32_t *of, int32_t *more,
                          int32_t *both) {
    int64_t rows = r->table.rows, most = by_text ? rows / ROWS_A_SERIES : rows, count = 0;
    for (int64_t c = 0; c < r->table.columns; c++) {
        if (!takes(r, c, by_text, number)) continue;
        int64_t next = series_number(r, c, most, more);
        if (next < 0) return -1;
        if (next > most) continue;
        if (!count) memcpy(of, more, (size_t)rows * sizeof *of), count = next;
        else {
            count = series_combine(of, more, rows, most, both);
            if (count < 0 || count > most) return count < 0 ? -1 : 0;
            memcpy(of, both, (size_t)rows * sizeof *of);
        }
    }
    return count;
}

static bool set_before(reading *r, const int32_t *of, int64_t series) {
    int64_t *last = malloc((size_t)series * sizeof *last);
    r->before     = malloc((size_t)r->table.rows * sizeof *r->before + 1);
    bool fine     = last && r->before;
    for (int64_t s = 0; fine && s < series; s++) last[s] = -1;
    for (int64_t i = 0; fine && i < r->table.rows; i++) r->before[i] = last[of[i]], last[of[i]] = i;
    free(last);
    return fine;
}

static bool any_taken(const reading *r, bool by_text, const number_reader *number) {
    for (int64_t c = 0; c < r->table.columns; c++)
        if (takes(r, c, by_text, number)) return true;
    return false;
}

tide_status reading_guess_series(reading *r, bool by_text) {
    number_reader number;
    size_t        rows = (size_t)r->table.rows;
    const char   *id   = r->options->id;
    if (by_text && (id || r->options->run_names)) return TIDE_OK;
    if (!number_reader_open(&number, reading_decimal(r->options))) return reading_no_memory(r);
    bool fine = true;
    if (any_taken(r, by_text, &number)) {
        int32_t *of   = malloc(rows * sizeof *of), *more = malloc(rows * sizeof *more),
                *both = malloc(rows * sizeof *both);
        int64_t  series = of && more && both ? number_all(r, by_text, &number, of, more, both) : -1;
        fine            = series >= 0 && (!series || set_before(r, of, series));
        free(of);
        free(more);
        free(both);
    }
    number_reader_close(&number);
    return fine ? TIDE_OK : reading_no_memory(r);
}
