/* A file of the time zone database: a header, then for 64-bit times a second header, the changes, and a rule for the
 * years after them. */
#include <string.h>

#include "zone.h"

enum { COUNTS = 6, HEADER = 44, MOST_RULE = 128 };

/* In the order of the file. */
typedef struct header { uint64_t utc, standard, leap, times, types, letters; char version; } header;

typedef struct cursor { const unsigned char *at; size_t left; } cursor;

static int64_t big_endian(const unsigned char *at, int bytes) {
    uint64_t value = at[0] & 0x80 ? UINT64_MAX : 0;
    for (int i = 0; i < bytes; i++) value = value << 8 | at[i];
    return (int64_t)value;
}

static const unsigned char *take(cursor *c, uint64_t bytes) {
    const unsigned char *at = c->at;
    if (bytes > c->left) return NULL;
    c->at += bytes, c->left -= bytes;
    return at;
}

static bool read_header(cursor *c, header *h) {
    const unsigned char *at = take(c, HEADER);
    if (!at || memcmp(at, "TZif", 4) != 0) return false;
    uint64_t count[COUNTS];
    for (int i = 0; i < COUNTS; i++) count[i] = (uint64_t)big_endian(at + 20 + 4 * i, 4) & UINT32_MAX;
    *h = (header){ count[0], count[1], count[2], count[3], count[4], count[5], (char)at[4] };
    return true;
}

/* What follows the changes, their types and these types' offsets. */
static uint64_t bytes_after_types(const header *h, uint64_t time) {
    return h->letters + h->leap * (time + 4) + h->standard + h->utc;
}

/* Beyond the years that a stamp can be written in: before year 0 all changes are one, after 9999 there are none. */
static const int64_t earliest = -62167219200 - 2 * ZONE_FARTHEST, latest = 253402300799 + 2 * ZONE_FARTHEST;

static bool add_change(zone *z, const header *h, const unsigned char *types, unsigned type, int64_t at) {
    if (type >= h->types) return false;
    int64_t offset = big_endian(types + 6 * type, 4);
    if (offset > ZONE_FARTHEST || offset < -ZONE_FARTHEST) return false;
    if (at <= latest) zone_add(z, at, offset);
    return true;
}

/* Type 0 counts before the first change. */
static bool read_changes(zone *z, cursor *c, const header *h, int time) {
    const unsigned char *times = take(c, h->times * (uint64_t)time), *which = times ? take(c, h->times) : NULL,
                        *types = which ? take(c, h->types * 6) : NULL;
    if (!types || !take(c, bytes_after_types(h, (uint64_t)time)) || !add_change(z, h, types, 0, INT64_MIN))
        return false;
    int64_t before = INT64_MIN;
    for (uint64_t i = 0; i < h->times; i++) {
        int64_t at = big_endian(times + i * (uint64_t)time, time);
        if (i && at <= before) return false;
        before = at;
        if (!add_change(z, h, types, which[i], at < earliest ? earliest : at)) return false;
    }
    return true;
}

static bool read_rule(zone *z, cursor *c) {
    char rule[MOST_RULE];
    size_t length = 0;
    if (!c->left || *c->at != '\n') return false;
    for (c->at++, c->left--; length < c->left && c->at[length] != '\n'; length++)
        if (length >= sizeof rule - 1 || !c->at[length]) return false;
    if (length == c->left) return false;
    memcpy(rule, c->at, length);
    rule[length] = 0;
    return zone_add_rule(z, rule);
}

bool zone_parse(const unsigned char *bytes, size_t size, zone **out) {
    cursor c = { bytes, size };
    header h;
    *out = NULL;
    if (!read_header(&c, &h)) return false;
    bool wide = h.version >= '2';
    if (wide && (!take(&c, h.times * 5 + h.types * 6 + bytes_after_types(&h, 4)) || !read_header(&c, &h))) return false;
    int time = wide ? 8 : 4;
    if (h.leap || !h.types || h.times * (uint64_t)time > c.left) return false;
    zone *z = zone_new((int64_t)h.times + 1 + ZONE_RULE_CHANGES);
    if (!z) return true;
    if (read_changes(z, &c, &h, time) && (!wide || read_rule(z, &c))) return *out = z, true;
    zone_free(z);
    return false;
}
