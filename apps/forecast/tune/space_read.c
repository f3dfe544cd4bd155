/* A space from text: read entry by entry, each value tried on the options, and what no trial could use refused. */
#include "space.h"

#include <ctype.h>
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <tidemill/io.h>

#include "options/options.h"

/* A row's place is its site: new ones go to the end. */
static const struct { const char *name; bool encoder; } searchable[] = {
    { "arch", false },         { "seq-len", false },   { "d-model", true },      { "n-heads", true },
    { "e-layers", true },      { "d-ff", true },       { "dropout", true },      { "activation", true },
    { "use-norm", false },     { "batch-size", false }, { "learning-rate", false }, { "optimizer", false },
    { "weight-decay", false }, { "lradj", false },     { "grad-clip", false },
};
enum { SEARCHABLE = sizeof searchable / sizeof *searchable };
_Static_assert((int)SEARCHABLE <= (int)SPACE_MOST, "a space has no room for every option that can be searched");

static tide_status no_memory(tide_failure *failure) {
    return fail(failure, TIDE_ENOMEM, "out of memory for the search");
}

/* ---- from text ---- */

/* The entry that is read: its place for messages, and options to try values on. */
typedef struct reader {
    const char       *file;     /* NULL: the option itself */
    int64_t           line;
    forecast_options *scratch;
    space            *out;
    tide_failure     *failure;
} reader;

#define REFUSE(r, ...) fail_at((r)->failure, TIDE_EINVAL, (r)->file, (r)->file ? (r)->line : 0, "space", __VA_ARGS__)

static char *trimmed(char *text) {
    while (isspace((unsigned char)*text)) text++;
    size_t length = strlen(text);
    while (length && isspace((unsigned char)text[length - 1])) text[--length] = 0;
    return text;
}

static tide_status unknown_name(reader *r, const char *name) {
    char list[256] = "", words[256] = "", near[64], hint[80] = "";
    for (int i = 0; i < SEARCHABLE; i++) {
        snprintf(list + strlen(list), sizeof list - strlen(list), "%s%s", i ? "|" : "", searchable[i].name);
        snprintf(words + strlen(words), sizeof words - strlen(words), "%s%s", i ? ", " : "", searchable[i].name);
    }
    const char *found = tide_word_nearest(name, list, near, sizeof near);
    if (found) snprintf(hint, sizeof hint, " (did you mean %s?)", found);
    return REFUSE(r, "`space` cannot search '%.60s'%s: %s can be", name, hint, words);
}

static tide_status find(reader *r, const char *name, dimension *d) {
    const tide_option *row = forecast_option_find(name);
    int site = 0;
    while (row && site < SEARCHABLE && strcmp(searchable[site].name, row->name) != 0) site++;
    if (!row || site == SEARCHABLE) return unknown_name(r, name);
    for (int i = 0; i < r->out->count; i++)
        if (r->out->of[i].row == row)
            return REFUSE(r, "`space` has `%s` twice: give all its values at once", row->name);
    *d = (dimension){ .row = row, .site = site, .encoder = searchable[site].encoder };
    return TIDE_OK;
}

/* The text as the option reads back, in `out`; refused where the option's row refuses it. */
static tide_status canonical(reader *r, const dimension *d, const char *text, char out[SPACE_TEXT]) {
    tide_failure why = { 0 };
    char         buffer[FORECAST_TEXT_SIZE];
    if (!*text) return REFUSE(r, "`space`: a value of `%s` is missing", d->row->name);
    if (forecast_option_set(r->scratch, d->row->name, text, &why) != TIDE_OK)
        return REFUSE(r, "`space`: %s", why.message);
    snprintf(out, SPACE_TEXT, "%.31s", forecast_option_get(r->scratch, d->row, buffer, sizeof buffer));
    return TIDE_OK;
}

static double number_of(const reader *r, const dimension *d) {
    const void *field = option_field(r->scratch, d->row);
    return d->row->type == TIDE_OPTION_IS_INT ? (double)*(const int64_t *)field : *(const double *)field;
}

