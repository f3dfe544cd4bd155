/* tidemill forecast: the library's events as talk, its result as text. */
#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include <tidemill/explain.h>

#include "forecast_backtest.h"
#include "forecast_bench.h"
#include "forecast_intervals.h"
#include "forecast_tune.h"
#include "progress.h"

typedef struct target {
    forecast_options options;
    forecast_bench   bench;
    bool list_compat, list_presets;
    bool printed;       /* the result is out already; `code` is what printing it came to */
    int  code;
} target;

/* ---- options ---- */

/* "--compat list" and "--preset list" are no settings. */
static bool take(void *memory, const char *name, const char *text) {
    target *t = memory;
    bool list = text && strcmp(text, "list") == 0, compat = strcmp(name, "compat") == 0;
    if (!list || (!compat && strcmp(name, "preset") != 0)) return false;
    *(compat ? &t->list_compat : &t->list_presets) = true;
    return true;
}

static const char *suggest(const char *name, char *buffer, size_t size) {
    bool compat = strcmp(name, "compat") == 0;
    if (!compat && strcmp(name, "preset") != 0) return NULL;
    snprintf(buffer, size, "list");
    for (const forecast_compat *c = forecast_compat_list(); compat && c->name; c++)
        snprintf(buffer + strlen(buffer), size - strlen(buffer), "|%s", c->name);
    for (int64_t i = 0; !compat && forecast_preset_name(i); i++)
        snprintf(buffer + strlen(buffer), size - strlen(buffer), "|%s", forecast_preset_name(i));
    return buffer;
}

/* --compat list and --preset list print and end. */
static bool print_lists(const target *t) {
    char sentence[256];
    for (const forecast_compat *c = forecast_compat_list(); t->list_compat && c->name; c++) {
        with_dashes(c->sentence, sentence, sizeof sentence);
        printf("%-16s %s\n", c->name, sentence);
    }
    for (int64_t i = 0; t->list_presets && forecast_preset_name(i); i++) puts(forecast_preset_name(i));
    return t->list_compat || t->list_presets;
}

/* ---- talk ---- */

static void clock_text(char buffer[24], double seconds) {
    int64_t s = seconds > 0 && seconds < 1e9 ? (int64_t)(seconds + 0.5) : 0;
    if (s >= 3600) snprintf(buffer, 24, "%" PRId64 ":%02d:%02d", s / 3600, (int)(s / 60 % 60), (int)(s % 60));
    else snprintf(buffer, 24, "%d:%02d", (int)(s / 60), (int)(s % 60));
}

static void show_step(const forecast_event *e) {
    char left[24];
    clock_text(left, e->seconds_left);
    progress_line("epoch %" PRId64 "/%" PRId64 "  batch %" PRId64 "/%" PRId64 "  %.0f steps/s  loss %.4f  %.0f MiB  "
                                                                              "%s left", e->epoch,
                  e->epochs, e->batch, e->batches, e->steps_per_s, e->loss, e->rss_mib, left);
}

/* Of hundreds of epochs some twenty lines: the first, the last, and every so many between. */
static bool epoch_shown(const forecast_event *e, bool verbose) {
    enum { ALL_UP_TO = 40, LINES = 20 };
    int64_t every = (e->epochs + LINES - 1) / LINES;
    return verbose || e->epochs <= ALL_UP_TO || e->epoch == 1 || e->epoch % every == 0;
}

static void show_epoch(const forecast_event *e, bool verbose) {
    char norm[48] = "";
    if (!epoch_shown(e, verbose)) return;
    if (verbose && !isnan(e->grad_norm)) snprintf(norm, sizeof norm, "  gradient norm %.4g", e->grad_norm);
    say("epoch %2" PRId64 "/%" PRId64 "  train %.5f  validation %.5f%s  lr %.3g  %.1f s  %.0f MiB%s", e->epoch,
        e->epochs, e->loss,
        e->val_loss, e->best ? " *" : "  ", e->lr, e->seconds, e->rss_mib, norm);
}

static void show_trial(const forecast_event *e, bool verbose) {
    if (verbose && !isnan(e->loss)) say("%s; the one that ended: %.5f", e->message, e->loss);
    else progress_line("%s", e->message);
}

