/* What the axes of a plot show: all that is drawn, a margin, and what the plot asks for. */
#include "frame.h"

#include <math.h>
#include <stdio.h>

#include "base/base.h"

static const double x_margin = 0.02, y_margin = 0.05, word_margin = 0.1, mark_margin = 0.08;

const char *plot_colour(const plot *p, int64_t series) {
    static const char *const palette[] = {
        "#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9", "#555555"
    };
    int colour = p->series[series].colour;
    return palette[(colour > 0 ? colour - 1 : series) % (int64_t)(sizeof palette / sizeof *palette)];
}

bool plot_in_legend(const plot *p, int64_t series) {
    const char *name = p->series[series].name;
    for (int64_t i = 0; name && i < series; i++)
        if (p->series[i].name && !strcmp(p->series[i].name, name)) return false;
    return name;
}

double series_x(const plot_series *s, int64_t i) { return s->x ? s->x[i] : (double)(i + 1); }

double series_y(const plot *p, const plot_series *s, int64_t i) {
    return p->y_limit > 0 && isfinite(s->y[i]) ? fmax(fmin(s->y[i], p->y_limit), -p->y_limit) : s->y[i];
}

const char *plot_y_label(const plot *p, int panel) { return panel ? p->lower->label : p->y_label; }

static plot_axis y_axis(const plot *p, int panel) {
    return panel ? *p->lower : (plot_axis){ p->y_label, p->y_unit, p->log_y, p->y_not_negative };
}

/* ---- extents ---- */

static bool shown(const plot *p, const plot_series *s, int64_t i, bool log_y) {
    double x = series_x(s, i), y = s->y[i];
    return isfinite(x) && isfinite(y) && (!p->log_x || x > 0) && (!log_y || y > 0);
}

/* Columns are as wide as they are apart. */
static extent with_columns(const plot *p, extent e) {
    int64_t columns = 0;
    for (int64_t i = 0; i < p->series_count; i++)
        if (p->series[i].style == PLOT_BARS) columns = MAX2(columns, p->series[i].count);
    return columns > 1 ? extent_widened(e, 0.5 / (double)(columns - 1), p->log_x && e.high >= 10 * e.low) : e;
}

static extent x_extent(const plot *p) {
    extent e = extent_empty;
    for (int64_t i = 0; i < p->series_count; i++) {
        const plot_series *s = &p->series[i];
        for (int64_t k = 0; k < s->count; k++)
            if (shown(p, s, k, y_axis(p, s->lower).log)) extent_include(&e, series_x(s, k), p->log_x);
    }
    return with_columns(p, e);
}

static void include_point(const plot *p, const plot_series *s, int64_t i, bool log, extent *e) {
    extent_include(e, series_y(p, s, i), log);
    if (s->style == PLOT_BAND || s->style == PLOT_ERRORS) extent_include(e, s->y_upper[i], log);
    if (s->style == PLOT_ERRORS) extent_include(e, s->y_lower[i], log);
    if (s->style == PLOT_BARS) extent_include(e, 0, log);
}

static extent y_extent(const plot *p, int panel) {
    extent e = extent_empty;
    bool log = y_axis(p, panel).log;
    for (int64_t i = 0; i < p->series_count; i++)
        for (int64_t k = 0; p->series[i].lower == panel && k < p->series[i].count; k++)
            if (shown(p, &p->series[i], k, log) || p->series[i].style == PLOT_BAND)
                include_point(p, &p->series[i], k, log, &e);
    return e;
}

/* ---- axes ---- */

static scale x_scale(const plot *p) {
    extent e = x_extent(p);
    bool log = p->log_x && e.low > 0 && e.high >= 10 * e.low;
    if (!p->x_is_time && !p->x_is_whole) e = extent_widened(e, p->t_label ? mark_margin : x_margin, log);
    else if (!(e.high > e.low)) e.low -= 1, e.high += 1;
    return scale_of(e, log, p->x_is_whole, p->x_unit);
}

/* Values far from 0 need no help: the margin is smaller than their distance. */
static scale y_scale(const plot *p, int panel) {
    plot_axis a = y_axis(p, panel);
    extent e = y_extent(p, panel), wide;
    bool log = a.log && e.low > 0 && e.high >= 10 * e.low, columns = false;
    for (int64_t i = 0; i < p->series_count; i++) columns = columns || p->series[i].style == PLOT_BARS;
    if (p->y_is_symmetric && e.low <= e.high) e.high = fmax(fabs(e.low), fabs(e.high)), e.low = -e.high;
    wide = extent_widened(e, !panel && p->word_count ? word_margin : y_margin, log);
    if (!log && (a.not_negative || columns) && e.low >= 0 && (columns || e.high > 4 * e.low)) wide.low = 0;
    return scale_of(wide, log, false, a.unit);
}

