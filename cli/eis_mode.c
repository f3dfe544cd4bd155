/* tidemill eis --mode ...: the spelling of the guide's program; and the commands that go from end to end. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "eis_command.h"
#include "eis_torch.h"

enum { ALL_COMMANDS = EIS_FOR_COMPLETE | EIS_FOR_GENERATE | EIS_FOR_TRAIN | EIS_FOR_FULL };
#define RUNS    "runs/eis"
#define WEIGHTS "best_eis_predictor_mlx.npz"

typedef struct target {
    eis_options o;          /* first: the option functions fill it */
    char        mode[16], backend[16];
    bool        inputs_given;
} target;

static void prepare(void *memory) {
    target *t = memory;
    eis_options_default(&t->o);
    strcpy(t->backend, "auto");
}

static tide_status usage(tide_failure *f, const char *column, const char *format, const char *detail) {
    *f = (tide_failure){ .status = TIDE_EINVAL };
    snprintf(f->column, sizeof f->column, "%s", column);
    snprintf(f->message, sizeof f->message, format, detail);
    return TIDE_EINVAL;
}

static bool is_one_of(const char *text, const char *const *choices) {
    while (*choices && strcmp(text, *choices) != 0) choices++;
    return *choices != NULL;
}

static tide_status set(void *memory, const char *name, const char *text, tide_failure *failure) {
    static const char *const modes[] = { "full", "generate", "train", "inference", NULL },
    *const backends[] = { "auto", "mlx", "pytorch",
                                                                                                                 NULL };
    target *t = memory;
    bool    mode = !strcmp(name, "mode"), backend = !strcmp(name, "backend");
    t->inputs_given = t->inputs_given || !strcmp(name, "inputs");
    if (!mode && !backend) return eis_option_set(&t->o, name, text, failure);
    if (mode && !is_one_of(text, modes))
        return usage(failure, name, "--mode is one of full, generate, train, inference, not '%.60s'", text);
    if (backend && !is_one_of(text, backends))
        return usage(failure, name, "--backend is one of auto, mlx, pytorch, not '%.60s'", text);
    strcpy(mode ? t->mode : t->backend, text);
    return TIDE_OK;
}

/* ---- the guide's spelling ---- */

static int mode_options(cli_option *out) {
    out[0] = (cli_option){
        .name = "mode", .choices = "full|generate|train|inference", .group = "The guide's program", .type = CLI_CHOICE,
        .help = "what to do"
    };
    out[1] = (cli_option){ .name = "backend",
                           .choices = "auto|mlx|pytorch",
                           .fallback = "auto",
                           .group = "The guide's program",
                           .type = CLI_CHOICE,
                           .help = "auto and mlx: the best device here; pytorch: the yardstick in PyTorch, on the "
                                   "same data" };
    return 2 + eis_command_options(out + 2, ALL_COMMANDS);
}

static void default_text(char field[EIS_TEXT_SIZE], const char *text) {
    if (!*field) snprintf(field, EIS_TEXT_SIZE, "%s", text);
}

static bool exists(const char *path) {
    struct stat info;
    return stat(path, &info) == 0;
}

/* Where this program's training leaves its model, else where the guide's does. */
static void default_model(eis_options *o) {
    char        run[2 * EIS_TEXT_SIZE];
    const char *out = *o->out ? o->out : RUNS;
    snprintf(run, sizeof run, "%s/model", out);
    if (!*o->model && strlen(run) < sizeof o->model) strcpy(o->model, !exists(run) && exists(WEIGHTS) ? WEIGHTS : run);
}

/* The data, with the report as talk: the result is that of the training. */
static tide_status make_data(cli_call *call, const eis_options *o, tide_failure *failure) {
    eis_result r = { 0 };
    stop_catch();
    tide_status status = eis_generate(o, eis_command_listen, call, &r, failure);
    if (status == TIDE_OK && !call->quiet) say("%.*s", (int)strcspn(r.text, "\n"), r.text);
    eis_result_free(&r);
    return status;
}

static int torch(cli_call *call, const eis_options *o, bool full, bool overwrite) {
    char         weights[EIS_TEXT_SIZE + 32];
    tide_failure failure = { 0 };
    int          code    = EXIT_FAILED;
    snprintf(weights, sizeof weights, "%s/best_eis_predictor.pth", *o->out ? o->out : ".");
    if (eis_torch_available(&failure) != TIDE_OK || (full && make_data(call, o, &failure) != TIDE_OK))
        return report_failure(&failure, call->json);
    if (!overwrite && exists(weights)) {
        usage(&failure, "out", "%.500s is there already: --overwrite replaces it", weights);
        return report_failure(&failure, call->json);
    }
    if (!call->quiet)
        say("training in PyTorch on %s; its weights go to %s/best_eis_predictor.pth", o->data_dir,
            *o->out ? o->out : ".");
    code = eis_torch_train(o, *o->out ? o->out : ".");
    return code == 0 ? EXIT_DONE : code == 3 ? EXIT_INPUT : EXIT_FAILED;
}

