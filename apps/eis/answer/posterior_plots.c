/* What is left open: where each quantity is, two of them together, and the fibre, on which the spectrum is the same. */
#include <math.h>
#include <stdlib.h>

#include "answer.h"

enum { JOINT_MOST = 2000, BINS = 240, FIBRE_POINTS = 120 };
static const double aside = 0.002; /* of the probability, beyond each end of a density's axis */

static tide_status out_of_memory(tide_failure *failure) {
    return fail(failure, TIDE_ENOMEM, "out of memory for plots");
}

/* ---- densities ---- */

typedef struct weighted {
    double at, weight;
} weighted;

static int by_place(const void *a, const void *b) {
    double x = ((const weighted *)a)->at, y = ((const weighted *)b)->at;
    return (x > y) - (x < y);
}

/* Draws by the decimal logarithm of the quantity, in its order; those without one are left out. */
static int64_t places_of(const answer *a, int k, weighted *out) {
    const completion *c = a->completion;
    int64_t count = 0;
    for (int64_t i = 0; i < c->draw_count; i++) {
        double v = circuit_quantity(c->draws[i].p, k, a->question->circuit);
        if (v > 0 && isfinite(v)) out[count++] = (weighted){ log10(v), c->draws[i].weight };
    }
    qsort(out, (size_t)count, sizeof *out, by_place);
    return count;
}

typedef struct moments {
    double all, mean, deviation, low, high, worth;
} moments;

static moments moments_of(const weighted *w, int64_t count) {
    moments m = { .low = NAN, .high = NAN };
    double squares = 0, sum = 0;
    for (int64_t i = 0; i < count; i++) {
        m.all += w[i].weight, squares += w[i].weight * w[i].weight;
        m.mean += w[i].weight * w[i].at;
    }
    m.mean /= m.all, m.worth = m.all * m.all / squares;
    for (int64_t i = 0; i < count; i++) {
        m.deviation += w[i].weight * (w[i].at - m.mean) * (w[i].at - m.mean) / m.all;
        sum += w[i].weight / m.all;
        if (isnan(m.low) && sum > aside) m.low = w[i].at;
        if (isnan(m.high) && sum >= 1 - aside) m.high = w[i].at;
    }
    m.deviation = sqrt(m.deviation);
    return m;
}

typedef struct curve {
    double x[BINS], y[BINS];
} curve;

static double kernels(const weighted *w, int64_t count, double at, double width) {
    double sum = 0;
    for (int64_t k = 0; k < count; k++) {
        double z = (at - w[k].at) / width;
        if (fabs(z) < 5) sum += w[k].weight * exp(-0.5 * z * z);
    }
    return sum;
}

/* Normal kernels, Silverman's width; what would lie beyond an end of the range is thrown back. False: there is no
 * density, all is at one place. */
static bool density_of(const weighted *w, int64_t count, const double range[2], curve *out) {
    moments m = moments_of(w, count);
    double width = 0.9 * fmin(m.deviation, (m.high - m.low) / 4) * pow(m.worth, -0.2);
    double low = fmax(m.low - 3 * width, range[0]), high = fmin(m.high + 3 * width, range[1]);
    if (count < 2 || !(width > 0) || !(high > low)) return false;
    for (int i = 0; i < BINS; i++) {
        double at = low + i * (high - low) / (BINS - 1), sum = kernels(w, count, at, width);
        for (int end = 0; end < 2; end++)
            if (isfinite(range[end])) sum += kernels(w, count, 2 * range[end] - at, width);
        out->x[i] = pow(10, at);
        out->y[i] = sum / (m.all * width * 2.5066282746310002);
    }
    return true;
}

/* Of the logarithm; quantities that follow from parameters have none. */
static void range_of(const answer *a, int k, double out[2]) {
    bool parameter = k < EIS_WITH_RS;
    out[0] = parameter && a->question->range.low[k] > 0 ? log10(a->question->range.low[k]) : (double)-INFINITY;
    out[1] = parameter ? log10(a->question->range.high[k]) : (double)INFINITY;
}