static void show_pass(const forecast_event *e) {
    const char *word = e->stage == FORECAST_STAGE_SCORE ? "scoring" : e->stage == FORECAST_STAGE_LOOK ? "explaining"
                                                                                                   : "validating";
    progress_line("%s %" PRId64 "/%" PRId64, word, e->batch, e->batches);
}

/* The same as data: which event it is, and whether --quiet and --verbose let it pass as they do in lines. */
static void put_event(const cli_call *call, const forecast_event *e) {
    static const struct { const char *event, *stage; bool always; } as[] = {
        [FORECAST_STAGE_NOTE] = { "note" }, [FORECAST_STAGE_WARNING] = { "warning", NULL, true },
        [FORECAST_STAGE_VERBOSE] = { "note", "verbose" }, [FORECAST_STAGE_EXPLAIN] = { "note", "explain", true },
        [FORECAST_STAGE_START] = { "note", "start" }, [FORECAST_STAGE_STEP] = { "progress", "step" },
        [FORECAST_STAGE_EPOCH] = { "progress", "epoch" }, [FORECAST_STAGE_SCORE] = { "progress", "score" },
        [FORECAST_STAGE_FILE] = { "file" }, [FORECAST_STAGE_RESULT] = { NULL },
        [FORECAST_STAGE_DRAW] = { "progress", "draw" }, [FORECAST_STAGE_TRIAL] = { "progress", "trial" },
        [FORECAST_STAGE_VALIDATE] = { "progress", "validate" }, [FORECAST_STAGE_LOOK] = { "progress", "look" },
    };
    progress_event out = progress_event_new(as[e->stage].event, as[e->stage].stage, e->message);
    bool measured = e->stage == FORECAST_STAGE_STEP || e->stage == FORECAST_STAGE_EPOCH;
    if (!out.event || (call->quiet && !as[e->stage].always) || (e->stage == FORECAST_STAGE_VERBOSE && !call->verbose))
        return;
    if (strcmp(out.event, "progress") == 0) {
        out.epoch = e->epoch, out.epochs = e->epochs, out.batch = e->batch, out.batches = e->batches;
        out.step = e->step, out.seconds = e->seconds;
    }
    if (measured || e->stage == FORECAST_STAGE_TRIAL)
        out.loss = e->loss, out.val_loss = e->val_loss, out.seconds_left = e->seconds_left;
    if (measured) {
        out.lr = e->lr, out.grad_norm = e->grad_norm;
        if (e->rss_mib > 0) out.rss_mib = e->rss_mib;
        if (e->stage == FORECAST_STAGE_STEP) out.steps_per_s = e->steps_per_s;
        out.best = e->stage == FORECAST_STAGE_EPOCH && e->best;
    }
    progress_put(&out);
}

int forecast_cli_show(void *user, const forecast_event *e) {
    const cli_call *call = user;
    if (progress_is_data()) {
        put_event(call, e);
        return stop_asked();
    }
    switch (e->stage) {
        case FORECAST_STAGE_WARNING: warn("warning: %s", e->message); break;
        case FORECAST_STAGE_NOTE:    if (!call->quiet) say("note: %s", e->message); break;
        case FORECAST_STAGE_EXPLAIN: say("%s", e->message); break;
        case FORECAST_STAGE_START:   if (!call->quiet) say("%s", e->message); break;
        case FORECAST_STAGE_VERBOSE: if (call->verbose) say("%s", e->message); break;
        case FORECAST_STAGE_FILE:    if (call->verbose) say("wrote %s", e->message); break;
        case FORECAST_STAGE_STEP:    if (!call->quiet) show_step(e); break;
        case FORECAST_STAGE_EPOCH:   if (!call->quiet) show_epoch(e, call->verbose); break;
        case FORECAST_STAGE_RESULT:  break;
        case FORECAST_STAGE_DRAW:    if (!call->quiet) progress_line("drawing %s", e->message); break;
        case FORECAST_STAGE_TRIAL:   if (!call->quiet) show_trial(e, call->verbose); break;
        case FORECAST_STAGE_SCORE:
        case FORECAST_STAGE_LOOK:
        case FORECAST_STAGE_VALIDATE: if (!call->quiet) show_pass(e); break;
    }
    return stop_asked();
}

