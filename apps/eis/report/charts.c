/* What an answer says, as charts. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include <tidemill/io.h>

#include "eis/posterior/cells.h"
#include "report.h"

enum { MODEL_POINTS = 160, SHOWN_CANDIDATES = 3, FEWEST = 10 };

/* ---- marginals ---- */

typedef struct marginal { double x[EIS_CELLS], p[EIS_CELLS]; } marginal;

static bool read_marginal(const eis_answer *answer, int k, marginal *m) {
    for (int64_t i = 0; i < EIS_CELLS; i++) m->x[i] = eis_grid_value(k, i, EIS_CELLS), m->p[i] = answer->marginal[k][i];
    return !answer->known.is[k];
}

void chart_marginal(const report *r, int k, text *out) {
    char     title[64];
    marginal answer, other;
    if (!read_marginal(r->answer, k, &answer)) return;
    bool two = r->other && read_marginal(r->other, k, &other);
    plot_series series[] = {
        { .name = r->answer_name, .x = answer.x, .y = answer.p, .count = EIS_CELLS, .style = PLOT_BARS },
        { .name = r->other_name, .x = other.x, .y = other.p, .count = EIS_CELLS, .style = PLOT_LINE }
    };
    plot_marker truth = { r->truth ? r->truth[k] : NAN, "truth" };
    snprintf(title, sizeof title, "Where %s is", eis_parameters[k].name);
    plot p = { .title = title,
               .x_label = eis_parameters[k].name,
               .x_unit = eis_parameters[k].unit,
               .y_label = "probability of the grid value",
               .log_x = true,
               .series = series,
               .series_count = 1 + two,
               .markers = &truth,
               .marker_count = r->truth != NULL };
    chart_svg(&p, out);
}

/* ---- joint ---- */

/* The first two missing parameters; false when there are fewer. */
static bool first_two(const eis_answer *answer, int of[2]) {
    int count = 0;
    for (int k = EIS_COUNT - 1; k >= 0; k--) /* capacitances first: of them most is asked */
        if (!answer->known.is[k] && count < 2) of[1 - count++] = k;
    return count == 2;
}

static double read_joint(const eis_answer *answer, const int of[2], double *value) {
    double sum = 0;
    for (int64_t i = 0; i < answer->candidates; i++) {
        const eis_candidate *c = &answer->candidate[i];
        int x = c->index[of[0]], y = c->index[of[1]];
        if (x < 0 || x >= CELL_POINTS || y < 0 || y >= CELL_POINTS || !(c->probability > 0)) continue;
        value[y * CELL_POINTS + x] += c->probability;
        sum += c->probability;
    }
    return sum;
}

void chart_joint(const report *r, text *out) {
    double value[CELL_POINTS * CELL_POINTS] = { 0 }, axis[2][CELL_POINTS], truth[2];
    char   title[96];
    int    of[2];
    if (!first_two(r->answer, of)) return;
    double seen = read_joint(r->answer, of, value);
    if (!(seen > 0)) return;
    for (int a = 0; a < 2; a++) {
        for (int i = 0; i < CELL_POINTS; i++) axis[a][i] = eis_grid_value(of[a], i, CELL_POINTS);
        if (r->truth) truth[a] = r->truth[of[a]];
    }
    snprintf(title, sizeof title, "%s and %s together", eis_parameters[of[0]].name, eis_parameters[of[1]].name);
    if (seen < 0.995)
        snprintf(title + strlen(title), sizeof title - strlen(title), " (%.0f %% of the probability)", 100 * seen);
    const eis_parameter *x = &eis_parameters[of[0]], *y = &eis_parameters[of[1]];
    heat_map h = { title, x->name, y->name, x->unit, y->unit, axis[0], axis[1], value, CELL_POINTS, CELL_POINTS,
                   r->truth ? truth : NULL };
    heat_map_svg(&h, out);
}

/* ---- spectra ---- */

