/* Labels under a time axis. */
#ifndef PLOT_TICKS_H
#define PLOT_TICKS_H

#include <stdio.h>

/* gnuplot's `set xtics` for an axis of seconds since 1970 from low to high (finite, low < high). Outside the years 0 to
 * 9999 nothing is written: gnuplot then labels the axis with plain numbers. */
void ticks_put(FILE *out, double low, double high);

/* The same ticks, whoever draws them: where they stand, and what is written there, the date and, '\n' between them, a
 * clock. Returns how many; 0 outside these years. */
enum { TICKS_MOST = 12, TICKS_TEXT = 32 };
typedef struct date_tick { double at; char label[TICKS_TEXT]; } date_tick;
int ticks_dates(double low, double high, date_tick out[TICKS_MOST]);

/* How many lines these labels have: two where they hold a clock. */
int ticks_lines(double low, double high);

#endif