static tide_status draw_density(const answer *a, int k, const curve *d, const plot_place *to, tide_failure *failure) {
    char name[32], what[64], title[160];
    const interval *of = &a->completion->summary.of[k];
    plot_marker ends[] = { { of->low, "2.5 %" }, { of->high, "97.5 %" } };
    snprintf(name, sizeof name, "density_%s", quantities[k].name);
    snprintf(what, sizeof what, "Where %s is", quantities[k].name);
    plot_title(what, a->path, title, sizeof title);
    plot_series series = { .name = quantities[k].name, .x = d->x, .y = d->y, .count = BINS };
    plot p = { .title = title,
               .x_label = quantities[k].name,
               .x_unit = quantities[k].unit,
               .y_label = "probability per decade",
               .log_x = true,
               .y_not_negative = true,
               .series = &series,
               .series_count = 1,
               .markers = ends,
               .marker_count = isfinite(of->low) && isfinite(of->high) ? 2 : 0 };
    return plot_place_draw(to, name, &p, failure);
}

static tide_status draw_densities(const answer *a, const plot_place *to, tide_failure *failure) {
    weighted *w = malloc(sizeof *w * (size_t)(a->completion->draw_count + 1));
    tide_status status = w ? TIDE_OK : out_of_memory(failure);
    double range[2];
    curve d;
    for (int k = 0; k < SUM_COUNT && status == TIDE_OK; k++) {
        if (!answer_is_missing(a, k)) continue;
        int64_t count = places_of(a, k, w);
        range_of(a, k, range);
        if (count && density_of(w, count, range, &d)) status = draw_density(a, k, &d, to, failure);
    }
    free(w);
    return status;
}

/* ---- grid values ---- */

static tide_status draw_marginal(const answer *a, int k, const plot_place *to, tide_failure *failure) {
    char name[32];
    double x[CELL_POINTS];
    for (int i = 0; i < CELL_POINTS; i++) x[i] = eis_grid_value(k, i, CELL_POINTS);
    snprintf(name, sizeof name, "marginal_%s", eis_parameters[k].name);
    plot_series series = { .name = eis_parameters[k].name,
                           .x = x,
                           .y = a->completion->summary.marginal[k],
                           .count = CELL_POINTS,
                           .style = PLOT_POINTS };
    plot p = { .title = "Probability of each grid value",
               .x_label = eis_parameters[k].name,
               .x_unit = eis_parameters[k].unit,
               .y_label = "probability",
               .log_x = true,
               .y_not_negative = true,
               .series = &series,
               .series_count = 1 };
    return plot_place_draw(to, name, &p, failure);
}

static tide_status draw_marginals(const answer *a, const plot_place *to, tide_failure *failure) {
    tide_status status = TIDE_OK;
    for (int k = 0; k < EIS_COUNT && status == TIDE_OK; k++)
        if (!a->question->known.is[k]) status = draw_marginal(a, k, to, failure);
    return status;
}

/* ---- two together ---- */

typedef struct pair {
    double x, y;
} pair;

static int by_x(const void *a, const void *b) {
    double x = ((const pair *)a)->x, y = ((const pair *)b)->x;
    return (x > y) - (x < y);
}

/* What is known of one if the other were measured. x ascends. */
static tide_status draw_joint(const answer *a, int first, int second, const plot_place *to, tide_failure *failure) {
    const completion *c = a->completion;
    const quantity *of[2] = { &quantities[first], &quantities[second] };
    int64_t count = MIN2(c->draw_count, JOINT_MOST);
    char name[32];
    pair sorted[JOINT_MOST];
    double x[JOINT_MOST], y[JOINT_MOST];
    for (int64_t i = 0; i < count; i++) sorted[i] = (pair){ c->draws[i].p[first], c->draws[i].p[second] };
    qsort(sorted, (size_t)count, sizeof *sorted, by_x);
    for (int64_t i = 0; i < count; i++) x[i] = sorted[i].x, y[i] = sorted[i].y;
    snprintf(name, sizeof name, "joint_%s_%s", of[0]->name, of[1]->name);
    plot_series series = { .name = a->question->method == EIS_EXACT ? "grid cells" : "samples of the posterior",
                           .x = x,
                           .y = y,
                           .count = count,
                           .style = PLOT_DOTS };
    plot p = { .title = "Joint posterior",
               .x_label = of[0]->name,
               .x_unit = of[0]->unit,
               .y_label = of[1]->name,
               .y_unit = of[1]->unit,
               .log_x = true,
               .log_y = true,
               .series = &series,
               .series_count = 1 };
    return plot_place_draw(to, name, &p, failure);
}

