/* What `eis complete` gathers of its spectra: JSON, text and tables. Those of one can be kept as bytes, and added to
 * those of others by another process. */
#ifndef EIS_COMPLETIONS_H
#define EIS_COMPLETIONS_H

#include <jansson.h>
#include <stdbool.h>

#include "base/base.h"

typedef struct completions {
    json_t      *answers;   /* a list */
    text         talk, table, candidates;
    text         warnings;  /* that were not told yet, each with a 0 behind it */
    int64_t      failed;    /* spectra of several without an answer */
    tide_failure first;     /* why, the first of them */
} completions;

/* False: out of memory, at some time. */
bool completions_new(completions *c);
bool completions_good(const completions *c);
void completions_free(completions *c);
/* False: out of memory. */
bool completions_pack(const completions *c, text *out);
/* False: these bytes are none that were packed; or out of memory, which completions_good tells. */
bool completions_add(completions *to, const void *data, size_t bytes);

#endif
