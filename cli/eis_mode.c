/* tidemill eis --mode ...: the spelling of the MLX guide's program; and the commands that go from end to end. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "eis_command.h"
#include "eis_torch.h"

enum { ALL_COMMANDS = EIS_FOR_COMPLETE | EIS_FOR_GENERATE | EIS_FOR_TRAIN | EIS_FOR_FULL };
#define GROUP   "The MLX guide's program"
#define RUNS    "runs/eis"
#define WEIGHTS "best_eis_predictor_mlx.npz"

enum { MODE_FULL, MODE_GENERATE, MODE_TRAIN, MODE_INFERENCE };
enum { BACKEND_AUTO, BACKEND_MLX, BACKEND_PYTORCH };

typedef struct mlx_options {
    int  mode, backend;
    bool given[2];
} mlx_options;

typedef struct target {
    eis_options o;          /* first: the commands of one table have it alone */
    mlx_options mlx;
} target;

static const tide_option rows[] = {
    { "mode", TIDE_OPTION_CHOICE(mlx_options, mode, "full|generate|train|inference"), NULL, 0, GROUP, NULL,
      "what to do" },
    { "backend", TIDE_OPTION_CHOICE(mlx_options, backend, "auto|mlx|pytorch"), "auto", 0, GROUP, NULL,
      "auto: this program, with `device` auto unless it is given; mlx: the same, or on metal where that works; "
      "pytorch: the same in PyTorch, for comparison; left out: this program on `device`" },
};
static const tide_option_table mlx_rows = { rows, 2, sizeof(mlx_options), offsetof(mlx_options, given) };

static const tide_option_table *mlx_table(void) { return &mlx_rows; }

static tide_status usage(tide_failure *f, const char *column, const char *format, const char *detail) {
    *f = (tide_failure){ .status = TIDE_EINVAL };
    snprintf(f->column, sizeof f->column, "%s", column);
    snprintf(f->message, sizeof f->message, format, detail);
    return TIDE_EINVAL;
}

/* ---- the MLX guide's spelling ---- */

static void default_text(char field[EIS_TEXT_SIZE], const char *text) {
    if (!*field) snprintf(field, EIS_TEXT_SIZE, "%s", text);
}

static bool exists(const char *path) {
    struct stat info;
    return stat(path, &info) == 0;
}

/* Where this program's training leaves its model, else where the MLX guide's does. */
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
        usage(&failure, "out", "%.500s is there already: `overwrite` replaces it", weights);
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
        say("training the MLX guide's network: it sees known values alone, from which the missing ones "
            "cannot be determined. --inputs spectrum trains one that also sees the measured spectrum; tidemill eis "
            "complete --spectrum FILE needs no training at all");
    return eis_command_run(call, o, eis_train);
}

/* With a spectrum, and no predictor named, the answer needs none. */
static int run_inference(cli_call *call, eis_options *o) {
    tide_failure failure;
    if (*o->spectra) return eis_command_run(call, o, eis_complete);
    bool given = *o->model != 0;
    default_model(o);
    if (!exists(o->model)) {
        usage(&failure, "model", "there is no trained predictor in %s: tidemill eis --mode train makes one, `model` "
                                 "RUN names another",
              o->model);
        if (given) failure.status = TIDE_EDATA;
        return report_failure(&failure, call->json);
    }
    return eis_command_run(call, o, *o->known ? eis_complete : eis_full);
}

/* A backend that was named means a device, where none was. */
static void take_backend(target *t) {
    static const char *const names[] = { [BACKEND_AUTO] = "auto", [BACKEND_MLX] = "mlx" };
    bool means = tide_option_given(&mlx_rows, &t->mlx, "backend") && t->mlx.backend != BACKEND_PYTORCH;
    if (means && !eis_option_given(&t->o, "device"))
        snprintf(t->o.device, sizeof t->o.device, "%s", eis_backend_device(names[t->mlx.backend]));
}

static int run_mode(cli_call *call) {
    target      *t         = call->target;
    bool         overwrite = t->o.overwrite;
    tide_failure failure;
    if (call->word_count) return command_unknown_word(call);
    if (!tide_option_given(&mlx_rows, &t->mlx, "mode")) {
        usage(&failure, "mode", "`mode` is needed: full, generate, train or inference; or a command: %s",
              "tidemill help lists them");
        return report_failure(&failure, call->json);
    }
    if (!eis_option_given(&t->o, "inputs")) t->o.inputs = EIS_INPUTS_KNOWN;
    take_backend(t);
    t->o.overwrite = !t->o.resume; /* the MLX guide's program writes over its last weights */
    if (t->mlx.mode == MODE_GENERATE) return eis_command_run(call, &t->o, eis_generate);
    if (t->mlx.mode == MODE_INFERENCE) return run_inference(call, &t->o);
    bool full = t->mlx.mode == MODE_FULL;
    if (t->mlx.backend == BACKEND_PYTORCH) return torch(call, &t->o, full, overwrite);
    return full ? eis_command_run(call, &t->o, eis_full) : run_train(call, &t->o);
}

const cli_command command_eis = {
    .name = "eis",
    .words = "",
    .most_words = 1,
    .summary = "run the MLX guide's program by its own options: data, training, inference",
    .more = "The MLX guide describes a program that trains an impedance predictor; docs/guides.md has it beside "
            "Tidemill.\n\n"
            "  tidemill eis --mode full --n_ground_truths 5 --epochs 10 --batch_size 256\n"
            "  tidemill eis --mode train --backend pytorch --epochs 10\n"
            "  tidemill eis --mode inference\n"
            "\nWithout --inputs it trains that guide's network, from known values alone, and ends with an answer from "
            "a spectrum\nbeside it. It overwrites its last run.\n",
    .rows = { { mlx_table, 0, offsetof(target, mlx) }, { eis_table, ALL_COMMANDS, 0 } },
    .target_size = sizeof(target),
    .run = run_mode,
};

/* ---- from end to end ---- */

static int run_full(cli_call *call) { return eis_command_run(call, call->target, eis_full); }

const cli_command command_eis_full = {
    .name = "eis full", .words = "", .summary = "make data, train a predictor, complete a circuit, report as HTML",
    .more = "  tidemill eis full --max-minutes 10 --out runs/eis\n"
            "  tidemill eis full --inputs known --n_ground_truths 20 --epochs 10 --out runs/known\n",
    .files = "OUT/report.html: the page\nOUT/report.json: the same for programs\nOUT/model: the predictor's run\n"
             "OUT/answer: the completed circuit's tables and plots\nOUT/spectrum.csv: its spectrum\n",
    .rows = { { eis_table, EIS_FOR_FULL, 0 } }, .target_size = sizeof(eis_options), .run = run_full,
};

/* ---- a spectrum to try ---- */

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
    .rows = { { eis_table, EIS_FOR_SIMULATE, 0 } },
    .target_size = sizeof(eis_options),
    .run = run_simulate,
};
