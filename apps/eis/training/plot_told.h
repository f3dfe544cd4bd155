/* A listener as the watch of plots: asked while gnuplot draws, told when it does not work. */
#ifndef EIS_PLOT_TOLD_H
#define EIS_PLOT_TOLD_H

#include <tidemill/eis.h>

#include "draw/plot.h"

typedef struct told { eis_listener listener; void *user; } told;

plot_watch eis_plot_watch(told *to);  /* keeps `to` */

#endif
