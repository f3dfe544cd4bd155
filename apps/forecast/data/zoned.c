#include "zoned.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Of a local time that comes twice, the one that lies on the way. */
static int64_t nearest_instant(const zone *z, int64_t label, int64_t from, int64_t way) {
    int64_t two[2];
    if (zone_instants(z, label, two) < 2) return zone_instant(z, label);
    return way > 0 ? two[two[0] <= from] : two[two[1] < from];
}

/* On by the step while that is an open hour, so that one that comes twice is two rows; else to the next that is. */
static int64_t next_session(const zone *z, int64_t seconds, time_step step, int64_t way) {
    int64_t next = seconds + way * step.count * unit_seconds(step.unit);
    if (step_holds(step, zone_label(z, next))) return next;
    return nearest_instant(z, time_advance(zone_label(z, seconds), step, way), seconds, way);
}

int64_t zoned_advance(const zone *z, int64_t seconds, time_step step, int64_t steps) {
    if (!z || (step.unit <= UNIT_HOUR && !step.sessions)) return time_advance(seconds, step, steps);
    if (step.unit > UNIT_HOUR) return zone_instant(z, time_advance(zone_label(z, seconds), step, steps));
    for (; steps > 0; steps--) seconds = next_session(z, seconds, step, 1);
    for (; steps < 0; steps++) seconds = next_session(z, seconds, step, -1);
    return seconds;
}

int64_t zoned_follow(const zone *z, int64_t from, int64_t before, time_step step, int64_t n) {
    bool by_one = z && step.unit <= UNIT_HOUR && step.sessions;
    return by_one ? zoned_advance(z, before, step, 1) : zoned_advance(z, from, step, n);
}

/* In whole minutes, as offsets are written: before 1900 many were not. */
static int64_t written_offset(const zone *z, int64_t seconds) {
    int64_t offset = zone_offset(z, seconds);
    return offset - offset % 60;
}

static bool shown_twice(const zone *z, int64_t label) {
    int64_t two[2];
    return zone_instants(z, label, two) > 1;
}

/* In the form of `like`: Z, +hh, +hhmm or +hh:mm. */
static void put_offset(char out[8], int64_t offset, const char *like) {
    int  minutes = (int)((offset < 0 ? -offset : offset) / 60 % (100 * 60)), hours = minutes / 60;
    char sign = offset < 0 ? '-' : '+';
    bool whole = minutes % 60 == 0, bare = strlen(like) > 1 && !strchr(like, ':');
    if (*like == 'Z' && !offset) snprintf(out, 8, "Z");
    else if (strlen(like) == 3 && whole) snprintf(out, 8, "%c%02d", sign, hours);
    else snprintf(out, 8, bare ? "%c%02d%02d" : "%c%02d:%02d", sign, hours, minutes % 60);
}

void zoned_name(char buffer[ZONE_NAME], const zone *z) {
    *buffer = 0;
    if (z && *z->name) snprintf(buffer, ZONE_NAME, "%s", z->name);
    else if (z) put_offset(buffer, z->changes[z->count - 1].offset, "");
}

void zoned_print_part(char buffer[40], const zone *z, int64_t seconds, const time_format *format, time_part part) {
    if (!z || format->kind != 'd' || !time_writable(seconds)) {
        time_print_part(buffer, seconds, format, part);
        return;
    }
    time_format local = *format;
    int64_t offset = written_offset(z, seconds);
    if (*format->offset || shown_twice(z, zone_label(z, seconds))) put_offset(local.offset, offset, format->offset);
    time_print_part(buffer, seconds + offset, &local, part);
}

void zoned_print(char buffer[40], const zone *z, int64_t seconds, const time_format *format) {
    zoned_print_part(buffer, z, seconds, format, PART_STAMP);
}

int64_t *zoned_labels(const zone *z, const int64_t *time, int64_t rows) {
    int64_t *label = malloc((size_t)rows * sizeof *label + 1);
    for (int64_t i = 0; label && i < rows; i++) label[i] = zone_label(z, time[i]);
    return label;
}

bool zoned_step_find(const zone *z, const int64_t *time, int64_t rows, time_step *out) {
    *out = step_find(time, rows);
    if (!z) return true;
    int64_t *label = zoned_labels(z, time, rows);
    if (!label) return false;
    time_step local = step_find(label, rows);
    free(label);
    if (local.unit >= UNIT_DAY || local.sessions) *out = local;
    else out->sessions = 0;
    return true;
}

bool zoned_step_keeps(const zone *z, time_step known, const int64_t *time, int64_t rows, time_step found, bool *out) {
    int64_t *label = zoned_labels(z, time, rows);
    *out = label && step_keeps(known, label, rows, found);
    free(label);
    return label != NULL;
}
