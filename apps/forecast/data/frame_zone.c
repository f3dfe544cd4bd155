/* Labels become instants: by the zone that is given, or by the offsets that the file has, where these vary. */
#include <inttypes.h>
#include <stdlib.h>

#include "frame_long.h"
#include "zoned.h"

static bool has_offset(int32_t offset) { return offset > DATE_ALONE; }

/* ---- by the file's own offsets ---- */

/* The first row whose offset is another than that of those before; -1: there is none. */
static int64_t first_other(const int32_t *offset, int64_t rows, int32_t *before) {
    *before = NO_OFFSET;
    for (int64_t i = 0; i < rows; i++) {
        if (!has_offset(offset[i])) continue;
        if (has_offset(*before) && offset[i] != *before) return i;
        *before = offset[i];
    }
    return -1;
}

static tide_status fail_offset(reading *r, int64_t row) {
    char buffer[STAMP_TEXT];
    return forecast_fail(r->failure, TIDE_EDATA, r->path, r->table.line[row], r->out->time_name,
                         "no clock is as far from UTC as that of '%.60s'", reading_stamp_text(r, row, buffer));
}

static int by_time(const void *a, const void *b) {
    const zone_change *x = a, *y = b;
    return (x->at > y->at) - (x->at < y->at);
}

/* Series whose clocks stand in different zones: no clock shows them all. */
static tide_status refuse_two_clocks(reading *r, const int32_t *offset, int64_t instant) {
    char    buffer[STAMP_TEXT], other[STAMP_TEXT];
    int64_t first = 0, row;
    while (r->out->time[first] != instant) first++;
    for (row = first + 1; r->out->time[row] != instant || offset[row] == offset[first];) row++;
    return forecast_fail(r->failure, TIDE_EDATA, r->path, r->table.line[row], r->out->time_name,
                         "'%.40s' is the instant of '%.40s' in line %" PRId64 ", by another clock: `tz` NAME, such as "
                         "Europe/Berlin or UTC, shows all rows by one", reading_stamp_text(r, row, buffer),
                         reading_stamp_text(r, first, other), r->table.line[first]);
}

/* Of rows in the order of time. */
static tide_status check_one_clock(reading *r, const int32_t *offset, const zone_change *rows) {
    for (int64_t i = 1; i < r->out->file_rows; i++)
        if (rows[i].at == rows[i - 1].at && rows[i].offset != rows[i - 1].offset)
            return refuse_two_clocks(r, offset, rows[i].at);
    return TIDE_OK;
}

/* What the clock that wrote the stamps did: its offset changes where that of the rows does, in the order of time. */
static bool make_zone(frame *f, zone_change *rows) {
    int64_t count = 0;
    for (int64_t i = 0; i < f->file_rows; i++)
        if (!i || rows[i].offset != rows[count - 1].offset) rows[count++] = rows[i];
    f->zone = zone_new(count);
    for (int64_t i = 0; f->zone && i < count; i++) zone_add(f->zone, rows[i].at, rows[i].offset);
    return f->zone != NULL;
}

/* Dates alone, midnights among stamps with a clock, have the offset of the row before. */
static tide_status take_own_offsets(reading *r, const int32_t *offset, int32_t first) {
    frame       *f    = r->out;
    zone_change *rows = malloc((size_t)f->file_rows * sizeof *rows + 1);
    if (!rows) return reading_no_memory(r);
    tide_status status = TIDE_OK;
    for (int64_t i = 0; i < f->file_rows && status == TIDE_OK; i++) {
        if (has_offset(offset[i])) first = offset[i];
        if (first > ZONE_FARTHEST || first < -ZONE_FARTHEST) status = fail_offset(r, i);
        f->time[i] -= first;
        rows[i] = (zone_change){ f->time[i], first };
    }
    if (status == TIDE_OK) qsort(rows, (size_t)f->file_rows, sizeof *rows, by_time);
    if (status == TIDE_OK) status = check_one_clock(r, offset, rows);
    if (status == TIDE_OK && !make_zone(f, rows)) status = reading_no_memory(r);
    free(rows);
    return status;
}

