/* What the field expects: Nyquist with equal scales, Bode, residuals in percent; and what is left open: marginals,
 * joint. */
#include <math.h>
#include <stdlib.h>

#include "answer.h"
#include "draw/plot.h"
#include "train/run.h"

enum { MODEL_POINTS = 200, JOINT_MOST = 2000 };

typedef struct point { double x, y; } point;

/* Columns of numbers for plots; all freed together. */
typedef struct columns { double *memory; int64_t used; } columns;

static double *column(columns *c, int64_t count) {
    double *at = c->memory + c->used;
    c->used += count;
    return at;
}

static int by_x(const void *a, const void *b) {
    double x = ((const point *)a)->x, y = ((const point *)b)->x;
    return (x > y) - (x < y);
}

/* A plot's x must ascend. */
static void sort_columns(double *x, double *y, int64_t count) {
    point *p = malloc((size_t)count * sizeof *p);
    if (!p) return;
    for (int64_t i = 0; i < count; i++) p[i] = (point){ x[i], y[i] };
    qsort(p, (size_t)count, sizeof *p, by_x);
    for (int64_t i = 0; i < count; i++) x[i] = p[i].x, y[i] = p[i].y;
    free(p);
}

/* Draws p as PREFIXNAME.svg, if that name and that of its numbers are ours. */
static tide_status write_plot(const answer *a, const char *folder, const char *prefix, const char *name, const plot *p,
                              tide_failure *failure) {
    char whole[96], path[FOLDER_PATH];
    snprintf(whole, sizeof whole, "%s%s", prefix, name);
    tide_status status = owned_claim_plot(folder, whole, path, failure);
    return status == TIDE_OK ? plot_write(path, p, a->watch, NULL, failure) : status;
}

typedef struct curve { int64_t count; double *freq, *re, *im; } curve;

static double magnitude(const curve *c, int64_t i) { return log10(hypot(c->re[i], c->im[i])); }
static double lag(const curve *c, int64_t i) { return -atan2(c->im[i], c->re[i]) * 57.295779513082321; }

static plot_series series_by(columns *m, const curve *c, const char *name, plot_style style, int colour,
                             double (*value)(const curve *, int64_t)) {
    double *x = column(m, c->count), *y = column(m, c->count);
    for (int64_t i = 0; i < c->count; i++) {
        x[i] = value ? c->freq[i] : c->re[i];
        y[i] = value ? value(c, i) : -c->im[i];
    }
    sort_columns(x, y, c->count);
    return (plot_series){ .name = name, .x = x, .y = y, .count = c->count, .style = style, .colour = colour };
}

static void fill_data(columns *m, const eis_spectrum *s, curve *c) {
    *c = (curve){ s->count, column(m, s->count), column(m, s->count), column(m, s->count) };
    for (int64_t i = 0; i < s->count; i++) c->freq[i] = s->freq_hz[i], c->re[i] = s->z[i].re, c->im[i] = s->z[i].im;
}

static void fill_model(columns *m, const answer *a, curve *c) {
    const eis_spectrum *s = a->spectrum;
    const double *p = a->completion->summary.best;
    double low = INFINITY, high = 0;
    *c = (curve){ MODEL_POINTS, column(m, MODEL_POINTS), column(m, MODEL_POINTS), column(m, MODEL_POINTS) };
    for (int64_t i = 0; i < s->count; i++) low = fmin(low, s->freq_hz[i]), high = fmax(high, s->freq_hz[i]);
    for (int64_t i = 0; i < MODEL_POINTS; i++) {
        eis_z z;
        c->freq[i] = low * pow(high / low, (double)i / (MODEL_POINTS - 1));
        eis_impedance(a->question->circuit, p, p[EIS_RS], 1, &c->freq[i], &z);
        c->re[i] = z.re, c->im[i] = z.im;
    }
}

static tide_status plot_spectrum(const answer *a, columns *m, const char *folder, const char *prefix,
                                 tide_failure *failure) {
    static const struct { const char *file, *title, *x, *y; double (*value)(const curve *, int64_t); } plots[] = {
        { "nyquist", "Nyquist plot", "Re Z (ohm)", "-Im Z (ohm)", NULL },
        { "bode_magnitude", "Bode plot: size", "frequency (Hz)", "log10 |Z| (ohm)", magnitude },
        { "bode_phase", "Bode plot: phase", "frequency (Hz)", "-phase (degrees)", lag },
    };
    tide_status status = TIDE_OK;
    curve       data, model;
    fill_data(m, a->spectrum, &data);
    fill_model(m, a, &model);
    for (size_t i = 0; i < sizeof plots / sizeof *plots && status == TIDE_OK; i++) {
        plot_series series[2] = { series_by(m, &data, "data", PLOT_DOTS, 1, plots[i].value),
                                  series_by(m, &model, "best candidate", PLOT_LINE, 2, plots[i].value) };
        plot p = { .title = plots[i].title, .x_label = plots[i].x, .y_label = plots[i].y,
                   .log_x = plots[i].value != NULL,
                   .equal_axes = !plots[i].value, .series = series, .series_count = 2 };
        status = write_plot(a, folder, prefix, plots[i].file, &p, failure);
    }
    return status;
}

