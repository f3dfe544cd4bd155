/* A series' stamps in their time zone: moved by a step, written, and their step found. A zone of NULL: they are labels
 * of a clock that is never changed, and all is as without the zone. */
#ifndef FORECAST_ZONED_H
#define FORECAST_ZONED_H

#include "frame.h"
#include "zone.h"

/* Steps of hours and less are of equal length; those of days and more keep the local time of day. The hours of a week
 * are local times. */
int64_t zoned_advance(const zone *z, int64_t seconds, time_step step, int64_t steps);
/* The same for the n-th step from `from` on, n from 1, where the one before it led to `before`; all of them take less
 * time so. */
int64_t zoned_follow(const zone *z, int64_t from, int64_t before, time_step step, int64_t n);
/* As time_print_part: the local time, with the offset where the format has one, and else where the local time comes
 * twice. Epochs are as they are. */
void    zoned_print_part(char buffer[40], const zone *z, int64_t seconds, const time_format *format, time_part part);
void    zoned_print(char buffer[40], const zone *z, int64_t seconds, const time_format *format);
/* The zone's name; of offsets without one the last, "+02:00"; "" without a zone. */
void    zoned_name(char buffer[ZONE_NAME], const zone *z);
/* What the local clock shows, the caller's to free; NULL: out of memory. */
int64_t *zoned_labels(const zone *z, const int64_t *time, int64_t rows);
/* As step_find and step_keeps: days and more, and hours of a week, by the local clock. false: out of memory. */
bool    zoned_step_find(const zone *z, const int64_t *time, int64_t rows, time_step *out);
bool    zoned_step_keeps(const zone *z, time_step known, const int64_t *time, int64_t rows, time_step found, bool *out);

#endif
