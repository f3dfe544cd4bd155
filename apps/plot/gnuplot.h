/* gnuplot as a child process. */
#ifndef PLOT_GNUPLOT_H
#define PLOT_GNUPLOT_H

#include <stdio.h>

#include "plot.h"

bool gnuplot_found(void);

/* Draws p as SVG into the open file `svg`. */
tide_status gnuplot_draw(const plot *p, FILE *svg, tide_failure *failure);

#endif
