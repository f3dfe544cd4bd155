/* An explanation in a few lines for people, and as members of a JSON object. */
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/json.h"
#include "drift.h"
#include "explained.h"

enum { MOST_LINES = 10, MOST_TOKENS = 64 };

int64_t explained_largest(const double *first, size_t bytes, int64_t count, int64_t most, int64_t *out) {
#define VALUE(i) (*(const double *)(const void *)((const char *)first + (size_t)(i) * bytes))
    int64_t found = 0;
    for (int64_t i = 0; i < count; i++) {
        int64_t at = 0;
        while (at < found && VALUE(out[at]) >= VALUE(i)) at++;
        if (at == most) continue;
        found = MIN2(found + 1, most);
        for (int64_t k = found - 1; k > at; k--) out[k] = out[k - 1];
        out[at] = i;
    }
    return found;
#undef VALUE
}

int64_t explained_top(const forecast_inputs *in, int64_t most, int64_t *out) {
    return explained_largest(&in->input->share, sizeof *in->input, in->count, most, out);
}

double tenths(double v) { return fabs(v) < 0.05 ? 0 : v; }

double others_share(const forecast_inputs *in) {
    double all = 0;
    for (int64_t i = 0; i < in->count; i++) all += in->input[i].share;
    return fmax(all - in->own_share, 0);
}

int64_t drift_few(const forecast_inputs *in) {
    int64_t few = 0;
    for (int64_t c = 0; c < in->drift_count; c++) few += !in->drift[c].compared;
    return few;
}

/* ---- text ---- */

static void put_inputs(const forecast_inputs *in, text *t) {
    int64_t top[MOST_LINES], shown = explained_top(in, MOST_LINES, top);
    text_add(t, "a target's own column carries %.1f %% of its forecast, other inputs %.1f %%\n", in->own_share,
             others_share(in));
    text_add(t, "carries %%  error without it  input (%" PRId64 " windows, %" PRId64 " of %" PRId64 " targets)\n",
             in->windows, in->explained_count, in->targets);
    for (int64_t i = 0; i < shown; i++) {
        const forecast_input *p = &in->input[top[i]];
        text_add(t, "%9.1f", p->share);
        if (isfinite(p->loss_rise)) text_add(t, "  %+14.1f %%", tenths(p->loss_rise));
        else text_add(t, "  %16s", "-");
        text_add(t, "  %s\n", p->name);
    }
    if (in->count > shown) text_add(t, "%" PRId64 " more inputs: attributions.csv\n", in->count - shown);
}

static void put_drift(const forecast_inputs *in, text *t) {
    int64_t moved = 0, put = 0, few = drift_few(in);
    char    words[DRIFT_WORDS];
    text_add(t, "%s\n", in->drift_note);
    for (int64_t c = 0; c < in->drift_count; c++) {
        const forecast_drift *d = &in->drift[c];
        if (!d->moved || moved++ >= MOST_LINES) continue;
        text_add(t, "  moved: %s (%s", d->column, drift_words(d->moved, words));
        if (d->compared) text_add(t, "; level %+.2f deviations, KS %.2f", d->shift.value, d->ks.value);
        text_add(t, ")\n");
        put++;
    }
    if (moved > put) text_add(t, "  %" PRId64 " more have moved: drift.csv\n", moved - put);
    if (in->drift_count > few && !moved) text_add(t, "  no column has moved\n");
    if (few)
        text_add(t, "  %" PRId64 " columns hold too few values to compare: 30 of training and 10 of now are needed\n",
                 few);
}

char *explained_text(const explained *x) {
    const forecast_inputs *in = inputs_of(x);
    text t = { 0 };
    text_add(&t, "test, %" PRId64 " windows: mse %.4f", x->result->windows, x->result->model.mse);
    for (int i = 0; i < 3; i++)
        if (x->result->baselines[i].present)
            text_add(&t, ", %s %.4f", ((const char *[]){ "last value", "seasonal naive", "linear" })[i],
                     x->result->baselines[i].mse);
    text_add(&t, "\n");
    put_inputs(in, &t);
    if (*in->no_attention) text_add(&t, "no attention map: %s\n", in->no_attention);
    put_drift(in, &t);
    text_add(&t, "page: %s\n", in->report);
    if (!t.failed) return t.data;
    text_free(&t);
    return NULL;
}

/* ---- JSON ---- */

