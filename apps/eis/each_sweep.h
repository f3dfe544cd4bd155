/* A command that answers each sweep of its files: a table, text, JSON and plots of all, whatever one of them holds. */
#ifndef EIS_EACH_SWEEP_H
#define EIS_EACH_SWEEP_H

#include <jansson.h>
#include <tidemill/eis.h>

#include "base/base.h"
#include "eis/plots/spectrum_plots.h"

typedef struct each_sweep_place {
    const eis_options *options;
    json_t    **found;        /* a list, to which the answer is added */
    text       *talk, *table;
    const plot_place *plots;  /* NULL: none are wanted */
} each_sweep_place;

typedef struct each_sweep_kind {
    const char *command, *table;  /* "check", "check.csv" */
    const char *what;             /* "the check" */
    const char *const *plots;     /* their names, NULL after the last */
    void (*header)(text *out);
    void (*unread)(const char *path, const char *reason, text *out);
    /* *of_file: a failure is the spectrum's own. */
    tide_status (*answer)(const eis_spectrum *s, const each_sweep_place *to, bool *of_file, tide_failure *failure);
} each_sweep_kind;

tide_status each_sweep_run(const each_sweep_kind *kind, const eis_options *options, eis_listener listener, void *user,
                      eis_result *result, tide_failure *failure);

#endif
