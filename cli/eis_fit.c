/* tidemill eis fit. */
#include <stddef.h>

#include "eis_command.h"

typedef struct target {
    eis_options     o;
    eis_fit_options fit;
} target;

static tide_status fit(const eis_options *o, eis_listener listener, void *user, eis_result *result,
                       tide_failure *failure) {
    const target *t = (const target *)o;
    return eis_fit(o, &t->fit, listener, user, result, failure);
}

/* Words are spectra. */
static int run_fit(cli_call *call) {
    target      *t       = call->target;
    tide_failure failure = { 0 };
    for (int i = 0; i < call->word_count; i++)
        if (eis_option_set(&t->o, "spectrum", call->words[i], &failure) != TIDE_OK)
            return report_failure(&failure, call->json);
    return eis_command_run(call, &t->o, fit);
}

const cli_command command_eis_fit = {
    .name = "eis fit", .words = "[FILE...]", .most_words = CLI_WORDS,
    .summary = "fit a circuit to spectra, without start values",
    .more = "docs/eis-circuits.md lists the elements, the notations and the circuits that have names.\n\n"
            "  tidemill eis fit well.csv\n"
            "  tidemill eis fit cell.csv --circuit \"R0-p(R1,CPE1)-p(R2-Wo1,C2)\" --weights unit\n"
            "  tidemill eis fit day*.csv --circuit randles --fix Rs=20 --range W1=1..1e4 --out fits > fits.csv\n",
    .files = "DIR/fit.json, DIR/fit.csv: with --out, all of each fit, and a row a spectrum and parameter\n",
    .rows = { { eis_fit_table, 0, offsetof(target, fit) }, { eis_table, EIS_FOR_FIT, 0 } },
    .target_size = sizeof(target), .run = run_fit,
};
