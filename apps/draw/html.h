/* What pages have in common: they need nothing but themselves, one column on a phone, and print. */
#ifndef DRAW_HTML_H
#define DRAW_HTML_H

#include "base/base.h"

/* To the heading, with `style` added to the common one. */
void html_begin(const char *title, const char *style, text *out);
void html_note(const char *s, text *out); /* a paragraph aside; NULL: none */
void html_end(text *out);

#endif
