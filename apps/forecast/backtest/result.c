/* What a backtest says: its measures and the JSON of them. */
#include <jansson.h>
#include <math.h>
#include <stdlib.h>

#include "base/base.h"
#include "forecast/report/sums_json.h"
#include "measures.h"
#include "rolling.h"

static const char *name_of(int k) { return k ? baseline_names[k - 1] : "model"; }

/* ---- measures ---- */

static bool columns_new(const rolling *r, forecast_backtest_result *out) {
    const model_config *c = &r->bundle->config;
    out->by_column = calloc((size_t)c->out_count + 1, sizeof *out->by_column);
    out->columns   = out->by_column ? c->out_count : 0;
    bool fine      = out->by_column != NULL;
    for (int64_t i = 0; i < out->columns; i++)
        fine = (out->by_column[i].name = strdup(r->bundle->names[c->out_first + i])) && fine;
    return fine;
}

static bool measure(const rolling *r, forecast_backtest_result *out) {
    const model_config *c = &r->bundle->config;
    const dataset      *d = &r->data;
    measured m = { .sums = &r->sums, .present = { true, true, r->seasonal != NULL, true },
                   .std = d->scaler.std + c->out_first, .block = r->block };
    naive_errors *naive = malloc((size_t)c->out_count * sizeof *naive + 1);
    out->season = r->season > 0 ? r->season : 1;
    for (int64_t i = 0; naive && i < c->out_count; i++)
        naive[i] = naive_errors_of(d->frame.values + c->out_first + i, d->split.train.rows, c->columns, out->season);
    m.naive   = naive;
    bool fine = naive && measures_fill(&m, out);
    coverage_fill(&r->intervals, m.std, out);
    free(naive);
    return fine;
}

/* ---- JSON ---- */

static void put(json_t *o, const char *key, double v) {
    json_object_set_new(o, key, isfinite(v) ? json_real(v) : json_null());
}

static void put_interval(json_t *o, const char *key, double low, double high) {
    json_t *pair = json_array();
    json_array_append_new(pair, json_real(low));
    json_array_append_new(pair, json_real(high));
    json_object_set_new(o, key, isnan(low) ? (json_decref(pair), json_null()) : pair);
}

static json_t *total_json(const forecast_backtest_total *t, int k) {
    json_t *o = json_object();
    put(o, "mse", t->mse);
    put(o, "mae", t->mae);
    put_interval(o, "mse_interval", t->mse_low, t->mse_high);
    put_interval(o, "mae_interval", t->mae_low, t->mae_high);
    put(o, "mase", t->mase);
    put(o, "rmsse", t->rmsse);
    if (!k) return o;
    put(o, "model_mae_ratio", t->ratio);
    put_interval(o, "model_mae_ratio_interval", t->ratio_low, t->ratio_high);
    return o;
}

static json_t *totals_json(const forecast_backtest_result *b) {
    json_t *o = json_object();
    for (int k = 0; k < FORECAST_BY_COUNT; k++)
        if (b->of[k].present) json_object_set_new(o, name_of(k), total_json(&b->of[k], k));
    return o;
}

static json_t *third_json(const forecast_backtest_result *b, int third) {
    int64_t first = third ? b->third_stop[third - 1] : 0;
    json_t *o = json_pack("{s:I, s:I}", "first_step", (json_int_t)(b->lead + first + 1), "last_step",
                          (json_int_t)(b->lead + b->third_stop[third]));
    for (int k = 0; k < FORECAST_BY_COUNT; k++) {
        json_t *one = json_object();
        put(one, "mse", b->of[k].third_mse[third]);
        put(one, "mae", b->of[k].third_mae[third]);
        json_object_set_new(o, name_of(k), b->of[k].present ? one : (json_decref(one), json_null()));
    }
    return o;
}

static json_t *intervals_json_of(const forecast_backtest_interval *of, int64_t count, double crps) {
    json_t *levels = json_array(), *o = json_object();
    for (int64_t i = 0; i < count; i++) {
        json_t *one = json_pack("{s:f}", "level", of[i].level);
        put(one, "coverage", of[i].coverage);
        put(one, "width", of[i].width);
        json_array_append_new(levels, one);
    }
    json_object_set_new(o, "levels", levels);
    put(o, "crps", crps);
    return o;
}

static json_t *errors_json(const forecast_backtest_errors *e) {
    json_t *o = json_object();
    put(o, "mae", e->mae);
    put_interval(o, "mae_interval", e->mae_low, e->mae_high);
    put(o, "rmse", e->rmse);
    put(o, "mase", e->mase);
    put(o, "rmsse", e->rmsse);
    put(o, "wape", e->wape);
    return o;
}

static json_t *columns_json(const forecast_backtest_result *b) {
    json_t *all = json_object();
    for (int64_t c = 0; c < b->columns; c++) {
        json_t *o = json_pack("{s:I}", "truths", (json_int_t)b->by_column[c].truths);
        for (int k = 0; k < FORECAST_BY_COUNT; k++)
            if (b->of[k].present) json_object_set_new(o, name_of(k), errors_json(&b->by_column[c].of[k]));
        if (b->level_count)
            json_object_set_new(o, "intervals", intervals_json_of(b->by_column[c].intervals, b->level_count,
                                                                  b->by_column[c].crps));
        json_object_set_new(all, b->by_column[c].name, o);
    }
    return all;
}

