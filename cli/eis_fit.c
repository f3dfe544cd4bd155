/* tidemill eis fit and batch: a circuit fitted to spectra. */
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

static tide_status batch(const eis_options *o, eis_listener listener, void *user, eis_result *result,
                         tide_failure *failure) {
    const target *t = (const target *)o;
    return eis_batch(o, &t->fit, listener, user, result, failure);
}

/* Words are spectra. */
static int run_on_files(cli_call *call, eis_command_function function) {
    target      *t       = call->target;
    tide_failure failure = { 0 };
    for (int i = 0; i < call->word_count; i++)
        if (eis_option_set(&t->o, "spectrum", call->words[i], &failure) != TIDE_OK)
            return report_failure(&failure, call->json);
    return eis_command_run(call, &t->o, function);
}

static int run_fit(cli_call *call) { return run_on_files(call, fit); }
static int run_batch(cli_call *call) { return run_on_files(call, batch); }

const cli_command command_eis_fit = {
    .name = "eis fit", .words = "[FILE...]", .most_words = CLI_WORDS,
    .summary = "fit a circuit to spectra, without start values",
    .more = "docs/eis-circuits.md lists the elements, the notations and the circuits that have names.\n\n"
            "  tidemill eis fit well.csv\n"
            "  tidemill eis fit well.csv --prior \"Ra/Rb=4.8+-1\"\n"
            "  tidemill eis fit before.csv after.csv --same Ra,Rb,Ca,Cb,Rs --prior \"Rsh1/Rsh2=4.8+-0.5\"\n"
            "  tidemill eis fit cell.csv --circuit \"R0-p(R1,CPE1)-p(R2-Wo1,C2)\" --weights unit\n"
            "  tidemill eis fit day*.csv --circuit epithelial-cpe --model runs/cell > fits.csv\n"
            "  tidemill eis fit day*.csv --circuit randles --fix Rs=20 --range W1=1..1e4 --out fits > fits.csv\n",
    .files = "DIR/fit.json, DIR/fit.csv: with --out, all of each fit, and a row a spectrum and parameter\n"
             "DIR/nyquist.svg, DIR/bode.svg: the fit beside the data\n"
             "DIR/residuals.svg: what it leaves, beside the noise\n"
             "DIR/posterior.csv: with --posterior, its draws; of several spectra DIR/001_posterior.csv and so on\n",
    .rows = { { eis_fit_table, 0, offsetof(target, fit) }, { eis_table, EIS_FOR_FIT, 0 } },
    .target_size = sizeof(target), .run = run_fit,
};
const cli_command command_eis_batch = {
    .name = "eis batch", .words = "[FOLDER|FILE...]", .most_words = CLI_WORDS,
    .summary = "check and fit all spectra of a folder: a row each, groups of wells, a page",
    .more = "docs/eis-batch.md tells the columns of the tables and of --samples.\n\n"
            "  tidemill eis batch plate --out answers\n"
            "  tidemill eis batch plate --samples plate.csv --out answers\n"
            "  tidemill eis batch day*.DTA --circuit epithelial-cpe --area 1.12 --decimal , > answers.csv\n"
            "  tidemill eis batch plate --model runs/cell --screen > screened.csv\n"
            "\nThe same command again goes on where it was stopped, or with the files that are new.\n",
    .files = "DIR/batch.csv, DIR/batch.json: with --out, a row a spectrum\n"
             "DIR/groups.csv: with --samples, wells by condition and time, and paired differences\n"
             "DIR/report.html: a page of it all\n"
             "DIR/batch.jsonl: the answers as they came, from which the same command goes on\n",
    .rows = { { eis_fit_table, 0, offsetof(target, fit) }, { eis_table, EIS_FOR_BATCH, 0 } },
    .target_size = sizeof(target), .run = run_batch,
};
