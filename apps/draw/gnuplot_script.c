/* A plot as a gnuplot script. Axes and ticks are ours (frame.h): gnuplot's own count zeros. */
#include <locale.h>
#include <math.h>

#include "base/base.h"
#include "frame.h"
#include "gnuplot.h"
#include "ticks.h"
#include "words.h"

enum {
    WIDTH = 800,
    HEIGHT = 450,
    TWO_HEIGHT = 640,
    LEFT = 82,
    RIGHT = 30,
    TIME_RIGHT = 60,
    TOP = 66,
    GAP = 18,
    MANY_POINTS = 1500
};

static const char style_setup[] =
    "set encoding utf8\n"
    "set border 3 linecolor rgb '#666666'\n"
    "set grid ytics linecolor rgb '#dddddd' linetype 1 linewidth 0.8\n"
    "set tics nomirror out scale 0.6 textcolor rgb '#333333'\n"
    "set format x '%.6g'\n"
    "set key at graph 0, graph 1.02 left bottom horizontal reverse Left samplen 2 width 1 textcolor rgb '#333333'\n";

typedef struct page {
    FILE *out;
    const plot *p;
    frame f;
    int width, height, top, bottom;
} page;

/* ---- text and numbers ---- */

/* A single-quoted gnuplot string, in which nothing is special but the quote itself. Control characters become blanks,
 * for they could end the line; what is no text becomes question marks, for it would spoil the SVG. */
static void put_text(FILE *out, const char *s) {
    fputc('\'', out);
    for (const unsigned char *at = (const unsigned char *)(s ? s : ""); *at;) {
        uint32_t code = 0;
        int length = word_character(at, &code);
        if (length == 0 || !word_is_text(code)) fputc(length > 0 && code < 0xa0 ? ' ' : '?', out);
        else fwrite(at, 1, (size_t)length, out);
        if (*at == '\'') fputc('\'', out);
        at += MAX2(length, 1);
    }
    fputc('\'', out);
}

static void put_value(FILE *out, double v) {
    char buffer[32];
    fputc(' ', out);
    fputs(isfinite(v) && num_format(buffer, v, false) > 0 ? buffer : "NaN", out);
}

static void put_pair(FILE *out, const char *place, double x, double y) {
    fprintf(out, "%s first", place);
    put_value(out, x);
    fputs(", first", out);
    put_value(out, y);
}

static void put_setting(FILE *out, const char *setting, const char *value, const char *look) {
    if (!value || !*value) return;
    fprintf(out, "set %s ", setting);
    put_text(out, value);
    fprintf(out, " textcolor rgb '#333333' %s\n", look);
}

/* ---- data ---- */

static void put_point(FILE *out, const plot *p, const plot_series *s, int64_t i) {
    put_value(out, series_x(s, i));
    put_value(out, series_y(p, s, i));
    if (s->style == PLOT_ERRORS) put_value(out, s->y_lower[i]);
    if (s->style == PLOT_BAND || s->style == PLOT_ERRORS) put_value(out, s->y_upper[i]);
    fputc('\n', out);
}

static void put_data(FILE *out, const plot *p) {
    for (int64_t i = 0; i < p->series_count; i++) {
        fprintf(out, "$d%lld << E\n", (long long)i);
        for (int64_t k = 0; k < p->series[i].count; k++) put_point(out, p, &p->series[i], k);
        fputs("E\n", out);
    }
}

/* ---- axes ---- */

static void put_range(FILE *out, char axis, const scale *s) {
    fprintf(out, "%sset logscale %c\nset %crange [", s->log ? "" : "un", axis, axis);
    put_value(out, s->low);
    fputs(":", out);
    put_value(out, s->high);
    fputs("]\n", out);
}

/* Where all labels are decades: small ones at 2 to 9 of each. */
static void put_minor_ticks(FILE *out, const scale *s) {
    if (!s->log || s->ticks < 2 || fabs(s->tick[1] / s->tick[0] - 10) > 1e-6) return;
    for (int i = -1; i < s->ticks; i++)
        for (int within = 2; within < 10; within++) {
            fputs(", ''", out);
            put_value(out, within * (i < 0 ? s->tick[0] / 10 : s->tick[i]));
            fputs(" 1", out);
        }
}

/* `bare`: without words, where another panel has them. */
static void put_ticks(FILE *out, char axis, const scale *s, bool bare) {
    char word[SCALE_TEXT];
    fprintf(out, "set %ctics (", axis);
    for (int i = 0; i < s->ticks; i++) {
        if (i) fputs(", ", out);
        put_text(out, bare ? "" : scale_tick(s, s->tick[i], word));
        put_value(out, s->tick[i]);
    }
    put_minor_ticks(out, s);
    fputs(")\n", out);
}

