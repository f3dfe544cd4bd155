/* Every option of `forecast`, once: flags, run.json, --config, help, man pages and completion all read this table. */
#include <tidemill/forecast.h>

#include <math.h>

#include "options/machine_rows.h"

#define S forecast_options
#define TEXT(field) TIDE_OPTION_TEXT(S, field)
#define INT(field, low, high) TIDE_OPTION_INT(S, field, low, high)
#define REAL(field, low, high) TIDE_OPTION_REAL(S, field, low, high)
#define BOOL(field) TIDE_OPTION_BOOL(S, field)
#define CHOICE(field, words) TIDE_OPTION_CHOICE(S, field, words)
#define UNUSED(name)                                                                                           \
    { name, INT(ineffective, -1e15, 1e15), NULL, ALL | TIDE_OPTION_HIDDEN | TIDE_OPTION_NO_EFFECT | MAY_DIFFER, \
      "Data", "N", "has no effect" }

enum {
    TRAIN = FORECAST_FOR_TRAIN,
    EVAL  = FORECAST_FOR_EVALUATE,
    BACK  = FORECAST_FOR_BACKTEST,
    ALL   = FORECAST_FOR_TRAIN | FORECAST_FOR_EVALUATE | FORECAST_FOR_PREDICT | FORECAST_FOR_BACKTEST,
    READ  = FORECAST_FOR_TRAIN | FORECAST_FOR_EVALUATE,
    USE   = FORECAST_FOR_EVALUATE | FORECAST_FOR_PREDICT | FORECAST_FOR_BACKTEST,
    WHY   = FORECAST_FOR_EXPLAIN,
    MAY_DIFFER = TIDE_OPTION_MAY_DIFFER,
    PLACE = TIDE_OPTION_PLACE | TIDE_OPTION_MAY_DIFFER
};
#define BIG 1e9

