/* Units in the names of columns. Case tells milli from mega: it is never folded. */
#ifndef EIS_UNITS_H
#define EIS_UNITS_H

#include "lines.h"

typedef enum unit_kind { UNIT_NONE, UNIT_FREQUENCY, UNIT_OHM, UNIT_PHASE, UNIT_UNCLEAR } unit_kind;
typedef struct unit { unit_kind kind; double factor; bool per_area; } unit;  /* to Hz, ohm, radians */

/* "kHz", "mohm", "MΩ", "ohm cm2", "deg", "°", "rad"; UNIT_NONE: no unit of these kinds. UNIT_UNCLEAR: "mhz" or "MHZ",
 * in which the case does not tell. */
unit unit_of(slice s);

#endif