/* Dates are placed by hand: gnuplot's own overlap. */
static void put_x_axis(const page *g, bool bare) {
    char title[SCALE_TITLE];
    const scale *x = &g->f.x;
    put_range(g->out, 'x', x);
    if (g->p->x_is_time) ticks_put(g->out, x->low, x->high);
    else put_ticks(g->out, 'x', x, bare);
    if (!bare) put_setting(g->out, "xlabel", scale_title(x, g->p->x_label, title), "");
}

static void put_y_axis(const page *g, int panel) {
    char title[SCALE_TITLE];
    const scale *y = &g->f.y[panel];
    put_range(g->out, 'y', y);
    put_ticks(g->out, 'y', y, false);
    put_setting(g->out, "label", scale_title(y, plot_y_label(g->p, panel), title),
                "at screen 0.024, graph 0.5 center rotate by 90");
    bool zero = !y->log && y->low < 0 && y->high > 0 && (g->p->y_is_symmetric || g->p->equal_axes);
    if (zero) fputs("set xzeroaxis linetype 1 linecolor rgb '#999999'\n", g->out);
}

/* ---- what stands in it ---- */

/* A label stands right of its line, near the right edge left of it. */
static void put_markers(const page *g, bool words) {
    FILE *out = g->out;
    for (int64_t i = 0; i < g->p->marker_count; i++) {
        const plot_marker *m = &g->p->markers[i];
        fputs("set arrow from first", out);
        put_value(out, m->x);
        fputs(", graph 0 to first", out);
        put_value(out, m->x);
        fputs(", graph 1 nohead back dashtype (6,4) linewidth 1 linecolor rgb '#999999'\n", out);
        if (!words || !m->label || !*m->label) continue;
        fputs("set label ", out);
        put_text(out, m->label);
        fputs(" at first", out);
        put_value(out, m->x);
        bool late = scale_along(&g->f.x, m->x) > 0.8;
        fprintf(out, ", graph 0.97 %s textcolor rgb '#777777'\n",
                late ? "right offset character -0.6,0" : "offset character 0.6,0");
    }
}

static void put_words(const page *g) {
    static const char *const beside[] = { "right offset character -0.9,0", "center offset character 0,0.9",
                                          "left offset character 0.9,0" };
    decade_mark mark[DECADES_MOST];
    int count = frame_decades(g->p, &g->f, mark);
    for (int i = 0; i < count; i++) {
        fputs("set label ", g->out);
        put_text(g->out, mark[i].text);
        put_pair(g->out, " at", mark[i].x, mark[i].y);
        fprintf(g->out, " front point pointtype 7 pointsize 0.6 linecolor rgb '#333333' %s textcolor rgb '#333333'\n",
                beside[mark[i].side + 1]);
    }
    for (int64_t i = 0; i < g->p->word_count; i++) {
        if (!frame_word_fits(g->p, &g->f, i)) continue;
        fputs("set label ", g->out);
        put_text(g->out, g->p->words[i].text);
        put_pair(g->out, " at", g->p->words[i].x, g->p->words[i].y);
        fprintf(g->out, " front %s textcolor rgb '#333333'\n", beside[1]);
    }
}

/* Thousands of dots of the usual size are a black bar. What is in the lower panel has its name in the legend of the
 * upper one. */
static void put_curve(const page *g, int64_t i, int panel, bool first) {
    static const struct {
        const char *columns, *look, *many;
    } styles[] = {
        [PLOT_LINE] = { "1:2", "lines linewidth 1.8" },
        [PLOT_POINTS] = { "1:2", "linespoints linewidth 1.8 pointtype 7 pointsize 0.45" },
        [PLOT_DASHED] = { "1:2", "lines linewidth 1.4 dashtype (5,3)" },
        [PLOT_DOTS] = { "1:2", "points pointtype 7 pointsize 0.5", "points pointtype 7 pointsize 0.15" },
        [PLOT_RINGS] = { "1:2", "points pointtype 6 pointsize 0.55 linewidth 1.2",
                         "points pointtype 7 pointsize 0.15" },
        [PLOT_CROSSES] = { "1:2", "points pointtype 2 pointsize 0.8 linewidth 1.6" },
        [PLOT_BAND] = { "1:2:3", "filledcurves fillstyle transparent solid 0.18 noborder" },
        [PLOT_BARS] = { "1:2", "boxes fillstyle solid 0.7 noborder" },
        [PLOT_ERRORS] = { "1:2:3:4", "yerrorbars pointtype 7 pointsize 0.45 linewidth 1.4" },
    };
    const plot_series *s = &g->p->series[i];
    bool many = s->count > MANY_POINTS && styles[s->style].many;
    fputs(first ? "plot " : ", ", g->out);
    if (s->lower == panel) fprintf(g->out, "$d%lld using %s ", (long long)i, styles[s->style].columns);
    else fputs("keyentry ", g->out);
    fputs(!panel && plot_in_legend(g->p, i) ? "title " : "notitle", g->out);
    if (!panel && plot_in_legend(g->p, i)) put_text(g->out, s->name);
    fprintf(g->out, " with %s linecolor rgb '%s'", many ? styles[s->style].many : styles[s->style].look,
            plot_colour(g->p, i));
}

