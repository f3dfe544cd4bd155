/* Charts as SVG text: a frame around the data, ticks with SI prefixes, lines, bars, points, and a map of cells. */
#include "chart.h"

#include <math.h>
#include <stdio.h>

enum { WIDTH = 480, HEIGHT = 310, LEFT = 62, RIGHT = 16, TOP = 50, BOTTOM = 46, TICKS_MOST = 40 };

static const char *const colours[] = { "#1f6f8b", "#d1495b", "#8a8a8a", "#e09f3e" };
#define TRUTH_COLOUR "#2a9d3a"

typedef struct axis { double low, high; bool log; } axis;  /* low and high: of the logarithm on a log axis */
typedef struct frame { axis x, y; } frame;

/* ---- text ---- */

void text_add_escaped(text *out, const char *s) {
    for (; *s; s++) {
        if (*s == '&') text_add(out, "&amp;");
        else if (*s == '<') text_add(out, "&lt;");
        else if (*s == '>') text_add(out, "&gt;");
        else text_add(out, "%c", *s);
    }
}

const char *si_format(char buffer[32], double value, int digits) {
    static const struct {
        double unit;
        const char *prefix;
    } prefixes[] = { { 1e9, " G" },  { 1e6, " M" },  { 1e3, " k" },  { 1, " " },
                     { 1e-3, " m" }, { 1e-6, " u" }, { 1e-9, " n" }, { 1e-12, " p" } };
    enum { LAST = sizeof prefixes / sizeof *prefixes - 1 };
    int at = 0;
    if (!isfinite(value)) return snprintf(buffer, 32, "-"), buffer;
    if (value == 0) return snprintf(buffer, 32, "0 "), buffer;
    /* Rounding may carry: 999.96 is 1.00 k. */
    double rounded = fabs(value) * (1 + 0.5 * pow(10, -digits));
    while (at < LAST && rounded < prefixes[at].unit) at++;
    snprintf(buffer, 32, "%.*g%s", digits, value / prefixes[at].unit, prefixes[at].prefix);
    return buffer;
}

/* "100 k" as "100k". */
static const char *tick_text(char buffer[32], double value) {
    char *space;
    if (fabs(value) >= 1e-3 && fabs(value) < 1e3) return snprintf(buffer, 32, "%.6g", value), buffer;
    si_format(buffer, value, 6);
    space = strchr(buffer, ' ');
    if (space) memmove(space, space + 1, strlen(space));
    return buffer;
}

static void put_text(text *out, double x, double y, const char *attributes, const char *s) {
    text_add(out, "<text x=\"%.1f\" y=\"%.1f\" %s>", x, y, attributes);
    text_add_escaped(out, s);
    text_add(out, "</text>\n");
}

/* ---- axes ---- */

static bool drawable(const axis *a, double v) { return isfinite(v) && (!a->log || v > 0); }
static double along(const axis *a, double v) { return ((a->log ? log10(v) : v) - a->low) / (a->high - a->low); }
static double place_x(const frame *f, double v) { return LEFT + along(&f->x, v) * (WIDTH - LEFT - RIGHT); }
static double place_y(const frame *f, double v) { return HEIGHT - BOTTOM - along(&f->y, v) * (HEIGHT - TOP - BOTTOM); }

static void include(axis *a, double v) {
    if (!drawable(a, v)) return;
    double at = a->log ? log10(v) : v;
    a->low  = fmin(a->low, at);
    a->high = fmax(a->high, at);
}

static void widen(axis *a, double share) {
    double by = (a->high - a->low) * share;
    a->low -= by;
    a->high += by;
}

/* What has no extent, or is empty, gets one. */
static void settle(axis *a) {
    if (!(a->low <= a->high)) *a = (axis){ 0, 1, a->log };
    if (a->high - a->low > 1e-9 * fmax(fabs(a->low), fabs(a->high))) return;
    double by = a->log ? 0.5 : fmax(0.5 * fabs(a->low), 1e-12);
    a->low -= by;
    a->high += by;
}

static frame frame_of(const chart *c) {
    frame f = { { INFINITY, -INFINITY, c->log_x }, { INFINITY, -INFINITY, c->log_y } };
    int   bars = 0;
    for (int s = 0; s < c->series_count; s++) {
        const chart_series *of = &c->series[s];
        for (int64_t i = 0; i < of->count; i++)
            if (drawable(&f.x, of->x[i]) && drawable(&f.y, of->y[i])) include(&f.x, of->x[i]), include(&f.y, of->y[i]);
        if (of->mark == CHART_BARS) bars = (int)of->count;
    }
    if (bars > 1) widen(&f.x, 0.5 / (bars - 1));
    if (c->truth) include(&f.x, *c->truth);
    if (c->from_zero) include(&f.y, 0);
    settle(&f.x), settle(&f.y);
    if (!bars) widen(&f.x, 0.03);
    double low = f.y.low;
    widen(&f.y, 0.05);
    if (c->from_zero && low >= 0) f.y.low = 0;
    if (!c->equal_axes) return f;
    double unit = fmax((f.x.high - f.x.low) / (WIDTH - LEFT - RIGHT), (f.y.high - f.y.low) / (HEIGHT - TOP - BOTTOM));
    f.x.high = f.x.low + unit * (WIDTH - LEFT - RIGHT);
    f.y.high = f.y.low + unit * (HEIGHT - TOP - BOTTOM);
    return f;
}