/* ---- results ---- */

static const char *const forecasters[] = { "this model", "last value", "seasonal naive", "linear" };

static const forecast_score *score_of(const forecast_result *r, int which) {
    return which ? &r->baselines[which - 1] : &r->model;
}

static void put_score(FILE *out, const char *name, const forecast_score *s, bool units) {
    if (!s->present) return;
    fprintf(out, "  %-16s %9.4f %9.4f", name, s->mse, s->mae);
    if (units) fprintf(out, " %12.6g %12.6g", s->original_mse, s->original_mae);
    putc('\n', out);
}

/* Units differ from column to column, so each has a line of its own; the name, of any length, ends it. */
static void put_columns(FILE *out, const forecast_result *r) {
    enum { MOST = 10 };
    if (r->by_column_count < 2) return;
    if (r->by_column_count > MOST) {
        fprintf(out, "errors of the %" PRId64 " columns in their own units: --json, by_column\n", r->by_column_count);
        return;
    }
    fputs("mean absolute error in each column's own units\n ", out);
    for (int k = 0; k < 4; k++)
        if (score_of(r, k)->present) fprintf(out, " %15s", forecasters[k]);
    fputs("  column\n", out);
    for (int64_t i = 0; i < r->by_column_count; i++) {
        putc(' ', out);
        for (int k = 0; k < 4; k++)
            if (score_of(r, k)->present) fprintf(out, " %15.6g", r->by_column[i].original_mae[k]);
        fprintf(out, "  %s\n", r->by_column[i].name);
    }
}

static void put_scores(FILE *out, const forecast_result *r) {
    bool units = r->by_column_count == 1;
    fprintf(out, "test, %" PRId64 " windows       mse       mae%s\n", r->windows,
            units ? " original mse original mae" : "");
    for (int k = 0; k < 4; k++) put_score(out, forecasters[k], score_of(r, k), units);
    if (*r->season_note) fprintf(out, "%s\n", r->season_note);
    put_columns(out, r);
    put_intervals(out, r);
}

/* Who carries what. */
static void put_members(FILE *out, const forecast_result *r) {
    if (!r->member_count) return;
    fprintf(out, "members              weight  validation mse  test mse   seconds  (%s)\n", r->stacking);
    for (int64_t i = 0; i < r->member_count; i++) {
        const forecast_member *m = &r->members[i];
        fprintf(out, "  %-16s", m->name);
        if (m->trained)
            fprintf(out, " %8.3f %15.4f %9.4f %9.1f", m->weight, m->validation_mse, m->test_mse, m->seconds);
        if (m->trained && m->weight_high > m->weight_low)
            fprintf(out, "  %.2f to %.2f by column", m->weight_low, m->weight_high);
        fprintf(out, "%s%s%s\n", m->shortened ? "  shortened by the budget" : "", *m->note ? "  " : "", m->note);
    }
}

static void put_steps(FILE *out, const forecast_result *r) {
    fprintf(out, "%" PRId64 " epochs (best %" PRId64 "), %.1f s in all, ", r->epochs, r->best_epoch, r->wall_s);
    if (!isnan(r->step_ms_median))
        fprintf(out, "%.1f ms a step (the first %.1f), ", r->step_ms_median, r->first_step_ms);
    fprintf(out, "compiled in %.0f ms, ", r->compile_ms);
}

static void put_train(FILE *out, const forecast_result *r) {
    put_scores(out, r);
    put_members(out, r);
    if (r->member_count) fprintf(out, "%.1f s in all, ", r->wall_s);
    else if (r->solved) fprintf(out, "solved in closed form, %.1f s in all, ", r->wall_s);
    else put_steps(out, r);
    fprintf(out, "peak memory %.0f MiB\n", r->peak_rss_mib);
    if (r->refit)
        fputs("the model has learned from all rows since: the scores are those of the training before\n", out);
    fprintf(out, "run: %s\n", r->run);
    fputs(r->advice, out);
}