/* The shorter axis is lengthened at its far end. */
static void make_equal(const plot *p, frame *f) {
    scale *x = &f->x, *y = &f->y[0];
    double unit = fmax((x->high - x->low) / f->width, (y->high - y->low) / f->height);
    scale_show(x, x->low, x->low + unit * f->width, p->x_is_whole, NULL);
    scale_show(y, y->low, y->low + unit * f->height, false, NULL);
    if (x->thousands > y->thousands) scale_show(y, y->low, y->high, false, x);
    else scale_show(x, x->low, x->high, p->x_is_whole, y);
}

frame frame_of(const plot *p, double width, double height) {
    frame f = { .width = width, .height = height, .x = x_scale(p), .y[0] = y_scale(p, 0) };
    if (p->lower) f.y[1] = y_scale(p, 1);
    if (p->equal_axes) make_equal(p, &f);
    return f;
}

/* ---- decades along a curve ---- */

static const plot_series *marked_series(const plot *p) {
    const plot_series *first = NULL;
    if (!p->t_label) return NULL;
    for (int64_t i = 0; i < p->series_count; i++) {
        const plot_series *s = &p->series[i];
        if (!s->t || s->count < 2) continue;
        if (s->style == PLOT_LINE) return s;
        if (!first) first = s;
    }
    return first;
}

/* The first pair of neighbours that has t between them. */
static bool point_at(const plot_series *s, double t, double *x, double *y) {
    for (int64_t i = 0; i + 1 < s->count; i++) {
        if (!(s->t[i] <= t && t <= s->t[i + 1]) || !(s->t[i + 1] > s->t[i])) continue;
        double share = log(t / s->t[i]) / log(s->t[i + 1] / s->t[i]);
        *x = s->x[i] + share * (s->x[i + 1] - s->x[i]);
        *y = s->y[i] + share * (s->y[i + 1] - s->y[i]);
        return isfinite(*x) && isfinite(*y);
    }
    return false;
}

typedef struct box {
    double x, y, width;
} box; /* of a word, in points; y of its middle */

static box box_of(const frame *f, const decade_mark *m) {
    enum { LETTER = 7, GAP = 9 };
    double width = LETTER * (double)strlen(m->text), x = f->width * scale_along(&f->x, m->x),
           y = f->height * scale_along(&f->y[0], m->y);
    return (box){ m->side < 0 ? x - GAP - width : m->side > 0 ? x + GAP : x - width / 2, m->side ? y : y + 14, width };
}

static bool overlap(box a, box b) {
    enum { LINE = 15 };
    return a.x < b.x + b.width + 4 && b.x < a.x + a.width + 4 && fabs(a.y - b.y) < LINE;
}

/* Away from the middle of the curve's chord, so that an arc has its words outside. */
static int outside_of(const frame *f, const plot_series *s, double x) {
    extent e = extent_empty;
    for (int64_t i = 0; i < s->count; i++) extent_include(&e, s->x[i], false);
    double from_middle = scale_along(&f->x, x) - scale_along(&f->x, (e.low + e.high) / 2),
           extent = scale_along(&f->x, e.high) - scale_along(&f->x, e.low);
    return from_middle > 0.3 * extent ? 1 : from_middle < -0.3 * extent ? -1 : 0;
}

static void choose_side(const frame *f, const plot_series *s, decade_mark *m) {
    m->side = outside_of(f, s, m->x);
    box b = box_of(f, m);
    if (b.x < 0 || b.x + b.width > f->width) m->side = -m->side;
}

int frame_decades(const plot *p, const frame *f, decade_mark out[DECADES_MOST]) {
    const plot_series *s = marked_series(p);
    box taken[DECADES_MOST];
    int count = 0;
    if (!s || !(s->t[0] > 0)) return 0;
    double last = log10(s->t[s->count - 1]) + 1e-9;
    for (int decade = (int)ceil(log10(s->t[0]) - 1e-9); decade <= last && count < DECADES_MOST; decade++) {
        decade_mark *m = &out[count];
        bool free = point_at(s, pow(10, decade), &m->x, &m->y);
        if (!free) continue;
        si_format(m->text, pow(10, decade), 6);
        snprintf(m->text + strlen(m->text), SCALE_TEXT - strlen(m->text), "%s", p->t_unit ? p->t_unit : "");
        choose_side(f, s, m);
        taken[count] = box_of(f, m);
        for (int i = 0; i < count; i++) free = free && !overlap(taken[i], taken[count]);
        count += free;
    }
    return count;
}

static box box_of_word(const frame *f, const plot_word *w) {
    decade_mark above = { w->x, w->y, 0, "" };
    snprintf(above.text, sizeof above.text, "%s", w->text);
    return box_of(f, &above);
}

bool frame_word_fits(const plot *p, const frame *f, int64_t i) {
    box here = box_of_word(f, &p->words[i]);
    for (int64_t k = 0; k < i; k++)
        if (overlap(here, box_of_word(f, &p->words[k]))) return false;
    return true;
}

double frame_width(const plot *p, double height, double most) {
    plot loose = *p;
    loose.equal_axes = false;
    frame f = frame_of(&loose, most, height);
    double wanted = height * (f.x.high - f.x.low) / (f.y[0].high - f.y[0].low);
    return p->equal_axes ? fmin(fmax(wanted, 0.4 * most), most) : most;
}
