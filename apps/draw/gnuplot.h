/* gnuplot as a child process. */
#ifndef PLOT_GNUPLOT_H
#define PLOT_GNUPLOT_H

#include <stdio.h>

#include "plot.h"

bool gnuplot_found(void);

/* Draws p as SVG into the open file `svg`. Sets watch->gave_up when it is gnuplot that failed or hung. */
tide_status gnuplot_draw(const plot *p, FILE *svg, const char *svg_path, plot_watch *watch, tide_failure *failure);

/* The commands and data that draw it. */
void gnuplot_script(const plot *p, FILE *out);

#endif
