/* A matrix with names at its rows and columns, as SVG for a page: who looks at whom. */
#ifndef DRAW_MATRIX_H
#define DRAW_MATRIX_H

#include "base/base.h"

typedef struct name_matrix {
    const char        *title, *row_label, *column_label;
    const char *const *names;   /* (count), of rows and columns alike; long ones are cut, and whole on pointing */
    const double      *value;   /* (count, count), row by row, from 0 on */
    int                count;
    double             darkest; /* the value of the darkest colour */
} name_matrix;

void name_matrix_svg(const name_matrix *m, text *out);

/* The first characters of a name, as many as `most`, with an ellipsis where it goes on; as they are, and escaped. */
enum { NAME_CUT = 256 };
const char *name_cut(const char *name, int most, char out[NAME_CUT]);
void        text_add_short(text *out, const char *name, int most);

#endif
