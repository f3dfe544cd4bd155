/* Time zones. An instant is seconds since 1970-01-01 00:00:00 UTC. A label is what the zone's clocks show then, as
 * seconds since their 1970-01-01 00:00:00: some labels are shown twice, and some never. */
#ifndef FORECAST_ZONE_H
#define FORECAST_ZONE_H

#include <tidemill/core.h>

/* No clock is as far from UTC (RFC 9636 allows 25 hours before and 26 behind). */
enum { ZONE_NAME = 64, ZONE_FARTHEST = 26 * 3600 };

typedef struct zone_change { int64_t at, offset; } zone_change;  /* from this instant on, a label is that much later */

typedef struct zone {
    char         name[ZONE_NAME];  /* as given; "" for offsets that a file has itself */
    int64_t      count;
    bool         repeats;          /* the changes of the 400 years from `cycle` on come again and again, as the
                                      calendar's days do */
    int64_t      cycle;
    zone_change *changes;          /* ascending, the first at INT64_MIN */
} zone;

/* By its name in the system's time zone database, such as Europe/Berlin. Fails for a name that is not there, with the
 * nearest ones, and where there is no database, with the package that has it; failure->column is "tz". */
tide_status zone_open(const char *name, zone **out, tide_failure *failure);
zone       *zone_copy(const zone *z);  /* NULL: out of memory, or z is NULL */
void        zone_free(zone *z);        /* NULL is fine */

/* Below, a zone of NULL is one whose labels are the instants. */
int64_t zone_offset(const zone *z, int64_t instant);
int64_t zone_label(const zone *z, int64_t instant);
/* The instants at which clocks show the label, the earlier first; returns how many: 0, 1 or 2. */
int     zone_instants(const zone *z, int64_t label, int64_t instants[2]);
/* The first of them. Of a label that is never shown: the instant at which it would be, had clocks not been put forward
 * over it, so that it lies as far behind the change. */
int64_t zone_instant(const zone *z, int64_t label);

/* ---- made piece by piece ---- */

zone *zone_new(int64_t most_changes);  /* without any yet; NULL: out of memory */
/* From `at` on (the first: from ever). `at` never descends; where it stays, the later offset counts. */
void  zone_add(zone *z, int64_t at, int64_t offset);

/* zone_file.c: a file of the database (TZif, RFC 9636, versions 1 to 4). Nothing in it is taken on trust: false where
 * it is damaged, or counts leap seconds, which our instants do not. *out is NULL then and, true, when out of memory. */
bool zone_parse(const unsigned char *bytes, size_t size, zone **out);
/* zone_rule.c: adds the changes after the last one by a rule such as "CET-1CEST,M3.5.0,M10.5.0/3", which holds for
 * ever; "" is none. false: it is no rule. */
bool zone_add_rule(zone *z, const char *rule);
enum { ZONE_RULE_CHANGES = 2 * 402 };  /* as many as that adds at most */

#endif