/* "LOW..HIGH" or "LOW..HIGH log". */
static tide_status read_range(reader *r, dimension *d, char *text, char *dots) {
    char  ignored[SPACE_TEXT], *high = dots + 2, *word;
    *dots = 0;
    for (word = trimmed(high); *word && !isspace((unsigned char)*word); word++) {}
    if (*word) *word++ = 0;
    d->log = !strcmp(trimmed(word), "log");
    if (*trimmed(word) && !d->log)
        return REFUSE(r, "`space`: behind a range stands log or nothing, not '%.40s'", trimmed(word));
    if (d->row->type != TIDE_OPTION_IS_INT && d->row->type != TIDE_OPTION_IS_REAL)
        return REFUSE(r, "`space`: `%s` has no numbers to draw from a range: list its values, A,B", d->row->name);
    tide_status status = canonical(r, d, trimmed(text), ignored);
    d->low = number_of(r, d);
    if (status == TIDE_OK) status = canonical(r, d, trimmed(high), ignored);
    d->high = number_of(r, d);
    if (status != TIDE_OK) return status;
    if (!(d->low < d->high))
        return REFUSE(r, "`space`: the range of `%s` is empty: LOW..HIGH needs LOW below HIGH", d->row->name);
    if (d->log && !(d->low > 0))
        return REFUSE(r, "`space`: a range that is drawn by its logarithm begins above 0, and that of `%s` does not",
                      d->row->name);
    return TIDE_OK;
}

static tide_status read_list(reader *r, dimension *d, char *text) {
    tide_status status = TIDE_OK;
    for (char *value; status == TIDE_OK && (value = strsep(&text, ","));) {
        if (d->count == SPACE_VALUES)
            return REFUSE(r, "`space`: `%s` has more than %d values: a range LOW..HIGH has any number", d->row->name,
                          SPACE_VALUES);
        status = canonical(r, d, trimmed(value), d->value[d->count]);
        for (int i = 0; status == TIDE_OK && i < d->count; i++)
            if (!strcmp(d->value[i], d->value[d->count]))
                return REFUSE(r, "`space`: `%s` has the value %s twice", d->row->name, d->value[i]);
        d->count++;
    }
    return status;
}

static tide_status read_entry(reader *r, char *text) {
    dimension d;
    char     *values = strchr(text, '=');
    if (!*text) return TIDE_OK;
    if (!values)
        return REFUSE(r, "`space`: '%.60s' is no NAME=VALUE,VALUE and no NAME=LOW..HIGH", text);
    *values++ = 0;
    tide_status status = find(r, trimmed(text), &d);
    if (status != TIDE_OK) return status;
    char *dots = strstr(values, "..");
    status     = dots ? read_range(r, &d, values, dots) : read_list(r, &d, values);
    if (status == TIDE_OK) r->out->of[r->out->count++] = d;
    return status;
}

static tide_status read_lines(reader *r, char *text) {
    tide_status status = TIDE_OK;
    for (char *line; status == TIDE_OK && (line = strsep(&text, "\n"));) {
        r->line++;
        line[strcspn(line, "#")] = 0;
        for (char *entry; status == TIDE_OK && (entry = strsep(&line, ";"));) status = read_entry(r, trimmed(entry));
    }
    return status;
}

/* ---- what is legal ---- */

/* Widths and heads are legal in pairs: one that some value of the other goes with is. */
static bool has_partner(const space *s, const dimension *d, forecast_options *o) {
    tide_failure     ignored = { 0 };
    const char      *other   = !strcmp(d->row->name, "d-model") ? "n-heads" : "d-model";
    const dimension *partner = space_dimension(s, other);
    for (int i = 0; partner && i < partner->count; i++) {
        forecast_option_set(o, other, partner->value[i], &ignored);
        if (space_legal(o, &ignored)) return true;
        ignored = (tide_failure){ 0 };
    }
    return partner && !partner->count; /* a range: drawing tells */
}