static void put_tune(FILE *out, const forecast_result *r) {
    forecast_tune_put(out, r->tune);
    put_scores(out, r);
    forecast_tune_put_end(out, r);
}

static void put_model(FILE *out, const forecast_result *r) {
    const forecast_score *s = &r->model;
    fprintf(out, "rmse %.4f", s->rmse);
    if (!isnan(s->original_rmse)) fprintf(out, "  original rmse %.6g", s->original_rmse);
    fprintf(out, "  mape %.4g %%  mspe %.4g %%  smape %.4g %%  wape %.4g %%\n", s->mape, s->mspe, s->smape, s->wape);
    if (s->mape_left_out) fprintf(out, "mape and mspe leave out %" PRId64 " truths of 0\n", s->mape_left_out);
    if (s->mape_by_small_truths) fputs("mape and mspe come from a few truths near 0: go by smape and wape\n", out);
    fprintf(out, "direction right %.2f %% (95 %% interval %.2f to %.2f; always the commoner sign: %.2f; a coin: 50)\n",
            100 * s->direction,
            100 * s->direction_low, 100 * s->direction_high, 100 * s->direction_majority);
    if (r->guide_direction)
        fprintf(out, "direction right across windows, as the Mac guide counts: %.2f %%\n", 100 * s->direction_across);
}

static void put_evaluate(FILE *out, const forecast_result *r) {
    put_scores(out, r);
    if (r->model.present) put_model(out, r);
    fputs(r->advice, out);
}

static void put_import(FILE *out, const forecast_result *r) {
    put_evaluate(out, r);
    fprintf(out, "run: %s\n", r->run);
}

static void put_text(FILE *out, const forecast_result *r) { fputs(r->text ? r->text : "", out); }

static void put_predict(FILE *out, const forecast_result *r) {
    fputs(r->csv ? r->csv : "", out);
}

/* ---- running ---- */

typedef tide_status (*command)(const forecast_options *, forecast_progress, void *, forecast_result *, tide_failure *);

static int finish(const cli_call *call, const forecast_result *r, void (*put)(FILE *, const forecast_result *)) {
    char *text = NULL;
    size_t length = 0;
    if (call->json) return print_result(r->json ? r->json : "{}", true);
    if (r->csv || put == put_predict) return r->csv ? print_result(r->csv, false) : EXIT_DONE;
    FILE *out = open_memstream(&text, &length);
    if (!out) return EXIT_FAILED;
    put(out, r);
    const char *table = ((const target *)call->target)->bench.table;
    if (table) fprintf(out, "\n%s", table);
    fclose(out);
    int code = length ? print_page(text) : EXIT_DONE;
    free(text);
    return code;
}

/* A forecast is printed before its plot is drawn, which takes as long as all the rest. */
static int show(void *user, const forecast_event *e) {
    cli_call *call = user;
    target   *t    = call->target;
    if (e->stage != FORECAST_STAGE_RESULT) return forecast_cli_show(user, e);
    progress_end();
    t->code    = finish(call, e->result, put_predict);
    t->printed = true;
    return stop_asked();
}

/* The file of --config is read here, not by the library, which looks after the other inputs. */
static tide_status refuse_config(const cli_call *call, tide_failure *failure) {
    const forecast_options *o = &((const target *)call->target)->options;
    const struct {
        const char *name, *path;
    } outputs[] = { { "output", o->output }, { "save-predictions", o->save_predictions } };
    struct stat a, b;
    if (!*call->config || stat(call->config, &a) != 0) return TIDE_OK;
    for (int i = 0; i < 2; i++) {
        if (!*outputs[i].path || stat(outputs[i].path, &b) != 0 || a.st_ino != b.st_ino || a.st_dev != b.st_dev)
            continue;
        *failure = (tide_failure){ .status = TIDE_EINVAL };
        snprintf(failure->column, sizeof failure->column, "%s", outputs[i].name);
        snprintf(failure->message, sizeof failure->message, "%.300s is the file of `config`: give `%s` another name",
                 outputs[i].path, outputs[i].name);
        return TIDE_EINVAL;
    }
    return TIDE_OK;
}

