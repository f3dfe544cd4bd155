/* The time column: which one it is, its stamps, and whether they are equally spaced. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "frame_reading.h"

#define ACCEPTED "accepted are 2016-07-01 00:00:00, 2016/7/1 0:00, 2016-07-01T00:00+02:00 and epoch seconds or milliseconds"

static const char *cell(const reading *r, int64_t row, int64_t column) {
    return r->table.cells[row * r->table.columns + column];
}

static tide_status status_of(const reading *r) { return r->failure ? r->failure->status : TIDE_EDATA; }

/* Every cell a stamp of the kind. Epochs must not run backwards: columns of large whole numbers are no times. */
static bool is_time_column(const reading *r, int64_t column, bool epoch) {
    int64_t before = INT64_MIN;
    for (int64_t i = 0; i < r->table.rows; i++) {
        int64_t seconds;
        time_format format;
        if (!time_parse(cell(r, i, column), &seconds, &format) || (format.kind != 'd') != epoch) return false;
        if (epoch && seconds < before) return false;
        before = seconds;
    }
    return true;
}

static tide_status search_columns(reading *r, bool epoch) {
    for (int64_t c = 0; c < r->table.columns; c++) {
        if (list_has(r->options->ignore, r->table.header[c]) || !is_time_column(r, c, epoch)) continue;
        if (r->time_column >= 0)
            return forecast_fail(r->failure, TIDE_EDATA, r->path, 1, r->table.header[c],
                                 "columns '%s' and '%s' both hold time stamps; choose one with --time-column",
                                 r->table.header[r->time_column], r->table.header[c]);
        r->time_column = c;
    }
    return TIDE_OK;
}

tide_status reading_find_time(reading *r) {
    const char *const usual[] = { r->options->run_time, "date", "ds", "timestamp" };
    if (r->options->kind == KIND_SOLAR) return TIDE_OK;
    if (r->options->time_column) {
        r->time_column = reading_find(r, "--time-column", r->options->time_column);
        return r->time_column < 0 ? status_of(r) : TIDE_OK;
    }
    for (int u = 0; u < 4; u++)
        for (int64_t c = 0; c < r->table.columns; c++)
            if (usual[u] && *usual[u] && !strcasecmp(r->table.header[c], usual[u]) && !list_has(r->options->ignore, r->table.header[c])) {
                r->time_column = c;
                return TIDE_OK;
            }
    tide_status status = search_columns(r, false);
    if (!status && r->time_column < 0) status = search_columns(r, true);
    return status;
}

/* One format for the column: seconds or a clock shown anywhere are shown; one unpadded stamp makes all unpadded. */
static void merge_format(time_format *all, const time_format *one) {
    all->padded = all->padded && one->padded;
    all->hour_padded = all->hour_padded && one->hour_padded;
    all->seconds = all->seconds || one->seconds;
    if (!all->middle) all->middle = one->middle;
    if (one->fraction > all->fraction) all->fraction = one->fraction;
}

/* Date-only stamps among stamps with a clock (midnight, as some programs write it) have no offset of their own. */
static bool same_clock(const time_format *a, const time_format *b) {
    return a->kind == b->kind && (!strcmp(a->offset, b->offset) || !a->middle || !b->middle);
}

static tide_status parse_stamp(reading *r, int64_t row) {
    frame *f = r->out;
    const char *text = cell(r, row, r->time_column);
    time_format format;
    if (!time_parse(text, &f->time[row], &format))
        return forecast_fail(r->failure, TIDE_EDATA, r->path, r->table.line[row], f->time_name,
                             "'%.60s' is no time stamp; " ACCEPTED, text);
    if (row == 0) f->format = format;
    if (!same_clock(&f->format, &format))
        return forecast_fail(r->failure, TIDE_EDATA, r->path, r->table.line[row], f->time_name,
                             "the offset or kind of '%.60s' differs from the rows before; it must not vary", text);
    if (format.offset[0]) memcpy(f->format.offset, format.offset, sizeof format.offset);
    merge_format(&f->format, &format);
    if (row && f->time[row] < f->time[row - 1])
        return forecast_fail(r->failure, TIDE_EDATA, r->path, r->table.line[row], f->time_name,
                             "time runs backwards: %.40s comes after %.40s; sort the rows by time", text,
                             cell(r, row - 1, r->time_column));
    return TIDE_OK;
}

