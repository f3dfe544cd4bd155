/* Small charts as SVG for a page: drawn here, so that a page needs nothing but itself. The thread's locale must have
 * the decimal point of the C locale. */
#ifndef EIS_CHART_H
#define EIS_CHART_H

#include "base/base.h"

typedef enum chart_mark { CHART_LINE, CHART_DASHED, CHART_DOTS, CHART_BARS } chart_mark;

/* Points that are not finite, or not positive on a logarithmic axis, leave a gap. Arrays are borrowed. */
typedef struct chart_series {
    const char   *name;
    const double *x, *y;
    int64_t       count;
    chart_mark    mark;   /* CHART_BARS: x evenly spaced */
    int           colour; /* 0 to 3 */
} chart_series;

typedef struct chart {
    const char *title, *x_label, *y_label;
    bool log_x, log_y;
    bool equal_axes;             /* one unit has the same length on both */
    bool from_zero;              /* y begins at 0 */
    const chart_series *series;
    int  series_count;
    const double *truth;         /* marked on the x axis; NULL: none */
} chart;

/* Probability over two logarithmic axes, value[row * columns + column]. */
typedef struct heat_map {
    const char   *title, *x_label, *y_label;
    const double *x, *y, *value; /* the middles of columns and rows */
    int           columns, rows;
    const double *truth;         /* x, y; NULL: none */
} heat_map;

void chart_svg(const chart *c, text *out);
void heat_map_svg(const heat_map *h, text *out);

/* 4820 as "4.82 k": `digits` significant ones and the prefix of its thousand; "-" for what is not finite. */
const char *si_format(char buffer[32], double value, int digits);
/* With &, < and > escaped. */
void text_add_escaped(text *out, const char *s);

#endif