typedef struct curves {
    double x[1 + SHOWN_CANDIDATES][512], y[1 + SHOWN_CANDIDATES][512];
    char   name[SHOWN_CANDIDATES][32];
    plot_series series[1 + SHOWN_CANDIDATES];
    int    count;
} curves;

static double minus_im(eis_z z, double freq_hz) { return (void)freq_hz, -z.im; }
static double real_part(eis_z z, double freq_hz) { return (void)freq_hz, z.re; }
static double frequency(eis_z z, double freq_hz) { return (void)z, freq_hz; }
static double size_of(eis_z z, double freq_hz) { return (void)freq_hz, hypot(z.re, z.im); }
static double lag_of(eis_z z, double freq_hz) { return (void)freq_hz, -atan2(z.im, z.re) * 57.295779513082321; }

static void add_data(const report *r, curves *c, double (*x)(eis_z, double), double (*y)(eis_z, double)) {
    int64_t count = MIN2(r->spectrum->count, 512);
    for (int64_t i = 0; i < count; i++) {
        c->x[c->count][i] = x(r->spectrum->z[i], r->spectrum->freq_hz[i]);
        c->y[c->count][i] = y(r->spectrum->z[i], r->spectrum->freq_hz[i]);
    }
    c->series[c->count] = (plot_series){ .name = "data", .x = c->x[c->count], .y = c->y[c->count], .count = count,
                                         .style = PLOT_DOTS, .colour = 7 };
    c->count++;
}

static void add_candidate(const report *r, int64_t rank, curves *c, double (*x)(eis_z, double),
                          double (*y)(eis_z, double)) {
    double p[EIS_WITH_RS], low = INFINITY, high = 0;
    int    at = c->count;
    if (!report_candidate(r->answer, rank, p)) return;
    for (int64_t i = 0; i < r->spectrum->count; i++)
        low = fmin(low, r->spectrum->freq_hz[i]), high = fmax(high, r->spectrum->freq_hz[i]);
    for (int i = 0; i < MODEL_POINTS; i++) {
        eis_z  z;
        double freq_hz = low * pow(high / low, (double)i / (MODEL_POINTS - 1));
        eis_impedance(r->answer->circuit, p, p[EIS_RS], 1, &freq_hz, &z);
        c->x[at][i] = x(z, freq_hz), c->y[at][i] = y(z, freq_hz);
    }
    static const int colour[SHOWN_CANDIDATES] = { 1, 2, 5 };
    snprintf(c->name[rank], sizeof c->name[rank], "candidate %d", (int)rank + 1);
    c->series[c->count++] = (plot_series){ .name = c->name[rank], .x = c->x[at], .y = c->y[at], .count = MODEL_POINTS,
                                           .style = rank ? PLOT_DASHED : PLOT_LINE, .colour = colour[rank] };
}

/* Data over the best candidates, which are drawn last to first so that the best lies on top. */
static void spectrum_chart(const report *r, plot *of, double (*x)(eis_z, double), double (*y)(eis_z, double),
                           text *out) {
    curves *c = r->spectrum ? calloc(1, sizeof *c) : NULL;
    if (!c) {
        out->failed = out->failed || r->spectrum;
        return;
    }
    add_data(r, c, x, y);
    for (int64_t i = 0; i < SHOWN_CANDIDATES; i++) add_candidate(r, i, c, x, y);
    of->series       = c->series;
    of->series_count = c->count;
    chart_svg(of, out);
    free(c);
}

void chart_nyquist(const report *r, text *out) {
    plot c = { .title = "Nyquist", .x_label = "Re Z", .y_label = "-Im Z", .x_unit = "ohm", .y_unit = "ohm",
               .equal_axes = true };
    spectrum_chart(r, &c, real_part, minus_im, out);
}

void chart_bode_size(const report *r, text *out) {
    plot c = { .title = "Bode: size", .x_label = "frequency", .y_label = "|Z|", .x_unit = "Hz", .y_unit = "ohm",
               .log_x = true, .log_y = true };
    spectrum_chart(r, &c, frequency, size_of, out);
}

