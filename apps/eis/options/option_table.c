/* Every option of `eis`, once: flags, run.json, --config, help, man pages and completion all read this table. */
#include <tidemill/eis.h>

#include "options/machine_rows.h"

#define S eis_options
#define TEXT(field) TIDE_OPTION_TEXT(S, field)
#define LIST(field) TIDE_OPTION_LIST(S, field)
#define INT(field, low, high) TIDE_OPTION_INT(S, field, low, high)
#define REAL(field, low, high) TIDE_OPTION_REAL(S, field, low, high)
#define BOOL(field) TIDE_OPTION_BOOL(S, field)
#define CHOICE(field, words) TIDE_OPTION_CHOICE(S, field, words)

enum {
    C = EIS_FOR_COMPLETE,
    G = EIS_FOR_GENERATE,
    T = EIS_FOR_TRAIN,
    E = EIS_FOR_EVALUATE,
    F = EIS_FOR_FULL,
    SIM = EIS_FOR_SIMULATE,
    K = EIS_FOR_CHECK,
    V = EIS_FOR_CONVERT,
    FIT = EIS_FOR_FIT,
    DRT = EIS_FOR_DRT,
    B = EIS_FOR_BATCH,
    MAY_DIFFER = TIDE_OPTION_MAY_DIFFER,
    PLACE = TIDE_OPTION_PLACE | TIDE_OPTION_MAY_DIFFER,
    RESOURCE = TIDE_OPTION_RESOURCE
};
#define RESNORMS                                                                                                     \
    "mean-abs|mean-abs-root-f|mean-abs-amplified|mean-relative-magnitude|mean-square|magnitude-phase|sse|rmse|"      \
    "rmse-parts|pseudo-chi2|reduced-chi2|normalised|complex-mape|quartic|noise-percent"