static tide_status check_value(reader *r, const ground *g, const dimension *d, const char *value) {
    tide_failure why = { 0 };
    *r->scratch      = *g->given;
    forecast_option_set(r->scratch, d->row->name, value, &why);
    if (space_legal(r->scratch, &why)) return TIDE_OK;
    if (why.status == TIDE_ENOMEM) return no_memory(r->failure);
    bool paired = !strcmp(d->row->name, "d-model") || !strcmp(d->row->name, "n-heads");
    if (paired && has_partner(r->out, d, r->scratch)) return TIDE_OK;
    return REFUSE(r, "`space`: with `%s` %s: %s", d->row->name, value, why.message);
}

/* The shortest and the longest: what a look-back changes, it changes the more the further it is from the ground's. */
static tide_status check_look_backs(reader *r, const ground *g, const dimension *d) {
    double shortest = d->count ? num_parse(d->value[0], NULL) : d->low, longest = d->high;
    for (int k = 0; k < d->count; k++) {
        double v = num_parse(d->value[k], NULL);
        shortest = fmin(shortest, v), longest = fmax(longest, v);
    }
    tide_status status = ground_look_back(g, (int64_t)longest, r->failure);
    return status == TIDE_OK ? ground_look_back(g, (int64_t)shortest, r->failure) : status;
}

static tide_status check(reader *r, const ground *g) {
    tide_status status = TIDE_OK;
    for (int i = 0; i < r->out->count; i++) {
        const dimension *d = &r->out->of[i];
        for (int k = 0; status == TIDE_OK && k < d->count; k++) status = check_value(r, g, d, d->value[k]);
        if (status == TIDE_OK && !strcmp(d->row->name, "seq-len")) status = check_look_backs(r, g, d);
        if (status != TIDE_OK) return status;
    }
    r->line = 0;
    point first, drawn;
    bool  found;
    space_ground(r->out, &g->resolved, &first);
    status = space_draw(r->out, &g->resolved, 2, &first, 1, &drawn, &found, r->failure);
    if (status == TIDE_OK && r->out->count && !found)
        return REFUSE(r, "`space` has no legal settings but those that are given: `n-heads` divides `d-model`, and "
                         "each needs values that go together");
    return status;
}

static tide_status text_of(const ground *g, char **out, const char **file, tide_failure *failure) {
    const char *given = g->given->space;
    void       *bytes = NULL;
    size_t      size  = 0;
    text        usual = { 0 };
    *file = NULL;
    if (!*given) {
        tide_status status = space_usual(g, &usual, failure);
        if (status == TIDE_OK && !usual.length)
            status = fail_at(failure, TIDE_EINVAL, NULL, 0, "space",
                             "all that is searched by default was given: `space` says what to search");
        *out = usual.data;
        return status;
    }
    if (!strcmp(given, "none")) return *out = strdup(""), *out ? TIDE_OK : no_memory(failure);
    if (strchr(given, '=')) return *out = strdup(given), *out ? TIDE_OK : no_memory(failure);
    *file = given;
    tide_status status = tide_file_read(given, &bytes, &size, failure);
    if (status == TIDE_OK && !(*out = strndup(bytes, size))) status = no_memory(failure);
    tide_free(bytes);
    return status;
}

tide_status space_read(const ground *g, space *out, tide_failure *failure) {
    char       *text = NULL;
    const char *file;
    *out               = (space){ 0 };
    tide_status status = text_of(g, &text, &file, failure);
    reader r = { .file = file, .scratch = malloc(sizeof *r.scratch), .out = out, .failure = failure };
    if (status == TIDE_OK && !r.scratch) status = no_memory(failure);
    if (status == TIDE_OK) {
        *r.scratch = g->resolved;
        status     = read_lines(&r, text);
    }
    if (status == TIDE_OK) status = check(&r, g);
    free(r.scratch);
    free(text);
    return status;
}