static int linear_ticks(const axis *a, double *tick) {
    static const double steps[] = { 1, 2, 5, 10 };
    double rough = (a->high - a->low) / 5, power = pow(10, floor(log10(rough))), step = 10 * power;
    int    count = 0;
    for (int i = 3; i >= 0; i--)
        if (steps[i] * power >= rough) step = steps[i] * power;
    for (double i = ceil(a->low / step); i * step <= a->high && count < TICKS_MOST; i++) tick[count++] = i * step;
    return count;
}

/* Decades; 1, 2 and 5 of each where there are few. */
static int log_ticks(const axis *a, double *tick) {
    static const double within[] = { 1, 2, 5 };
    int count = 0, each = a->high - a->low < 2.2 ? 3 : 1, every = a->high - a->low > 9 ? 2 : 1;
    for (int decade = (int)floor(a->low); decade <= a->high && count < TICKS_MOST - 3; decade += every)
        for (int i = 0; i < each; i++) {
            double at = decade + log10(within[i]);
            if (at >= a->low - 1e-9 && at <= a->high + 1e-9) tick[count++] = pow(10, decade) * within[i];
        }
    return count;
}

/* Less than a decade reads as a linear axis does. */
static int ticks_of(const axis *a, double *tick) {
    axis values = { pow(10, a->low), pow(10, a->high), false };
    if (!a->log) return linear_ticks(a, tick);
    return a->high - a->low < 0.9 ? linear_ticks(&values, tick) : log_ticks(a, tick);
}

static void put_axes(const frame *f, const char *title, const char *x_label, const char *y_label, text *out) {
    double tick[TICKS_MOST], bottom = HEIGHT - BOTTOM, right = WIDTH - RIGHT;
    char   label[32], turned[64];
    text_add(out,
             "<svg viewBox=\"0 0 %d %d\" xmlns=\"http://www.w3.org/2000/svg\" role=\"img\" "
             "font-family=\"system-ui,sans-serif\" "
             "font-size=\"12\" fill=\"#333\">\n",
             WIDTH, HEIGHT);
    put_text(out, LEFT, 17, "font-size=\"14\" font-weight=\"600\"", title);
    for (int i = 0, count = ticks_of(&f->x, tick); i < count; i++) {
        double x = place_x(f, tick[i]);
        text_add(out, "<path d=\"M%.1f %d V%.1f\" stroke=\"#e4e4e4\"/>", x, TOP, bottom);
        put_text(out, x, bottom + 16, "text-anchor=\"middle\"", tick_text(label, tick[i]));
    }
    for (int i = 0, count = ticks_of(&f->y, tick); i < count; i++) {
        double y = place_y(f, tick[i]);
        text_add(out, "<path d=\"M%d %.1f H%.1f\" stroke=\"#e4e4e4\"/>", LEFT, y, right);
        put_text(out, LEFT - 6, y + 4, "text-anchor=\"end\"", tick_text(label, tick[i]));
    }
    text_add(out, "<path d=\"M%d %d V%.1f H%.1f\" stroke=\"#666\" fill=\"none\"/>\n", LEFT, TOP, bottom, right);
    put_text(out, (LEFT + right) / 2, HEIGHT - 8, "text-anchor=\"middle\"", x_label);
    snprintf(turned, sizeof turned, "text-anchor=\"middle\" transform=\"rotate(-90 14 %d)\"",
             (TOP + HEIGHT - BOTTOM) / 2);
    put_text(out, 14, (TOP + HEIGHT - BOTTOM) / 2.0, turned, y_label);
}

/* ---- marks ---- */

static void put_dots(const frame *f, const chart_series *s, text *out) {
    for (int64_t i = 0; i < s->count; i++)
        if (drawable(&f->x, s->x[i]) && drawable(&f->y, s->y[i]))
            text_add(out, "<circle cx=\"%.1f\" cy=\"%.1f\" r=\"3\" fill=\"%s\"/>", place_x(f, s->x[i]),
                     place_y(f, s->y[i]),
                     colours[s->colour]);
    text_add(out, "\n");
}

static void put_path(const frame *f, const chart_series *s, text *out) {
    bool    open  = false;
    int64_t drawn = 0;
    text_add(out, "<path fill=\"none\" stroke=\"%s\" stroke-width=\"2\" stroke-linejoin=\"round\"%s d=\"",
             colours[s->colour],
             s->mark == CHART_DASHED ? " stroke-dasharray=\"6 4\"" : "");
    for (int64_t i = 0; i < s->count; i++) {
        bool here = drawable(&f->x, s->x[i]) && drawable(&f->y, s->y[i]);
        if (here) text_add(out, "%c%.1f %.1f", open ? 'L' : 'M', place_x(f, s->x[i]), place_y(f, s->y[i]));
        drawn += here;
        open = here;
    }
    text_add(out, "\"/>\n");
    if (drawn == 1) put_dots(f, s, out); /* a line of one point is nothing to see */
}

