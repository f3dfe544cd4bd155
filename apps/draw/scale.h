/* An axis: what it shows, where its ticks are and what stands at them. */
#ifndef PLOT_SCALE_H
#define PLOT_SCALE_H

#include "plot.h"

enum { SCALE_TICKS = 48, SCALE_TEXT = 32, SCALE_TITLE = 160 };

typedef struct extent { double low, high; } extent;  /* low > high: empty */
static const extent extent_empty = { 1e308, -1e308 };
/* What is not finite, and on a logarithmic axis not positive, is not shown. */
void extent_include(extent *e, double v, bool log);
extent extent_widened(extent e, double share, bool log);

typedef struct scale {
    double low, high;           /* values, low < high */
    bool   log;
    double tick[SCALE_TICKS];   /* ascending */
    int    ticks;
    const char *unit;           /* NULL: none */
    int    thousands;           /* linear, with a unit: it counts in 1000^thousands of it */
    int    decimals;            /* linear: of its ticks */
} scale;

/* Of these values. A logarithmic axis of less than a decade becomes a linear one, whose ticks say more; what has no
 * extent gets one. `whole`: no ticks between whole numbers. */
scale scale_of(extent e, bool log, bool whole, const char *unit);
/* The same axis shown from low to high, counting as `like` does (NULL: by itself). */
void scale_show(scale *s, double low, double high, bool whole, const scale *like);
bool   scale_shows(const scale *s, double v);
double scale_along(const scale *s, double v);  /* 0 at low, 1 at high */
/* "20 k", "0.5": what stands at a value. */
const char *scale_tick(const scale *s, double v, char out[SCALE_TEXT]);
/* "Re Z (kohm)". label NULL: "". */
const char *scale_title(const scale *s, const char *label, char out[SCALE_TITLE]);
/* "Re Z (ohm)", as in tables. */
const char *base_title(const char *label, const char *unit, char out[SCALE_TITLE]);

#endif
