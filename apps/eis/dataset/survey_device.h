/* A survey's residual norms on a device: mean-abs, of data that fit in memory. */
#ifndef EIS_SURVEY_DEVICE_H
#define EIS_SURVEY_DEVICE_H

#include "survey.h"

/* Fills s->kept, as resnorm_grid_fill does but for rounding, and sets s->filled; `*note`: why it was left to the
 * processor, a sentence; "". */
enum { SURVEY_NOTE = 256 };
tide_status survey_fill_on(survey *s, const char *device, int64_t memory_limit, char note[SURVEY_NOTE],
                           tide_failure *failure);

#endif
