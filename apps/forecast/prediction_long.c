/* A forecast in long format: the input's columns in their order, the rows of one series below those of another. */
#include <stdlib.h>

#include "base/base.h"
#include "forecast/data/zoned.h"
#include "prediction.h"

/* A column of the file that is written: the place-th, holding an id, a part of the stamp or a value. */
typedef struct written { int64_t place, of; enum { WRITTEN_ID, WRITTEN_TIME, WRITTEN_VALUE } what; } written;

static int by_place(const void *a, const void *b) {
    const written *x = a, *y = b;
    return (x->place > y->place) - (x->place < y->place);
}

/* In the file's order; NULL: out of memory. */
static written *columns_of(const frame *f, int64_t *count) {
    const long_form *form = &f->form;
    int64_t          ids = form->ids, all = ids + form->values + f->time_columns.count, n = 0;
    written         *out = malloc((size_t)all * sizeof *out);
    if (!out) return NULL;
    for (int64_t i = 0; i < ids + form->values; i++)
        out[n++] = (written){ form->place[i], i < ids ? i : i - ids, i < ids ? WRITTEN_ID : WRITTEN_VALUE };
    for (int i = 0; i < f->time_columns.count; i++)
        out[n++] = (written){ f->time_columns.of[i].place, i, WRITTEN_TIME };
    qsort(out, (size_t)n, sizeof *out, by_place);
    *count = n;
    return out;
}

static const char *name_of(const frame *f, const written *w) {
    if (w->what == WRITTEN_TIME) return f->time_columns.of[w->of].name;
    return f->form.names[w->what == WRITTEN_ID ? w->of : f->form.ids + w->of];
}

/* Are two of the frame's columns values of one series? */
static bool same_series(const long_form *form, int64_t a, int64_t b) {
    for (int64_t i = 0; i < form->ids; i++)
        if (strcmp(form->id[a * form->ids + i], form->id[b * form->ids + i]) != 0) return false;
    return true;
}

/* A value's name, with its bounds around it. */
static void add_names(const prediction *p, text *t, const written *w) {
    char suffix[40] = "";
    for (int64_t place = 0; place < (w->what == WRITTEN_VALUE ? prediction_places(p) : 1); place++) {
        if (place) text_add(t, ",");
        if (w->what == WRITTEN_VALUE) prediction_suffix(p, place, suffix);
        prediction_add_cell(t, name_of(&p->data.frame, w), suffix);
    }
}

/* -1: this value of the series is not forecast. */
static void add_values(const prediction *p, text *t, int64_t cell) {
    for (int64_t place = 0; place < prediction_places(p); place++) {
        if (place) text_add(t, ",");
        if (cell >= 0) prediction_add_value(p, t, cell, place);
    }
}

/* A sum's name stands where the first id does. */
static const char *id_of(const prediction *p, int64_t series, int64_t id) {
    const long_form *form = &p->data.frame.form;
    int64_t          columns = p->bundle->config.out_count;
    if (series >= columns) return id ? "" : prediction_name(p, series);
    return form->id[(p->bundle->config.out_first + series) * form->ids + id];
}

/* `at`: which of the forecast's series holds each value of the one that is written, -1 where none does; `series` is one
 * of them. */
static void add_row(const prediction *p, text *t, int64_t row, const written *w, int64_t count, const int64_t *at,
                    int64_t series) {
    const model_config *c = &p->bundle->config;
    const frame        *f = &p->data.frame;
    for (int64_t k = 0; k < count; k++) {
        char stamp[40];
        if (k) text_add(t, ",");
        switch (w[k].what) {
        case WRITTEN_ID: prediction_add_cell(t, id_of(p, series, w[k].of), ""); break;
        case WRITTEN_VALUE: add_values(p, t, at[w[k].of] < 0 ? -1 : row * p->series + at[w[k].of]); break;
        case WRITTEN_TIME:
            zoned_print_part(stamp, f->zone, p->time[c->seq_len + row], &f->format, f->time_columns.of[w[k].of].part);
            prediction_add_cell(t, stamp, "");
        }
    }
    text_add(t, "\n");
}

/* The value of the file that a series is one of; of a sum that of what it begins with. */
static int64_t value_of(const prediction *p, int64_t series) {
    const model_config *c = &p->bundle->config;
    if (series >= c->out_count) series = p->sums.member[p->sums.first[series - c->out_count]];
    return p->data.frame.form.value[c->out_first + series];
}

/* From the i-th of what is shown on, those of one series into `at`; the first of the next. */
static int64_t take_series(const prediction *p, int64_t i, int64_t *at) {
    const model_config *c    = &p->bundle->config;
    const long_form    *form = &p->data.frame.form;
    int64_t             one  = p->order[i];
    for (int64_t v = 0; v < form->values; v++) at[v] = -1;
    at[value_of(p, one)] = one;
    for (i++; one < c->out_count && i < p->shown; i++) {
        int64_t other = p->order[i];
        if (other < 0) continue; /* a time column, which stands among them */
        if (other >= c->out_count || !same_series(form, c->out_first + one, c->out_first + other)) break;
        at[value_of(p, other)] = other;
    }
    return i;
}

void prediction_long_header(const prediction *p, text *t) {
    int64_t  count = 0;
    written *w = columns_of(&p->data.frame, &count);
    t->failed = t->failed || !w;
    for (int64_t k = 0; !t->failed && k < count; k++) {
        if (k) text_add(t, ",");
        add_names(p, t, &w[k]);
    }
    text_add(t, "\n");
    free(w);
}

void prediction_long_rows(const prediction *p, text *t, const char *before) {
    int64_t  count = 0, *at = malloc((size_t)p->data.frame.form.values * sizeof *at);
    written *w = columns_of(&p->data.frame, &count);
    t->failed = t->failed || !at || !w;
    for (int64_t i = 0, next; !t->failed && i < p->shown; i = next) {
        next = i + 1;
        if (p->order[i] < 0) continue;
        next = take_series(p, i, at);
        for (int64_t s = 0; s < p->rows; s++) {
            text_add(t, "%s", before);
            add_row(p, t, s, w, count, at, p->order[i]);
        }
    }
    free(at);
    free(w);
}
