/* Labels under a time axis. */
#ifndef PLOT_TICKS_H
#define PLOT_TICKS_H

#include <stdio.h>

/* gnuplot's `set xtics` for an axis of seconds since 1970 from low to high (finite, low < high). Outside the years 0 to
 * 9999 nothing is written: gnuplot then labels the axis with plain numbers. */
void ticks_put(FILE *out, double low, double high);

/* How many lines these labels have: two where they hold a clock. */
int ticks_lines(double low, double high);

#endif