static int run_train(cli_call *call, eis_options *o) {
    default_text(o->out, RUNS "/model");
    if (o->inputs == EIS_INPUTS_KNOWN && !call->quiet)
        say("training the guide's network: it sees known values alone, which cannot tell the missing ones. --inputs "
            "spectrum trains one "
            "that is also told the "
            "measured spectrum; tidemill eis complete --spectrum FILE needs no training at all");
    return eis_command_run(call, o, eis_train);
}

/* With a spectrum, and no predictor named, the answer needs none. */
static int run_inference(cli_call *call, eis_options *o) {
    tide_failure failure;
    if (*o->spectra) return eis_command_run(call, o, eis_complete);
    bool given = *o->model != 0;
    default_model(o);
    if (!exists(o->model)) {
        usage(&failure, "model", "there is no trained predictor in %s: tidemill eis --mode train makes one, --model "
                                 "RUN names another",
              o->model);
        if (given) failure.status = TIDE_EDATA;
        return report_failure(&failure, call->json);
    }
    return eis_command_run(call, o, *o->known ? eis_complete : eis_full);
}

static int run_mode(cli_call *call) {
    target      *t       = call->target;
    bool         pytorch = !strcmp(t->backend, "pytorch"), full = !strcmp(t->mode, "full");
    tide_failure failure;
    if (call->word_count) return command_unknown_word(call);
    if (!*t->mode) {
        usage(&failure, "mode", "--mode is needed: full, generate, train or inference; or a command: %s",
              "tidemill help lists them");
        return report_failure(&failure, call->json);
    }
    if (!t->inputs_given) t->o.inputs = EIS_INPUTS_KNOWN;
    bool overwrite = t->o.overwrite;
    t->o.overwrite = !t->o.resume; /* the guide's program writes over its last weights */
    if (!strcmp(t->mode, "generate")) return eis_command_run(call, &t->o, eis_generate);
    if (!strcmp(t->mode, "inference")) return run_inference(call, &t->o);
    if (pytorch) return torch(call, &t->o, full, overwrite);
    return full ? eis_command_run(call, &t->o, eis_full) : run_train(call, &t->o);
}

const cli_command command_eis = {
    .name = "eis",
    .words = "",
    .most_words = 1,
    .summary = "the guide's program by its own options: data, training, inference",
    .more = "  tidemill eis --mode full --n_ground_truths 5 --n_epochs 10 --batch_size 256\n"
            "  tidemill eis --mode train --backend pytorch --n_epochs 10\n"
            "  tidemill eis --mode inference\n"
            "\nWithout --inputs it trains the guide's network, from known values alone, and ends with an answer from "
            "a spectrum beside it. "
            "It writes over its last run.\n",
    .options = mode_options,
    .target_size = sizeof(target),
    .prepare = prepare,
    .set = set,
    .run = run_mode,
};

/* ---- from end to end ---- */

static int full_options(cli_option *out) { return eis_command_options(out, EIS_FOR_FULL); }
static int run_full(cli_call *call) { return eis_command_run(call, call->target, eis_full); }

const cli_command command_eis_full = {
    .name = "eis full", .words = "", .summary = "data, a predictor, a circuit completed by it, and a report of it all",
    .more = "  tidemill eis full --max-minutes 10 --out runs/eis\n"
            "  tidemill eis full --inputs known --n_ground_truths 20 --n_epochs 10 --out runs/guide\n",
    .options = full_options, .target_size = sizeof(target), .prepare = prepare, .set = set, .run = run_full,
};

/* ---- a spectrum to try ---- */

static bool is_simulation(const char *name) {
    static const char *const names[] = { "known", "circuit", "rs", "noise", "seed", "overwrite" };
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (!strcmp(name, names[i])) return true;
    return false;
}

/* What these say of completing a spectrum is not so of making one. */
static cli_option for_simulation(cli_option o) {
    if (!strcmp(o.name, "rs")) o.metavar = "OHM", o.help = "solution resistance in series; auto: 0";
    if (!strcmp(o.name, "noise")) o.help = "standard deviation of each part over |Z|; auto: 1%";
    if (!strcmp(o.name, "overwrite")) o.help = "replace the file";
    return o;
}

static int simulate_options(cli_option *out) {
    int count = 0, all = eis_command_options(out, EIS_FOR_COMPLETE | EIS_FOR_TRAIN);
    for (int i = 0; i < all; i++)
        if (is_simulation(out[i].name)) out[count++] = for_simulation(out[i]);
    return count;
}

static int run_simulate(cli_call *call) {
    tide_failure failure = { 0 };
    if (eis_simulate(call->target, call->words[0], &failure) != TIDE_OK) return report_failure(&failure, call->json);
    if (!call->quiet) say("wrote a made-up spectrum, noise included, to %s", call->words[0]);
    return EXIT_DONE;
}

const cli_command command_eis_simulate = {
    .name = "eis simulate",
    .words = "FILE",
    .least_words = 1,
    .most_words = 1,
    .summary = "write the spectrum that a circuit would have, with noise",
    .more = "  tidemill eis simulate sample.csv\n"
            "  tidemill eis simulate --known Rsh=460,Ra=4.8k,Rb=2.2k,Ca=1.2uF,Cb=4.7uF --noise 1% well.csv\n",
    .options = simulate_options,
    .target_size = sizeof(target),
    .prepare = prepare,
    .set = set,
    .run = run_simulate,
};