static const tide_option rows[] = {
    { "known", TEXT(known), NULL, C | SIM, "Question", "Rsh=460,...",
      "known values of Rsh, Ra, Rb, Ca, Cb in ohm and farad; prefixes p n u m k M" },
    { "spectrum", LIST(spectra), NULL, C | K | FIT | B | DRT | V | RESOURCE, "Question", "FILE",
      "a measured spectrum, any instrument's file or a CSV; more files may follow" },
    { "circuit", CHOICE(circuit, "shunt|chain"), NULL, C | G | T | F | SIM | MAY_DIFFER, "Question", NULL,
      "Rsh across both membranes, or in series with them", .synonyms = "parallel=shunt|series=chain" },
    { "rs", TEXT(rs), "auto", C | SIM, "Question", "OHM|free|auto",
      "solution resistance in series; auto: free with a spectrum, else 0", .suggested = "auto|free" },
    { "prior", TEXT(prior), NULL, C, "Question", "NAME=VALUE+-SD,...",
      "refined: what is known with an error, of Rsh, Ra, Rb, Ca, Cb, Rs, TER, TEC, n1, d1 or a ratio: Ra/Rb=4.8+-1" },
    { "noise", TEXT(noise), "auto", C | E | SIM, "Question", "1%",
      "standard deviation of the real and the imaginary part over |Z|; auto: from sigma columns, else from what the "
      "nearest Kramers-Kronig spectrum leaves (simulate: 1%, or 0). evaluate: a list" },
    { "range", TEXT(range), NULL, C, "Question", "Rs=0..1k,...",
      "refined: the ranges in which parameters are sought; by default 1 ohm to 1 Mohm, 10 nF to 1 mF, "
      "Rs 0 to 10 kohm" },
    { "robust", BOOL(robust), NULL, C, "Question", NULL,
      "refined: take residuals as Student's: outliers count little, and are named" },
    { "flip-im", BOOL(flip_im), NULL, C | K | FIT | B | DRT | V, "Question", NULL, "the imaginary column is -Im(Z)" },
    { "column", TEXT(column), NULL, C | K | FIT | B | DRT | V, "Question", "NAME|F,RE,IM",
      "which impedance of a file with several, by the name or number of a column; or all three columns" },
    { "units", TEXT(units), NULL, C | K | FIT | B | DRT | V, "Question", "kHz,mohm",
      "units of a file's columns, where their names do not say them" },
    { "sweep", TEXT(sweep), NULL, C | K | FIT | B | DRT | V, "Question", "1,3-5",
      "which sweeps of a file with several, by number or name" },
    { "canonical", BOOL(canonical), NULL, C, "Question", NULL, "call the slower membrane a, whatever is known" },
    { "area", REAL(area_cm2, 0, 1e6), NULL, C | FIT | B, "Question", "CM2",
      "area in cm2: give TER and TEC per area, too; fit: all values" },
    { "samples", TEXT(samples), NULL, B | RESOURCE, "Question", "FILE",
      "a table of the spectra: file, sweep or well, condition, donor, time, area_cm2, blank" },

    { "method", CHOICE(method, "auto|refined|exact|network"), NULL, C, "Answer", NULL,
      "refined: the continuous posterior; exact: that of the grid; network: a trained predictor; auto: refined with a "
      "spectrum, network without" },
    { "top-k", INT(top_k, 1, 1000), "10", C, "Answer", "K", "candidates to list" },
    { "resnorm", CHOICE(resnorm, RESNORMS), NULL, C | G | F, "Answer", NULL, "residual norm" },
    { "model", TEXT(model), NULL, C | E | FIT | B | RESOURCE, "Answer", "RUN",
      "a trained predictor: its run folder, or the MLX guide's .npz or .pth; fit, batch: one of recipe cell, whose "
      "answers are more starts", .aliases = "run" },
    { "screen", BOOL(screen), NULL, B, "Answer", NULL,
      "no fits: medians and 95 % intervals as `model` has them, in about a millisecond a spectrum" },
    { "rerank", BOOL(rerank), "true", C, "Answer", NULL,
      "network: weigh its candidates again by their likelihood" },
    { "out", TEXT(out), NULL, C | K | FIT | B | DRT | T | E | F | V | PLACE | RESOURCE, "Answer", "DIR",
      "folder for tables and plots; train: the run folder; convert: for a file of each sweep" },
    { "output", TEXT(output), NULL, V | PLACE | RESOURCE, "Answer", "FILE", "the file to write" },
    { "decimal", TEXT(decimal), NULL, C | K | FIT | B | DRT, "Answer", "CHAR",
      "of numbers in tables, . or ,: with a comma, for spreadsheets that have one, cells are parted by semicolons" },
    { "plots", BOOL(plots), NULL, C | K | FIT | DRT | T | E | F | MAY_DIFFER | TIDE_OPTION_COMMAND_ON, "Answer", NULL,
      "draw plots into `out`" },
    { "seed", INT(seed, 0, 9e15), "42", C | G | T | E | F | SIM, "Answer", "N", "random seed" },
    { "lambda", TEXT(lambda), "gcv", DRT, "Answer", "gcv|l-curve|X",
      "weight of the penalty on roughness: by generalised cross-validation, the L-curve, or given",
      .suggested = "gcv|l-curve" },
    { "penalty-order", INT(penalty_order, 1, 2), "1", DRT, "Answer", "K",
      "the derivative of gamma that is penalised: 1 or 2" },

    { "profile", CHOICE(profile, "app|generator"), NULL, G, "Data", NULL,
      "app: shunt, symmetric grid, 0.1 Hz..100 kHz x 100; generator: chain, full grid, 1 Hz..1 MHz x 50" },
    { "ground-truths", TEXT(ground_truths), NULL, G | RESOURCE, "Data", "FILE",
      "the circuits to compare with: JSON list of id, rsh, ra, rb, ca, cb, a generated CSV, or an .npz of the app" },
    { "n-ground-truths", INT(n_ground_truths, 1, 100000), "100", G | F, "Data", "N",
      "ground truths to draw when no file is given" },
    { "grid", CHOICE(grid, "auto|full|symmetric"), NULL, G, "Data", NULL,
      "all circuits, or one of each swapped pair; auto: the profile's" },
    { "points", INT(points, 2, 40), "12", G, "Data", "N", "grid values of each parameter" },
    { "data-dir", TEXT(data_dir), "eis_training_data", G | T | F | MAY_DIFFER | RESOURCE, "Data", "DIR",
      "folder for the data; a killed run is resumed there" },
    { "format", CHOICE(format, "shards|csv"), NULL, G, "Data", NULL,
      "binary shards, or the CSV, metadata and summary of other programs" },
    { "dtype", CHOICE(dtype, "f32|f64"), NULL, G, "Data", NULL, "precision in shards" },
    { "stats-only", BOOL(stats_only), NULL, G, "Data", NULL,
      "only the summary, in double precision; nothing is written" },

    { "inputs", CHOICE(inputs, "spectrum|known"), NULL, T | F, "Training", NULL,
      "what the predictor sees: known values and a spectrum, or known values alone" },
    { "recipe", CHOICE(recipe, "lab|grid|cell"), NULL, T | F, "Training", NULL,
      "lab: measured spectra of any circuit; grid: circuits of the grid at 61 fixed frequencies, known noise; cell: "
      "real epithelia, two arcs of constant phase elements with electrodes and leads" },
    { "epochs", INT(epochs, 0, 1e6), NULL, T | F, "Training", "N",
      "passes over the training data; 0: 100 for known inputs, 20 (of a million spectra) for spectra",
      .aliases = "n-epochs|train-epochs" },
    { "max-minutes", REAL(max_minutes, 0, 1e6), NULL, T | F, "Training", "MIN",
      "plan the schedule to end within this time; 0: no limit" },
    { "batch-size", INT(batch_size, 0, 1 << 20), NULL, T | F, "Training", "N",
      "samples per step; 0: 512 for known inputs, 1024 for spectra" },
    { "learning-rate", REAL(learning_rate, 0, 10), NULL, T | F, "Training", "X",
      "base learning rate; 0: 1e-3 for known inputs, 2e-3 for spectra", .aliases = "lr" },
    { "weight-decay", REAL(weight_decay, 0, 10), "0.01", T | F, "Training", "X", "pull of the weights towards 0" },
    { "optimizer", CHOICE(optimizer, "auto|adam|adamw|sgd|rmsprop|lion"), NULL, T | F, "Training", NULL,
      "update rule; auto: adamw" },
    { "lradj",
      CHOICE(lradj, "auto|type1|type2|type3|cosine|constant|mac-type1|mac-type2|mac-slower|mac-cosine"), NULL,
      T | F, "Training", NULL, "learning-rate schedule over epochs; auto: a cosine over steps",
      .synonyms = "guide-type1=mac-type1|guide-type2=mac-type2|guide-slower=mac-slower|guide-cosine=mac-cosine" },
    { "grad-clip", REAL(grad_clip, 0, 1e300), NULL, T | F, "Training", "X",
      "largest norm of the gradient; 0: no limit for known inputs, 1 for spectra" },
    { "patience", INT(patience, 0, 1e6), NULL, T | F, "Training", "N",
      "epochs without a better validation loss before stopping; 0: never stop" },
    { "min-epochs", INT(min_epochs, 0, 1e6), NULL, T | F, "Training", "N", "no early stop before this epoch" },
    { "hidden-dim", INT(hidden_dim, 0, 1 << 16), NULL, T | F, "Training", "N",
      "width of the network; 0: 512 for known inputs, 256 for spectra", .aliases = "width" },
    { "pool-spectra", INT(pool_spectra, 1 << 10, 1e9), "1048576", T | F, "Training", "N",
      "spectra held in memory; the oldest make room for new ones" },
    { "keep-out", REAL(keep_out, 0, 0.5), "0.05", T | F, "Training", "SHARE",
      "grid recipe: share of cells that are never trained on, kept for evaluate" },
    { "pool", TEXT(pool), "uniform", T | F, "Training", "uniform|best:K",
      "known inputs: all rows, or the K of lowest residual norm of each ground truth", .suggested = "uniform|best:5" },
    { "masks", CHOICE(masks, "mlx|all"), NULL, T | F, "Training", NULL,
      "known inputs: three known and two missing as in the MLX guide, or any number", .synonyms = "guide=mlx" },
    { "split", CHOICE(split, "truth|row"), NULL, T | F, "Training", NULL,
      "known inputs: hold out whole ground truths or single rows; both are reported" },
    { "samples-per-pattern", INT(samples_per_pattern, 1, 1e9), "5000", T | F, "Training", "N",
      "known inputs: rows drawn for each pattern of known values" },
    { "compat", CHOICE(compat, "none|mlx"), NULL, T | F, "Training", NULL,
      "mlx: known inputs with constant rate, no bias correction and the raw residual norm, as in the MLX guide's code",
      .aliases = "compat-guide", .bare = "mlx", .synonyms = "guide=mlx" },
    { "test-spectra", INT(test_spectra, 1, 1e7), "1024", E, "Answer", "N", "fresh spectra per noise level" },
    { "resume", CHOICE(resume, "no|auto|must"), NULL, T | PLACE, "Training", NULL,
      "resume the run in `out`; auto: if there is one; must: fail if there is none", .bare = "auto" },
    { "overwrite", BOOL(overwrite), NULL, T | F | SIM | V | B | PLACE, "Training", NULL,
      "replace the run in `out`; simulate, convert: the file; batch: answer anew" },

    ROW_DEVICE_FOR(S, C | G | T | E | F | FIT | B,
                   "where predictors train and answer, exact posteriors are computed and residual norms generated, "
                   "NAME or NAME:INDEX; cuda:0-1: training on several at once; a GPU also makes the grid recipe's "
                   "spectra; auto: where this training's steps are fastest (answers, data: cpu, evaluate: the run's); "
                   "other spectra, posteriors and fits are always the processor's"),
    ROW_PRECISION(S, C | T | E | F),
    ROW_STRICT(S, C | T | E | F),
    ROW_THREADS(S, G | T | E | F | FIT | B),
    ROW_JOIN(S, C | G | E | B),
    ROW_CUT(S, T),
    ROW_COMPILE(S, T | E | F),
    ROW_COMPILE_MODE(S, C | T | E | F),
    { "memory-limit", TEXT(memory_limit), NULL, C | G | T | E | F | MAY_DIFFER | RESOURCE, "Machine", "X",
      "most memory of the device that training may use, and on a device other than cpu exact posteriors and residual "
      "norms: a share (0.7), 512M, 2G, or bytes; a predictor's answers take what they need" },
    { "accumulate", INT(accumulate, 0, 1e6), "1", T | F | MAY_DIFFER, "Machine", "N",
      "run a batch as N parts, one after the other, and update once: less memory, the same result" },
    { "ranks", BOOL(ranks), NULL, T | MAY_DIFFER | RESOURCE | TIDE_OPTION_COMMAND_ON, "Machine", NULL,
      "train with the other processes that mpirun or srun started, each on its part of every batch; false: alone" },
    { "recompute", BOOL(recompute), NULL, T | F, "Machine", NULL,
      "spectra: compute the residual blocks again for the backward pass instead of keeping their values" },
    ROW_AUTO_SIZE(S, T | F, "take the batch size that tidemill machine advises, where none is given"),
};
_Static_assert(sizeof rows / sizeof *rows <= EIS_MAX_OPTIONS, "eis_options.given is too short");

static const tide_option_table table = { rows, sizeof rows / sizeof *rows, sizeof(S), offsetof(S, given) };

const tide_option_table *eis_table(void) { return &table; }
