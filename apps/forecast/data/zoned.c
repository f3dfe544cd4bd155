#include "zoned.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int64_t zoned_advance(const zone *z, int64_t seconds, time_step step, int64_t steps) {
    if (!z || step.unit <= UNIT_HOUR) return time_advance(seconds, step, steps);
    return zone_instant(z, time_advance(zone_label(z, seconds), step, steps));
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

bool zoned_step_find(const zone *z, const int64_t *time, int64_t rows, time_step *out) {
    *out = step_find(time, rows);
    if (!z) return true;
    int64_t *label = malloc((size_t)rows * sizeof *label + 1);
    if (!label) return false;
    for (int64_t i = 0; i < rows; i++) label[i] = zone_label(z, time[i]);
    time_step local = step_find(label, rows);
    free(label);
    if (local.unit >= UNIT_DAY) *out = local;
    return true;
}
