/* A plot as SVG text: frames around the data, ticks, marks, and words; and a map of cells. */
#include "chart.h"

#include <math.h>
#include <stdio.h>

#include "frame.h"
#include "ticks.h"
#include "words.h"

enum {
    WIDTH = CHART_WIDTH,
    HEIGHT = CHART_HEIGHT,
    TWO_HEIGHT = 460,
    LEFT = 62,
    RIGHT = 16,
    TOP = 50,
    BOTTOM = 46,
    PANEL_GAP = 14,
    LEGEND_LINE = 15
};
#define TRUTH_COLOUR "#2a9d3a"

/* One panel: where it stands and its axes. */
typedef struct panel {
    const plot *plot;
    const scale *x, *y;
    double top, width, height;
} panel;

void text_add_escaped(text *out, const char *s) {
    uint32_t code;
    for (int length; *s; s += MAX2(length, 1)) {
        length = word_character((const unsigned char *)s, &code);
        if (length == 0 || !word_is_text(code)) text_add(out, "%c", length > 0 && code < 0xa0 ? ' ' : '?');
        else if (*s == '&') text_add(out, "&amp;");
        else if (*s == '<') text_add(out, "&lt;");
        else if (*s == '>') text_add(out, "&gt;");
        else if (*s == '"') text_add(out, "&quot;");
        else text_add(out, "%.*s", length, s);
    }
}

static void put_text(text *out, double x, double y, const char *attributes, const char *s) {
    if (!s || !*s) return;
    text_add(out, "<text x=\"%.1f\" y=\"%.1f\" %s>", x, y, attributes);
    text_add_escaped(out, s);
    text_add(out, "</text>\n");
}

/* ---- axes ---- */

static double place_x(const panel *f, double v) { return LEFT + scale_along(f->x, v) * f->width; }
static double place_y(const panel *f, double v) { return f->top + (1 - scale_along(f->y, v)) * f->height; }
static double bottom_of(const panel *f) { return f->top + f->height; }

/* In its usual size where there is room for it, else as small as can still be read. */
static void put_title(const char *title, text *out) {
    static const double usual = 14, least = 9, character = 0.61; /* of the size: a letter's mean width */
    char   attributes[64];
    double room = WIDTH - LEFT - 4, size = title && *title ? room / (character * (double)strlen(title)) : usual;
    snprintf(attributes, sizeof attributes, "font-size=\"%.3g\" font-weight=\"600\"", fmax(fmin(size, usual), least));
    put_text(out, LEFT, 17, attributes, title);
}

static void begin_svg(int height, const char *title, text *out) {
    text_add(out,
             "<svg viewBox=\"0 0 %d %d\" xmlns=\"http://www.w3.org/2000/svg\" role=\"img\" "
             "font-family=\"system-ui,sans-serif\" "
             "font-size=\"12\" fill=\"#333\">\n",
             WIDTH, height);
    put_title(title, out);
}

static void put_x_line(const panel *f, double x, text *out) {
    text_add(out, "<path d=\"M%.1f %.1f V%.1f\" stroke=\"#e4e4e4\"/>", x, f->top, bottom_of(f));
}

/* A date, and above it a clock where it has one: whole within the picture, or, where it would run into the one before
 * it (which ends at *taken), not at all. A day is named where it begins. */
static void put_date(const panel *f, const date_tick *t, const char *before, double *taken, text *out) {
    static const double character = 6.8, apart = 8;
    char   day[TICKS_TEXT];
    size_t length = strcspn(t->label, "\n");
    bool   clock  = t->label[length] != 0, same = !strncmp(before, t->label, length + 1);
    double half   = character * (double)(clock && same ? 5 : length) / 2;
    double x      = fmin(place_x(f, t->at), WIDTH - half - 1);
    if (x - half < *taken + apart) return;
    *taken = x + half;
    snprintf(day, sizeof day, "%.*s", (int)length, t->label);
    put_text(out, x, bottom_of(f) + 16, "text-anchor=\"middle\"", clock ? t->label + length + 1 : day);
    if (clock && !same) put_text(out, x, bottom_of(f) + 30, "text-anchor=\"middle\" fill=\"#666\"", day);
}

