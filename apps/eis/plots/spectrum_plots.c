/* Points in order of frequency become columns, columns become series. What was left out is shown apart. */
#include "spectrum_plots.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/base.h"
#include "files/owned.h"

enum { DATA = 7, LINE = 2, OUT = 4, RE = 1, IM = 2, NOISE = 3 }; /* colours */
static const double degrees = 57.295779513082321;

typedef struct point {
    double hz;
    eis_z z;
    bool out;
} point;

static int by_frequency(const void *a, const void *b) {
    double x = ((const point *)a)->hz, y = ((const point *)b)->hz;
    return (x > y) - (x < y);
}

static point *sorted_points(int64_t count, const double *hz, const eis_z *z, const bool *out) {
    point *p = malloc(sizeof *p * (size_t)(count + 1));
    for (int64_t i = 0; p && i < count; i++) p[i] = (point){ hz[i], z[i], out && out[i] };
    if (p) qsort(p, (size_t)count, sizeof *p, by_frequency);
    return p;
}

static bool any_out(const point *p, int64_t count) {
    bool any = false;
    for (int64_t i = 0; i < count; i++) any = any || p[i].out;
    return any;
}

/* ---- columns ---- */

typedef double part(double hz, eis_z z);
static double hz_of(double hz, eis_z z) { return (void)z, hz; }
static double re_of(double hz, eis_z z) { return (void)hz, z.re; }
static double im_of(double hz, eis_z z) { return (void)hz, z.im; }
static double minus_im_of(double hz, eis_z z) { return (void)hz, -z.im; }
static double size_of(double hz, eis_z z) { return (void)hz, hypot(z.re, z.im); }
static double lag_of(double hz, eis_z z) { return (void)hz, -degrees * atan2(z.im, z.re); }

static double *column(spectrum_plot *out, int64_t count) {
    double *at = out->memory + out->used;
    out->used += count;
    return at;
}

/* `left_out`: those alone, else the others. */
static plot_series points_series(spectrum_plot *out, const point *p, int64_t count, bool left_out, part *x, part *y) {
    double *t = column(out, count), *of_x = column(out, count), *of_y = column(out, count);
    for (int64_t i = 0; i < count; i++) {
        bool here = p[i].out == left_out;
        t[i] = p[i].hz;
        of_x[i] = here || x == hz_of ? x(p[i].hz, p[i].z) : (double)NAN;
        of_y[i] = here ? y(p[i].hz, p[i].z) : (double)NAN;
    }
    return (plot_series){ .name = left_out ? "left out" : "data",
                          .x = of_x,
                          .y = of_y,
                          .t = t,
                          .count = count,
                          .style = left_out ? PLOT_CROSSES : PLOT_DOTS,
                          .colour = left_out ? OUT : DATA };
}

static plot_series line_series(spectrum_plot *out, const spectrum_shown *s, part *x, part *y) {
    double *of_x = column(out, s->lines), *of_y = column(out, s->lines);
    for (int64_t i = 0; i < s->lines; i++)
        of_x[i] = x(s->line_hz[i], s->line[i]), of_y[i] = y(s->line_hz[i], s->line[i]);
    return (plot_series){ .name = s->line_name,
                          .x = of_x,
                          .y = of_y,
                          .t = s->line_hz,
                          .count = s->lines,
                          .style = PLOT_LINE,
                          .colour = LINE };
}

static void add_series(spectrum_plot *out, plot_series s, bool lower) {
    s.lower = lower;
    out->series[out->plot.series_count++] = s;
}

static void add_curves(spectrum_plot *out, const spectrum_shown *s, const point *p, part *x, part *y, bool lower) {
    int64_t n = s->data->count;
    add_series(out, points_series(out, p, n, false, x, y), lower);
    if (s->lines) add_series(out, line_series(out, s, x, y), lower);
    if (any_out(p, n)) add_series(out, points_series(out, p, n, true, x, y), lower);
}

/* ---- plots ---- */

