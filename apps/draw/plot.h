/* Plots: what is shown, and it as a file. chart.h draws the same into a page.
 *
 * Files are SVG, each with its numbers beside it as CSV. gnuplot draws them, as a child that gets everything (commands
 * and data) through its standard input. All text is escaped: titles and labels are shown as they are, whatever they
 * hold. Without gnuplot the CSV is still written. */
#ifndef PLOT_H
#define PLOT_H

#include <tidemill/core.h>

typedef enum plot_style {
    PLOT_LINE,    /* a line through the points */
    PLOT_POINTS,  /* a line with a dot at each point */
    PLOT_DASHED,  /* a thin dashed line: for what is only compared with */
    PLOT_DOTS,    /* dots alone: measurements */
    PLOT_RINGS,   /* open ones: a second kind of measurements */
    PLOT_CROSSES, /* what does not count, or is to be seen at once */
    PLOT_BAND,    /* a filled area between y (lower edge) and y_upper */
    PLOT_BARS,    /* columns on 0; x evenly spaced */
    PLOT_ERRORS   /* dots, each with a bar from y_lower to y_upper */
} plot_style;

/* One series of `count` points. NaN leaves a gap. Arrays are borrowed. */
typedef struct plot_series {
    const char   *name;     /* in the legend and in the CSV header; NULL: not in the legend */
    const double *x;        /* ascending; NULL: 1, 2, ... count; seconds since 1970 if the plot's x_is_time */
    const double *y;
    const double *y_upper;  /* PLOT_BAND, PLOT_ERRORS */
    const double *y_lower;  /* PLOT_ERRORS */
    const double *t;        /* plots with a t_label: what x and y follow, ascending; x in any order */
    int64_t       count;
    plot_style    style;
    int           colour;   /* 0: the next one of the palette; 1, 2, ...: that one, so that related series can share
                               it */
    bool          lower;    /* in the lower panel */
} plot_series;

typedef struct plot_marker {
    double      x;
    const char *label;      /* NULL or "": no text */
} plot_marker;

/* A word at a point. */
typedef struct plot_word { double x, y; const char *text; } plot_word;

/* A vertical axis. */
typedef struct plot_axis {
    const char *label, *unit;  /* as the plot's y_label, y_unit */
    bool log, not_negative;
} plot_axis;

typedef struct plot {
    const char *title, *x_label, *y_label;  /* NULL: none */
    const char *x_unit, *y_unit;            /* "ohm": the axis counts in kohm, mohm, ... as suits it, and says so; its
                                               numbers are in ohm. NULL: the label says all */
    bool log_x, log_y;                      /* values that are not positive are left out */
    bool equal_axes;                        /* one unit has the same length on both */
    bool x_is_time;                         /* ticks are dates (UTC: stamps are wall-clock labels) */
    bool x_is_whole;                        /* x counts something: no ticks between whole numbers */
    bool y_not_negative;                    /* y is never below 0, nor is its axis */
    bool y_is_symmetric;                    /* as far below 0 as above */
    double y_limit;                         /* what is farther from 0 is drawn at the edge, there; 0: none is */
    const char *t_label, *t_unit;           /* curves that go their own way: what both x and y follow. The CSV is by it,
                                               and its decades are marked on the first line, or first series */
    const plot_axis *lower;                 /* of a second panel below, over the same x; NULL: there is none */
    const plot_series *series;
    int64_t series_count;
    const plot_marker *markers;             /* vertical lines */
    int64_t marker_count;
    const plot_word *words;                 /* in the upper panel; one that would cover an earlier one is left out */
    int64_t word_count;
    int width, height;                      /* points; 0: 800 by 450, with two panels by 640, less
                                               wide where equal axes leave room */
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
 * has two, one with errors three), cells empty where a series has no point. With a t_label there is one row for each t,
 * and x before each y. Both appear whole or not at all.
 *   watch   asked and told while gnuplot draws; may be NULL
 *   drawn   set to whether the SVG was made; false, with TIDE_OK, when there is no gnuplot; may be NULL
 * Fails with TIDE_EIO when a file cannot be written or gnuplot fails or hangs (its first message is kept) and
 * watch->warn is NULL, TIDE_ECANCELLED when watch->stop says so (gnuplot is killed), TIDE_EINVAL when svg_path does not
 * end in ".svg". */
tide_status plot_write(const char *svg_path, const plot *p, plot_watch *watch, bool *drawn, tide_failure *failure);

/* The thousand that a number is told in, and its prefix: 1e3 and "k" for 4820, to `digits` digits. */
double si_thousand(double value, int digits, const char **prefix);
/* 4820 as "4.82 k": `digits` significant ones and the prefix of its thousand; "-" for what is not finite. */
const char *si_format(char buffer[32], double value, int digits);

/* Whether gnuplot is here (TIDEMILL_GNUPLOT names another program; empty: none). */
bool plot_available(void);

/* What to tell the user, once, when it is not: one line without a newline. */
const char *plot_missing_note(void);

#endif
