/* Definitions of sums, and the series that each comes down to. */
#include "hierarchy.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <tidemill/io.h>

#include "base/base.h"
#include "util.h"

enum { MOST_SUMS = 10000 };  /* each may stand in the next, and is worked out by a call within its call */

typedef struct definition {
    char  **term;
    int64_t terms, row;
    enum { NEW, OPEN, DONE } state;
    int64_t *member, members;
} definition;

typedef struct reader {
    const char   *file;     /* NULL: the option's own text */
    char *const  *series;
    int64_t       series_count, count, row;
    char        **name;     /* (count), and room */
    definition   *of;
    bool         *seen;     /* (series): in the sum that is put together */
    tide_failure *failure;
} reader;

#define REFUSE(r, ...) fail_at((r)->failure, TIDE_EINVAL, (r)->file, (r)->file ? (r)->row : 0, "sum", __VA_ARGS__)

static tide_status no_memory(reader *r) { return fail(r->failure, TIDE_ENOMEM, "out of memory for the sums"); }

/* ---- text ---- */

/* A name up to one of `ends`, which is left in *at; "" where there is none. NULL: out of memory. */
static char *take_name(const char **at, const char *ends) {
    const char *from = *at + strspn(*at, " \t\r");
    if (*from == '"' && strchr(from + 1, '"')) {
        const char *close = strchr(from + 1, '"');
        *at = close + 1 + strspn(close + 1, " \t\r");
        return strndup(from + 1, (size_t)(close - from) - 1);
    }
    size_t length = strcspn(from, ends);
    *at = from + length;
    while (length && strchr(" \t\r", from[length - 1])) length--;
    return strndup(from, length);
}

static tide_status no_definition(reader *r, const char *line) {
    int length = (int)MIN2(strcspn(line, "\n"), 80);
    return REFUSE(r, "`sum` is NAME=A+B+..., several with ; between them, not '%.*s'", length, line);
}

static tide_status read_terms(reader *r, definition *d, const char **at, const char *line) {
    do {
        char **grown = realloc(d->term, (size_t)(d->terms + 1) * sizeof *grown);
        if (grown) d->term = grown;
        char *name = grown ? take_name(at, "+;\n") : NULL;
        if (!name) return no_memory(r);
        d->term[d->terms++] = name;
        if (!*name || !strchr("+;\n", **at)) return no_definition(r, line);
    } while (*(*at)++ == '+');
    --*at;
    return TIDE_OK;
}

static tide_status read_definition(reader *r, const char **at) {
    const char *line = *at;
    char       *name = take_name(at, "=+;\n");
    if (!name) return no_memory(r);
    definition *d = &r->of[r->count];
    *d = (definition){ .row = r->row }, r->name[r->count++] = name;
    if (!*name || **at != '=') return no_definition(r, line);
    ++*at;
    if (names_find(r->series, r->series_count, name) >= 0)
        return REFUSE(r, "a sum cannot be called '%.80s', which is a series: another name", name);
    if (names_find(r->name, r->count - 1, name) >= 0) return REFUSE(r, "the sum '%.80s' is there twice", name);
    return read_terms(r, d, at, line);
}

static tide_status read_all(reader *r, const char *text) {
    int64_t most = 1;
    for (const char *c = text; *c; c++) most += *c == ';' || *c == '\n';
    r->name = calloc((size_t)most, sizeof *r->name);
    r->of   = calloc((size_t)most, sizeof *r->of);
    r->seen = calloc((size_t)r->series_count + 1, sizeof *r->seen);
    tide_status status = r->name && r->of && r->seen ? TIDE_OK : no_memory(r);
    r->row = 1;
    for (const char *at = text; status == TIDE_OK && *at; at += *at != 0) {
        at += strspn(at, " \t\r");
        if (*at == '#') at += strcspn(at, "\n");
        else if (*at && *at != ';' && *at != '\n') status = read_definition(r, &at);
        if (status == TIDE_OK && r->count > MOST_SUMS) status = REFUSE(r, "more than %d sums", (int)MOST_SUMS);
        r->row += *at == '\n';
    }
    return status;
}

/* ---- what each comes down to ---- */

static tide_status unknown(reader *r, int64_t sum, const char *term) {
    char        list[200];
    const char *near = near_name(term, r->series, r->series_count);
    if (!near) near = near_name(term, r->name, r->count);
    names_list(list, sizeof list, r->series, r->series_count);
    return REFUSE(r, "'%.60s' in the sum '%.60s' is no series that is forecast and no sum%s%.60s%s; the series are: %s",
                  term, r->name[sum], near ? ": did you mean '" : "", near ? near : "", near ? "'?" : "", list);
}