void plot_title(const char *what, const char *name, char *out, size_t size) {
    const char *slash = name ? strrchr(name, '/') : NULL, *last = slash && slash[1] ? slash + 1 : name;
    enum { MOST = 60 };
    if (!last) snprintf(out, size, "%s", what);
    else snprintf(out, size, "%s: %.*s%s", what, MOST, last, strlen(last) > MOST ? "..." : "");
}

/* The plot points into itself, so it is filled where it stays. */
static bool begin(spectrum_plot *out, const plot *p, const char *what, const char *name, int64_t numbers) {
    *out = (spectrum_plot){ .plot = *p, .memory = malloc(sizeof(double) * (size_t)(numbers + 1)) };
    plot_title(what, name, out->title, sizeof out->title);
    out->plot.title = out->title, out->plot.series = out->series;
    return out->memory;
}

void spectrum_plot_free(spectrum_plot *p) { free(p->memory); }

static int64_t numbers_of(const spectrum_shown *s) { return 12 * s->data->count + 4 * s->lines; }

bool nyquist_plot(const spectrum_shown *s, spectrum_plot *out) {
    plot p = { .x_label = "Re Z",
               .y_label = "-Im Z",
               .x_unit = "ohm",
               .y_unit = "ohm",
               .t_label = "frequency",
               .t_unit = "Hz",
               .equal_axes = true,
               .height = 500 };
    point *points = sorted_points(s->data->count, s->data->freq_hz, s->data->z, s->left_out);
    bool good = begin(out, &p, "Nyquist plot", s->data->name, numbers_of(s)) && points;
    if (good) add_curves(out, s, points, re_of, minus_im_of, false);
    free(points);
    return good;
}

bool bode_plot(const spectrum_shown *s, spectrum_plot *out) {
    plot p = {
        .x_label = "frequency", .x_unit = "Hz", .y_label = "|Z|", .y_unit = "ohm", .log_x = true, .log_y = true
    };
    point *points = sorted_points(s->data->count, s->data->freq_hz, s->data->z, s->left_out);
    bool good = begin(out, &p, "Bode plot", s->data->name, numbers_of(s)) && points;
    out->lower = (plot_axis){ .label = "-phase (degrees)" };
    out->plot.lower = &out->lower;
    if (good) add_curves(out, s, points, hz_of, size_of, false);
    if (good) add_curves(out, s, points, hz_of, lag_of, true);
    free(points);
    return good;
}

static void add_noise(spectrum_plot *out, const point *p, int64_t count, double percent) {
    double *hz = column(out, count), *low = column(out, count), *high = column(out, count);
    for (int64_t i = 0; i < count; i++) hz[i] = p[i].hz, low[i] = -percent, high[i] = percent;
    add_series(
        out,
        (plot_series){
            .name = "noise", .x = hz, .y = low, .y_upper = high, .count = count, .style = PLOT_BAND, .colour = NOISE },
        false);
}

static void add_part(spectrum_plot *out, const point *p, int64_t count, part *of, bool left_out) {
    plot_series s = points_series(out, p, count, left_out, hz_of, of);
    if (!left_out) s.name = of == re_of ? "real part" : "imaginary part";
    else if (of == im_of) s.name = "imaginary part, left out";
    else s.name = "real part, left out";
    if (!left_out) s.style = of == re_of ? PLOT_DOTS : PLOT_RINGS, s.colour = of == re_of ? RE : IM;
    add_series(out, s, false);
}

/* What is left out may lie so far off that nothing else could be told from 0. */
static double limit_of(const point *p, int64_t count, double noise_percent) {
    double most = noise_percent > 0 ? noise_percent : 0;
    for (int64_t i = 0; i < count; i++)
        if (!p[i].out) most = fmax(most, fmax(fabs(p[i].z.re), fabs(p[i].z.im)));
    return 2 * most;
}

