/* The option table, and values by name. */
#include <tidemill/eis.h>

#include <inttypes.h>
#include <math.h>
#include <stdio.h>

#include "base/base.h"

#define FIELD(f)          offsetof(eis_options, f), sizeof(((eis_options *)0)->f)
#define BOOL(f)           EIS_TYPE_BOOL, FIELD(f), NULL, 0, 0
#define INT(f, low, high) EIS_TYPE_INT, FIELD(f), NULL, low, high
#define REAL(f, low, high) EIS_TYPE_REAL, FIELD(f), NULL, low, high
#define CHOICE(f, words)  EIS_TYPE_CHOICE, FIELD(f), words, 0, 0
#define TEXT(f)           EIS_TYPE_TEXT, FIELD(f), NULL, 0, 0
#define LIST(f)           EIS_TYPE_LIST, FIELD(f), NULL, 0, 0

enum { C = EIS_FOR_COMPLETE, G = EIS_FOR_GENERATE, T = EIS_FOR_TRAIN, E = EIS_FOR_EVALUATE, F = EIS_FOR_FULL };
#define RESNORMS                                                                                                                      \
    "mean-abs|mean-abs-root-f|mean-abs-amplified|mean-relative-magnitude|mean-square|magnitude-phase|sse|rmse|rmse-parts|"            \
    "pseudo-chi2|reduced-chi2|normalised|complex-mape|quartic|noise-percent"

