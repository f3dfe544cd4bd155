/* The step of the rows, and what is to be said of rows that it does not explain: repeated, left out, off the step. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "frame_time.h"
#include "zoned.h"

typedef struct spacing {
    int64_t repeated, differing;             /* stamps; rows of them that say something else than the one before */
    int64_t missing, gaps, longest, uneven;
    int64_t alike, from_second, to_second;   /* gaps between the same two times of day, and these */
    int64_t forward, back;                   /* gaps and repetitions that look like clocks put forward and back */
    int64_t first;                           /* row */
} spacing;

enum { LONGEST_GAP = 100000 };  /* counting stops there */

/* Stamps that a row is late by, 0 if it lies between two steps. */
static int64_t steps_skipped(const zone *z, int64_t from, int64_t to, time_step step) {
    int64_t at = from;
    for (int64_t n = 1; n < LONGEST_GAP; n++) {
        at = zoned_follow(z, from, at, step, n);
        if (at >= to) return at == to ? n - 1 : 0;
    }
    return LONGEST_GAP;
}

static bool same_cells(const reading *r, int64_t a, int64_t b) {
    for (int64_t c = 0; c < r->table.columns; c++)
        if (r->from ? reading_value(r, a, c) != reading_value(r, b, c)
                    : strcmp(reading_text(r, a, c), reading_text(r, b, c)) != 0)
            return false;
    return true;
}

/* A gap goes by the times of day it lies between; the commonest pair is found as a majority is, by one that others
 * cancel. */
static void add_gap(spacing *s, int64_t from, int64_t to, int64_t rows) {
    int64_t a = floor_mod(from, DAY_SECONDS), b = floor_mod(to, DAY_SECONDS);
    s->missing += rows;
    s->gaps++;
    s->longest = MAX2(s->longest, rows);
    if (s->alike == 0) s->from_second = a, s->to_second = b;
    s->alike += a == s->from_second && b == s->to_second ? 1 : -1;
}

/* Also where the row before is a day that begins later than others, as clocks skipped its midnight. */
static bool follows(const frame *f, int64_t row, time_step step) {
    return f->time[row] == zoned_advance(f->zone, f->time[row - 1], step, 1) ||
           (f->zone && f->time[row - 1] == zoned_advance(f->zone, f->time[row], step, -1));
}

static spacing check_spacing(const reading *r, time_step step) {
    const frame *f = r->out;
    spacing      s = { .first = -1 };
    for (int64_t i = 1; i < f->file_rows; i++) {
        if (follows(f, i, step)) continue;
        bool    same    = f->time[i] == f->time[i - 1];
        int64_t skipped = same ? 0 : steps_skipped(f->zone, f->time[i - 1], f->time[i], step);
        s.repeated += same;
        s.differing += same && !same_cells(r, i - 1, i);
        s.uneven += !same && !skipped;
        bool moved = reading_clocks_moved(r, f->time[i - 1], f->time[i], step);
        s.forward += moved && skipped;
        s.back += moved && same;
        if (skipped) add_gap(&s, zone_label(f->zone, f->time[i - 1]), zone_label(f->zone, f->time[i]), skipped);
        if (s.first < 0) s.first = i;
    }
    return s;
}

/* ---- what is said of it ---- */

static void clock_text(char buffer[16], int64_t second) {
    snprintf(buffer, 16, "%02d:%02d", (int)(second / 3600), (int)(second / 60 % 60));
}

static tide_status tell_repeated(reading *r, const spacing *s) {
    if (!s->repeated) return TIDE_OK;
    return reading_note(r, "%" PRId64 " time stamps stand twice, %" PRId64
                           " of them with other values: each moves the rows after it by one step; `aggregate` first "
                           "keeps one row of each\n", s->repeated, s->differing);
}

static tide_status tell_missing(reading *r, const spacing *s, time_step by, const char *step) {
    const frame *f = r->out;
    char         from[16], to[16], named[STEP_TEXT + 80] = "";
    if (s->missing < (s->missing + f->file_rows) / 1000) return TIDE_OK; /* what was counted is all there is to say */
    if (!s->missing) return TIDE_OK;
    clock_text(from, s->to_second);
    clock_text(to, s->from_second);
    bool hours = by.unit <= UNIT_HOUR && !by.sessions;
    if (!r->options->freq)
        snprintf(named, sizeof named, "; `freq` can name hours and days, as '%s, Mon-Fri %s-%s'", step, from, to);
    if (hours && s->gaps > 2 && s->alike > s->gaps / 2)
        return reading_note(r,
                            "rows from %s to %s only, with %" PRId64
                            " gaps alike, as trading hours have: the rows are taken as adjacent, and the stamps of a "
                            "forecast go on by %s, also outside these hours%s\n",
                            from, to, s->gaps, step, named);
    return reading_note(r,
                        "%.1f %% of the rows are left out, %" PRId64
                        " at once at most: taken as adjacent they shift every season after them, and scores and "
                        "forecasts are worse; put them back with empty cells\n",
                        100 * (double)s->missing / (double)(s->missing + f->file_rows), s->longest);
}

