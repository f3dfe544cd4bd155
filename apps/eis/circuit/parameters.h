#ifndef EIS_PARAMETERS_H
#define EIS_PARAMETERS_H

#include <tidemill/eis.h>

/* In which each parameter, and the solution resistance, is sought. */
typedef struct ranges { double low[EIS_WITH_RS], high[EIS_WITH_RS]; } ranges;
extern const ranges usual_ranges;  /* of measured spectra: inserts, tight and leaky layers, dummy cells */
extern const ranges grid_ranges;   /* of eis_parameters: the grid's and the predictors'; Rs 0..100 ohm */
/* "Rs=0..1k,Rsh=1..1M" changes these. TIDE_EINVAL: an unknown name, one given twice, no range, or one beyond
 * RANGE_LEAST..RANGE_MOST of the parameter's unit. */
tide_status ranges_parse(const char *text, ranges *out, tide_failure *failure);

#define RS_GIVEN_MOST 1e6 /* ohm: a solution resistance that is given, not sought */

/* Index of the parameter with this name (`length` letters of it), -1. */
int eis_parameter_find(const char *name, size_t length);
/* "4.8k", "3.7 uF", "460 ohm" in the unit's base; false if it is not a finite value of that unit. */
bool eis_quantity_parse(const char *text, const char *unit, double *out);

/* A spectrum from a caller's memory, by the rules of files. (spectrum.c) */
tide_status spectrum_check(const eis_spectrum *s, tide_failure *failure);

#endif