static const eis_option table[] = {
    { "known", TEXT(known), C, NULL, "Question", "Rsh=460,...",
      "known values of Rsh, Ra, Rb, Ca, Cb; prefixes p n u m k M" },
    { "spectrum", LIST(spectra), C, NULL, "Question", "FILE", "CSV with frequency_hz, z_re_ohm, z_im_ohm; more files "
                                                              "may follow" },
    { "circuit", CHOICE(circuit, "shunt|chain"), C | G | T | F, NULL, "Question", NULL,
      "Rsh across both membranes, or in series with them" },
    { "rs", TEXT(rs), C, NULL, "Question", "OHM|free|auto", "solution resistance in series; auto: free with a "
                                                            "spectrum, else 0" },
    { "noise", TEXT(noise), C | E, NULL, "Question", "1%", "standard deviation of each part over |Z|; auto: assumed "
                                                           "to be the misfit, which is no ground for a verdict. "
                                                           "evaluate: a list" },
    { "flip-im", BOOL(flip_im), C, NULL, "Question", NULL, "the imaginary column is -Im(Z)" },
    { "canonical", BOOL(canonical), C, NULL, "Question", NULL, "a is the slower membrane, whatever is known" },
    { "area", REAL(area_cm2, 0, 1e6), C, NULL, "Question", "CM2", "also give TER and TEC per area" },

    { "method", CHOICE(method, "auto|refined|exact|network"), C, NULL, "Answer", NULL,
      "continuous posterior, that of the grid, or a trained predictor; auto: refined with a spectrum, network without" },
    { "top-k", INT(top_k, 1, 1000), C, NULL, "Answer", "K", "candidates to list" },
    { "resnorm", CHOICE(resnorm, RESNORMS), C | G | F, NULL, "Answer", NULL, "the residual norm" },
    { "model", TEXT(model), C | E, NULL, "Answer", "RUN", "a trained predictor: its run folder, or the guide's .npz "
                                                          "or .pth" },
    { "rerank", BOOL(rerank), C, NULL, "Answer", NULL, "network: weigh its candidates again by their likelihood (on "
                                                       "by default; --no-rerank)" },
    { "out", TEXT(out), C | T | E | F, NULL, "Answer", "DIR", "folder for tables and plots; train: the run's" },
    { "plots", BOOL(plots), C | T | E | F, NULL, "Answer", NULL, "draw plots into --out (on by default; --plots=no)" },
    { "seed", INT(seed, 0, 9e15), C | G | T | E | F, NULL, "Answer", "N", "of everything drawn" },

    { "profile", CHOICE(profile, "app|generator"), G, NULL, "Data", NULL,
      "app: shunt, symmetric grid, 0.1 Hz..100 kHz x 100; generator: chain, full grid, 1 Hz..1 MHz x 50" },
    { "ground-truths", TEXT(ground_truths), G, NULL, "Data", "FILE",
      "the circuits to compare with: JSON list of id, rsh, ra, rb, ca, cb, a generated CSV, or an .npz of the app" },
    { "n-ground-truths", INT(n_ground_truths, 1, 100000), G | F, NULL, "Data", "N",
      "how many to draw when no file is given" },
    { "grid", CHOICE(grid, "auto|full|symmetric"), G, NULL, "Data", NULL,
      "all circuits, or one of each swapped pair; auto: the profile's" },
    { "points", INT(points, 2, 40), G, NULL, "Data", "N", "grid values of each parameter" },
    { "n-workers", INT(workers, 0, 4096), G | T | E | F, NULL, "Data", "N",
      "threads; 0: the cores this process may use" },
    { "data-dir", TEXT(data_dir), G | T | F, NULL, "Data", "DIR", "folder for the data; a killed run goes on there" },
    { "format", CHOICE(format, "shards|csv"), G, NULL, "Data", NULL,
      "binary shards, or the CSV, metadata and summary of other programs" },
    { "dtype", CHOICE(dtype, "f32|f64"), G, NULL, "Data", NULL, "precision in shards" },
    { "stats-only", BOOL(stats_only), G, NULL, "Data", NULL, "only the summary, in double precision; nothing is written" },

    { "inputs", CHOICE(inputs, "spectrum|known"), T | F, NULL, "Training", NULL,
      "what the predictor is told: known values and a spectrum, or known values alone" },
    { "recipe", CHOICE(recipe, "lab|grid"), T | F, NULL, "Training", NULL,
      "lab: measured spectra of any circuit; grid: circuits of the grid at 61 fixed frequencies, known noise" },
    { "n-epochs", INT(n_epochs, 0, 1e6), T | F, NULL, "Training", "N",
      "0: 100 for known inputs, 20 (of a million spectra) for spectra" },
    { "max-minutes", REAL(max_minutes, 0, 1e6), T | F, NULL, "Training", "MIN",
      "the schedule is laid out to end within it; 0: no limit" },
    { "batch-size", INT(batch_size, 0, 1 << 20), T | F, NULL, "Training", "N",
      "0: 512 for known inputs, 1024 for spectra" },
    { "auto-size", BOOL(auto_size), T | F, NULL, "Training", NULL,
      "the batch size that tidemill machine advises, where none is given" },
    { "learning-rate", REAL(learning_rate, 0, 10), T | F, "lr", "Training", "LR",
      "falls along a cosine; 0: 1e-3 for known inputs, 2e-3 for spectra" },
    { "weight-decay", REAL(weight_decay, 0, 10), T | F, NULL, "Training", "W", "AdamW's" },
    { "optimizer", CHOICE(optimizer, "auto|adam|adamw|sgd|rmsprop|lion"), T | F, NULL, "Training", NULL,
      "update rule; auto: adamw" },
    { "lradj", CHOICE(lradj, "auto|type1|type2|type3|cosine|constant|guide-type1|guide-type2|guide-slower|guide-cosine"), T | F,
      NULL, "Training", NULL, "learning-rate schedule over epochs; auto: a cosine over steps" },
    { "grad-clip", REAL(grad_clip, 0, 1e300), T | F, NULL, "Training", "X",
      "largest norm of the gradient; 0: no limit for known inputs, 1 for spectra" },
    { "patience", INT(patience, 0, 1e6), T | F, NULL, "Training", "N",
      "epochs without a better validation loss before stopping; 0: never stop" },
    { "min-epochs", INT(min_epochs, 0, 1e6), T | F, NULL, "Training", "N", "no early stop before this epoch" },
    { "accumulate", INT(accumulate, 0, 1e6), T | F, NULL, "Training", "N",
      "run a batch as N parts, one after the other, and update once: less memory, the same result" },
    { "recompute", BOOL(recompute), T | F, NULL, "Training", NULL,
      "spectra: compute the residual blocks again for the backward pass instead of keeping their values" },
    { "memory-limit", TEXT(memory_limit), T | F, NULL, "Training", "X",
      "most memory to use: a share of the machine's (0.7), 512M, 2G, or bytes" },
    { "hidden-dim", INT(hidden_dim, 0, 1 << 16), T | F, NULL, "Training", "N",
      "0: 512 for known inputs, 256 for spectra" },
    { "pool-spectra", INT(pool_spectra, 1 << 10, 1e9), T | F, NULL, "Training", "N",
      "spectra held in memory; the oldest make room for new ones" },
    { "keep-out", REAL(keep_out, 0, 0.5), T | F, NULL, "Training", "SHARE",
      "grid recipe: cells that are never trained on, for evaluate" },
    { "pool", TEXT(pool), T | F, NULL, "Training", "uniform|best:K",
      "known inputs: all rows, or the K of lowest residual norm of each ground truth" },
    { "masks", CHOICE(masks, "guide|all"), T | F, NULL, "Training", NULL,
      "known inputs: three known and two missing, or any number" },
    { "split", CHOICE(split, "truth|row"), T | F, NULL, "Training", NULL,
      "known inputs: what is held out; both are reported" },
    { "samples-per-pattern", INT(samples_per_pattern, 1, 1e9), T | F, NULL, "Training", "N",
      "known inputs: rows drawn for each pattern of known values" },
    { "compat-guide", BOOL(compat_guide), T | F, NULL, "Training", NULL,
      "known inputs: constant rate, no bias correction and the raw residual norm, as the guide's code" },
    { "device", TEXT(device), T | E | F, NULL, "Training", "NAME", "cpu, ref or check" },
    { "precision", CHOICE(precision, "f32|bf16|f16|auto"), C | T | E | F, NULL, "Training", NULL,
      "of large matrix products; auto: bf16 where the device has it; f16 trains with a loss scale" },
    { "strict", BOOL(strict), C | T | E | F, NULL, "Training", NULL,
      "a precision that the device lacks is an error (else f32 and a warning)" },
    { "compile-mode", CHOICE(compile_mode, "default|reduce-overhead|max-autotune"), C | T | E | F, NULL, "Training",
      NULL,
      "max-autotune times candidates once, in seconds, and keeps the answers; on a CPU reduce-overhead is default: a "
      "step is one parallel region" },
    { "resume", BOOL(resume), T, NULL, "Training", NULL, "go on with the run in --out" },
    { "overwrite", BOOL(overwrite), T | F, NULL, "Training", NULL, "replace the run in --out" },
    { "test-spectra", INT(test_spectra, 1, 1e7), E, NULL, "Training", "N", "fresh spectra at each noise level" },
};

