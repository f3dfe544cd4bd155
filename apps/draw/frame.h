/* A plot's axes, and where along its curves words stand: the same whoever draws it. */
#ifndef PLOT_FRAME_H
#define PLOT_FRAME_H

#include "scale.h"

typedef struct frame {
    double width, height;  /* of a panel between its axes, in points */
    scale  x, y[2];        /* y: of the upper and the lower panel */
} frame;

frame frame_of(const plot *p, double width, double height);

/* Okabe and Ito's colours, told apart by colour-blind readers too. */
const char *plot_colour(const plot *p, int64_t series);
bool   plot_in_legend(const plot *p, int64_t series); /* it has a name, the first with it */
double series_x(const plot_series *s, int64_t i);
double series_y(const plot *p, const plot_series *s, int64_t i); /* within the limit */
const char *plot_y_label(const plot *p, int panel);

/* A dot on a curve and a word beside it: left (-1), above (0) or right (1) of it. */
typedef struct decade_mark { double x, y; int side; char text[SCALE_TEXT]; } decade_mark;
enum { DECADES_MOST = 24 };
/* At the powers of ten of t, those whose words do not overlap. */
int frame_decades(const plot *p, const frame *f, decade_mark out[DECADES_MOST]);
/* Whether word i of the plot stands free of those before it. */
bool frame_word_fits(const plot *p, const frame *f, int64_t i);
/* How wide a panel of this height is that equal axes fill, if it is `most` wide at most. */
double frame_width(const plot *p, double height, double most);

#endif
