/* Plots as SVG for a page: drawn here, so that a page needs nothing but itself. The thread's locale must have the
 * decimal point of the C locale. Text is escaped. */
#ifndef EIS_CHART_H
#define EIS_CHART_H

#include "base/base.h"
#include "plot.h"

enum { CHART_WIDTH = 480, CHART_HEIGHT = 310 };  /* of a plot with one panel */
void chart_svg(const plot *p, text *out);
int  chart_height(const plot *p);  /* CHART_HEIGHT, or more of one with two panels */

/* Probability over two logarithmic axes, value[row * columns + column]. */
typedef struct heat_map {
    const char   *title, *x_label, *y_label, *x_unit, *y_unit;
    const double *x, *y, *value; /* the middles of columns and rows */
    int           columns, rows;
    const double *truth;         /* x, y; NULL: none */
} heat_map;

void heat_map_svg(const heat_map *h, text *out);

/* The colour of a share from 0 (white) to 1. */
void chart_shade(char colour[8], double share);

/* As text or an attribute of XML. What XML does not allow becomes a question mark. */
void text_add_escaped(text *out, const char *s);

#endif
