/* The answer on a spectrum as an object of JSON, which is kept as a line of the journal, and back: what is read has the
 * bits of what was written. */
#ifndef EIS_BATCH_LINE_H
#define EIS_BATCH_LINE_H

#include <jansson.h>

#include "base/base.h"
#include "eis/fit/fitted.h"
#include "eis/predictor/arcs_predictor.h"
#include "rows.h"

/* Who answers: the circuit, NULL: by `auto`; the predictor, NULL: none, with the thread that asks it. */
typedef struct line_asked {
    const equivalent *circuit;
    const eis_fit_options *fit;
    const blank *blank;
    arcs_predictor *model;
    int thread;
} line_asked;

/* Checks and fits, from the predictor's starts, too: *out is the answer, or holds the reason why there is none. Any
 * other status is no matter of this spectrum. */
tide_status line_solve(const line_asked *q, const eis_spectrum *spectrum, eis_listener listener, void *user,
                       json_t **out, tide_failure *failure);
/* What the predictor says, without a fit (screen.c). */
tide_status line_screen(const line_asked *q, const eis_spectrum *spectrum, json_t **out, tide_failure *failure);

/* The part of the row that the answer makes; row->spectrum is there. False: it is no answer on this spectrum. The
 * arena jumps when memory ends. */
bool line_read(const json_t *line, arena *memory, batch_row *row);

/* A value as JSON. */
json_t *line_value(const batch_value *v);
json_t *line_number(double v); /* a word where it is infinite, null where it is none */

/* A resistance in ohm cm2 stays, a capacitance in F/cm2 is told in uF/cm2, which is *scale of it. */
const char *line_area_unit(const char *unit, double *scale);

#endif
