/* Points as they stood in the file to spectra: cut where the frequency starts again, named, chosen by `sweep`. */
#ifndef EIS_SWEEPS_H
#define EIS_SWEEPS_H

#include "reading.h"

/* Fills out->spectrum: the sweeps that `sweep` names, with five points and more, cut too where the direction of the
 * frequency reverses, unless the frequencies are in no order. TIDE_EDATA: there are none, or one has too many
 * points. */
tide_status sweeps_take(reading *r, eis_spectra *out);

/* Whether the words of `sweep`, "1,3-5" or names, take the sweep of that number (1-based) and name; "" takes all. */
bool sweeps_wanted(const char *list, int64_t number, const char *name);

#endif