static json_t *input_json(const forecast_input *p) {
    static const char *const kinds[] = { [FORECAST_INPUT_SERIES] = "series", [FORECAST_INPUT_KNOWN] = "known",
                                         [FORECAST_INPUT_CALENDAR] = "calendar" };
    return json_pack("{s:o, s:s, s:o, s:o}", "name", json_text(p->name), "kind", kinds[p->kind], "share",
                     json_finite(p->share), "loss_rise", json_finite(p->loss_rise));
}

static json_t *explained_one(const forecast_inputs *in, const forecast_explained *e) {
    json_t *of = json_array();
    for (int64_t i = 0; i < in->count; i++)
        of = json_with_item(of, json_pack("{s:o, s:o, s:o, s:o}", "input", json_text(in->input[i].name), "share",
                                          json_finite(e->of[i].share), "strength", json_finite(e->of[i].strength),
                                          "mean", json_finite(e->of[i].mean)));
    return json_pack("{s:o, s:o, s:o, s:o, s:o}", "target", json_text(e->name), "forecast", json_finite(e->forecast),
                     "flat", json_finite(e->flat), "gap", json_finite(e->gap), "attributions", of);
}

static json_t *numbers_json(const double *values, int64_t count) {
    json_t *list = json_array();
    for (int64_t i = 0; i < count; i++) list = json_with_item(list, json_finite(values[i]));
    return list;
}

/* Large maps are in the CSV alone. */
static json_t *attention_json(const forecast_attention *a) {
    json_t *names = json_array(), *rows = a->tokens > MOST_TOKENS ? json_null() : json_array();
    for (int64_t i = 0; i < a->tokens; i++) {
        names = json_with_item(names, json_text(a->token[i]));
        if (a->tokens <= MOST_TOKENS)
            rows = json_with_item(rows, numbers_json(a->weight + i * a->tokens, a->tokens));
    }
    return json_pack("{s:s, s:I, s:o, s:o}", "model", a->model, "layer", (json_int_t)a->layer, "tokens", names,
                     "weights", rows);
}

static json_t *measure_json(forecast_drift_measure m) {
    return json_pack("{s:o, s:o}", "value", json_finite(m.value), "usual", json_finite(m.usual));
}

static json_t *drift_json(const forecast_drift *d) {
    char words[DRIFT_WORDS];
    return json_pack("{s:o, s:b, s:s, s:b, s:I, s:I, s:o, s:o, s:o, s:o, s:o, s:o, s:o}", "column",
                     json_text(d->column), "moved", d->moved != 0, "what", drift_words(d->moved, words), "compared",
                     d->compared, "values_before", (json_int_t)d->before, "values_now", (json_int_t)d->now, "shift",
                     measure_json(d->shift), "spread", measure_json(d->spread), "ks", measure_json(d->ks), "psi",
                     measure_json(d->psi), "outside", measure_json(d->outside), "missing_before",
                     json_finite(d->missing_before), "missing_now", json_finite(d->missing_now));
}

bool explained_json(const explained *x, json_t **o) {
    const forecast_inputs *in     = inputs_of(x);
    json_t                *inputs = json_array(), *targets = json_array(), *maps = json_array(), *drift = json_array();
    for (int64_t i = 0; i < in->count; i++) inputs = json_with_item(inputs, input_json(&in->input[i]));
    for (int64_t k = 0; k < in->explained_count; k++)
        targets = json_with_item(targets, explained_one(in, &in->explained[k]));
    for (int64_t i = 0; i < in->attention_count; i++)
        maps = json_with_item(maps, attention_json(&in->attention[i]));
    for (int64_t c = 0; c < in->drift_count; c++) drift = json_with_item(drift, drift_json(&in->drift[c]));
    const struct { const char *key; json_t *value; } members[] = {
        { "report", json_text(in->report) }, { "explained_windows", json_integer(in->windows) },
        { "path_points", json_integer(in->steps) },
        { "own_share", json_finite(in->own_share) }, { "inputs", inputs }, { "targets", targets },
        { "attention", maps }, { "no_attention", *in->no_attention ? json_text(in->no_attention) : json_null() },
        { "drift", drift }, { "drift_note", json_text(in->drift_note) }
    };
    for (size_t i = 0; i < sizeof members / sizeof *members; i++) *o = json_with(*o, members[i].key, members[i].value);
    return *o != NULL;
}