void chart_bode_phase(const report *r, text *out) {
    plot c = { .title = "Bode: phase", .x_label = "frequency", .y_label = "-phase (degrees)", .x_unit = "Hz",
               .log_x = true };
    spectrum_chart(r, &c, frequency, lag_of, out);
}

/* ---- training ---- */

void chart_calibration(const report *r, text *out) {
    static const double ends[2] = { 0, 1 };
    const calibration  *c = r->calibration;
    double x[CALIBRATION_BINS], y[CALIBRATION_BINS], most = 0;
    int    count = 0;
    for (int i = 0; c && i < CALIBRATION_BINS; i++) {
        if (c->count[i] < FEWEST) continue; /* chance alone */
        x[count] = c->confidence[i] / c->count[i];
        y[count] = c->mass[i] / c->count[i];
        most = fmax(most, fmax(x[count], y[count]));
        count++;
    }
    if (!count) return;
    double       diagonal[2] = { 0, most > 0.5 ? ends[1] : 1.1 * most };
    plot_series series[] = {
        { .name = "as often as said", .x = diagonal, .y = diagonal, .count = 2, .style = PLOT_DASHED, .colour = 7 },
        { .name = "measured", .x = x, .y = y, .count = count, .style = PLOT_POINTS, .colour = 1 }
    };
    plot drawn = { .title = "Calibration",
                   .x_label = "probability given",
                   .y_label = "how often it was right",
                   .y_not_negative = true,
                   .series = series,
                   .series_count = 2 };
    chart_svg(&drawn, out);
}

static bool read_column(const tide_table *t, const char *name, double *out) {
    bool any = false;
    for (int64_t column = 0; column < t->columns; column++) {
        if (strcmp(t->header[column], name) != 0) continue;
        for (int64_t i = 0; i < t->rows; i++) {
            char *end, *cell = t->cells[i * t->columns + column];
            out[i] = num_parse(cell, &end);
            if (end == cell) out[i] = NAN;
            any = any || isfinite(out[i]);
        }
    }
    return any;
}

/* Columns of metrics.csv against the epoch, those that have numbers. */
static void metrics_chart(const report *r, plot *of, const char *const *column, const char *const *name, int most,
                          text *out) {
    static const plot_style style[] = { PLOT_LINE, PLOT_LINE, PLOT_DASHED };
    plot_series series[3];
    tide_table  t = { 0 };
    if (!r->metrics || tide_csv_read(r->metrics, NULL, &t, NULL) != TIDE_OK) return;
    double *value = calloc((size_t)(t.rows * (most + 1)) + 1, sizeof *value);
    if (value && read_column(&t, "epoch", value)) {
        for (int i = 0; i < most; i++) {
            double *y = value + (i + 1) * t.rows;
            if (read_column(&t, column[i], y))
                series[of->series_count++] = (plot_series){ .name = name[i], .x = value, .y = y, .count = t.rows,
                                                            .style = style[i], .colour = i + 1 };
        }
        of->series = series;
        if (of->series_count) chart_svg(of, out);
    }
    free(value);
    tide_table_free(&t);
}

void chart_loss(const report *r, text *out) {
    plot c = { .title = "Loss", .x_label = "epoch", .y_label = "loss", .x_is_whole = true };
    metrics_chart(r, &c, (const char *[]){ "train_loss", "val_loss" }, (const char *[]){ "training", "validation" }, 2,
                  out);
}

void chart_accuracy(const report *r, text *out) {
    plot c = { .title = "Accuracy", .x_label = "epoch", .y_label = "share of values found", .x_is_whole = true,
               .y_not_negative = true };
    metrics_chart(r, &c, (const char *[]){ "train_acc", "val_acc", "best_possible_acc" },
                  (const char *[]){ "training", "validation", "best possible" }, 3, out);
}