typedef struct spacing { int64_t repeated, missing, uneven, first; } spacing;

enum { LONGEST_GAP = 100000 };  /* counting stops there */

/* Stamps that a row is late by, 0 if it lies between two steps. */
static int64_t steps_skipped(int64_t from, int64_t to, time_step step) {
    for (int64_t n = 1; n < LONGEST_GAP; n++) {
        int64_t at = time_advance(from, step, n);
        if (at >= to) return at == to ? n - 1 : 0;
    }
    return LONGEST_GAP;
}

static spacing check_spacing(const frame *f, time_step step) {
    spacing s = { .first = -1 };
    for (int64_t i = 1; i < f->file_rows; i++) {
        if (f->time[i] == time_advance(f->time[i - 1], step, 1)) continue;
        int64_t skipped = f->time[i] == f->time[i - 1] ? 0 : steps_skipped(f->time[i - 1], f->time[i], step);
        s.repeated += f->time[i] == f->time[i - 1];
        s.uneven += f->time[i] != f->time[i - 1] && !skipped;
        s.missing += skipped;
        if (s.first < 0) s.first = i;
    }
    return s;
}

static tide_status report_spacing(reading *r, spacing s, time_step step) {
    char name[24], text[240];
    step_print(name, step);
    snprintf(text, sizeof text,
             "time stamps: %" PRId64 " repeated, %" PRId64 " missing, %" PRId64 " off the step of %s, first at line %" PRId64,
             s.repeated, s.missing, s.uneven, name, r->table.line[s.first]);
    if (r->options->strict_dates)
        return forecast_fail(r->failure, TIDE_EDATA, r->path, r->table.line[s.first], r->out->time_name,
                             "%s; without --strict-dates the rows are taken as equally spaced", text);
    return reading_note(r, "%s; the rows are taken as equally spaced\n", text);
}

/* The step is what --freq says, else the commonest; the spacing is judged by the commonest. */
static tide_status settle_step(reading *r) {
    frame *f = r->out;
    time_step found = step_find(f->time, f->file_rows);
    f->step = found;
    if (r->options->freq) {
        step_parse(r->options->freq, &f->step);
        if (f->step.unit == found.unit) f->step.day = found.day;
    }
    if (found.unit == UNIT_NONE && f->file_rows > 1)
        return forecast_fail(r->failure, TIDE_EDATA, r->path, r->table.line[1], f->time_name, "the time stamps have no common step");
    if (found.unit == UNIT_NONE) return TIDE_OK;
    if (r->options->freq && (found.unit != f->step.unit || found.count != f->step.count)) {
        char name[24];
        step_print(name, found);
        if (reading_note(r, "most time stamps are %s apart; marks and future stamps follow --freq %s\n", name, r->options->freq))
            return TIDE_ENOMEM;
    }
    spacing s = check_spacing(f, found);
    return s.first < 0 ? TIDE_OK : report_spacing(r, s, found);
}

tide_status reading_parse_time(reading *r) {
    frame *f = r->out;
    f->file_rows = r->table.rows;
    if (r->time_column < 0) {
        if (r->options->freq) step_parse(r->options->freq, &f->step);
        return TIDE_OK;
    }
    f->time_name = strdup(r->table.header[r->time_column]);
    f->time_place = r->time_column;
    f->time = calloc((size_t)f->file_rows, sizeof *f->time);
    if (!f->time_name || !f->time) return reading_no_memory(r);
    for (int64_t i = 0; i < f->file_rows; i++) {
        tide_status status = parse_stamp(r, i);
        if (status) return status;
    }
    return settle_step(r);
}
