#ifndef EIS_PARAMETERS_H
#define EIS_PARAMETERS_H

#include <tidemill/eis.h>

#define RS_GIVEN_MOST 1e6 /* ohm: a solution resistance that is given, not sought */

/* Index of the parameter with this name (`length` letters of it), -1. */
int eis_parameter_find(const char *name, size_t length);
/* "4.8k", "3.7 uF", "460 ohm" in the unit's base; false if it is not a finite value of that unit. */
bool eis_quantity_parse(const char *text, const char *unit, double *out);

/* A spectrum from a caller's memory, by the rules of files. (spectrum.c) */
tide_status spectrum_check(const eis_spectrum *s, tide_failure *failure);

#endif