static void put_dates(const panel *f, bool words, text *out) {
    date_tick tick[TICKS_MOST];
    int       count = ticks_dates(f->x->low, f->x->high, tick);
    double    taken = 0;
    for (int i = 0; i < count; i++) {
        put_x_line(f, place_x(f, tick[i].at), out);
        if (words) put_date(f, &tick[i], i ? tick[i - 1].label : "", &taken, out);
    }
}

static void put_x_ticks(const panel *f, bool words, text *out) {
    char word[SCALE_TEXT];
    if (f->plot && f->plot->x_is_time) {
        put_dates(f, words, out);
        return;
    }
    for (int i = 0; i < f->x->ticks; i++) {
        double x = place_x(f, f->x->tick[i]);
        put_x_line(f, x, out);
        if (words) put_text(out, x, bottom_of(f) + 16, "text-anchor=\"middle\"", scale_tick(f->x, f->x->tick[i], word));
    }
}

static void put_y_ticks(const panel *f, text *out) {
    char word[SCALE_TEXT];
    for (int i = 0; i < f->y->ticks; i++) {
        double y = place_y(f, f->y->tick[i]);
        text_add(out, "<path d=\"M%d %.1f h%.1f\" stroke=\"%s\"/>", LEFT, y, f->width,
                 f->y->tick[i] == 0 && f->y->low < 0 ? "#999" : "#e4e4e4");
        put_text(out, LEFT - 6, y + 4, "text-anchor=\"end\"", scale_tick(f->y, f->y->tick[i], word));
    }
}

static void put_axes(const panel *f, const char *x_label, const char *y_label, text *out) {
    double middle = f->top + f->height / 2;
    char turned[80], title[SCALE_TITLE];
    put_x_ticks(f, x_label, out);
    put_y_ticks(f, out);
    text_add(out, "<path d=\"M%d %.1f V%.1f h%.1f\" stroke=\"#666\" fill=\"none\"/>\n", LEFT, f->top, bottom_of(f),
             f->width);
    if (x_label)
        put_text(out, LEFT + f->width / 2, bottom_of(f) + BOTTOM - 8, "text-anchor=\"middle\"",
                 scale_title(f->x, x_label, title));
    snprintf(turned, sizeof turned, "text-anchor=\"middle\" transform=\"rotate(-90 14 %.1f)\"", middle);
    put_text(out, 14, middle, turned, scale_title(f->y, y_label, title));
}

/* ---- marks ---- */

static bool point_of(const panel *f, const plot_series *s, int64_t i, double *x, double *y) {
    double at = series_x(s, i);
    if (!scale_shows(f->x, at) || !scale_shows(f->y, s->y[i])) return false;
    *x = place_x(f, at), *y = place_y(f, series_y(f->plot, s, i));
    return true;
}

static void put_mark(plot_style style, double x, double y, const char *colour, text *out) {
    if (style == PLOT_CROSSES)
        text_add(out, "<path d=\"M%.1f %.1f m-3.5 -3.5 l7 7 m0 -7 l-7 7\" stroke=\"%s\" stroke-width=\"1.6\"/>", x, y,
                 colour);
    else if (style == PLOT_RINGS)
        text_add(out, "<circle cx=\"%.1f\" cy=\"%.1f\" r=\"3.6\" fill=\"none\" stroke=\"%s\"/>", x, y, colour);
    else text_add(out, "<circle cx=\"%.1f\" cy=\"%.1f\" r=\"2.6\" fill=\"%s\"/>", x, y, colour);
}

static void put_points(const panel *f, const plot_series *s, const char *colour, text *out) {
    double x, y;
    for (int64_t i = 0; i < s->count; i++)
        if (point_of(f, s, i, &x, &y)) put_mark(s->style, x, y, colour, out);
    text_add(out, "\n");
}

