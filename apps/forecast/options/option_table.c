/* Every option of `forecast`, once: flags, run.json, --config and help all read this table. */
#include <tidemill/forecast.h>

#include <math.h>

#define AT(field) offsetof(forecast_options, field)
#define TEXT(field) FORECAST_TYPE_TEXT, AT(field), sizeof(((forecast_options *)0)->field), NULL, 0, 0
#define INT(field, low, high) FORECAST_TYPE_INT, AT(field), 0, NULL, low, high
#define REAL(field, low, high) FORECAST_TYPE_REAL, AT(field), 0, NULL, low, high
#define BOOL(field) FORECAST_TYPE_BOOL, AT(field), 0, NULL, 0, 0
#define CHOICE(field, words) FORECAST_TYPE_CHOICE, AT(field), 0, words, 0, 0
#define UNUSED(name) \
    { name, \
      INT(ineffective, -1e15, 1e15), \
      ALL | FORECAST_HIDDEN | FORECAST_NO_EFFECT | FORECAST_MAY_DIFFER, \
      NULL, \
      "Data", \
      "N", \
      "has no effect" }

enum {
    TRAIN = FORECAST_FOR_TRAIN,
    EVAL  = FORECAST_FOR_EVALUATE,
    ALL   = FORECAST_FOR_TRAIN | FORECAST_FOR_EVALUATE | FORECAST_FOR_PREDICT,
    READ  = FORECAST_FOR_TRAIN | FORECAST_FOR_EVALUATE,
    USE   = FORECAST_FOR_EVALUATE | FORECAST_FOR_PREDICT,
    WHY   = FORECAST_FOR_EXPLAIN,
    SAME  = FORECAST_MAY_DIFFER
};
#define BIG 1e9
#define PATH "FILE"

