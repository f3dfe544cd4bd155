/* From instants to a zone's clocks and back. */
#include "zone.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

static const int64_t four_centuries = 146097LL * 86400;

zone *zone_new(int64_t most_changes) {
    zone *z = calloc(1, sizeof *z);
    if (z) z->changes = malloc((size_t)(most_changes + 1) * sizeof *z->changes);
    if (z && z->changes) return z;
    free(z);
    return NULL;
}

void zone_add(zone *z, int64_t at, int64_t offset) {
    assert(!z->count || at >= z->changes[z->count - 1].at);
    if (!z->count) at = INT64_MIN;
    else if (z->changes[z->count - 1].at == at) z->count--;
    z->changes[z->count++] = (zone_change){ at, offset };
}

zone *zone_copy(const zone *z) {
    zone *copy = z ? zone_new(z->count) : NULL;
    if (!copy) return NULL;
    zone_change *changes = copy->changes;
    *copy = *z, copy->changes = changes;
    memcpy(changes, z->changes, (size_t)z->count * sizeof *changes);
    return copy;
}

void zone_free(zone *z) {
    if (!z) return;
    free(z->changes);
    free(z);
}

/* Between two changes, clocks run evenly. */
typedef struct period { int64_t from, to, offset; } period;

static period period_of(const zone *z, int64_t instant) {
    int64_t back = z->repeats && instant >= z->cycle ? (instant - z->cycle) / four_centuries * four_centuries : 0;
    int64_t low = 0, high = z->count;
    while (high - low > 1) {
        int64_t middle = low + (high - low) / 2;
        if (z->changes[middle].at <= instant - back) low = middle;
        else high = middle;
    }
    return (period){ .from   = low ? z->changes[low].at + back : INT64_MIN,
                     .to     = high < z->count ? z->changes[high].at + back : INT64_MAX,
                     .offset = z->changes[low].offset };
}

int64_t zone_offset(const zone *z, int64_t instant) { return z ? period_of(z, instant).offset : 0; }

int64_t zone_label(const zone *z, int64_t instant) { return instant + zone_offset(z, instant); }

int zone_instants(const zone *z, int64_t label, int64_t instants[2]) {
    int found = 0;
    instants[0] = instants[1] = label;
    if (!z) return 1;
    for (int64_t at = label - ZONE_FARTHEST; found < 2 && at <= label + ZONE_FARTHEST;) {
        period  p = period_of(z, at);
        int64_t instant = label - p.offset;
        if (instant >= p.from && instant < p.to) instants[found++] = instant;
        at = p.to;
    }
    return found;
}

int64_t zone_instant(const zone *z, int64_t label) {
    int64_t two[2], at = label - ZONE_FARTHEST;
    if (zone_instants(z, label, two)) return two[0];
    period p = period_of(z, at);
    while (label - zone_offset(z, p.to) >= p.to) p = period_of(z, p.to);
    return label - p.offset;
}