static void put_path(const panel *f, const plot_series *s, const char *colour, text *out) {
    bool open = false;
    int64_t drawn = 0;
    double x, y;
    text_add(out, "<path fill=\"none\" stroke=\"%s\" stroke-width=\"2\" stroke-linejoin=\"round\"%s d=\"", colour,
             s->style == PLOT_DASHED ? " stroke-dasharray=\"6 4\"" : "");
    for (int64_t i = 0; i < s->count; i++) {
        bool here = point_of(f, s, i, &x, &y);
        if (here) text_add(out, "%c%.1f %.1f", open ? 'L' : 'M', x, y);
        drawn += here;
        open = here;
    }
    text_add(out, "\"/>\n");
    /* A line of one point is nothing to see. */
    if (drawn == 1 || s->style == PLOT_POINTS) put_points(f, s, colour, out);
}

static void put_bars(const panel *f, const plot_series *s, const char *colour, text *out) {
    double width = 20, x, y;
    if (s->count > 1) width = fabs(place_x(f, series_x(s, 1)) - place_x(f, series_x(s, 0)));
    for (int64_t i = 0; i < s->count; i++)
        if (point_of(f, s, i, &x, &y))
            text_add(out, "<rect x=\"%.1f\" y=\"%.1f\" width=\"%.1f\" height=\"%.1f\" fill=\"%s\"/>", x - 0.4 * width,
                     y, 0.8 * width, bottom_of(f) - y, colour);
    text_add(out, "\n");
}

static bool has_edges(const panel *f, const plot_series *s, int64_t i, bool low) {
    return scale_shows(f->x, series_x(s, i)) && scale_shows(f->y, s->y_upper[i]) &&
           scale_shows(f->y, low ? s->y_lower[i] : s->y[i]);
}

static void put_errors(const panel *f, const plot_series *s, const char *colour, text *out) {
    for (int64_t i = 0; i < s->count; i++)
        if (has_edges(f, s, i, true))
            text_add(out, "<path d=\"M%.1f %.1f V%.1f m-3 0 h6 M%.1f %.1f m-3 0 h6\" stroke=\"%s\"/>",
                     place_x(f, series_x(s, i)), place_y(f, s->y_lower[i]), place_y(f, s->y_upper[i]),
                     place_x(f, series_x(s, i)), place_y(f, s->y_lower[i]), colour);
    put_points(f, s, colour, out);
}

/* There along the upper edge, back along the lower one. */
static void put_band(const panel *f, const plot_series *s, const char *colour, text *out) {
    char pen = 'M';
    text_add(out, "<path fill=\"%s\" fill-opacity=\"0.18\" d=\"", colour);
    for (int64_t i = 0; i < s->count; i++)
        if (has_edges(f, s, i, false))
            text_add(out, "%c%.1f %.1f", pen, place_x(f, series_x(s, i)), place_y(f, s->y_upper[i])), pen = 'L';
    for (int64_t i = s->count; i-- > 0;)
        if (has_edges(f, s, i, false))
            text_add(out, "%c%.1f %.1f", pen, place_x(f, series_x(s, i)), place_y(f, s->y[i]));
    text_add(out, "\"/>\n");
}

static void put_series(const plot *p, int64_t i, const panel *f, text *out) {
    static void (*const put[])(const panel *, const plot_series *, const char *, text *) = {
        [PLOT_LINE] = put_path,   [PLOT_POINTS] = put_path,  [PLOT_DASHED] = put_path,
        [PLOT_DOTS] = put_points, [PLOT_RINGS] = put_points, [PLOT_CROSSES] = put_points,
        [PLOT_BAND] = put_band,   [PLOT_BARS] = put_bars,    [PLOT_ERRORS] = put_errors,
    };
    put[p->series[i].style](f, &p->series[i], plot_colour(p, i), out);
}