bool residual_plot(const residuals_shown *r, spectrum_plot *out) {
    plot p = {
        .x_label = "frequency", .x_unit = "Hz", .y_label = "percent of |Z|", .log_x = true, .y_is_symmetric = true
    };
    point *points = sorted_points(r->count, r->freq_hz, r->residual, r->left_out);
    bool good = begin(out, &p, r->what, r->name, 15 * r->count) && points;
    for (int64_t i = 0; good && i < r->count; i++) points[i].z.re *= 100, points[i].z.im *= 100;
    if (good && any_out(points, r->count)) out->plot.y_limit = limit_of(points, r->count, 100 * r->noise);
    if (good && r->noise > 0) add_noise(out, points, r->count, 100 * r->noise);
    for (int out_of = 0; good && out_of < 1 + any_out(points, r->count); out_of++) {
        add_part(out, points, r->count, re_of, out_of);
        add_part(out, points, r->count, im_of, out_of);
    }
    free(points);
    return good;
}

void line_frequencies(const eis_spectrum *s, int64_t count, double *hz) {
    double low = INFINITY, high = 0;
    for (int64_t i = 0; i < s->count; i++) low = fmin(low, s->freq_hz[i]), high = fmax(high, s->freq_hz[i]);
    for (int64_t i = 0; i < count; i++) hz[i] = low * pow(high / low, (double)i / (double)MAX2(count - 1, 1));
}

/* ---- files ---- */

const char *plot_prefix(int64_t spectra, int64_t number, char out[PLOT_PREFIX]) {
    *out = 0;
    if (spectra > 1) snprintf(out, PLOT_PREFIX, "%03lld_", (long long)number + 1);
    return out;
}

tide_status plots_check(const char *folder, int64_t spectra, const char *const *names, tide_failure *failure) {
    enum { NAMES_MOST = 8, NAME = 96 };
    char prefix[PLOT_PREFIX], file[2 * NAMES_MOST][NAME];
    tide_status status = TIDE_OK;
    for (int64_t i = 0; status == TIDE_OK && i < spectra; i++) {
        const char *all[2 * NAMES_MOST + 1] = { NULL };
        plot_prefix(spectra, i, prefix);
        for (int k = 0; names[k] && k < NAMES_MOST; k++) {
            snprintf(file[2 * k], NAME, "%s%s.svg", prefix, names[k]);
            snprintf(file[2 * k + 1], NAME, "%s%s.csv", prefix, names[k]);
            all[2 * k] = file[2 * k], all[2 * k + 1] = file[2 * k + 1];
        }
        status = owned_check(folder, all, failure);
    }
    return status;
}

tide_status plot_place_draw(const plot_place *to, const char *name, const plot *p, tide_failure *failure) {
    char whole[96], path[FOLDER_PATH];
    if (to->sheet) return chart_sheet_add(to->sheet, p), TIDE_OK;
    snprintf(whole, sizeof whole, "%s%s", to->prefix, name);
    tide_status status = owned_claim_plot(to->folder, whole, path, failure);
    return status == TIDE_OK ? plot_write(path, p, to->watch, NULL, failure) : status;
}

static tide_status draw(spectrum_plot *p, bool good, const char *name, const plot_place *to, tide_failure *failure) {
    tide_status status =
        good ? plot_place_draw(to, name, &p->plot, failure) : fail(failure, TIDE_ENOMEM, "out of memory for plots");
    spectrum_plot_free(p);
    return status;
}

tide_status draw_spectrum(const spectrum_shown *s, const plot_place *to, tide_failure *failure) {
    spectrum_plot p;
    tide_status status = draw(&p, nyquist_plot(s, &p), "nyquist", to, failure);
    return status == TIDE_OK ? draw(&p, bode_plot(s, &p), "bode", to, failure) : status;
}

tide_status draw_residuals(const residuals_shown *r, const char *name, const plot_place *to, tide_failure *failure) {
    spectrum_plot p;
    return draw(&p, residual_plot(r, &p), name, to, failure);
}