/* ---- panels ---- */

static void put_panel(const page *g, int panel, double top, double bottom) {
    bool first = true;
    fprintf(g->out, "set tmargin at screen %.6f\nset bmargin at screen %.6f\n", 1 - top / g->height,
            1 - bottom / g->height);
    fputs("unset label\nunset arrow\n", g->out);
    if (!panel) put_setting(g->out, "label", g->p->title, "at screen 0.5, screen 1 center offset 0,-0.9 font ',15'");
    put_x_axis(g, g->p->lower && !panel);
    put_y_axis(g, panel);
    put_markers(g, !panel);
    if (!panel) put_words(g);
    for (int64_t i = 0; i < g->p->series_count; i++)
        if (g->p->series[i].lower == panel || (!panel && plot_in_legend(g->p, i)))
            put_curve(g, i, panel, first), first = false;
    fputs("\n", g->out);
}

static void put_panels(const page *g) {
    double height = g->f.height;
    if (g->p->lower) fputs("set multiplot\n", g->out);
    put_panel(g, 0, g->top, g->top + height);
    if (!g->p->lower) return;
    put_panel(g, 1, g->top + height + GAP, g->top + 2 * height + GAP);
    fputs("unset multiplot\n", g->out);
}

/* gnuplot's legend has columns as wide as the longest name. */
static int legend_rows(const plot *p, double width) {
    enum { LETTER = 8, SAMPLE = 48 };
    size_t longest = 0;
    int names = 0;
    for (int64_t i = 0; i < p->series_count; i++)
        if (plot_in_legend(p, i)) names++, longest = MAX2(longest, strlen(p->series[i].name));
    int columns = MAX2(1, (int)(width / (LETTER * (double)longest + SAMPLE)));
    return MAX2(1, (names + columns - 1) / columns);
}

static page page_of(const plot *p, FILE *out) {
    enum { LINE = 18 };
    page g = { .out = out, .p = p, .width = p->width > 0 ? p->width : WIDTH };
    g.height = p->height > 0 ? p->height : p->lower ? TWO_HEIGHT : HEIGHT;
    double beside = LEFT + (p->x_is_time ? TIME_RIGHT : RIGHT), width = g.width - beside;
    g.f = frame_of(p, width, 1);
    int lines = p->x_is_time ? ticks_lines(g.f.x.low, g.f.x.high) : 1;
    g.bottom = 22 + 19 * lines + (p->x_label && *p->x_label ? 26 : 0);
    g.top = TOP + LINE * (legend_rows(p, width) - 1);
    double height = fmax(g.height - g.top - g.bottom, 100);
    if (p->width <= 0) width = frame_width(p, height, width);
    g.width = (int)(width + beside + 0.5);
    g.f = frame_of(p, width, p->lower ? (height - GAP) / 2 : height);
    return g;
}

void gnuplot_script(const plot *p, FILE *out) {
    locale_t c = newlocale(LC_NUMERIC_MASK, "C", (locale_t)0), before = c ? uselocale(c) : c;
    page g = page_of(p, out);
    fprintf(out,
            "set terminal svg size %d,%d dynamic noenhanced font 'Helvetica,Arial,sans-serif,13' background "
            "'#ffffff'\n",
            g.width, g.height);
    fputs(style_setup, out);
    fprintf(out, "set lmargin at screen %.6f\nset rmargin at screen %.6f\n", (double)LEFT / g.width,
            (LEFT + g.f.width) / g.width);
    put_data(out, p);
    put_panels(&g);
    if (c) uselocale(before), freelocale(c);
}