static tide_status draw_joints(const answer *a, const plot_place *to, tide_failure *failure) {
    const bool *known = a->question->known.is;
    tide_status status = TIDE_OK;
    for (int k = 0; k < EIS_COUNT && status == TIDE_OK; k++)
        for (int l = k + 1; l < EIS_COUNT && status == TIDE_OK; l++)
            if (!known[k] && !known[l]) status = draw_joint(a, k, l, to, failure);
    return status;
}

/* ---- the fibre ---- */

typedef struct fibre_curves {
    double g[FIBRE_POINTS], p[EIS_COUNT][FIBRE_POINTS];
} fibre_curves;

static void walk(const fibre_range *f, const eis_invariants *of, fibre_curves *out) {
    for (int i = 0; i < FIBRE_POINTS; i++) {
        double p[EIS_COUNT], low = fmax(f->g_low, 1e-12);
        out->g[i] = low * pow(f->g_high / low, (double)i / (FIBRE_POINTS - 1));
        bool there = eis_fibre(of, out->g[i], p);
        for (int k = 0; k < EIS_COUNT; k++) out->p[k][i] = there ? p[k] : (double)NAN;
    }
}

/* Each parameter against the place on it, g; resistances above, capacitances below. */
static tide_status draw_fibre(const answer *a, const plot_place *to, tide_failure *failure) {
    const completion *c = a->completion;
    eis_invariants of = eis_invariants_of(c->summary.best);
    plot_axis farad = { "capacitance", "F", true, false };
    plot_series series[EIS_COUNT];
    plot_marker best = { of.g, "best candidate" };
    fibre_curves curves;
    char title[160];
    walk(&c->fibre, &of, &curves);
    plot_title("Circuits with the same spectrum", a->path, title, sizeof title);
    for (int k = 0; k < EIS_COUNT; k++)
        series[k] = (plot_series){ .name = eis_parameters[k].name,
                                   .x = curves.g,
                                   .y = curves.p[k],
                                   .count = FIBRE_POINTS,
                                   .colour = k < EIS_CA ? k + 1 : k - EIS_CA + 2,
                                   .style = k < EIS_CA ? PLOT_LINE : PLOT_DASHED,
                                   .lower = k >= EIS_CA };
    plot p = { .title = title,
               .x_label = "g = (Ra + Rb) / Rsh",
               .y_label = "resistance",
               .y_unit = "ohm",
               .log_x = true,
               .log_y = true,
               .lower = &farad,
               .series = series,
               .series_count = EIS_COUNT,
               .markers = &best,
               .marker_count = of.g >= c->fibre.g_low && of.g <= c->fibre.g_high };
    return plot_place_draw(to, "fibre", &p, failure);
}

tide_status marginal_plots(const answer *a, const plot_place *to, tide_failure *failure) {
    bool points = a->spectrum && a->question->method != EIS_EXACT && a->completion->draw_count > 1;
    return points ? draw_densities(a, to, failure) : draw_marginals(a, to, failure);
}

tide_status posterior_plots(const answer *a, const plot_place *to, tide_failure *failure) {
    const completion *c = a->completion;
    tide_status status = marginal_plots(a, to, failure);
    if (status == TIDE_OK) status = draw_joints(a, to, failure);
    return status == TIDE_OK && c->fibre.present ? draw_fibre(a, to, failure) : status;
}
