#include "matrix.h"

#include <math.h>

#include "chart.h"
#include "words.h"

enum { SIDE = 430, MOST_CELL = 34, NAME_WIDTH = 150, NAME_CHARACTERS = 20, TOP = 64 };

const char *name_cut(const char *name, int most, char out[NAME_CUT]) {
    uint32_t code;
    size_t   at = 0;
    for (int i = 0; i < most && name[at] && at < NAME_CUT - 8; i++)
        at += (size_t)MAX2(word_character((const unsigned char *)name + at, &code), 1);
    memcpy(out, name, at);
    memcpy(out + at, name[at] ? "\xe2\x80\xa6" : "", name[at] ? 4 : 1);
    return out;
}

void text_add_short(text *out, const char *name, int most) {
    char cut[NAME_CUT];
    text_add_escaped(out, name_cut(name, most, cut));
}

typedef struct place { double cell, left, top; } place;

static void put_name(const name_matrix *m, int i, double x, double y, bool turned, text *out) {
    text_add(out, "<text x=\"%.1f\" y=\"%.1f\" text-anchor=\"%s\"", x, y, turned ? "start" : "end");
    if (turned) text_add(out, " transform=\"rotate(-50 %.1f %.1f)\"", x, y);
    text_add(out, ">");
    text_add_short(out, m->names[i], NAME_CHARACTERS);
    text_add(out, "<title>");
    text_add_escaped(out, m->names[i]);
    text_add(out, "</title></text>\n");
}

static void put_cell(const name_matrix *m, place at, int row, int column, text *out) {
    char   colour[8];
    double value = m->value[row * m->count + column];
    double share = m->darkest > 0 ? fmin(fmax(value / m->darkest, 0), 1) : 0;
    chart_shade(colour, share * share); /* which takes the root */
    text_add(out, "<rect x=\"%.1f\" y=\"%.1f\" width=\"%.2f\" height=\"%.2f\" fill=\"%s\"><title>", at.left +
             column * at.cell, at.top + row * at.cell, at.cell, at.cell, colour);
    text_add_escaped(out, m->names[row]);
    text_add(out, " \xe2\x86\x90 ");
    text_add_escaped(out, m->names[column]);
    text_add(out, ": %.3g</title></rect>", value);
}

void name_matrix_svg(const name_matrix *m, text *out) {
    double cell = fmin(MOST_CELL, (double)SIDE / MAX2(m->count, 1)), side = cell * m->count;
    place  at   = { cell, NAME_WIDTH + 20, TOP + 110 };
    double width = at.left + fmax(side, 190) + 110, height = at.top + side + 14;
    text_add(out, "<svg viewBox=\"0 0 %.0f %.0f\" xmlns=\"http://www.w3.org/2000/svg\" role=\"img\" "
                  "font-family=\"system-ui,sans-serif\" font-size=\"%.0f\" fill=\"#333\">\n",
             width, height, fmax(7, fmin(12, cell - 1)));
    text_add(out, "<text x=\"10\" y=\"18\" font-size=\"14\" font-weight=\"600\">");
    text_add_escaped(out, m->title);
    text_add(out, "</text><text x=\"10\" y=\"36\" font-size=\"12\">rows: ");
    text_add_escaped(out, m->row_label);
    text_add(out, "; columns: ");
    text_add_escaped(out, m->column_label);
    text_add(out, "; darkest: %.3g</text>\n", m->darkest);
    for (int i = 0; i < m->count; i++) {
        put_name(m, i, at.left - 6, at.top + (i + 0.5) * cell + 4, false, out);
        put_name(m, i, at.left + (i + 0.5) * cell + 2, at.top - 6, true, out);
    }
    for (int i = 0; i < m->count * m->count; i++) put_cell(m, at, i / m->count, i % m->count, out);
    text_add(out, "<rect x=\"%.1f\" y=\"%.1f\" width=\"%.1f\" height=\"%.1f\" fill=\"none\" stroke=\"#bbb\"/></svg>\n",
             at.left, at.top, side, side);
}