static tide_status plot_residuals(const answer *a, columns *m, const char *folder, const char *prefix,
                                  tide_failure *failure) {
    const eis_spectrum *s = a->spectrum;
    const double *best = a->completion->summary.best;
    double *x[2], *y[2];
    for (int part = 0; part < 2; part++) x[part] = column(m, s->count), y[part] = column(m, s->count);
    for (int64_t i = 0; i < s->count; i++) {
        eis_z z;
        eis_impedance(a->question->circuit, best, best[EIS_RS], 1, &s->freq_hz[i], &z);
        double percent = 100 / hypot(s->z[i].re, s->z[i].im);
        x[0][i] = x[1][i] = s->freq_hz[i];
        y[0][i] = percent * (s->z[i].re - z.re);
        y[1][i] = percent * (s->z[i].im - z.im);
    }
    for (int part = 0; part < 2; part++) sort_columns(x[part], y[part], s->count);
    plot_series series[2] = { { .name = "real part", .x = x[0], .y = y[0], .count = s->count, .style = PLOT_POINTS },
                              { .name = "imaginary part", .x = x[1], .y = y[1], .count = s->count,
                                .style = PLOT_POINTS } };
    plot p = { .title = "Residuals of the best candidate", .x_label = "frequency (Hz)", .y_label = "percent of |Z|",
               .log_x = true, .series = series,
               .series_count = 2 };
    return write_plot(a, folder, prefix, "residuals", &p, failure);
}

static tide_status plot_marginal(const answer *a, int k, columns *m, const char *folder, const char *prefix,
                                 tide_failure *failure) {
    char    name[32], label[32];
    double *x = column(m, CELL_POINTS);
    for (int i = 0; i < CELL_POINTS; i++) x[i] = eis_grid_value(k, i, CELL_POINTS);
    snprintf(name, sizeof name, "marginal_%s", eis_parameters[k].name);
    snprintf(label, sizeof label, "%s (%s)", eis_parameters[k].name, eis_parameters[k].unit);
    plot_series series = { .name = eis_parameters[k].name,
                           .x = x,
                           .y = a->completion->summary.marginal[k],
                           .count = CELL_POINTS,
                           .style = PLOT_POINTS };
    plot p = { .title = "Probability of each grid value",
               .x_label = label,
               .y_label = "probability",
               .log_x = true,
               .y_not_negative = true,
               .series = &series,
               .series_count = 1 };
    return write_plot(a, folder, prefix, name, &p, failure);
}

/* Two missing parameters against each other: what is known of one if the other were measured. */
static tide_status plot_joint(const answer *a, int first, int second, columns *m, const char *folder,
                              const char *prefix, tide_failure *failure) {
    const completion *c = a->completion;
    int64_t count = MIN2(c->draw_count, JOINT_MOST);
    char    name[32], label[2][32];
    double *x = column(m, count), *y = column(m, count);
    for (int64_t i = 0; i < count; i++) x[i] = c->draws[i].p[first], y[i] = c->draws[i].p[second];
    sort_columns(x, y, count);
    snprintf(name, sizeof name, "joint_%s_%s", eis_parameters[first].name, eis_parameters[second].name);
    snprintf(label[0], sizeof label[0], "%s (%s)", eis_parameters[first].name, eis_parameters[first].unit);
    snprintf(label[1], sizeof label[1], "%s (%s)", eis_parameters[second].name, eis_parameters[second].unit);
    plot_series series = { .name = a->question->method == EIS_EXACT ? "grid cells" : "samples of the posterior",
                           .x = x, .y = y, .count = count,
                           .style = PLOT_DOTS };
    plot p = { .title = "Joint posterior", .x_label = label[0], .y_label = label[1], .log_x = true, .log_y = true,
               .series = &series,
               .series_count = 1 };
    return write_plot(a, folder, prefix, name, &p, failure);
}

static tide_status plot_posterior(const answer *a, columns *m, const char *folder, const char *prefix,
                                  tide_failure *failure) {
    tide_status status = TIDE_OK;
    int64_t     start  = m->used;
    for (int k = 0; k < EIS_COUNT && status == TIDE_OK; k++)
        if (!a->question->known.is[k]) status = plot_marginal(a, k, m, folder, prefix, failure);
    for (int k = 0; k < EIS_COUNT && status == TIDE_OK; k++)
        for (int l = k + 1; l < EIS_COUNT && status == TIDE_OK; l++, m->used = start)
            if (!a->question->known.is[k] && !a->question->known.is[l])
                status = plot_joint(a, k, l, m, folder, prefix, failure);
    return status;
}

tide_status answer_plots(const answer *a, const char *folder, const char *prefix, tide_failure *failure) {
    int64_t room = (a->spectrum ? 24 * a->spectrum->count : 0) + 24 * MODEL_POINTS + 8 * CELL_POINTS + 2 * JOINT_MOST;
    columns m    = { malloc((size_t)room * sizeof *m.memory), 0 };
    if (!m.memory) return fail(failure, TIDE_ENOMEM, "out of memory for plots");
    tide_status status = a->spectrum ? plot_spectrum(a, &m, folder, prefix, failure) : TIDE_OK;
    if (status == TIDE_OK && a->spectrum) status = plot_residuals(a, &m, folder, prefix, failure);
    if (status == TIDE_OK) status = plot_posterior(a, &m, folder, prefix, failure);
    free(m.memory);
    return status;
}

tide_status eis_answer_plots(const eis_answer *a, const char *folder, const char *prefix, tide_failure *failure) {
    failure_clear(failure);
    if (!a || !a->parts || !folder || !prefix)
        return fail(failure, TIDE_EINVAL, "there is no answer, no folder or no prefix for plots");
    return answer_plots(answer_of(a), folder, prefix, failure);
}