const eis_option *eis_option_table(int64_t *count) {
    if (count) *count = (int64_t)(sizeof table / sizeof *table);
    return table;
}

void eis_options_default(eis_options *o) {
    if (o) *o = (eis_options){ .top_k = 10, .noise = "auto", .rs = "auto", .plots = true, .seed = 42,
                               .n_ground_truths = 100, .points = 12,
                        .data_dir = "eis_training_data",
                        .rerank = true, .weight_decay = 0.01, .pool_spectra = 1 << 20, .keep_out = 0.05,
                        .pool = "uniform",
                        .samples_per_pattern = 5000, .device = "cpu", .test_spectra = 1024 };
}

static char plain(char c) { return c == '_' ? '-' : c; }

static bool same_word(const char *a, const char *b, size_t length) {
    for (size_t i = 0; i < length; i++)
        if (plain(a[i]) != b[i]) return false;
    return a[length] == 0;
}

static const eis_option *find(const char *name) {
    for (size_t i = 0; i < sizeof table / sizeof *table; i++)
        if (same_word(name, table[i].name, strlen(table[i].name))) return &table[i];
    return NULL;
}

/* The guide's programs call the circuits by other names. */
static const char *without_alias(const eis_option *row, const char *text) {
    if (row->offset != offsetof(eis_options, circuit)) return text;
    return !strcmp(text, "parallel") ? "shunt" : !strcmp(text, "series") ? "chain" : text;
}

static tide_status set_choice(int *out, const eis_option *row, const char *text, tide_failure *failure) {
    const char *word = row->choices;
    for (int index = 0; *word; index++) {
        size_t length = strcspn(word, "|");
        if (same_word(without_alias(row, text), word, length)) return *out = index, TIDE_OK;
        word += length + (word[length] == '|');
    }
    return fail_at(failure, TIDE_EINVAL, NULL, 0, row->name, "--%s is one of %s, not '%s'", row->name, row->choices,
                   text);
}

