/* What the tests of fits share. */
#ifndef EIS_TEST_FIT_SUPPORT_H
#define EIS_TEST_FIT_SUPPORT_H

#include "base/base.h"
#include "eis/fit/fitted.h"

#include "support.h"

static inline void read_case(const char *file, eis_spectrum *s) {
    char path[256];
    tide_failure why = { 0 };
    snprintf(path, sizeof path, "tests/eis/reported/%s", file);
    if (eis_spectrum_read(path, false, s, &why) != TIDE_OK) fail_msg("%s", why.message);
    s->name = file; /* the path ends here */
}

static inline eis_fit_options options_of(const char *circuit, const char *fix, const char *range) {
    eis_fit_options o;
    eis_fit_options_default(&o);
    snprintf(o.circuit, sizeof o.circuit, "%s", circuit);
    snprintf(o.fix, sizeof o.fix, "%s", fix);
    snprintf(o.range, sizeof o.range, "%s", range);
    return o;
}

static inline eis_fitted fitted_of(const eis_fit_options *o, const eis_spectrum *s) {
    eis_fitted f;
    tide_failure why = { 0 };
    if (eis_fit_solve(o, s, NULL, NULL, &f, &why) != TIDE_OK) fail_msg("%s: %s", o->circuit, why.message);
    return f;
}

static inline const eis_fit_parameter *parameter_of(const eis_fitted *f, const char *name) {
    for (int64_t i = 0; i < f->parameters; i++)
        if (strcmp(f->parameter[i].name, name) == 0) return &f->parameter[i];
    fail_msg("no %s", name);
    return NULL;
}

static inline const eis_fit_quantity *quantity_of(const eis_fitted *f, const char *name) {
    for (int64_t i = 0; i < f->quantities; i++)
        if (strcmp(f->quantity[i].name, name) == 0) return &f->quantity[i];
    fail_msg("no %s", name);
    return NULL;
}

#endif
