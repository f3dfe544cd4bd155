/* Labels under a time axis. */
#ifndef PLOT_TICKS_H
#define PLOT_TICKS_H

#include <stdio.h>

/* gnuplot's `set xtics` for an axis of seconds since 1970 from low to high (finite, low < high). */
void ticks_put(FILE *out, double low, double high);

#endif
