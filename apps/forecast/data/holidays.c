/* Holidays of a calendar: what a row's stamp makes of them. */
#include "holidays.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/base.h"
#include "calendar.h"
#include "train/run.h"
#include "zone.h"

void holidays_free(holidays *h) {
    for (int64_t i = 0; i < h->count; i++) free(h->of[i].name);
    free(h->of);
    *h = (holidays){ 0 };
}

bool holidays_copy(const holidays *from, holidays *out) {
    *out = (holidays){ 0 };
    if (!from->count) return true;
    if (!(out->of = calloc((size_t)from->count, sizeof *out->of))) return false;
    for (out->count = 0; out->count < from->count; out->count++) {
        out->of[out->count].day = from->of[out->count].day;
        if (!(out->of[out->count].name = strdup(from->of[out->count].name))) return false;
    }
    return true;
}

static int by_day(const void *a, const void *b) {
    const holiday *x = a, *y = b;
    return x->day != y->day ? (x->day > y->day) - (x->day < y->day) : strcmp(x->name, y->name);
}

void holidays_sort(holidays *h) { qsort(h->of, (size_t)h->count, sizeof *h->of, by_day); }

/* ---- values ---- */

/* The days [first, stop) that a row stands for. */
static void days_of(int64_t seconds, time_step step, int64_t *first, int64_t *stop) {
    int64_t fixed = unit_seconds(step.unit) * step.count, day = floor_div(seconds, DAY_SECONDS);
    bool    one = step.unit == UNIT_NONE || (fixed && fixed <= DAY_SECONDS) ||
                  (step.unit == UNIT_BUSINESS_DAY && step.count == 1);
    bool    ends = step_months(step) && step.day == 31;
    *first = ends ? floor_div(time_advance(seconds, step, -1), DAY_SECONDS) + 1 : day;
    *stop  = one || ends ? day + 1 : floor_div(time_advance(seconds, step, 1), DAY_SECONDS);
}

/* The first holiday of that day or later. */
static int64_t first_from(const holidays *h, int64_t day) {
    int64_t low = 0, high = h->count;
    while (low < high) {
        int64_t middle = low + (high - low) / 2;
        if (h->of[middle].day < day) low = middle + 1;
        else high = middle;
    }
    return low;
}

double holidays_value(const holidays *h, const char *column, int64_t seconds, time_step step) {
    const char *name = strchr(column, '=');
    int64_t     first, stop, days = 0, before = INT64_MIN;
    days_of(seconds, step, &first, &stop);
    for (int64_t i = first_from(h, first); i < h->count && h->of[i].day < stop; i++) {
        bool counts = h->of[i].day != before && (!name || !strcmp(name + 1, h->of[i].name));
        if (counts) days++, before = h->of[i].day;
    }
    return (double)days;
}

bool holidays_end_before(const holidays *h, int64_t seconds) {
    return h->count && floor_div(seconds, DAY_SECONDS) > h->of[h->count - 1].day;
}

void holidays_last(const holidays *h, char buffer[40]) {
    const time_format days = { .kind = 'd', .separator = '-', .padded = true };
    time_print(buffer, h->of[h->count - 1].day * DAY_SECONDS, &days);
}

/* ---- columns ---- */

bool holidays_append(const holidays *h, char *const *names, int64_t count, frame *f) {
    double *values = malloc((size_t)(f->file_rows * count) * sizeof *values + 1);
    for (int64_t i = 0; values && i < f->file_rows * count; i++)
        values[i] = holidays_value(h, names[i % count], zone_label(f->zone, f->time[i / count]), f->step);
    bool fine = values && frame_append(f, names, count, values);
    free(values);
    return fine;
}

typedef struct named { const char *name; int64_t days; } named;

static int by_days(const void *a, const void *b) {
    const named *x = a, *y = b;
    return x->days != y->days ? (x->days < y->days) - (x->days > y->days) : strcmp(x->name, y->name);
}

static int by_name(const void *a, const void *b) { return strcmp(((const named *)a)->name, ((const named *)b)->name); }

/* Names with two days or more from the frame's first row to its last, the commonest first. */
static int64_t common_names(const holidays *h, const frame *f, named *all) {
    int64_t n = 0, count = 0, common = 0, first = floor_div(zone_label(f->zone, f->time[0]), DAY_SECONDS);
    int64_t last = floor_div(zone_label(f->zone, f->time[f->file_rows - 1]), DAY_SECONDS);
    for (int64_t i = first_from(h, first); i < h->count && h->of[i].day <= last; i++)
        if (*h->of[i].name) all[n++] = (named){ h->of[i].name, 1 };
    qsort(all, (size_t)n, sizeof *all, by_name);
    for (int64_t i = 0; i < n; i++)
        if (count && !strcmp(all[count - 1].name, all[i].name)) all[count - 1].days++;
        else all[count++] = all[i];
    qsort(all, (size_t)count, sizeof *all, by_days);
    while (common < count && all[common].days > 1) common++;
    return common;
}

bool holidays_columns(const holidays *h, const frame *f, char ***names, int64_t *count) {
    enum { MOST_NAMES = 30 };
    named  *all = malloc((size_t)(h->count + 1) * sizeof *all);
    char  **out = calloc(MOST_NAMES + 1, sizeof *out);
    int64_t common = all && out ? MIN2(common_names(h, f, all), MOST_NAMES) : 0;
    bool    fine = all && out && (out[0] = strdup("holiday")) != NULL;
    *count = 1;
    if (fine) qsort(all, (size_t)common, sizeof *all, by_name);
    for (int64_t i = 0; fine && i < common; i++) {
        size_t bytes = strlen(all[i].name) + sizeof "holiday=";
        if ((fine = (out[*count] = malloc(bytes)) != NULL)) snprintf(out[(*count)++], bytes, "holiday=%s", all[i].name);
    }
    free(all);
    *names = out;
    return fine;
}

/* ---- kept in a run ---- */

json_t *holidays_json(const holidays *h) {
    json_t *list = json_array();
    for (int64_t i = 0; i < h->count; i++)
        json_array_append_new(list, json_pack("[I, o]", (json_int_t)h->of[i].day, json_text(h->of[i].name)));
    return list;
}

bool holidays_from_json(const json_t *list, holidays *out, bool *out_of_memory) {
    size_t count = json_array_size(list);
    *out = (holidays){ 0 };
    if (!count) return false;
    out->of = calloc(count, sizeof *out->of);
    for (size_t i = 0; out->of && i < count; i++) {
        const json_t *one = json_array_get(list, i), *day = json_array_get(one, 0);
        const char   *name = json_string_value(json_array_get(one, 1));
        int64_t       at = json_integer_value(day);
        bool          order = !i || at >= out->of[i - 1].day;
        if (!json_is_integer(day) || !name || !order || !time_writable(at > 4000000 ? INT64_MAX : at * DAY_SECONDS))
            return holidays_free(out), false;
        out->of[i] = (holiday){ at, strdup(name) };
        out->count++;
        if (!out->of[i].name) return *out_of_memory = true, holidays_free(out), false;
    }
    *out_of_memory = *out_of_memory || !out->of;
    return out->of != NULL;
}
