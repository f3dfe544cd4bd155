/* tidemill eis: the library's notes as talk, its result as text. */
#include <stdlib.h>
#include <string.h>

#include "eis_command.h"
#include "progress.h"

/* The same as data. What --quiet leaves out of the lines it leaves out here. */
static void put_event(const cli_call *call, const eis_event *e) {
    static const char *const events[] = { [EIS_NOTE] = "note", [EIS_WARNING] = "warning",
                                          [EIS_PROGRESS] = "progress" };
    if (e->tone == EIS_WORKING || (call->quiet && e->tone != EIS_WARNING)) return;
    const char    *stage = e->epochs ? "epoch" : e->spectra ? "spectrum" : NULL;
    bool           epoch = e->epochs && e->tone == EIS_NOTE; /* for people a line of its own */
    progress_event out   = progress_event_new(epoch ? "progress" : events[e->tone], stage, e->message);
    out.epoch = e->epoch, out.epochs = e->epochs, out.spectrum = e->spectrum, out.spectra = e->spectra;
    out.done = e->done, out.total = e->total, out.loss = e->loss, out.val_loss = e->val_loss;
    out.seconds = e->seconds, out.seconds_left = e->seconds_left;
    progress_put(&out);
}

int eis_command_listen(void *user, const eis_event *event) {
    const cli_call *call = user;
    if (progress_is_data()) {
        put_event(call, event);
        return stop_asked();
    }
    if (event->tone == EIS_WARNING) warn("warning: %s", event->message);
    else if (!call->quiet && event->tone == EIS_PROGRESS) progress_line("%s", event->message);
    else if (!call->quiet && event->tone == EIS_NOTE) say("%s", event->message);
    return stop_asked();
}

int eis_command_run(cli_call *call, const eis_options *options, eis_command_function function) {
    tide_failure failure = { 0 };
    eis_result   result  = { 0 };
    stop_catch();
    tide_status status = function(options, eis_command_listen, call, &result, &failure);
    const char *text   = call->json ? result.json : result.csv ? result.csv : result.text;
    bool        page   = text && text == result.text;
    int         code   = !text ? EXIT_DONE : page ? print_page(text) : print_result(text, call->json);
    /* Of a batch that has answers the JSON says which files have none; stdout stays one object. */
    if (status != TIDE_OK && code == EXIT_DONE) code = report_failure(&failure, call->json && !text);
    eis_result_free(&result);
    return code;
}

/* Words are further spectra. */
static int run_on_files(cli_call *call, eis_command_function function) {
    tide_failure failure = { 0 };
    for (int i = 0; i < call->word_count; i++)
        if (eis_option_set(call->target, "spectrum", call->words[i], &failure) != TIDE_OK)
            return report_failure(&failure, call->json);
    return eis_command_run(call, call->target, function);
}

