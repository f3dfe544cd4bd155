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

enum { C = EIS_FOR_COMPLETE, G = EIS_FOR_GENERATE };
#define RESNORMS                                                                                                                      \
    "mean-abs|mean-abs-root-f|mean-abs-amplified|mean-relative-magnitude|mean-square|magnitude-phase|sse|rmse|rmse-parts|"            \
    "pseudo-chi2|reduced-chi2|normalised|complex-mape|quartic|noise-percent"

static const eis_option table[] = {
    { "known", TEXT(known), C, NULL, "Question", "Rsh=460,...", "known values of Rsh, Ra, Rb, Ca, Cb; prefixes p n u m k M" },
    { "spectrum", LIST(spectra), C, NULL, "Question", "FILE", "CSV with frequency_hz, z_re_ohm, z_im_ohm; more files may follow" },
    { "circuit", CHOICE(circuit, "shunt|chain"), C | G, NULL, "Question", NULL, "Rsh across both membranes, or in series with them" },
    { "rs", TEXT(rs), C, NULL, "Question", "OHM|free", "solution resistance in series" },
    { "noise", TEXT(noise), C, NULL, "Question", "1%", "standard deviation of each part over |Z|; auto: from the data" },
    { "flip-im", BOOL(flip_im), C, NULL, "Question", NULL, "the imaginary column is -Im(Z)" },
    { "canonical", BOOL(canonical), C, NULL, "Question", NULL, "a is the slower membrane, whatever is known" },
    { "area", REAL(area_cm2, 0, 1e6), C, NULL, "Question", "CM2", "also give TER and TEC per area" },

    { "method", CHOICE(method, "refined|exact"), C, NULL, "Answer", NULL, "continuous posterior, or that of the grid" },
    { "top-k", INT(top_k, 1, 1000), C, NULL, "Answer", "K", "candidates to list" },
    { "resnorm", CHOICE(resnorm, RESNORMS), C | G, NULL, "Answer", NULL, "the residual norm" },
    { "out", TEXT(out), C, NULL, "Answer", "DIR", "folder for tables and plots" },
    { "plots", BOOL(plots), C, NULL, "Answer", NULL, "draw plots into --out (on by default; --plots=no)" },
    { "seed", INT(seed, 0, 9e15), C | G, NULL, "Answer", "N", "of everything drawn" },

    { "profile", CHOICE(profile, "app|generator"), G, NULL, "Data", NULL,
      "app: shunt, symmetric grid, 0.1 Hz..100 kHz x 100; generator: chain, full grid, 1 Hz..1 MHz x 50" },
    { "ground-truths", TEXT(ground_truths), G, NULL, "Data", "FILE", "the circuits to compare with: JSON list of id, rsh, ra, rb, ca, cb, or a generated CSV" },
    { "n-ground-truths", INT(n_ground_truths, 1, 100000), G, NULL, "Data", "N", "how many to draw when no file is given" },
    { "grid", CHOICE(grid, "auto|full|symmetric"), G, NULL, "Data", NULL, "all circuits, or one of each swapped pair; auto: the profile's" },
    { "points", INT(points, 2, 40), G, NULL, "Data", "N", "grid values of each parameter" },
    { "n-workers", INT(workers, 0, 4096), G, NULL, "Data", "N", "threads; 0: the cores this process may use" },
    { "data-dir", TEXT(data_dir), G, NULL, "Data", "DIR", "folder for the data; a killed run goes on there" },
    { "format", CHOICE(format, "shards|csv"), G, NULL, "Data", NULL, "binary shards, or the CSV, metadata and summary of other programs" },
    { "dtype", CHOICE(dtype, "f32|f64"), G, NULL, "Data", NULL, "precision in shards" },
    { "stats-only", BOOL(stats_only), G, NULL, "Data", NULL, "only the summary, in double precision; nothing is written" },
};

const eis_option *eis_option_table(int64_t *count) {
    *count = (int64_t)(sizeof table / sizeof *table);
    return table;
}

void eis_options_default(eis_options *o) {
    *o = (eis_options){ .top_k = 10, .noise = "auto", .rs = "0", .plots = true, .seed = 42, .n_ground_truths = 100, .points = 12,
                        .data_dir = "eis_training_data" };
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
    return fail_at(failure, TIDE_EINVAL, NULL, 0, row->name, "--%s is one of %s, not '%s'", row->name, row->choices, text);
}

static tide_status set_flag(bool *out, const eis_option *row, const char *text, tide_failure *failure) {
    static const char *const yes[] = { "true", "yes", "on", "1" }, *const no[] = { "false", "no", "off", "0" };
    *out = !text;
    for (int i = 0; text && i < 4; i++)
        if (!strcmp(text, yes[i]) || !strcmp(text, no[i])) return *out = !strcmp(text, yes[i]), TIDE_OK;
    return *out ? TIDE_OK : fail_at(failure, TIDE_EINVAL, NULL, 0, row->name, "--%s is yes or no, not '%s'", row->name, text);
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
        return fail_at(failure, TIDE_EINVAL, NULL, 0, row->name, "--%s is longer than %zu bytes", row->name, row->size - 1);
    strcpy(field, text);
    return TIDE_OK;
}

static tide_status add_line(char *field, const eis_option *row, const char *text, tide_failure *failure) {
    size_t used = strlen(field), length = strlen(text);
    if (strchr(text, '\n')) return fail_at(failure, TIDE_EINVAL, NULL, 0, row->name, "--%s cannot hold a line break", row->name);
    if (used + length + 2 > row->size) return fail_at(failure, TIDE_EINVAL, NULL, 0, row->name, "--%s: too many names at once", row->name);
    if (used) field[used++] = '\n';
    memcpy(field + used, text, length + 1);
    return TIDE_OK;
}

tide_status eis_option_set(eis_options *o, const char *name, const char *text, tide_failure *failure) {
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
        for (int i = *(const int *)field; i > 0; i--) word += strcspn(word, "|") + 1;
        snprintf(buffer, size, "%.*s", (int)strcspn(word, "|"), word);
        break;
    case EIS_TYPE_TEXT: snprintf(buffer, size, "%s", (const char *)field); break;
    case EIS_TYPE_LIST: buffer[0] = 0; break;
    }
    return buffer;
}