static tide_status note_own_offsets(reading *r, int64_t row) {
    char buffer[STAMP_TEXT];
    return reading_note(r, "the offset of the stamps changes, first at %s %" PRId64 ", '%.60s': they are taken as "
                        "instants, and a forecast has the last offset; `tz` NAME, such as Europe/Berlin, knows the "
                        "next change of clocks\n",
                        reading_rows_are(r), r->table.line[row], reading_stamp_text(r, row, buffer));
}

/* ---- by the zone that is given ---- */

/* One after the other in the order of time: of a label that clocks show twice, the second follows on the first. */
typedef struct walk {
    reading *r;
    bool     days;               /* all labels are midnights, which stand for days */
    int64_t  before;             /* the instant of the row before; INT64_MIN: there is none */
    int64_t  open;               /* a row in the first of such two hours, until one in the second comes; -1 */
    int64_t  once, first_once;   /* hours of which the second never came, and the row of the first */
} walk;

static void close_hour(walk *w) {
    if (w->open >= 0 && !w->once++) w->first_once = w->open;
    w->open = -1;
}

static int64_t choose_of_two(walk *w, int64_t row, const int64_t two[2]) {
    bool second = w->before >= two[0] && w->before <= two[1];
    if (second) w->open = -1;
    else if (w->open < 0) w->open = row;
    return two[second];
}

static tide_status fail_skipped(reading *r, int64_t row) {
    char buffer[STAMP_TEXT];
    const zone *z = r->out->zone;
    return forecast_fail(r->failure, TIDE_EDATA, r->path, r->table.line[row], r->out->time_name,
                         "'%.60s' is no local time of %s, whose clocks were put forward over it: correct it, or, if "
                         "the clocks of the file are never changed, leave `tz` out",
                         reading_stamp_text(r, row, buffer), z->name);
}

/* A day whose midnight is skipped begins when clocks have been put forward; one that is skipped as a whole is none. */
static tide_status place_day(walk *w, int64_t row, const int64_t two[2], int found) {
    frame  *f     = w->r->out;
    int64_t label = f->time[row];
    f->time[row] = found ? two[0] : zone_instant(f->zone, label);
    bool same_day = floor_div(zone_label(f->zone, f->time[row]), DAY_SECONDS) == floor_div(label, DAY_SECONDS);
    return same_day ? TIDE_OK : fail_skipped(w->r, row);
}

static tide_status place_row(walk *w, int64_t row, int32_t offset) {
    frame      *f = w->r->out;
    int64_t     two[2];
    tide_status status = TIDE_OK;
    int         found  = zone_instants(f->zone, f->time[row], two);
    if (has_offset(offset)) {
        if (offset > ZONE_FARTHEST || offset < -ZONE_FARTHEST) return fail_offset(w->r, row);
        f->time[row] -= offset;
        w->open = -1;
    } else if (w->days || offset == DATE_ALONE) status = place_day(w, row, two, found);
    else if (!found) return fail_skipped(w->r, row);
    else if (found == 2) f->time[row] = choose_of_two(w, row, two);
    else close_hour(w), f->time[row] = two[0];
    w->before = f->time[row];
    return status;
}

static tide_status note_once(const walk *w) {
    reading *r = w->r;
    char     buffer[STAMP_TEXT], taken[40];
    if (!w->once) return TIDE_OK;
    time_format format = r->out->format;
    format.middle = ' ', format.kind = 'd';
    zoned_print(taken, r->out->zone, r->out->time[w->first_once], &format);
    return reading_note(r, "clocks in %s showed '%.60s' (%s %" PRId64 ") twice, and the file has it once%s: taken as "
                        "the first time, %s; an offset behind the stamp says which it is\n",
                        r->out->zone->name, reading_stamp_text(r, w->first_once, buffer), reading_rows_are(r),
                        r->table.line[w->first_once], w->once > 1 ? ", as other such hours" : "", taken);
}

