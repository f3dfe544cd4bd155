/* Days of a year that are not as others, known ahead by the calendar: from a file, kept in the run. */
#ifndef FORECAST_HOLIDAYS_H
#define FORECAST_HOLIDAYS_H

#include <jansson.h>

#include "frame.h"

typedef struct holiday { int64_t day; char *name; } holiday;  /* days since 1970; "" without a name */
typedef struct holidays { int64_t count; holiday *of; } holidays;  /* in the order of days, then names */

/* CSV with a column of dates and perhaps one of names. `order` as in frame_options. */
tide_status holidays_read(const char *path, date_shape order, holidays *out, tide_failure *failure);
bool        holidays_copy(const holidays *from, holidays *out);  /* false: out of memory, *out is to be freed */
void        holidays_free(holidays *h);
void        holidays_sort(holidays *h);

/* The value of a column, `holiday` or `holiday=NAME`, in the row of a stamp: 1 on such a day, for all rows of it; of
 * steps longer than a day how many such days they hold, from the stamp on, or up to it where stamps are last days of
 * months. */
double holidays_value(const holidays *h, const char *column, int64_t seconds, time_step step);
/* Does the day come after the last one that is known? */
bool   holidays_end_before(const holidays *h, int64_t seconds);
void   holidays_last(const holidays *h, char buffer[40]);  /* that day, for messages */

/* Behind the frame's columns those of holidays that `names` (count) say. false: out of memory. */
bool holidays_append(const holidays *h, char *const *names, int64_t count, frame *f);
/* `holiday`, and holiday=NAME for the names of two days or more among the frame's rows: the 30 commonest at most.
 * *names (*count of them) are the caller's, the array and each. false: out of memory. */
bool holidays_columns(const holidays *h, const frame *f, char ***names, int64_t *count);

/* [[day, name], ...]; NULL when out of memory. */
json_t *holidays_json(const holidays *h);
/* false: it is no such list, or out of memory. */
bool    holidays_from_json(const json_t *list, holidays *out, bool *out_of_memory);

#endif