static void put_run(const forecast_result *out, json_t *o) {
    const forecast_backtest_result *b = out->backtest;
    const struct { const char *key; int64_t value; } counts[] = {
        { "origins", b->origins }, { "step", b->step },     { "lead", b->lead },      { "horizon", b->horizon },
        { "season", b->season },   { "refits", b->refits }, { "threads", out->threads }
    };
    json_object_set_new(o, "run", json_text(out->run));
    json_object_set_new(o, "device", json_text(out->device));
    json_object_set_new(o, "precision", json_text(out->precision));
    for (size_t i = 0; i < sizeof counts / sizeof *counts; i++)
        json_object_set_new(o, counts[i].key, json_integer(counts[i].value));
    json_object_set_new(o, "first_origin", json_text(b->first_origin));
    json_object_set_new(o, "last_origin", json_text(b->last_origin));
    if (*out->season_note) json_object_set_new(o, "season_note", json_text(out->season_note));
}

static tide_status make_json(forecast_result *out, tide_failure *failure) {
    const forecast_backtest_result *b = out->backtest;
    json_t *thirds = json_array();
    json_t *o = json_pack("{s:i, s:s, s:I, s:I}", "schema_version", 1, "command", "forecast backtest", "seq_len",
                          (json_int_t)out->seq_len, "pred_len", (json_int_t)out->pred_len);
    put_run(out, o);
    json_object_set_new(o, "scores", totals_json(b));
    for (int i = 0; i < 3 && b->third_stop[i] > (i ? b->third_stop[i - 1] : 0); i++)
        json_array_append_new(thirds, third_json(b, i));
    json_object_set_new(o, "thirds", thirds);
    if (b->level_count)
        json_object_set_new(o, "intervals", intervals_json_of(b->intervals, b->level_count, b->crps));
    json_object_set_new(o, "by_column", columns_json(b));
    json_t *sums = sums_json(&out->sums);
    if (sums) json_object_set_new(o, "sums", sums);
    json_object_set_new(o, "bootstrap", json_pack("{s:I, s:I}", "samples", (json_int_t)b->samples, "block",
                                                  (json_int_t)b->block));
    put(o, "wall_s", out->wall_s);
    put(o, "peak_rss_mib", out->peak_rss_mib);
    out->json = json_dumps(o, JSON_INDENT(2) | JSON_REAL_PRECISION(9));
    json_decref(o);
    return out->json ? TIDE_OK : rolling_no_memory(failure);
}

/* ---- the result ---- */

static void fill_setup(const rolling *r, forecast_result *out) {
    const session *s = handle_session(r->run);
    snprintf(out->run, sizeof out->run, "%s", r->options->model);
    snprintf(out->device, sizeof out->device, "%s", tide_graph_device(s->graph));
    snprintf(out->precision, sizeof out->precision, "%s", tide_precision_name(s->precision));
    snprintf(out->season_note, sizeof out->season_note, "%s", r->season_note);
    out->threads = tide_graph_threads(s->graph), out->parameters = forecaster_parameters(&r->bundle->config);
    out->columns = r->data.frame.columns, out->seq_len = r->options->seq_len, out->pred_len = r->options->pred_len;
    out->windows = r->origins, out->season = r->season;
}

tide_status rolling_result(rolling *r, forecast_result *out, tide_failure *failure) {
    forecast_backtest_result *b = out->backtest = calloc(1, sizeof *b);
    if (!b) return rolling_no_memory(failure);
    *b = (forecast_backtest_result){ .origins = r->origins, .lead = r->options->lead, .horizon = r->options->horizon,
                                     .step = r->step, .refits = r->refits, .rows = r->rows };
    r->rows = NULL;
    rolling_stamp(r, r->origin[0], b->first_origin);
    rolling_stamp(r, r->origin[r->origins - 1], b->last_origin);
    fill_setup(r, out);
    if (!columns_new(r, b) || !measure(r, b)) return rolling_no_memory(failure);
    char *const *names = r->bundle->names + r->bundle->config.out_first;
    if (r->totals.scores.windows && !sum_scores_result(&r->totals.scores, names, &out->sums))
        return rolling_no_memory(failure);
    if (isnan(b->of[FORECAST_BY_MODEL].mse))
        listener_note(&r->listener, FORECAST_STAGE_WARNING,
                      "no row that counts holds a value: there is nothing to measure by");
    out->beaten = false;
    int itself = forecaster_as_baseline(&r->bundle->config);
    for (int k = 1; k < FORECAST_BY_COUNT; k++)
        out->beaten |= k != itself && b->of[k].present && b->of[k].mse <= b->of[0].mse;
    out->wall_s       = os_seconds() - r->listener.began;
    out->peak_rss_mib = (double)os_peak_rss_bytes() / (1 << 20);
    return make_json(out, failure);
}
