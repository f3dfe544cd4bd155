/* tidemill eis: the library's option table as flags, its result as text. */
#include <stdlib.h>
#include <string.h>

#include "eis_command.h"

static void convert(const eis_option *from, const eis_options *defaults, cli_option *to) {
    static const cli_type type[] = { [EIS_TYPE_BOOL] = CLI_FLAG,     [EIS_TYPE_INT] = CLI_INT,
                                     [EIS_TYPE_REAL] = CLI_REAL,
                                     [EIS_TYPE_CHOICE] = CLI_CHOICE, [EIS_TYPE_TEXT] = CLI_TEXT,
                                     [EIS_TYPE_LIST] = CLI_TEXT };
    *to = (cli_option){ .name = from->name, .alias = from->alias, .metavar = from->metavar, .choices = from->choices,
                        .group = from->group, .help = from->help, .type = type[from->type] };
    if (from->type != EIS_TYPE_BOOL) eis_option_get(defaults, from, to->fallback, sizeof to->fallback);
}

int eis_command_options(cli_option *out, unsigned commands) {
    int64_t           rows;
    int               count = 0;
    const eis_option *table = eis_option_table(&rows);
    eis_options       defaults;
    eis_options_default(&defaults);
    for (int64_t i = 0; i < rows; i++)
        if (table[i].flags & commands) convert(&table[i], &defaults, &out[count++]);
    return count;
}

static int complete_options(cli_option *out) { return eis_command_options(out, EIS_FOR_COMPLETE); }
static int generate_options(cli_option *out) { return eis_command_options(out, EIS_FOR_GENERATE); }
static int train_options(cli_option *out) { return eis_command_options(out, EIS_FOR_TRAIN); }
static int evaluate_options(cli_option *out) { return eis_command_options(out, EIS_FOR_EVALUATE); }

static void prepare(void *memory) { eis_options_default(memory); }

static tide_status set(void *memory, const char *name, const char *text, tide_failure *failure) {
    return eis_option_set(memory, name, text, failure);
}

int eis_command_listen(void *user, eis_tone tone, const char *message) {
    const cli_call *call = user;
    if (tone == EIS_WARNING) warn("warning: %s", message);
    else if (!call->quiet && tone == EIS_PROGRESS) progress_line("%s", message);
    else if (!call->quiet) say("%s", message);
    return stop_asked();
}

int eis_command_run(cli_call *call, const eis_options *options, eis_command_function function) {
    tide_failure failure = { 0 };
    eis_result   result  = { 0 };
    stop_catch();
    tide_status status = function(options, eis_command_listen, call, &result, &failure);
    const char *text   = call->json ? result.json : result.csv ? result.csv : result.text;
    int code = status == TIDE_OK || text ? print_result(text, call->json) : EXIT_DONE;
    /* Of a batch that has answers the JSON says which files have none; stdout stays one object. */
    if (status != TIDE_OK && code == EXIT_DONE) code = report_failure(&failure, call->json && !text);
    eis_result_free(&result);
    return code;
}

/* Words are further spectra. */
static int run_complete(cli_call *call) {
    tide_failure failure = { 0 };
    for (int i = 0; i < call->word_count; i++)
        if (eis_option_set(call->target, "spectrum", call->words[i], &failure) != TIDE_OK)
            return report_failure(&failure, call->json);
    return eis_command_run(call, call->target, eis_complete);
}

static int run_generate(cli_call *call) { return eis_command_run(call, call->target, eis_generate); }
static int run_train(cli_call *call) { return eis_command_run(call, call->target, eis_train); }

/* The word is the model. */
static int run_evaluate(cli_call *call) {
    tide_failure failure = { 0 };
    if (call->word_count && eis_option_set(call->target, "model", call->words[0], &failure) != TIDE_OK)
        return report_failure(&failure, call->json);
    return eis_command_run(call, call->target, eis_evaluate);
}

const cli_command command_eis_complete = {
    .name = "eis complete", .words = "[FILE...]", .most_words = CLI_WORDS,
    .summary = "the missing circuit parameters, from the known ones and a spectrum",
    .more = "  tidemill eis complete --known Rsh=460,Ra=4.8k,Rb=2.2k --spectrum well.csv\n"
            "  tidemill eis complete --spectrum well.csv --noise 0.5% --out answer\n"
            "  tidemill eis complete --known Ca=3.7uF --method exact --noise 1% --spectrum a.csv b.csv > answers.csv\n",
    .options = complete_options, .target_size = sizeof(eis_options), .prepare = prepare, .set = set,
    .run = run_complete,
};
const cli_command command_eis_generate = {
    .name = "eis generate", .words = "", .summary = "residual norms of a grid of circuits against ground truths, as "
                                                    "files",
    .more = "  tidemill eis generate --data_dir data --n_ground_truths 100\n"
            "  tidemill eis generate --stats-only --n_ground_truths 100\n"
            "  tidemill eis generate --profile generator --stats-only --ground-truths truths.json --json\n",
    .options = generate_options, .target_size = sizeof(eis_options), .prepare = prepare, .set = set,
    .run = run_generate,
};
const cli_command command_eis_train = {
    .name = "eis train", .words = "", .summary = "a predictor of missing circuit parameters, as a run folder",
    .more = "  tidemill eis train --out runs/lab --max-minutes 60\n"
            "  tidemill eis train --recipe grid --out runs/grid --max-minutes 60\n"
            "  tidemill eis train --inputs known --data_dir data --pool best:5 --n_epochs 50 --out runs/known\n"
            "  tidemill eis train --resume --out runs/lab --max-minutes 60\n",
    .options = train_options, .target_size = sizeof(eis_options), .prepare = prepare, .set = set, .run = run_train,
};
const cli_command command_eis_evaluate = {
    .name = "eis evaluate", .words = "RUN", .most_words = 1, .summary = "how good a predictor is on fresh spectra, "
                                                                        "beside the exact answer",
    .more = "  tidemill eis evaluate runs/grid\n"
            "  tidemill eis evaluate runs/grid --noise 0.1%,1%,5% --test-spectra 1024 --json > scores.json\n"
            "  tidemill eis evaluate runs/lab --test-spectra 2000\n",
    .options = evaluate_options, .target_size = sizeof(eis_options), .prepare = prepare, .set = set,
    .run = run_evaluate,
};