static tide_status count_series(reader *r, int64_t sum, int64_t series) {
    definition *d = &r->of[sum];
    if (r->seen[series])
        return REFUSE(r, "the sum '%.80s' would count '%.80s' twice", r->name[sum], r->series[series]);
    r->seen[series]         = true;
    d->member[d->members++] = series;
    return TIDE_OK;
}

static tide_status resolve(reader *r, int64_t sum);

/* The sum among others that a term means, worked out; -1: it means none. */
static tide_status resolve_term(reader *r, int64_t sum, const char *term, int64_t *out) {
    *out = names_find(r->name, r->count, term);
    if (*out < 0) return TIDE_OK;
    if (r->of[*out].state == OPEN)
        return REFUSE(r, "the sums go round: '%.80s' is part of '%.80s', which is part of it", term, r->name[sum]);
    return resolve(r, *out);
}

static tide_status resolve(reader *r, int64_t sum) {
    definition *d = &r->of[sum];
    tide_status status = TIDE_OK;
    int64_t     part;
    if (d->state == DONE) return TIDE_OK;
    d->state = OPEN;
    for (int64_t i = 0; status == TIDE_OK && i < d->terms; i++) {
        r->row = d->row;
        status = resolve_term(r, sum, d->term[i], &part);
    }
    if (status != TIDE_OK) return status;
    r->row    = d->row;
    d->member = malloc((size_t)r->series_count * sizeof *d->member + 1);
    if (!d->member) return no_memory(r);
    memset(r->seen, 0, (size_t)r->series_count * sizeof *r->seen);
    for (int64_t i = 0; status == TIDE_OK && i < d->terms; i++) {
        int64_t series = names_find(r->series, r->series_count, d->term[i]);
        part           = names_find(r->name, r->count, d->term[i]);
        if (series < 0 && part < 0) return unknown(r, sum, d->term[i]);
        for (int64_t k = 0; series < 0 && status == TIDE_OK && k < r->of[part].members; k++)
            status = count_series(r, sum, r->of[part].member[k]);
        if (series >= 0) status = count_series(r, sum, series);
    }
    d->state = DONE;
    return status;
}

/* ---- the whole ---- */

static tide_status put_together(reader *r, hierarchy *out) {
    int64_t members = 0;
    for (int64_t i = 0; i < r->count; i++) members += r->of[i].members;
    out->first  = malloc((size_t)(r->count + 1) * sizeof *out->first);
    out->member = malloc((size_t)members * sizeof *out->member + 1);
    if (!out->first || !out->member) return no_memory(r);
    members = 0;
    for (int64_t i = 0; i < r->count; i++) {
        out->first[i] = members;
        for (int64_t k = 0; k < r->of[i].members; k++) out->member[members++] = r->of[i].member[k];
    }
    out->first[r->count] = members;
    return TIDE_OK;
}

static void reader_free(reader *r) {
    for (int64_t i = 0; r->of && i < r->count; i++) {
        for (int64_t k = 0; k < r->of[i].terms; k++) free(r->of[i].term[k]);
        free(r->of[i].term);
        free(r->of[i].member);
    }
    free(r->of);
    free(r->seen);
}

tide_status hierarchy_read(const char *text, char *const *series, int64_t series_count, hierarchy *out,
                           tide_failure *failure) {
    reader      r    = { .series = series, .series_count = series_count, .failure = failure };
    void       *bytes = NULL;
    size_t      size;
    tide_status status = TIDE_OK;
    *out = (hierarchy){ 0 };
    if (!*text) return TIDE_OK;
    if (*text == '@') {
        r.file = text + 1;
        status = tide_file_read(r.file, &bytes, &size, failure);
    }
    if (status == TIDE_OK) status = read_all(&r, bytes ? bytes : text);
    for (int64_t i = 0; status == TIDE_OK && i < r.count; i++) status = resolve(&r, i);
    if (status == TIDE_OK && !r.count) status = REFUSE(&r, "there is no sum: NAME=A+B+...");
    if (status == TIDE_OK) status = put_together(&r, out);
    out->name = r.name, out->count = r.count;
    reader_free(&r);
    tide_free(bytes);
    return status;
}

void hierarchy_free(hierarchy *h) {
    for (int64_t i = 0; i < h->count; i++) free(h->name[i]);
    free(h->name);
    free(h->first);
    free(h->member);
    *h = (hierarchy){ 0 };
}
