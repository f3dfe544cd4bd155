/* Line plots as SVG, each with its numbers beside it as CSV.
 *
 * gnuplot draws them, as a child that gets everything (commands and data) through its standard input. All text is
 * escaped: titles and labels are shown as they are, whatever they hold. Without gnuplot the CSV is still written. */
#ifndef PLOT_H
#define PLOT_H

#include <tidemill/core.h>

typedef enum plot_style {
    PLOT_LINE,    /* a line through the points */
    PLOT_POINTS,  /* a line with a dot at each point */
    PLOT_DASHED,  /* a thin dashed line: for what is only compared with */
    PLOT_DOTS,    /* dots alone: measurements */
    PLOT_BAND     /* a filled area between y (lower edge) and y_upper */
} plot_style;

/* One series of `count` points. NaN leaves a gap. Arrays are borrowed. */
typedef struct plot_series {
    const char   *name;     /* in the legend and in the CSV header */
    const double *x;        /* ascending; NULL: 1, 2, ... count; seconds since 1970 if the plot's x_is_time */
    const double *y;
    const double *y_upper;  /* PLOT_BAND only */
    int64_t       count;
    plot_style    style;
    int           colour;   /* 0: the next one of the palette; 1, 2, ...: that one, so that related series can share
                               it */
} plot_series;

typedef struct plot_marker {
    double      x;
    const char *label;      /* NULL or "": no text */
} plot_marker;

typedef struct plot {
    const char *title, *x_label, *y_label;  /* NULL: none */
    bool log_x, log_y;                      /* values that are not positive are left out */
    bool equal_axes;                        /* one unit has the same length on both */
    bool x_is_time;                         /* ticks are dates (UTC: stamps are wall-clock labels) */
    bool x_is_whole;                        /* x counts something: no ticks between whole numbers */
    bool y_not_negative;                    /* y is never below 0, nor is its axis */
    const plot_series *series;
    int64_t series_count;
    const plot_marker *markers;             /* vertical lines */
    int64_t marker_count;
    int width, height;                      /* points; 0: 800 by 450 */
} plot;

/* Whoever waits for gnuplot. One for all plots of a run: after the first that fails the others are not tried. */
typedef struct plot_watch {
    bool (*stop)(void *user, const char *svg_path);     /* asked every 50 ms while it draws; true: no more. NULL:
                                                           never */
    void (*warn)(void *user, const char *message);      /* gnuplot failed or hangs. NULL: that is a failure */
    void *user;
    double limit_s;  /* for one plot; 0: 60 */
    bool   gave_up;  /* set by plot_write: gnuplot does not work here */
} plot_watch;

/* Writes svg_path and, under the same name ending in .csv, the numbers: one row for each x, one column a series (a band
 * has two), cells empty where a series has no point. Both appear whole or not at all.
 *   watch   asked and told while gnuplot draws; may be NULL
 *   drawn   set to whether the SVG was made; false, with TIDE_OK, when there is no gnuplot; may be NULL
 * Fails with TIDE_EIO when a file cannot be written or gnuplot fails or hangs (its first message is kept) and
 * watch->warn is NULL, TIDE_ECANCELLED when watch->stop says so (gnuplot is killed), TIDE_EINVAL when svg_path does not
 * end in ".svg". */
tide_status plot_write(const char *svg_path, const plot *p, plot_watch *watch, bool *drawn, tide_failure *failure);

/* Whether gnuplot is here (TIDEMILL_GNUPLOT names another program; empty: none). */
bool plot_available(void);

/* What to tell the user, once, when it is not: one line without a newline. */
const char *plot_missing_note(void);

#endif
