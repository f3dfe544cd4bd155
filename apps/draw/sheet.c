/* Each chart is an SVG within the SVG, where its column ends. */
#include "sheet.h"

#include "chart.h"

void chart_sheet_begin(chart_sheet *s) {
    *s        = (chart_sheet){ .own = newlocale(LC_NUMERIC_MASK, "C", (locale_t)0) };
    s->before = s->own ? uselocale(s->own) : s->own;
    s->charts.failed = !s->own;
}

void chart_sheet_add(chart_sheet *s, const plot *p) {
    static const char head[] = "<svg ";
    text one    = { 0 };
    int  column = s->height[1] < s->height[0], height = chart_height(p);
    chart_svg(p, &one);
    if (one.failed) s->charts.failed = true;
    else
        text_add(&s->charts, "%sx=\"%d\" y=\"%d\" width=\"%d\" height=\"%d\" %s", head, column * CHART_WIDTH,
                 s->height[column], CHART_WIDTH, height, one.data + strlen(head));
    text_free(&one);
    s->height[column] += height, s->count++;
}

static char *whole(const chart_sheet *s) {
    int  width = (int)MIN2(s->count, 2) * CHART_WIDTH, height = MAX2(s->height[0], s->height[1]);
    text out   = { 0 };
    text_add(&out, "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 %d %d\" width=\"%d\" "
                   "style=\"background:#fff;max-width:100%%\">\n%s</svg>\n", width, height, width, s->charts.data);
    if (out.failed) text_free(&out);
    return out.failed ? NULL : out.data;
}

tide_status chart_sheet_end(chart_sheet *s, tide_status status, char **svg, tide_failure *failure) {
    bool draw = status == TIDE_OK && s->count && !s->charts.failed;
    *svg = draw ? whole(s) : NULL;
    if (s->own) uselocale(s->before), freelocale(s->own);
    if (status == TIDE_OK && !*svg)
        status = draw || s->charts.failed ? fail(failure, TIDE_ENOMEM, "out of memory for a picture")
                                          : fail(failure, TIDE_EINVAL, "there is nothing to draw");
    text_free(&s->charts);
    return status;
}