static int run(cli_call *call, command function, void (*put)(FILE *, const forecast_result *)) {
    target *t = call->target;
    tide_failure failure = { 0 };
    if (print_lists(t)) return EXIT_DONE;
    if (refuse_config(call, &failure) != TIDE_OK) return report_failure(&failure, call->json);
    forecast_result *r = calloc(1, sizeof *r);
    if (!r) return EXIT_FAILED;
    stop_catch();
    t->options.verbose = call->verbose;
    tide_status status = function(&t->options, show, call, r, &failure);
    progress_end();
    if (status == TIDE_OK && t->bench.after) status = forecast_bench_after(call, &t->bench, &t->options, r, &failure);
    if (status != TIDE_OK && failure.status == TIDE_OK) failure.status = status;
    int code = status != TIDE_OK ? report_failure(&failure, call->json) : t->printed ? t->code : finish(call, r, put);
    forecast_result_free(r);
    free(r);
    free(t->bench.table);
    return code;
}

static int run_train(cli_call *call) {
    target *t = call->target;
    tide_failure failure = { 0 };
    if (forecast_bench_check(&t->bench, &t->options, &failure) != TIDE_OK) return report_failure(&failure, call->json);
    return t->bench.only ? forecast_bench_only(call, &t->bench, &t->options) : run(call, forecast_train, put_train);
}

/* The Mac guide's script has one command, and --benchmark-only is no training. */
static int run_forecast(cli_call *call) {
    tide_failure failure = {
        .status = TIDE_EINVAL,
        .message = "train, evaluate or predict is needed, or `benchmark-only`; tidemill help lists the commands"
    };
    if (call->word_count) return command_unknown_word(call);
    return ((target *)call->target)->bench.only ? run_train(call) : report_failure(&failure, call->json);
}

static int run_tune(cli_call *call) { return run(call, forecast_tune, put_tune); }
static int run_evaluate(cli_call *call) { return run(call, forecast_evaluate, put_evaluate); }

/* The option that the command's word stands for: it may be given by its name as well. */
typedef struct word_option { const char *word, *option, *what, *others; size_t offset; } word_option;

static int run_on_word(cli_call *call, const word_option *w, command function,
                       void (*put)(FILE *, const forecast_result *)) {
    target      *t       = call->target;
    const char  *value   = (const char *)&t->options + w->offset;
    tide_failure failure = { .status = TIDE_EINVAL };
    tide_status  status  = TIDE_OK;
    snprintf(failure.column, sizeof failure.column, "%s", w->word);
    if (call->word_count && *value && strcmp(value, call->words[0]) != 0) {
        snprintf(failure.message, sizeof failure.message, "%s and `%s` name different %s", w->word, w->option,
                 w->others);
        return report_failure(&failure, call->json);
    }
    snprintf(failure.message, sizeof failure.message, "%s is missing: the %s", w->word, w->what);
    if (!call->word_count && !*value) return report_failure(&failure, call->json);
    failure = (tide_failure){ 0 };
    if (call->word_count) status = forecast_option_set(&t->options, w->option, call->words[0], &failure);
    return status == TIDE_OK ? run(call, function, put) : report_failure(&failure, call->json);
}

static const word_option run_word = { "RUN", "model", "folder of a trained run", "runs",
                                      offsetof(forecast_options, model) };
static const word_option checkpoint_word = { "CHECKPOINT", "checkpoint", "file of a PyTorch checkpoint", "files",
                                             offsetof(forecast_options, checkpoint) };

static int run_predict(cli_call *call) { return run_on_word(call, &run_word, forecast_predict, put_predict); }
static int run_export(cli_call *call) { return run_on_word(call, &run_word, forecast_export, put_text); }
static int run_update(cli_call *call) { return run_on_word(call, &run_word, forecast_update, put_text); }
static int run_import(cli_call *call) { return run_on_word(call, &checkpoint_word, forecast_import, put_import); }
static int run_explain(cli_call *call) { return run_on_word(call, &run_word, forecast_explain_inputs, put_text); }
static int run_backtest(cli_call *call) {
    return run_on_word(call, &run_word, forecast_backtest, forecast_backtest_put);
}

