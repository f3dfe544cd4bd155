/* --precision and --compile-mode of the predictors. */
#ifndef EIS_WANTED_PRECISION_H
#define EIS_WANTED_PRECISION_H

#include <stdio.h>
#include <tidemill/eis.h>

static inline tide_precision wanted_precision(const eis_options *o) {
    static const tide_precision wanted[] = { [EIS_F32] = TIDE_PRECISION_F32, [EIS_BF16] = TIDE_PRECISION_BF16,
                                             [EIS_F16] = TIDE_PRECISION_F16,
                                             [EIS_PRECISION_AUTO] = TIDE_PRECISION_AUTO };
    return wanted[o->precision];
}

static inline tide_program_mode wanted_mode(const eis_options *o) {
    static const tide_program_mode wanted[] = { TIDE_MODE_DEFAULT, TIDE_MODE_REDUCE_OVERHEAD, TIDE_MODE_MAX_AUTOTUNE };
    return wanted[o->compile_mode];
}

/* The run folder whose choices by timing hold: one that is resumed; NULL. */
static inline const char *choices_of(const eis_options *o) {
    return o->resume && *o->out && !o->overwrite ? o->out : NULL;
}

enum { PRECISION_LINE = 300 };
/* The warning that the engine's note calls for. Returns `line`. */
static inline const char *precision_warning(char line[PRECISION_LINE], const char *note) {
    snprintf(line, PRECISION_LINE, "in f32: %s", note);
    return line;
}

#endif