/* ---- words ---- */

static double key_width(const char *name) { return 40 + 6.4 * (double)strlen(name); }

/* Where a name stands in the legend: how far along, and in which line below the first. */
typedef struct key {
    double x;
    int line;
} key;

static key next_key(key at, const char *name) {
    bool fits = at.x == LEFT || at.x + key_width(name) < WIDTH;
    return fits ? at : (key){ LEFT, at.line + 1 };
}

static int legend_rows(const plot *p) {
    key at = { LEFT, 0 };
    for (int64_t i = 0; i < p->series_count; i++) {
        if (!plot_in_legend(p, i)) continue;
        at = next_key(at, p->series[i].name);
        at.x += key_width(p->series[i].name);
    }
    return at.line;
}

/* What a series is drawn with, beside its name. */
static void put_sample(const plot *p, int64_t i, double x, double y, text *out) {
    const char *colour = plot_colour(p, i);
    plot_style style = p->series[i].style;
    bool filled = style == PLOT_BAND || style == PLOT_BARS;
    if (style == PLOT_LINE || style == PLOT_POINTS || style == PLOT_DASHED || filled)
        text_add(out, "<path d=\"M%.0f %.0f h18\" stroke=\"%s\" stroke-width=\"%d\"%s/>", x, y, colour, filled ? 9 : 3,
                 style == PLOT_DASHED ? " stroke-dasharray=\"5 3\""
                 : style == PLOT_BAND ? " stroke-opacity=\"0.18\""
                                      : "");
    else put_mark(style, x + 10, y, colour, out);
}

static void put_legend(const plot *p, text *out) {
    key at = { LEFT, 0 };
    for (int64_t i = 0; i < p->series_count; i++) {
        if (!plot_in_legend(p, i)) continue;
        at = next_key(at, p->series[i].name);
        double y = 34 + LEGEND_LINE * at.line;
        put_sample(p, i, at.x, y, out);
        put_text(out, at.x + 23, y + 4, "", p->series[i].name);
        at.x += key_width(p->series[i].name);
    }
}

static void put_markers(const plot *p, const panel *f, text *out) {
    for (int64_t i = 0; i < p->marker_count; i++) {
        const plot_marker *m = &p->markers[i];
        if (!scale_shows(f->x, m->x)) continue;
        double x = place_x(f, m->x);
        bool late = scale_along(f->x, m->x) > 0.8;
        text_add(out, "<path d=\"M%.1f %.1f V%.1f\" stroke=\"#777\" stroke-dasharray=\"5 3\"/>\n", x, f->top,
                 bottom_of(f));
        put_text(out, late ? x - 5 : x + 5, f->top + 12, late ? "text-anchor=\"end\" fill=\"#555\"" : "fill=\"#555\"",
                 m->label);
    }
}

static void put_words(const plot *p, const frame *f, const panel *at, text *out) {
    static const char *const anchor[] = { "text-anchor=\"end\"", "text-anchor=\"middle\"", "text-anchor=\"start\"" };
    decade_mark mark[DECADES_MOST];
    int count = frame_decades(p, f, mark);
    for (int i = 0; i < count; i++) {
        double x = place_x(at, mark[i].x), y = place_y(at, mark[i].y);
        text_add(out, "<circle cx=\"%.1f\" cy=\"%.1f\" r=\"3.2\" fill=\"#333\"/>", x, y);
        put_text(out, x + 9 * mark[i].side, mark[i].side ? y + 4 : y - 9, anchor[mark[i].side + 1], mark[i].text);
    }
    for (int64_t i = 0; i < p->word_count; i++) {
        if (!frame_word_fits(p, f, i)) continue;
        put_text(out, place_x(at, p->words[i].x), place_y(at, p->words[i].y) - 7, anchor[1], p->words[i].text);
    }
}

int chart_height(const plot *p) { return p->lower ? TWO_HEIGHT : HEIGHT; }

