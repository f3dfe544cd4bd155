/* Several devices as people write them. */
#include <stdio.h>
#include <stdlib.h>

#include "base/base.h"
#include "ranks/place.h"
#include "team.h"

static tide_status wrong(const char *text, const char *why, tide_failure *failure) {
    return fail_at(failure, TIDE_EINVAL, NULL, 0, "device",
                   "`device` '%s' %s: a list is of one kind, such as cuda:0-1 or cuda:0,2", text, why);
}

/* A number of at most four digits; *at moves behind it. */
static bool read_number(const char **at, int *number) {
    size_t length = strspn(*at, "0123456789");
    *number = length && length <= 4 ? atoi(*at) : 0;
    *at += length;
    return length >= 1 && length <= 4;
}

/* "0" or "0-3" behind a name's colon. */
static const char *add_numbers(const char *name, size_t length, const char *at, train_devices *out) {
    int first, last;
    if (!read_number(&at, &first)) return "has no number where one belongs";
    last = first;
    if (*at == '-' && (at++, !read_number(&at, &last))) return "has no number where one belongs";
    if (*at && *at != ',') return "has no number where one belongs";
    if (last < first) return "has a range that ends before it begins";
    for (int i = first; i <= last; i++) {
        if (out->count == TRAIN_DEVICES) return "names more than 64 devices";
        snprintf(out->of[out->count++], RANK_HOST, "%.*s:%d", (int)length, name, i);
    }
    return NULL;
}

static const char *add_plain(const char *name, size_t length, train_devices *out) {
    if (length == 0 || length >= TRAIN_DEVICE) return "has an empty place";
    if (out->count == TRAIN_DEVICES) return "names more than 64 devices";
    snprintf(out->of[out->count++], RANK_HOST, "%.*s", (int)length, name);
    return NULL;
}

/* What is wrong with it, a few words; NULL: nothing. A bare number has the name before it. */
static const char *split(const char *text, train_devices *out) {
    const char *name = NULL, *why = NULL;
    size_t      named = 0;
    for (const char *at = text; at && !why; at = strchr(at, ',') ? strchr(at, ',') + 1 : NULL) {
        size_t length = strcspn(at, ","), word = strcspn(at, ":,");
        if (word < length) name = at, named = word, why = add_numbers(name, named, at + word + 1, out);
        else if (name && *at >= '0' && *at <= '9') why = add_numbers(name, named, at, out);
        else name = NULL, why = add_plain(at, length, out);
    }
    return why;
}

static bool of_one_kind(const train_devices *d) {
    size_t length = strcspn(d->of[0], ":");
    for (int i = 1; i < d->count; i++)
        if (strcspn(d->of[i], ":") != length || strncmp(d->of[i], d->of[0], length) != 0) return false;
    return true;
}

/* "cuda" is "cuda:0". */
static bool same_device(const char *a, const char *b) {
    size_t length = strcspn(a, ":");
    return strcmp(a[length] ? a + length : ":0", b[length] ? b + length : ":0") == 0;
}

static bool comes_twice(const train_devices *d) {
    for (int i = 0; i < d->count; i++)
        for (int j = 0; j < i; j++)
            if (same_device(d->of[i], d->of[j])) return true;
    return false;
}

tide_status train_devices_read(const char *text, train_devices *out, tide_failure *failure) {
    tide_device first;
    out->count = 0;
    bool list = strchr(text, ',') || (strchr(text, ':') && strchr(text, '-'));
    if (!list) return snprintf(out->of[out->count++], RANK_HOST, "%s", text), TIDE_OK;
    const char *why = split(text, out);
    if (why) return wrong(text, why, failure);
    if (!of_one_kind(out)) return wrong(text, "names devices of several kinds", failure);
    if (train_device_open(out->of[0])) return wrong(text, "has 'auto' in a list", failure);
    tide_status status = tide_device_info(out->of[0], &first, failure);
    if (status == TIDE_OK && first.own_memory && comes_twice(out)) return wrong(text, "names one twice", failure);
    for (int i = 1; status == TIDE_OK && i < out->count; i++) status = tide_device_info(out->of[i], NULL, failure);
    return status;
}

tide_status train_devices_alone(const train_devices *d, bool joins, tide_failure *failure) {
    rank_place p = rank_place_here();
    if (d->count == 1 || p.count == 1 || !joins) return TIDE_OK;
    return fail_at(failure, TIDE_EINVAL, NULL, 0, "device",
                   "`device` names %d devices, which are trained on without %s, and it started %d processes: name one "
                   "device, or start one process", d->count, p.starter, p.count);
}