#define RUN_FILES                                                                                                    \
    "run.json: the options, the versions and the data's fingerprint\n"                                               \
    "model.safetensors: the best parameters, with scaler, columns and scores\n"                                      \
    "state.safetensors: the checkpoint from which --resume continues\nmetrics.csv: a row per epoch\n"                  \
    "loss.svg, horizon.svg, sample.svg: plots, each with its numbers as .csv\n"

const cli_command command_forecast = {
    .name = "forecast", .words = "", .most_words = 1, .summary = "with --benchmark-only: time the Mac guide's model on "
                                                                 "made-up data",
    .more = "  tidemill forecast --benchmark-only\n"
            "  tidemill forecast --benchmark-only --auto-size --precision auto --json\n",
    .rows = { { forecast_table, FORECAST_FOR_TRAIN, offsetof(target, options) },
              { forecast_bench_table, 0, offsetof(target, bench) } },
    .target_size = sizeof(target), .take = take, .suggest = suggest, .run = run_forecast,
};
const cli_command command_train = {
    .name = "forecast train", .words = "", .summary = "train a model on a series, score it and save it",
    .more = "  tidemill forecast train --data sales.csv\n"
            "  tidemill forecast train --preset etth1-96 --data ETTh1.csv --out runs/etth1\n"
            "  tidemill forecast train --data sales.csv --out runs/sales --resume auto\n"
            "  tidemill forecast train --data sales.csv --benchmark\n",
    .files = RUN_FILES,
    .rows = { { forecast_table, FORECAST_FOR_TRAIN, offsetof(target, options) },
              { forecast_bench_table, 0, offsetof(target, bench) } },
    .target_size = sizeof(target), .take = take, .suggest = suggest, .run = run_train,
};
const cli_command command_tune = {
    .name = "forecast tune", .words = "", .summary = "search for the settings that train best, on all cores",
    .more = "  tidemill forecast tune --data sales.csv --out runs/tuned\n"
            "  tidemill forecast tune --data sales.csv --out runs/tuned --budget 30m --resume auto\n"
            "  tidemill forecast tune --data sales.csv --out runs/tuned --trials 50 --seeds 5 \\\n"
            "      --space \"d-model=64,128,256;learning-rate=1e-4..3e-3 log\"\n"
            "  tidemill forecast tune --data sales.csv --out runs/seeds --space none --seeds 5\n",
    .files = "tune.jsonl: what is finished, from which --resume goes on\n"
             "trials.csv: a row per trial\ntune.json: the result\nbest: the run of the best settings\n"
             "seeds: runs of the same settings with other seeds\n",
    .rows = { { forecast_table, FORECAST_FOR_TUNE, offsetof(target, options) } },
    .target_size = sizeof(target), .take = take, .suggest = suggest, .run = run_tune,
};
const cli_command command_update = {
    .name = "forecast update", .words = "RUN", .most_words = 1,
    .summary = "a few steps more on the newest rows, as a new run",
    .more = "  tidemill forecast update runs/sales --data sales.csv --out runs/sales-may\n"
            "  tidemill forecast update runs/sales --data sales.csv --rows 48 --steps 50 --out runs/sales-may\n",
    .files = "run.json: the options of RUN, and what was learned\n"
             "model.safetensors: the parameters, with the scaler, scores and intervals of RUN\n",
    .rows = { { forecast_table, FORECAST_FOR_UPDATE, offsetof(target, options) } },
    .target_size = sizeof(target), .take = take, .suggest = suggest, .run = run_update,
};
const cli_command command_evaluate = {
    .name = "forecast evaluate", .words = "", .summary = "score a run, and the baselines, on a series' test windows",
    .more = "  tidemill forecast evaluate --model runs/sales --data sales.csv --json\n"
            "  tidemill forecast evaluate --data sales.csv        (the baselines alone)\n",
    .rows = { { forecast_table, FORECAST_FOR_EVALUATE, offsetof(target, options) } },
    .target_size = sizeof(target), .take = take, .suggest = suggest, .run = run_evaluate,
};
const cli_command command_predict = {
    .name = "forecast predict", .words = "RUN", .most_words = 1, .summary = "forecast the rows that come next",
    .more = "  tidemill forecast predict runs/sales > next.csv\n"
            "  tidemill forecast predict runs/sales --data newer.csv --output next.csv\n"
            "  tidemill forecast predict runs/sales --level 80,95 --lower 0\n"
            "  tidemill forecast predict runs/sales --level 80 --sum \"total=north+south\" --sum-horizon\n"
            "  tidemill forecast predict runs/sales --paths 1000 --output next.csv     (and next-paths.csv)\n",
    .files = "RUN/forecast_result.csv: the forecast\nRUN/forecast-plot.svg: the rows before it and the forecast\n"
             "RUN/forecast_paths.csv: --paths, where --output is no file\n",
    .rows = { { forecast_table, FORECAST_FOR_PREDICT, offsetof(target, options) } },
    .target_size = sizeof(target), .take = take, .suggest = suggest, .run = run_predict,
};
const cli_command command_backtest = {
    .name = "forecast backtest", .words = "RUN", .most_words = 1,
    .summary = "what a run would have forecast from many past rows, and how far off",
    .more = "  tidemill forecast backtest runs/sales --data sales.csv --output backtest.csv\n"
            "  tidemill forecast backtest runs/sales --data sales.csv --origins 10:00 --lead 13 --horizon 24\n"
            "  tidemill forecast backtest runs/sales --data sales.csv --refit-every 7 --warm-start\n",
    .rows = { { forecast_table, FORECAST_FOR_BACKTEST, offsetof(target, options) } },
    .target_size = sizeof(target), .take = take, .suggest = suggest, .run = run_backtest,
};
const cli_command command_forecast_explain = {
    .name = "forecast explain", .words = "RUN", .most_words = 1,
    .summary = "what a run's forecasts go by: inputs, attention, drift, as one page",
    .more = "  tidemill forecast explain runs/sales\n"
            "  tidemill forecast explain runs/sales --data newer.csv --out why\n"
            "  tidemill forecast explain runs/sales --targets north,south --windows 100\n\n"
            "How its training step runs, kernel by kernel: tidemill explain.\n",
    .files = "report.html: the page; it needs nothing but itself\n"
             "attributions.csv, rows.csv: what each input carries of each target, and each of its rows\n"
             "flat.csv: errors where an input is flat\nattention.csv: who looks at whom, layer by layer\n"
             "drift.csv: recent rows against those that were trained on\n"
             "scores.csv, steps.csv: errors by column and by step\n",
    .rows = { { forecast_table, FORECAST_FOR_INPUTS, offsetof(target, options) } },
    .target_size = sizeof(target), .take = take, .suggest = suggest, .run = run_explain,
};
const cli_command command_export = {
    .name = "forecast export", .words = "RUN", .most_words = 1,
    .summary = "write a run's model as C source, ONNX or a PyTorch checkpoint",
    .more = "  tidemill forecast export runs/sales --output sales.c\n"
            "  tidemill forecast export runs/sales --output sales.onnx\n"
            "  tidemill forecast export runs/sales --format pth --output checkpoint.pth\n",
    .files = "NAME.c, NAME.h: of the format c, the model as C99 without dependencies\n",
    .rows = { { forecast_table, FORECAST_FOR_EXPORT, offsetof(target, options) } },
    .target_size = sizeof(target), .take = take, .suggest = suggest, .run = run_export,
};
const cli_command command_import = {
    .name = "forecast import", .words = "CHECKPOINT", .most_words = 1,
    .summary = "make a run of a published iTransformer's PyTorch checkpoint",
    .more = "  tidemill forecast import checkpoint.pth --n-heads 8 --data ETTh1.csv --kind etth --out runs/published\n"
            "  tidemill forecast predict runs/published\n",
    .files = "run.json: the options and the data's fingerprint\n"
             "model.safetensors: the parameters, with scaler, columns and scores\n",
    .rows = { { forecast_table, FORECAST_FOR_IMPORT, offsetof(target, options) } },
    .target_size = sizeof(target), .take = take, .suggest = suggest, .run = run_import,
};