/* Offsets are written in all rows or, where some have none, where the label does not say enough. */
static void settle_form(frame *f, const int32_t *offset) {
    for (int64_t i = 0; i < f->file_rows; i++)
        if (offset[i] == NO_OFFSET) *f->format.offset = 0;
}

/* The rows of one series in the order of the file; NULL: all rows. */
static tide_status place_rows(walk *w, const int32_t *offset, const int64_t *rows, int64_t count) {
    const int64_t *time = w->r->out->time;
    bool newest_first = count && time[rows ? rows[count - 1] : count - 1] < time[rows ? rows[0] : 0];
    tide_status status = TIDE_OK;
    w->before = INT64_MIN;
    for (int64_t i = 0; i < count && status == TIDE_OK; i++) {
        int64_t at = newest_first ? count - 1 - i : i, row = rows ? rows[at] : at;
        status = place_row(w, row, offset[row]);
    }
    close_hour(w);
    return status;
}

static bool needs_choice(const walk *w, int64_t row, int32_t offset) {
    int64_t two[2];
    return !w->days && offset == NO_OFFSET && zone_instants(w->r->out->zone, w->r->out->time[row], two) > 1;
}

/* Which rows are of one series is told by stamps that are not repeated: those of such hours are put one behind the
 * other, with room between the others for them. */
static tide_status group_rows(const walk *w, const int32_t *offset, series_order *out) {
    enum { ROOM = 1 << 20, HOUR = 3600 };
    frame   *f      = w->r->out;
    int64_t *spread = malloc((size_t)f->file_rows * sizeof *spread + 1), *time = f->time, chosen = 0;
    *out = (series_order){ 0 };
    if (!spread) return reading_no_memory(w->r);
    for (int64_t i = 0; i < f->file_rows; i++) {
        bool choice = needs_choice(w, i, offset[i]);
        spread[i] = (choice ? floor_div(time[i], HOUR) * HOUR : time[i]) * ROOM;
        if (choice) spread[i] += ++chosen;
    }
    f->time = spread;
    tide_status status = chosen ? reading_group_rows(w->r, out) : TIDE_OK;
    f->time = time;
    free(spread);
    return status;
}

static tide_status take_local_times(reading *r, const int32_t *offset) {
    frame       *f = r->out;
    walk         w = { .r = r, .days = true, .open = -1 };
    series_order series;
    for (int64_t i = 0; i < f->file_rows; i++) w.days = w.days && floor_mod(f->time[i], DAY_SECONDS) == 0;
    settle_form(f, offset);
    tide_status status = group_rows(&w, offset, &series);
    if (status == TIDE_OK && !series.row) status = place_rows(&w, offset, NULL, f->file_rows);
    for (int64_t s = 0; s < series.series && status == TIDE_OK; s++)
        status = place_rows(&w, offset, series.row + series.start[s], series.start[s + 1] - series.start[s]);
    series_order_free(&series);
    return status == TIDE_OK ? note_once(&w) : status;
}

tide_status reading_settle_zone(reading *r, const int32_t *offset) {
    frame  *f = r->out;
    int32_t first;
    if (f->format.kind != 'd') return TIDE_OK; /* epochs are instants */
    if (f->zone) return take_local_times(r, offset);
    int64_t row = first_other(offset, f->file_rows, &first);
    if (row < 0) return TIDE_OK;
    tide_status status = take_own_offsets(r, offset, first);
    return status == TIDE_OK ? note_own_offsets(r, row) : status;
}

bool reading_clocks_moved(const reading *r, int64_t before, int64_t now, time_step step) {
    enum { HOUR = 3600, SUNDAY = 6, LATEST = 4 * HOUR };
    const frame *f = r->out;
    if (r->from || f->zone || f->format.kind != 'd' || *f->format.offset || step.unit > UNIT_HOUR || !step.unit)
        return false;
    int64_t more = now - time_advance(before, step, 1);
    return (more == HOUR || more == -HOUR) && floor_mod(before, DAY_SECONDS) < LATEST &&
           calendar_weekday(floor_div(before, DAY_SECONDS)) == SUNDAY;
}