static const forecast_option table[] = {
    { "data", TEXT(data), ALL | SAME, "data-path", "Data", PATH, "series to read: CSV, .csv.gz, - for standard input" },
    { "kind", CHOICE(kind, "custom|etth|ettm|solar|pems"), READ, NULL, "Data", NULL,
      "how the file is laid out and split" },
    { "features", CHOICE(features, "M|S|MS"), READ, NULL, "Data", NULL,
      "all columns to all, target alone, or all columns to target" },
    { "target", TEXT(target), READ, NULL, "Data", "NAME", "target column (default: OT, else the last)" },
    { "columns", TEXT(columns), READ, NULL, "Data", "A,B,...", "only these columns" },
    { "ignore", TEXT(ignore), ALL, NULL, "Data", "A,B,...", "leave these columns out" },
    { "time-column", TEXT(time_column), ALL, NULL, "Data", "NAME",
      "time stamps, or DATE,CLOCK in two columns (default: date, ds, timestamp, or what parses)" },
    { "freq", TEXT(freq), ALL, NULL, "Data", "STEP", "step between rows: 15min, h, d, b, w, m, q, y, s (default: found)" },
    { "marks", TEXT(marks), TRAIN, NULL, "Data", "auto|none|STEP",
      "time features: from the frequency, none, or those of STEP" },
    { "missing", CHOICE(missing, "error|ffill|linear"), ALL, NULL, "Data", NULL,
      "empty cells: refuse, repeat the last, or interpolate" },
    { "strict-dates", BOOL(strict_dates), ALL, NULL, "Data", NULL, "refuse repeated or missing time stamps" },
    { "date-order", CHOICE(date_order, "auto|dmy|mdy"), ALL, NULL, "Data", NULL,
      "what 1/2/2023 means, where no row decides it" },
    { "sort", BOOL(sort), ALL, NULL, "Data", NULL, "put the rows in the order of time" },
    { "sep", TEXT(sep), ALL, NULL, "Data", "CHAR", "column separator (default: found)" },
    { "decimal", TEXT(decimal), ALL, NULL, "Data", "CHAR", "decimal point, . or ," },
    { "thousands", TEXT(thousands), ALL, NULL, "Data", "CHAR",
      "what groups digits by three, as in 1,135 (default: found where it is certain)" },
    { "na", TEXT(na), ALL, NULL, "Data", "A,B,...", "cells that mean a missing value: text, or numbers such as -9999" },
    { "skip-rows", INT(skip_rows, 0, 1e6), ALL, NULL, "Data", "N", "lines before the one with the column names" },

    { "preset", TEXT(preset), TRAIN, NULL, "Model", "NAME", "published or guide settings, such as etth1-96 (list: "
                                                            "--preset list)" },
    { "seq-len", INT(seq_len, 1, 1e6), READ, NULL, "Model", "N", "rows the model looks back on" },
    { "pred-len", INT(pred_len, 1, 1e6), READ, NULL, "Model", "N", "rows to forecast" },
    { "d-model", INT(d_model, 1, 65536), TRAIN, NULL, "Model", "N", "width of a token" },
    { "n-heads", INT(n_heads, 1, 1024), TRAIN, NULL, "Model", "N", "attention heads; divides d-model" },
    { "e-layers", INT(e_layers, 1, 256), TRAIN, NULL, "Model", "N", "encoder blocks" },
    { "d-ff", INT(d_ff, 1, 262144), TRAIN, NULL, "Model", "N", "width of the feed-forward part" },
    { "dropout", REAL(dropout, -1, 0.95), TRAIN, NULL, "Model", "P",
      "share of values dropped in training; -1: 0.1, or 0 below 256 training windows" },
    { "activation", CHOICE(activation, "gelu|relu"), TRAIN, NULL, "Model", NULL, "of the feed-forward part" },
    { "use-norm", BOOL(use_norm), TRAIN, NULL, "Model", NULL, "normalise each window (on by default; --use-norm=no)" },

    { "batch-size", INT(batch_size, 0, 1e6), READ | WHY, NULL, "Training", "N",
      "windows a step; 0: 32, or 8 below 256 training windows" },
    { "epochs", INT(epochs, 0, 1e6), TRAIN, "train-epochs", "Training", "N",
      "passes over the training windows; 0: 10, or as many as make 2,000 steps" },
    { "learning-rate", REAL(learning_rate, 0, 100), TRAIN, "lr", "Training", "X",
      "base learning rate; 0: 1e-4, or 1e-3 below 200 batches an epoch" },
    { "optimizer", CHOICE(optimizer, "adam|adamw|sgd|rmsprop|lion"), TRAIN, NULL, "Training", NULL, "update rule" },
    { "weight-decay", REAL(weight_decay, 0, 100), TRAIN, NULL, "Training", "X", "pull of the weights towards 0" },
    { "lradj", CHOICE(lradj, "type1|type2|type3|cosine|constant|guide-type1|guide-type2|guide-slower|guide-cosine|auto"), TRAIN, NULL,
      "Training", NULL, "learning-rate schedule over epochs (auto: type1, or cosine below 200 batches an epoch)" },
    { "grad-clip", REAL(grad_clip, 0, BIG), TRAIN, NULL, "Training", "X", "largest norm of the gradient; 0: no limit" },
    { "loss-function", CHOICE(loss_function, "mse|mae|huber|directional|financial"), TRAIN, "loss", "Training", NULL,
      "what training lowers" },
    { "directional-weight", REAL(directional_weight, 0, BIG), TRAIN, NULL, "Training", "X",
      "weight of the direction term" },
    { "direction-surrogate", BOOL(direction_surrogate), TRAIN, NULL, "Training", NULL,
      "a smooth direction term, which has a gradient" },
    { "patience", INT(patience, -1, 1e6), TRAIN, NULL, "Training", "N",
      "epochs without a better validation loss before stopping; 0: never stop; -1: 3, or as many as make 500 steps" },
    { "min-epochs", INT(min_epochs, 0, 1e6), TRAIN, NULL, "Training", "N", "no early stop before this epoch" },
    { "max-minutes", REAL(max_minutes, 0, 1e6), TRAIN, NULL, "Training", "MIN",
      "the schedule is laid out to end within it; 0: no limit" },
    { "seed", INT(seed, 0, 9e15), TRAIN, NULL, "Training", "N", "of weights, dropout and shuffling" },
    { "val", REAL(val, 0, BIG), READ, NULL, "Training", "X", "rows for validation, before those for test: below 1 a "
                                                             "share, else a number; 0: as --kind says" },
    { "test", REAL(test, 0, BIG), READ, NULL, "Training", "X", "the last rows, for test, in the same way" },
    { "refit", BOOL(refit), TRAIN, NULL, "Training", NULL, "after scoring, learn once more from all rows: the scores "
                                                           "stay those of the first time" },
    { "compat", TEXT(compat), READ | FORECAST_FOR_PREDICT, NULL, "Training", "A,B,...",
      "behave like the published programs (list: --compat list)" },

    { "model", TEXT(model), USE | SAME, "run", "Run", "RUN", "run folder of a trained model" },
    { "out", TEXT(out), TRAIN | SAME, NULL, "Run", "DIR", "run folder (default: runs/DATE-NAME)" },
    { "resume", CHOICE(resume, "no|auto|must"), TRAIN | SAME, NULL, "Run", NULL,
      "go on with the run in --out: if there is one, or else fail" },
    { "overwrite", BOOL(overwrite), ALL | SAME, NULL, "Run", NULL,
      "train: replace the run in --out; predict, evaluate: the file that they write" },
    { "plots", BOOL(plots), TRAIN | FORECAST_FOR_PREDICT | SAME, NULL, "Run", NULL,
      "draw plots (on by default; --plots=no)" },
    { "output", TEXT(output), FORECAST_FOR_PREDICT | SAME, NULL, "Run", PATH,
      "where to write the forecast; - for standard output" },
    { "save-predictions", TEXT(save_predictions), EVAL | SAME, NULL, "Run", "FILE.npz",
      "keep every forecast and truth (scaled), with mean, std, time (seconds since 1970) and column names" },
    { "season", INT(season, 0, 1e7), ALL | SAME, NULL, "Run", "N",
      "rows of a season for the seasonal-naive baseline; 0: from the frequency" },
    { "use", CHOICE(use, "model|last-value|seasonal-naive|linear|best"), FORECAST_FOR_PREDICT | SAME, NULL, "Run",
      NULL, "what forecasts (best: what was best on the test windows)" },

    { "device", TEXT(device), ALL | WHY, NULL, "Machine", "NAME", "cpu, ref or check" },
    { "precision", CHOICE(precision, "f32|bf16|f16|auto"), ALL | WHY, NULL, "Machine", NULL,
      "of large matrix products; auto: bf16 where the device has it; f16 trains with a loss scale" },
    { "strict", BOOL(strict), ALL | WHY | SAME, NULL, "Machine", NULL,
      "a precision that the device lacks is an error (else f32 and a warning)" },
    { "threads", INT(threads, 0, 4096), ALL | WHY | SAME, NULL, "Machine", "N",
      "0: the physical cores this process may use" },
    { "compile", BOOL(compile), ALL | WHY, NULL, "Machine", NULL,
      "fuse and schedule (on by default); --no-compile runs op by op, for debugging" },
    { "compile-mode", CHOICE(compile_mode, "default|reduce-overhead|max-autotune"), ALL | WHY | SAME, NULL, "Machine",
      NULL,
      "max-autotune times candidates once, in seconds, and keeps the answers; on a CPU reduce-overhead is default: a "
      "step is one parallel region" },
    { "memory-limit", TEXT(memory_limit), ALL | WHY | SAME, NULL, "Machine", "X",
      "most memory to use: a share of the machine's (0.7), 512M, 2G, or bytes" },
    { "memory-limit-mib", INT(memory_limit_mib, 0, 1e9), ALL | WHY | SAME, NULL, "Machine", "N",
      "the same in MiB; 0: what the machine has" },
    { "accumulate", INT(accumulate, 1, 1e6), TRAIN | WHY, NULL, "Machine", "N",
      "run a batch as N parts, one after the other, and update once: less memory, the same result" },
    { "recompute", BOOL(recompute), TRAIN | WHY, NULL, "Machine", NULL, "compute the encoder blocks again for the "
                                                                        "backward pass instead of keeping their "
                                                                        "values: less memory, more time" },
    { "auto-batch", BOOL(auto_batch), TRAIN | SAME, NULL, "Machine", NULL,
      "a batch that does not fit is lowered to the largest that does" },
    { "auto-size", BOOL(auto_size), TRAIN | SAME, NULL, "Machine", NULL,
      "sizes, threads and precision that tidemill machine advises, where none are given" },
    { "dump-graph", TEXT(dump_graph), TRAIN | SAME, NULL, "Machine", "DIR",
      "write what each compiler pass makes of the step, text and DOT" },
    { "explain", BOOL(explain), TRAIN | SAME, NULL, "Machine", NULL,
      "tell what the step consists of before training: kernels, memory, time" },
    { "measure", BOOL(measure), TRAIN | WHY | SAME, NULL, "Machine", NULL,
      "explaining: time each kernel (on by default; --no-measure)" },

    UNUSED("label-len"), UNUSED("dec-in"), UNUSED("c-out"), UNUSED("enc-in"), UNUSED("factor"), UNUSED("d-layers"),
    UNUSED("num-workers"),
};

const forecast_option *forecast_option_table(int64_t *count) {
    _Static_assert(sizeof table / sizeof *table <= FORECAST_MAX_OPTIONS, "forecast_options.given is too short");
    if (count) *count = (int64_t)(sizeof table / sizeof *table);
    return table;
}