void chart_svg(const plot *p, text *out) {
    int height = chart_height(p), panels = p->lower ? 2 : 1;
    double top = TOP + LEGEND_LINE * legend_rows(p), inner = height - top - BOTTOM,
           each = p->lower ? (inner - PANEL_GAP) / 2 : inner;
    frame f = frame_of(p, WIDTH - LEFT - RIGHT, each);
    begin_svg(height, p->title, out);
    for (int k = 0; k < panels; k++) {
        panel at = { p, &f.x, &f.y[k], top + k * (each + PANEL_GAP), f.width, each };
        put_axes(&at, k == panels - 1 ? p->x_label ? p->x_label : "" : NULL, plot_y_label(p, k), out);
        for (int64_t i = 0; i < p->series_count; i++)
            if (p->series[i].lower == k) put_series(p, i, &at, out);
        put_markers(p, &at, out);
        if (k == 0) put_words(p, &f, &at, out);
    }
    put_legend(p, out);
    text_add(out, "</svg>\n");
}

/* ---- heat map ---- */

static scale cells_scale(const double *middle, int count, const char *unit) {
    extent e = { middle[0], middle[count - 1] };
    return scale_of(extent_widened(e, 0.5 / (count - 1), true), true, false, unit);
}

/* White to the first colour, by the root: small probabilities still show. */
void chart_shade(char colour[8], double share) {
    static const int end[3] = { 0x14, 0x4f, 0x66 };
    double by = sqrt(share);
    int part[3];
    for (int i = 0; i < 3; i++) part[i] = (int)(255 + by * (end[i] - 255) + 0.5);
    snprintf(colour, 8, "#%02x%02x%02x", (unsigned)part[0] & 255u, (unsigned)part[1] & 255u, (unsigned)part[2] & 255u);
}

static void put_cross(const panel *f, const double *at, text *out) {
    text_add(out,
             "<path d=\"M%.1f %.1f m-7 -7 l14 14 m0 -14 l-14 14\" stroke=\"" TRUTH_COLOUR "\" stroke-width=\"3\" "
             "fill=\"none\"/>\n",
             place_x(f, at[0]), place_y(f, at[1]));
    text_add(out, "<path d=\"M%d 34 h18\" stroke=\"" TRUTH_COLOUR "\" stroke-width=\"3\"/>", LEFT);
    put_text(out, LEFT + 23, 38, "", "truth");
}

static void put_cells(const heat_map *h, const panel *f, double most, text *out) {
    double width = f->width / h->columns, height = f->height / h->rows;
    char colour[8];
    for (int i = 0; i < h->columns * h->rows; i++) {
        if (!(h->value[i] > 0)) continue;
        chart_shade(colour, h->value[i] / most);
        text_add(out, "<rect x=\"%.1f\" y=\"%.1f\" width=\"%.1f\" height=\"%.1f\" fill=\"%s\"/>",
                 place_x(f, h->x[i % h->columns]) - width / 2, place_y(f, h->y[i / h->columns]) - height / 2, width,
                 height, colour);
    }
}

void heat_map_svg(const heat_map *h, text *out) {
    scale x = cells_scale(h->x, h->columns, h->x_unit), y = cells_scale(h->y, h->rows, h->y_unit);
    panel f = { NULL, &x, &y, TOP, WIDTH - LEFT - RIGHT, HEIGHT - TOP - BOTTOM };
    double most = 0;
    char key[64];
    for (int i = 0; i < h->columns * h->rows; i++) most = fmax(most, h->value[i]);
    begin_svg(HEIGHT, h->title, out);
    put_axes(&f, h->x_label, h->y_label, out);
    put_cells(h, &f, most, out);
    if (h->truth) put_cross(&f, h->truth, out);
    snprintf(key, sizeof key, "darkest: %.3g", most);
    put_text(out, WIDTH - RIGHT, 38, "text-anchor=\"end\"", key);
    text_add(out, "</svg>\n");
}