static int run_complete(cli_call *call) { return run_on_files(call, eis_complete); }
static int run_check(cli_call *call) { return run_on_files(call, eis_check); }
static int run_drt(cli_call *call) { return run_on_files(call, eis_drt); }
static int run_convert(cli_call *call) { return run_on_files(call, eis_convert); }

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
    .summary = "find the missing circuit parameters from the known ones and a spectrum",
    .more = "  tidemill eis complete --known Rsh=460,Ra=4.8k,Rb=2.2k --spectrum well.csv\n"
            "  tidemill eis complete --spectrum well.csv --noise 0.5% --out answer\n"
            "  tidemill eis complete insert.DTA sweeps.mpt plate.txt > answers.csv\n"
            "  tidemill eis complete --known Ca=3.7uF --method exact --noise 1% --spectrum a.csv b.csv > answers.csv\n",
    .files = "DIR/*.csv, DIR/*.svg: with --out, tables and plots of the answer\n",
    .rows = { { eis_table, EIS_FOR_COMPLETE, 0 } }, .target_size = sizeof(eis_options), .run = run_complete,
};
const cli_command command_eis_check = {
    .name = "eis check", .words = "[FILE...]", .most_words = CLI_WORDS,
    .summary = "tell whether spectra can be believed: Kramers-Kronig, noise, drift, outliers, leads",
    .more = "  tidemill eis check well.csv\n"
            "  tidemill eis check plate/*.csv > verdicts.csv\n"
            "  tidemill eis check well.csv --out check --json\n",
    .files = "DIR/check.csv: with --out, a row per spectrum\n"
             "DIR/check_residuals.svg: what a Kramers-Kronig expansion leaves, beside the noise\n"
             "DIR/check_terms.svg: the linear Kramers-Kronig test at each number of relaxations\n",
    .rows = { { eis_table, EIS_FOR_CHECK, 0 } }, .target_size = sizeof(eis_options), .run = run_check,
};
const cli_command command_eis_drt = {
    .name = "eis drt", .words = "[FILE...]", .most_words = CLI_WORDS,
    .summary = "find the distribution of relaxation times of spectra: peaks with resistance and capacitance",
    .more = "  tidemill eis drt cell.csv\n"
            "  tidemill eis drt cell.csv --lambda l-curve --penalty-order 2 --out drt\n"
            "  tidemill eis drt day*.csv --lambda 1e-3 > peaks.csv\n",
    .files = "DIR/drt.csv: with --out, a row per spectrum and peak\n"
             "DIR/drt_gamma.svg: the distribution against the relaxation time\n"
             "DIR/drt_residuals.svg: what it leaves\n",
    .rows = { { eis_table, EIS_FOR_DRT, 0 } }, .target_size = sizeof(eis_options), .run = run_drt,
};
const cli_command command_eis_convert = {
    .name = "eis convert", .words = "FILE...", .most_words = CLI_WORDS,
    .summary = "write the spectra of any instrument's file as CSV",
    .more = "  tidemill eis convert insert.DTA > insert.csv\n"
            "  tidemill eis convert insert.DTA --output insert.csv\n"
            "  tidemill eis convert plate.txt sweeps.mpt --out csv\n"
            "  tidemill eis convert cell.mpt --column Zce --sweep 2 --output counter.csv\n",
    .files = "DIR/NAME.csv, DIR/NAME-2.csv: with --out, a file for each sweep\n",
    .rows = { { eis_table, EIS_FOR_CONVERT, 0 } }, .target_size = sizeof(eis_options), .run = run_convert,
};
const cli_command command_eis_generate = {
    .name = "eis generate", .words = "", .summary = "write residual norms of a grid of circuits against ground truths",
    .more = "  tidemill eis generate --data_dir data --n_ground_truths 100\n"
            "  tidemill eis generate --stats-only --n_ground_truths 100\n"
            "  tidemill eis generate --profile generator --stats-only --ground-truths truths.json --json\n",
    .rows = { { eis_table, EIS_FOR_GENERATE, 0 } }, .target_size = sizeof(eis_options), .run = run_generate,
};
const cli_command command_eis_train = {
    .name = "eis train", .words = "", .summary = "train a predictor of missing circuit parameters",
    .more = "  tidemill eis train --out runs/lab --max-minutes 60\n"
            "  tidemill eis train --recipe grid --out runs/grid --max-minutes 60\n"
            "  tidemill eis train --recipe cell --out runs/cell --max-minutes 60\n"
            "  tidemill eis train --inputs known --data_dir data --pool best:5 --epochs 50 --out runs/known\n"
            "  tidemill eis train --resume --out runs/lab --max-minutes 60\n",
    .files = "run.json: the options, the versions and what identifies the data\n"
             "model.safetensors: the best parameters\n"
             "state.safetensors: the checkpoint from which --resume continues\nmetrics.csv: a row per epoch\n",
    .rows = { { eis_table, EIS_FOR_TRAIN, 0 } }, .target_size = sizeof(eis_options), .run = run_train,
};
const cli_command command_eis_evaluate = {
    .name = "eis evaluate", .words = "RUN", .most_words = 1,
    .summary = "score a predictor on fresh spectra, beside the exact answer",
    .more = "  tidemill eis evaluate runs/grid\n"
            "  tidemill eis evaluate runs/grid --noise 0.1%,1%,5% --test-spectra 1024 --json > scores.json\n"
            "  tidemill eis evaluate runs/lab --test-spectra 2000\n",
    .rows = { { eis_table, EIS_FOR_EVALUATE, 0 } }, .target_size = sizeof(eis_options), .run = run_evaluate,
};