static void put_bars(const frame *f, const chart_series *s, text *out) {
    double width = s->count > 1 ? fabs(place_x(f, s->x[1]) - place_x(f, s->x[0])) : 20, base = HEIGHT - BOTTOM;
    for (int64_t i = 0; i < s->count; i++) {
        if (!drawable(&f->x, s->x[i]) || !drawable(&f->y, s->y[i])) continue;
        double y = place_y(f, s->y[i]);
        text_add(out, "<rect x=\"%.1f\" y=\"%.1f\" width=\"%.1f\" height=\"%.1f\" fill=\"%s\"/>",
                 place_x(f, s->x[i]) - 0.4 * width, y,
                 0.8 * width, base - y, colours[s->colour]);
    }
    text_add(out, "\n");
}

static double put_key(text *out, double x, const char *colour, bool dashed, const char *name) {
    text_add(out, "<path d=\"M%.0f 34 h18\" stroke=\"%s\" stroke-width=\"3\"%s/>", x, colour,
             dashed ? " stroke-dasharray=\"5 3\"" : "");
    put_text(out, x + 23, 38, "", name);
    return x + 40 + 6.4 * (double)strlen(name);
}

static void put_legend(const chart *c, text *out) {
    double x = LEFT;
    for (int s = 0; s < c->series_count; s++)
        if (c->series[s].name)
            x = put_key(out, x, colours[c->series[s].colour], c->series[s].mark == CHART_DASHED, c->series[s].name);
    if (c->truth) put_key(out, x, TRUTH_COLOUR, true, "truth");
}

void chart_svg(const chart *c, text *out) {
    static void (*const put[])(const frame *, const chart_series *, text *) = { put_path, put_path, put_dots,
                                                                                put_bars };
    frame f = frame_of(c);
    put_axes(&f, c->title, c->x_label, c->y_label, out);
    for (int s = 0; s < c->series_count; s++) put[c->series[s].mark](&f, &c->series[s], out);
    if (c->truth && drawable(&f.x, *c->truth))
        text_add(out, "<path d=\"M%.1f %d V%d\" stroke=\"" TRUTH_COLOUR "\" stroke-width=\"2\" stroke-dasharray=\"5 "
                                                                        "3\"/>\n",
                 place_x(&f, *c->truth), TOP, HEIGHT - BOTTOM);
    put_legend(c, out);
    text_add(out, "</svg>\n");
}

/* ---- heat map ---- */

static axis cells_axis(const double *middle, int count) {
    axis a = { log10(middle[0]), log10(middle[count - 1]), true };
    widen(&a, 0.5 / (count - 1));
    return a;
}

/* White to the first colour, by the root: small probabilities still show. */
static void cell_colour(char colour[8], double share) {
    static const int end[3] = { 0x14, 0x4f, 0x66 };
    double by = sqrt(share);
    int    part[3];
    for (int i = 0; i < 3; i++) part[i] = (int)(255 + by * (end[i] - 255) + 0.5);
    snprintf(colour, 8, "#%02x%02x%02x", (unsigned)part[0] & 255u, (unsigned)part[1] & 255u, (unsigned)part[2] & 255u);
}

static void put_cross(const frame *f, const double *at, text *out) {
    text_add(out, "<path d=\"M%.1f %.1f m-7 -7 l14 14 m0 -14 l-14 14\" stroke=\"" TRUTH_COLOUR "\" stroke-width=\"3\" "
                                                                                               "fill=\"none\"/>\n",
             place_x(f, at[0]), place_y(f, at[1]));
    put_key(out, LEFT, TRUTH_COLOUR, false, "truth");
}

void heat_map_svg(const heat_map *h, text *out) {
    frame  f = { cells_axis(h->x, h->columns), cells_axis(h->y, h->rows) };
    double most = 0, width = (double)(WIDTH - LEFT - RIGHT) / h->columns,
           height = (double)(HEIGHT - TOP - BOTTOM) / h->rows;
    char   colour[8], key[64];
    put_axes(&f, h->title, h->x_label, h->y_label, out);
    for (int i = 0; i < h->columns * h->rows; i++) most = fmax(most, h->value[i]);
    for (int i = 0; i < h->columns * h->rows; i++) {
        if (!(h->value[i] > 0)) continue;
        cell_colour(colour, h->value[i] / most);
        text_add(out, "<rect x=\"%.1f\" y=\"%.1f\" width=\"%.1f\" height=\"%.1f\" fill=\"%s\"/>",
                 place_x(&f, h->x[i % h->columns]) - width / 2, place_y(&f, h->y[i / h->columns]) - height / 2, width,
                 height, colour);
    }
    if (h->truth) put_cross(&f, h->truth, out);
    snprintf(key, sizeof key, "darkest: %.3g", most);
    put_text(out, WIDTH - RIGHT, 38, "text-anchor=\"end\"", key);
    text_add(out, "</svg>\n");
}
