/* What a search draws from: options with lists or ranges of values, and the points that are drawn of them. */
#ifndef FORECAST_SPACE_H
#define FORECAST_SPACE_H

#include "base/base.h"
#include "ground.h"

enum { SPACE_MOST = 16, SPACE_VALUES = 32, SPACE_TEXT = 32 };

typedef struct dimension {
    const tide_option *row;
    int    site;          /* its place among all that can be searched: its random numbers are its own */
    bool   encoder;       /* architectures without an encoder have no use for it */
    char   value[SPACE_VALUES][SPACE_TEXT];  /* as the option reads back */
    int    count;         /* of values; 0: a range */
    double low, high;
    bool   log;
} dimension;

typedef struct space { dimension of[SPACE_MOST]; int count; } space;

/* A value for each dimension; "": the option stays as it is given. */
typedef struct point { char value[SPACE_MOST][SPACE_TEXT]; } point;

/* options->space (tune.h), "" the usual one for this ground. TIDE_EINVAL where it cannot be drawn from. */
tide_status space_read(const ground *g, space *out, tide_failure *failure);
/* space_usual.c: what is searched where nothing is said, as the text of a space. */
tide_status space_usual(const ground *g, text *out, tide_failure *failure);

const dimension *space_dimension(const space *s, const char *name);  /* NULL: it is not searched */
bool space_legal(const forecast_options *o, tide_failure *why);       /* would a training take them? */

/* Where the options as given stand in it; and a trial's point: legal, and none of the `count` earlier ones; *found
 * false: there is none. */
void space_ground(const space *s, const forecast_options *o, point *out);
tide_status space_draw(const space *s, const forecast_options *o, int64_t trial, const point *earlier, int64_t count,
                       point *out, bool *found, tide_failure *failure);
/* Puts the point's values into the options, as given. */
tide_status point_apply(const space *s, const point *p, forecast_options *o, tide_failure *failure);
/* "arch=dlinear seq-len=192": malloc'ed; NULL when out of memory. */
char *point_text(const space *s, const point *p);

#endif
