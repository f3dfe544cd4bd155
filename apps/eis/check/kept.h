/* A spectrum without some of its points. */
#ifndef EIS_KEPT_H
#define EIS_KEPT_H

#include <tidemill/eis.h>

/* The points that are not left out, in their order. False: out of memory. kept_free in any case. */
bool kept_new(const eis_spectrum *s, const bool *left_out, eis_spectrum *out);
void kept_free(eis_spectrum *s);

#endif