static tide_status set_flag(bool *out, const eis_option *row, const char *text, tide_failure *failure) {
    static const char *const yes[] = { "true", "yes", "on", "1" }, *const no[] = { "false", "no", "off", "0" };
    *out = !text;
    for (int i = 0; text && i < 4; i++)
        if (!strcmp(text, yes[i]) || !strcmp(text, no[i])) return *out = !strcmp(text, yes[i]), TIDE_OK;
    return *out ? TIDE_OK
                : fail_at(failure, TIDE_EINVAL, NULL, 0, row->name, "--%s is yes or no, not '%s'", row->name, text);
}

static tide_status set_number(void *field, const eis_option *row, const char *text, tide_failure *failure) {
    char  *end;
    double value = num_parse(text, &end);
    bool   whole = row->type == EIS_TYPE_INT, good = end != text && !*end && value >= row->low && value <= row->high;
    if (!good || (whole && value != floor(value)))
        return fail_at(failure, TIDE_EINVAL, NULL, 0, row->name, "--%s is %s from %g to %g, not '%s'", row->name,
                       whole ? "a whole number" : "a number", row->low, row->high, text);
    if (whole) *(int64_t *)field = (int64_t)value;
    else *(double *)field = value;
    return TIDE_OK;
}

static tide_status set_text(char *field, const eis_option *row, const char *text, tide_failure *failure) {
    if (strlen(text) >= row->size)
        return fail_at(failure, TIDE_EINVAL, NULL, 0, row->name, "--%s is longer than %zu bytes", row->name,
                       row->size - 1);
    strcpy(field, text);
    return TIDE_OK;
}

static tide_status add_line(char *field, const eis_option *row, const char *text, tide_failure *failure) {
    size_t used = strlen(field), length = strlen(text);
    if (strchr(text, '\n'))
        return fail_at(failure, TIDE_EINVAL, NULL, 0, row->name, "--%s cannot hold a line break", row->name);
    if (used + length + 2 > row->size)
        return fail_at(failure, TIDE_EINVAL, NULL, 0, row->name, "--%s: too many names at once", row->name);
    if (used) field[used++] = '\n';
    memcpy(field + used, text, length + 1);
    return TIDE_OK;
}

tide_status eis_option_set(eis_options *o, const char *name, const char *text, tide_failure *failure) {
    failure_clear(failure);
    if (!o || !name)
        return fail(failure, TIDE_EINVAL, o ? "there is no name of an option" : "there are no options to set");
    const eis_option *row = find(name);
    if (!row) return fail_at(failure, TIDE_EINVAL, NULL, 0, name, "there is no option '%s'", name);
    void *field = (char *)o + row->offset;
    if (row->offset == offsetof(eis_options, circuit)) o->circuit_given = true;
    if (row->type == EIS_TYPE_BOOL) return set_flag(field, row, text, failure);
    if (!text) return fail_at(failure, TIDE_EINVAL, NULL, 0, row->name, "--%s needs a value", row->name);
    switch (row->type) {
    case EIS_TYPE_CHOICE: return set_choice(field, row, text, failure);
    case EIS_TYPE_TEXT: return set_text(field, row, text, failure);
    case EIS_TYPE_LIST: return add_line(field, row, text, failure);
    default: return set_number(field, row, text, failure);
    }
}

const char *eis_option_get(const eis_options *o, const eis_option *row, char *buffer, size_t size) {
    if (!o || !row || !buffer || !size) return "";
    const void *field = (const char *)o + row->offset;
    const char *word  = row->choices;
    char        number[32];
    switch (row->type) {
    case EIS_TYPE_BOOL: snprintf(buffer, size, "%s", *(const bool *)field ? "true" : "false"); break;
    case EIS_TYPE_INT: snprintf(buffer, size, "%" PRId64, *(const int64_t *)field); break;
    case EIS_TYPE_REAL:
        num_format(number, *(const double *)field, false);
        snprintf(buffer, size, "%s", number);
        break;
    case EIS_TYPE_CHOICE:
        for (int i = *(const int *)field; i > 0 && strchr(word, '|'); i--) word += strcspn(word, "|") + 1;
        snprintf(buffer, size, "%.*s", (int)strcspn(word, "|"), word);
        break;
    case EIS_TYPE_TEXT: snprintf(buffer, size, "%s", (const char *)field); break;
    case EIS_TYPE_LIST: buffer[0] = 0; break;
    }
    return buffer;
}
