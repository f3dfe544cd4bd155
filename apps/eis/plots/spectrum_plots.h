/* Plots of a spectrum and of what is left of it, the same whoever answers: as files, or on a page. */
#ifndef EIS_SPECTRUM_PLOTS_H
#define EIS_SPECTRUM_PLOTS_H

#include <tidemill/eis.h>

#include "draw/plot.h"
#include "draw/sheet.h"

/* Where plots go: files PREFIXNAME.svg of a folder, or one picture. */
typedef struct plot_place {
    const char *folder, *prefix;
    plot_watch *watch;
    chart_sheet *sheet; /* NULL: files */
} plot_place;
/* Draws p there; as a file if that name and that of its numbers are ours. */
tide_status plot_place_draw(const plot_place *to, const char *name, const plot *p, tide_failure *failure);

/* Borrowed. */
typedef struct spectrum_shown {
    const eis_spectrum *data;
    const bool *left_out; /* by point, in the data's order; NULL: none is */
    const char *line_name; /* "fit" */
    const double *line_hz; /* ascending, close together */
    const eis_z *line;
    int64_t lines; /* 0: no line */
} spectrum_shown;

typedef struct residuals_shown {
    const char *what; /* "Residuals of the fit" */
    const char *name; /* of the spectrum; NULL: none */
    const double *freq_hz; /* in any order */
    const eis_z *residual; /* over |Z| */
    const bool *left_out; /* NULL: none is */
    int64_t count;
    double noise; /* standard deviation of each part over |Z|; NaN: not known */
} residuals_shown;

/* A plot and the columns it is made of. spectrum_plot_free; false: out of memory. */
enum { SPECTRUM_SERIES = 6 };
typedef struct spectrum_plot {
    plot plot;
    plot_series series[SPECTRUM_SERIES];
    plot_axis lower;
    char title[160];
    double *memory;
    int64_t used; /* of it */
} spectrum_plot;

bool nyquist_plot(const spectrum_shown *s, spectrum_plot *out); /* decades of the frequency marked */
bool bode_plot(const spectrum_shown *s, spectrum_plot *out); /* |Z| above -phase */
bool residual_plot(const residuals_shown *r, spectrum_plot *out); /* percent of |Z|, over the band of the noise */
void spectrum_plot_free(spectrum_plot *p);

/* The first two as PREFIXnyquist and PREFIXbode, the third as PREFIXNAME. */
tide_status draw_spectrum(const spectrum_shown *s, const plot_place *to, tide_failure *failure);
tide_status draw_residuals(const residuals_shown *r, const char *name, const plot_place *to, tide_failure *failure);

/* What the names of a spectrum's plots begin with: "", of several "001_" and so on. */
enum { PLOT_PREFIX = 32 };
const char *plot_prefix(int64_t spectra, int64_t number, char out[PLOT_PREFIX]);
/* Before anything is written: whether plots of these names, of so many spectra, would replace what is not ours. */
tide_status plots_check(const char *folder, int64_t spectra, const char *const *names, tide_failure *failure);

/* `count` frequencies, even in the logarithm, from the lowest of the spectrum to the highest. */
void line_frequencies(const eis_spectrum *s, int64_t count, double *hz);

/* "Nyquist plot: day 3.csv": what, and the last part of a spectrum's name. */
void plot_title(const char *what, const char *name, char *out, size_t size);

#endif