/* All repetitions look so, and there are some, or else all gaps do. */
static const char *hint_at_clocks(const spacing *s) {
    bool moved = s->repeated ? s->back == s->repeated : s->forward && s->forward == s->gaps;
    return moved ? "; if clocks were put forward or back there, `tz` NAME, such as Europe/Berlin, reads local times"
                 : "";
}

/* Stamps that follow no step: which option makes them follow one. */
static tide_status tell_uneven(reading *r, const spacing *s, const char *step) {
    if (!s->uneven || r->grid.unit) return TIDE_OK;
    return reading_note(r, "rows that come at any time: `aggregate` mean with `freq` %s (or a longer step) makes one "
                           "row of those in each step\n", step);
}

/* Rows left out of an otherwise even axis can be put back; where they are more than those that are there, the step is
 * not what it seems. */
static bool can_put_back(const reading *r, const spacing *s, time_step step) {
    const frame *f = r->out;
    return r->options->kind == KIND_CUSTOM && !r->options->strict_dates && f->step.unit == step.unit &&
           f->step.count == step.count && !s->repeated && !s->uneven && s->missing <= f->file_rows;
}

static tide_status put_back(reading *r, const spacing *s, const char *step) {
    r->absent = s->missing;
    return reading_note(r,
                        "%" PRId64 " rows are left out (the step is %s), at most %" PRId64 " at once, first before %s %"
                        PRId64 ": put back without values%s\n",
                        s->missing, step, s->longest, reading_rows_are(r), r->table.line[s->first], hint_at_clocks(s));
}

static tide_status report_spacing(reading *r, spacing s, time_step step) {
    char name[STEP_TEXT], text[240 + STEP_TEXT];
    step_print(name, step);
    if (can_put_back(r, &s, step)) return put_back(r, &s, name);
    snprintf(text, sizeof text,
             "time stamps: %" PRId64 " repeated, %" PRId64 " missing, %" PRId64
             " off the step of %s, first at %s %" PRId64,
             s.repeated, s.missing, s.uneven, name, reading_rows_are(r), r->table.line[s.first]);
    if (r->options->strict_dates)
        return forecast_fail(r->failure, TIDE_EDATA, r->path, r->table.line[s.first], r->out->time_name,
                             "%s%s%s%s", text, hint_at_clocks(&s),
                             s.repeated ? "; `aggregate` first keeps one row of each stamp" : "",
                             s.missing ? "; put the missing rows back with empty cells" : "");
    tide_status status = reading_note(r, "%s; the rows are taken as equally spaced%s\n", text, hint_at_clocks(&s));
    if (status == TIDE_OK) status = tell_repeated(r, &s);
    if (status == TIDE_OK) status = tell_uneven(r, &s, name);
    return status == TIDE_OK ? tell_missing(r, &s, step, name) : status;
}

/* ---- the step ---- */

/* The spacing is judged by the step that was found, or by that of `freq` or the run where it is as long, or the one
 * that rows were put on. */
tide_status reading_settle_step(reading *r) {
    frame *f = r->out;
    time_step found;
    if (!f->time) return TIDE_OK;
    if (!zoned_step_find(f->zone, f->time, f->file_rows, &found)) return reading_no_memory(r);
    if (r->grid.unit && !step_same(found, r->grid)) found = r->grid;
    tide_status status = reading_take_step(r, found);
    if (status) return status;
    if (found.unit == UNIT_NONE && f->file_rows > 1)
        return forecast_fail(r->failure, TIDE_EDATA, r->path, r->table.line[1], f->time_name,
                             "the time stamps have no common step");
    if (found.unit == UNIT_NONE) return TIDE_OK;
    if (step_same(found, f->step)) found = f->step;
    spacing s = check_spacing(r, found);
    return s.first < 0 ? TIDE_OK : report_spacing(r, s, found);
}
