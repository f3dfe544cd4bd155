/* Files from others, read no further than a sound one goes. */
#ifndef EIS_BOUNDED_H
#define EIS_BOUNDED_H

#include <jansson.h>
#include <stdio.h>

#include "ground_truth.h"

enum { LINE_MOST = 4096, TRUTHS_MOST = 100000 };  /* TRUTHS_MOST: that of --n-ground-truths */

/* A file that is to be read: what is not there, or no file, is bad input (TIDE_EDATA). */
FILE *bounded_open(const char *path, tide_failure *failure);
/* The JSON in it, at most 64 MiB of text. NULL: failed. */
json_t *bounded_json(const char *path, tide_failure *failure);
/* The next line, without its end, into LINE_MOST bytes. 1; 0: there is none; -1: it is longer, or holds a zero byte. */
int bounded_line(FILE *file, char line[LINE_MOST]);

/* "id", "rsh", "ra", "rb", "ca", "cb" of a JSON object; entry `number`, from 1, of `path`. The id is kept whole or
 * refused; none is the number. */
tide_status truth_from_json(const char *path, const json_t *o, int64_t number, ground_truth *out,
                            tide_failure *failure);
/* The same of text. False with *why if the id cannot be kept: longer than there is room for, control characters, not
 * UTF-8. */
bool truth_set_id(ground_truth *g, const char *id, const char **why);
/* Whether it is a circuit that can be computed with: far outside the ranges, but no further than numbers go. */
bool truth_usable(const double p[EIS_COUNT]);

#endif