static const tide_option rows[] = {
    { "data", TEXT(data), NULL, ALL | MAY_DIFFER, "Data", "FILE",
      "series to read: a CSV, a .csv.gz, or - for standard input", .aliases = "data-path" },
    { "kind", CHOICE(kind, "custom|etth|ettm|solar|pems"), NULL, READ | BACK, "Data", NULL,
      "how the file is laid out and split" },
    { "features", CHOICE(features, "M|S|MS"), NULL, READ, "Data", NULL,
      "M: all columns from all; S: the target from itself; MS: the target from all" },
    { "target", TEXT(target), NULL, READ, "Data", "NAME", "target column (default: OT, else the last)" },
    { "targets", TEXT(targets), NULL, READ, "Data", "A,B,...",
      "forecast these columns; the others are inputs alone (default: as `features` says)" },
    { "known", TEXT(known), NULL, READ, "Data", "A,B,...",
      "inputs whose values are known pred-len rows ahead, such as a holiday or a planned price" },
    { "without-history", TEXT(without_history), NULL, READ, "Data", "A,B,...",
      "targets that are forecast from the other columns alone" },
    { "columns", TEXT(columns), NULL, READ, "Data", "A,B,...", "only these columns" },
    { "ignore", TEXT(ignore), NULL, ALL, "Data", "A,B,...", "leave these columns out" },
    { "time-column", TEXT(time_column), NULL, ALL, "Data", "NAME",
      "time stamps, or DATE,CLOCK in two columns (default: date, ds, timestamp, or one that parses)" },
    { "freq", TEXT(freq), NULL, ALL, "Data", "STEP",
      "step between rows: 15min, h, d, b, w, m, q, y, s, or pandas' word, MS, BME, QE-DEC, W-SUN (default: detected)" },
    { "marks", TEXT(marks), "auto", TRAIN, "Data", "auto|none|STEP",
      "time features: from the frequency, none, or those of STEP", .suggested = "auto|none" },
    { "missing", CHOICE(missing, "auto|error|ffill|linear|mask"), NULL, ALL, "Data", NULL,
      "empty cells and rows left out: refuse, repeat the last, interpolate, or learn around them (auto: so for custom "
      "files, else refuse)" },
    { "strict-dates", BOOL(strict_dates), NULL, ALL, "Data", NULL, "refuse repeated or missing time stamps" },
    { "date-order", CHOICE(date_order, "auto|dmy|mdy"), NULL, ALL, "Data", NULL,
      "how to read 1/2/2023 where no row decides it" },
    { "sort", BOOL(sort), NULL, ALL, "Data", NULL, "sort the rows by time" },
    { "sep", TEXT(sep), NULL, ALL, "Data", "CHAR", "column separator (default: detected)" },
    { "decimal", TEXT(decimal), NULL, ALL, "Data", "CHAR", "decimal point, . or ," },
    { "thousands", TEXT(thousands), NULL, ALL, "Data", "CHAR",
      "what groups digits by three, as in 1,135 (default: detected where it is certain)" },
    { "na", TEXT(na), NULL, ALL, "Data", "A,B,...",
      "cells that mean a missing value: text, or numbers such as -9999" },
    { "skip-rows", INT(skip_rows, 0, 1e6), NULL, ALL, "Data", "N", "lines before the one with the column names" },

    { "preset", TEXT(preset), NULL, TRAIN, "Model", "NAME",
      "published settings, such as etth1-96, or the Mac guide's, such as mac-m1 (`preset` list shows all)",
      .synonyms = "guide-mac=mac|guide-m1=mac-m1|guide-m2=mac-m2|guide-m3=mac-m3" },
    { "seq-len", INT(seq_len, 1, 1e6), "96", READ, "Model", "N", "input window length, rows" },
    { "pred-len", INT(pred_len, 1, 1e6), "96", READ, "Model", "N", "rows to forecast" },
    { "d-model", INT(d_model, 1, 65536), "128", TRAIN, "Model", "N", "width of a token" },
    { "n-heads", INT(n_heads, 1, 1024), "8", TRAIN, "Model", "N", "attention heads; divides d-model" },
    { "e-layers", INT(e_layers, 1, 256), "2", TRAIN, "Model", "N", "encoder blocks" },
    { "d-ff", INT(d_ff, 1, 262144), "128", TRAIN, "Model", "N", "width of the feed-forward part" },
    { "dropout", REAL(dropout, -1, 0.95), "-1", TRAIN, "Model", "P",
      "share of values dropped in training; -1: 0.1, or 0 below 256 training windows" },
    { "activation", CHOICE(activation, "gelu|relu"), NULL, TRAIN, "Model", NULL,
      "activation function of the feed-forward part" },
    { "use-norm", BOOL(use_norm), "true", TRAIN, "Model", NULL, "normalise each window" },

    { "batch-size", INT(batch_size, 0, 1e6), NULL, READ | WHY, "Training", "N",
      "windows per step; 0: 32, or 8 below 256 training windows" },
    { "epochs", INT(epochs, 0, 1e6), NULL, TRAIN | BACK, "Training", "N",
      "passes over the training windows; 0: 10, or as many as make 2,000 steps", .aliases = "train-epochs|n-epochs" },
    { "learning-rate", REAL(learning_rate, 0, 100), NULL, TRAIN, "Training", "X",
      "base learning rate; 0: 1e-4, or 1e-3 below 200 batches per epoch", .aliases = "lr" },
    { "optimizer", CHOICE(optimizer, "adam|adamw|sgd|rmsprop|lion"), NULL, TRAIN, "Training", NULL, "update rule" },
    { "weight-decay", REAL(weight_decay, 0, 100), NULL, TRAIN, "Training", "X", "pull of the weights towards 0" },
    { "lradj",
      CHOICE(lradj, "type1|type2|type3|cosine|constant|mac-type1|mac-type2|mac-slower|mac-cosine|auto"),
      "auto", TRAIN, "Training", NULL,
      "learning-rate schedule over epochs (auto: type1, or cosine below 200 batches per epoch)",
      .synonyms = "guide-type1=mac-type1|guide-type2=mac-type2|guide-slower=mac-slower|guide-cosine=mac-cosine" },
    { "grad-clip", REAL(grad_clip, 0, BIG), NULL, TRAIN, "Training", "X",
      "largest norm of the gradient; 0: no limit" },
    { "loss-function", CHOICE(loss_function, "mse|mae|huber|directional|financial"), NULL, TRAIN, "Training", NULL,
      "training loss", .aliases = "loss" },
    { "directional-weight", REAL(directional_weight, 0, BIG), "0.5", TRAIN, "Training", "X",
      "weight of the direction term" },
    { "direction-surrogate", BOOL(direction_surrogate), NULL, TRAIN, "Training", NULL,
      "use a smooth direction term, which has a gradient" },
    { "patience", INT(patience, -1, 1e6), "-1", TRAIN, "Training", "N",
      "epochs without a better validation loss before stopping; 0: never stop; -1: 3, or as many as make 500 steps" },
    { "min-epochs", INT(min_epochs, 0, 1e6), NULL, TRAIN, "Training", "N", "no early stop before this epoch" },
    { "max-minutes", REAL(max_minutes, 0, 1e6), NULL, TRAIN, "Training", "MIN",
      "plan the schedule to end within this time; 0: no limit" },
    { "seed", INT(seed, 0, 9e15), "2023", TRAIN, "Training", "N", "random seed: weights, dropout and shuffling" },
    { "val", REAL(val, 0, BIG), NULL, READ | BACK, "Training", "X",
      "rows for validation, before those for test: a share if below 1, else a number; 0: as `kind` says" },
    { "test", REAL(test, 0, BIG), NULL, READ | BACK, "Training", "X", "rows for test, the last ones, in the same way" },
    { "refit", BOOL(refit), NULL, TRAIN, "Training", NULL,
      "after scoring, train once more on all rows; the scores remain those of the first training" },
    { "compat", TEXT(compat), NULL, READ | FORECAST_FOR_PREDICT, "Training", "A,B,...",
      "behave like the published programs or the Mac guide's (`compat` list explains all)", .synonyms = "guide=mac" },

    { "model", TEXT(model), NULL, USE | MAY_DIFFER, "Run", "RUN", "run folder of a trained model", .aliases = "run" },
    { "out", TEXT(out), NULL, TRAIN | PLACE, "Run", "DIR", "run folder (default: runs/DATE-NAME)" },
    { "resume", CHOICE(resume, "no|auto|must"), NULL, TRAIN | PLACE, "Run", NULL,
      "resume the run in `out`; auto: if there is one; must: fail if there is none", .bare = "must" },
    { "overwrite", BOOL(overwrite), NULL, ALL | PLACE, "Run", NULL,
      "train: replace the run in `out`; predict, evaluate, backtest: the file that they write" },
    { "plots", BOOL(plots), NULL, TRAIN | FORECAST_FOR_PREDICT | MAY_DIFFER | TIDE_OPTION_COMMAND_ON, "Run", NULL,
      "draw plots" },
    { "future", TEXT(future), NULL, FORECAST_FOR_PREDICT | MAY_DIFFER, "Data", "FILE",
      "the `known` columns of the rows to come (default: the last rows of `data`, where only these have values)" },
    { "output", TEXT(output), NULL, FORECAST_FOR_PREDICT | BACK | PLACE, "Run", "FILE",
      "where to write the forecast; - for standard output" },
    { "origins", TEXT(origins), NULL, BACK | MAY_DIFFER, "Backtest", "A,B,...",
      "forecast from rows of these clocks or weekdays alone: 10:00, Mon, Mon-Fri 10:00" },
    { "step", INT(step, 0, 1e9), NULL, BACK | MAY_DIFFER, "Backtest", "N",
      "forecast from every Nth row (with `origins`, of theirs); 0: every `horizon` rows, or all of `origins`" },
    { "lead", INT(lead, 0, 1e6), NULL, BACK | MAY_DIFFER, "Backtest", "N",
      "rows between the last known one and the first that counts" },
    { "horizon", INT(horizon, 0, 1e6), NULL, BACK | MAY_DIFFER, "Backtest", "N",
      "rows that count; 0: all that the run forecasts behind `lead`" },
    { "windows", INT(windows, 0, 1e9), NULL, BACK | MAY_DIFFER, "Backtest", "N",
      "only the last N rows to forecast from; 0: all of the test rows" },
    { "refit-every", INT(refit_every, 0, 1e9), NULL, BACK | MAY_DIFFER, "Backtest", "N",
      "train anew before every N forecasts, on the rows before them alone; 0: never" },
    { "warm-start", BOOL(warm_start), NULL, BACK | MAY_DIFFER, "Backtest", NULL,
      "train anew from the run's parameters, for `epochs` (0: 3)" },
    { "save-predictions", TEXT(save_predictions), NULL, EVAL | PLACE, "Run", "FILE.npz",
      "keep every forecast and truth (scaled), with mean, std, time (seconds since 1970) and column names" },
    { "season", INT(season, 0, 1e7), NULL, ALL | MAY_DIFFER, "Run", "N",
      "rows per season of the seasonal-naive baseline; 0: from the frequency" },
    { "use", CHOICE(use, "model|last-value|seasonal-naive|linear|best"), NULL, FORECAST_FOR_PREDICT | MAY_DIFFER,
      "Run", NULL, "what forecasts (best: what was best on the test windows)" },

    ROW_DEVICE(S, ALL | WHY),
    ROW_PRECISION(S, ALL | WHY),
    ROW_STRICT(S, ALL | WHY),
    ROW_THREADS(S, ALL | WHY),
    ROW_CUT(S, TRAIN | WHY),
    ROW_COMPILE(S, ALL | WHY),
    ROW_COMPILE_MODE(S, ALL | WHY),
    { "memory-limit", TEXT(memory_limit), NULL, ALL | WHY | MAY_DIFFER, "Machine", "X",
      "most memory of the device to use: a share (0.7), 512M, 2G, or bytes" },
    { "memory-limit-mib", INT(memory_limit_mib, 0, 1e9), NULL, ALL | WHY | MAY_DIFFER, "Machine", "N",
      "the same in MiB; 0: what the device has" },
    { "accumulate", INT(accumulate, 1, 1e6), "1", TRAIN | WHY, "Machine", "N",
      "run a batch as N parts, one after the other, and update once: less memory, the same result" },
    { "recompute", BOOL(recompute), NULL, TRAIN | WHY, "Machine", NULL,
      "compute the encoder blocks again for the backward pass instead of keeping their values: less memory, more "
      "time" },
    { "auto-batch", BOOL(auto_batch), NULL, TRAIN | MAY_DIFFER, "Machine", NULL,
      "lower a batch size that does not fit to the largest that does" },
    ROW_AUTO_SIZE(S, TRAIN, "take sizes, threads and precision that tidemill machine advises, where none are given"),
    { "dump-graph", TEXT(dump_graph), NULL, TRAIN | PLACE, "Machine", "DIR",
      "write the step as each compiler pass leaves it, as text and DOT" },
    { "explain", BOOL(explain), NULL, TRAIN | MAY_DIFFER, "Machine", NULL,
      "before training, show what a step consists of: kernels, memory, time" },
    { "measure", BOOL(measure), "true", TRAIN | WHY | MAY_DIFFER, "Machine", NULL, "explain: time each kernel" },

    UNUSED("label-len"), UNUSED("dec-in"), UNUSED("c-out"), UNUSED("enc-in"), UNUSED("factor"), UNUSED("d-layers"),
    UNUSED("num-workers"),
};
_Static_assert(sizeof rows / sizeof *rows <= FORECAST_MAX_OPTIONS, "forecast_options.given is too short");

static const tide_option_table table = { rows, sizeof rows / sizeof *rows, sizeof(S), offsetof(S, given) };

const tide_option_table *forecast_table(void) { return &table; }
