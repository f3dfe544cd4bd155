/* Results of the forecaster's commands as JSON and as tables. */
#include "report.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <tidemill/backtest.h>
#include <tidemill/tune.h>

#include "base/base.h"
#include "forecast/score/sum_scores.h"
#include "inputs_free.h"
#include "intervals_json.h"
#include "members_json.h"
#include "sums_json.h"
#include "train/run.h"

enum { SCHEMA_VERSION = 1 };

bool error_parts_new(const score *s, int64_t steps, int64_t columns, error_parts *out) {
    double *all = malloc((size_t)(2 * (steps + columns)) * sizeof *all + 1);
    *out        = (error_parts){ 0 };
    if (!all) return false;
    *out = (error_parts){ all, all + steps, all + 2 * steps, all + 2 * steps + columns, steps, columns };
    score_parts(s, out->step_mse, out->step_mae, out->column_mse, out->column_mae);
    return true;
}

void error_parts_free(error_parts *p) {
    free(p->step_mse);
    *p = (error_parts){ 0 };
}

/* JSON knows no NaN. */
static json_t *number(double v) { return isfinite(v) ? json_real(v) : json_null(); }

static void put(json_t *o, const char *key, double v) { json_object_set_new(o, key, number(v)); }

static json_t *scaled_json(const forecast_score *s) {
    json_t *o = json_object();
    put(o, "mse", s->mse);
    put(o, "mae", s->mae);
    put(o, "rmse", s->rmse);
    return o;
}

static json_t *original_json(const forecast_score *s) {
    const struct { const char *key; double value; } rows[] = { { "mse", s->original_mse }, { "mae", s->original_mae },
                                                               { "rmse", s->original_rmse },
                                                               { "mape", s->mape },         { "mspe", s->mspe },
                                                               { "smape", s->smape },
                                                               { "wape", s->wape } };
    json_t *o = json_object();
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) put(o, rows[i].key, rows[i].value);
    json_object_set_new(o, "mape_left_out", json_integer(s->mape_left_out));
    json_object_set_new(o, "mape_by_small_truths", json_boolean(s->mape_by_small_truths));
    return o;
}

static json_t *direction_json(const forecast_score *s) {
    json_t *o = json_object();
    put(o, "accuracy", s->direction);
    put(o, "majority", s->direction_majority);
    put(o, "low", s->direction_low);
    put(o, "high", s->direction_high);
    put(o, "across_windows", s->direction_across);
    return o;
}

static json_t *baselines_json(const forecast_result *r) {
    json_t *all = json_object();
    for (int i = 0; i < 3; i++) {
        const forecast_score *s = &r->baselines[i];
        if (!s->present) continue;
        json_t *o = scaled_json(s);
        json_object_set_new(o, "original", original_json(s));
        json_object_set_new(o, "direction", direction_json(s));
        if (i == 1) json_object_set_new(o, "season", json_integer(r->season));
        json_object_set_new(all, s->name, o);
    }
    return all;
}

static json_t *parts_json(const double *mse, const double *mae, int64_t count) {
    json_t *a = json_array(), *b = json_array(), *o = json_object();
    for (int64_t i = 0; i < count; i++) {
        json_array_append_new(a, number(mse[i]));
        json_array_append_new(b, number(mae[i]));
    }
    json_object_set_new(o, "mse", a);
    json_object_set_new(o, "mae", b);
    return o;
}

static json_t *units_json(const forecast_column_score *s, int which) {
    json_t *o = json_object();
    put(o, "mse", s->original_mse[which]);
    put(o, "mae", s->original_mae[which]);
    put(o, "rmse", sqrt(s->original_mse[which]));
    return o;
}

static json_t *column_json(const forecast_result *r, const forecast_column_score *s) {
    json_t *o = json_object(), *baselines = json_object();
    if (r->model.present) {
        put(o, "mse", s->mse);
        put(o, "mae", s->mae);
        json_object_set_new(o, "original", units_json(s, 0));
    }
    for (int i = 0; i < 3; i++)
        if (r->baselines[i].present)
            json_object_set_new(baselines, r->baselines[i].name, json_pack("{s:o}", "original", units_json(s, i + 1)));
    json_object_set_new(o, "baselines", baselines);
    return o;
}

static json_t *columns_json(const forecast_result *r) {
    json_t *o = json_object();
    for (int64_t i = 0; i < r->by_column_count; i++)
        json_object_set_new(o, r->by_column[i].name, column_json(r, &r->by_column[i]));
    return o;
}

static void put_training(json_t *o, const forecast_result *r) {
    const struct { const char *key; int64_t value; } counts[] = { { "epochs", r->epochs },
                                                                  { "best_epoch", r->best_epoch },
                                                                  { "steps", r->steps },
                                                                  { "resumed_from_step", r->resumed_from_step } };
    for (size_t i = 0; i < sizeof counts / sizeof *counts; i++)
        json_object_set_new(o, counts[i].key, json_integer(counts[i].value));
    json_t *ms = json_object();
    put(ms, "median", r->step_ms_median);
    put(ms, "min", r->step_ms_min);
    json_object_set_new(o, "step_ms", ms);
    put(o, "compile_ms", r->compile_ms);
    put(o, "first_step_ms", r->first_step_ms);
    if (r->explanation) json_object_set_new(o, "explanation", json_loads(r->explanation, 0, NULL));
    put(o, "best_val_loss", r->best_val_loss);
    json_object_set_new(o, "refit", json_boolean(r->refit));
    put(o, "train_s", r->train_s);
    if (!r->member_count) return;
    json_object_set_new(o, "members", members_json(r->members, r->member_count));
    json_object_set_new(o, "stacking", json_text(r->stacking));
    put(o, "budget_s", r->budget_s);
}

static void put_model(json_t *o, const forecast_result *r) {
    json_object_set_new(o, "run", json_text(r->run));
    json_object_set_new(o, "parameters", json_integer(r->parameters));
    json_object_set_new(o, "device", json_text(r->device));
    json_object_set_new(o, "precision", json_text(r->precision));
    json_object_set_new(o, "threads", json_integer(r->threads));
    if (!r->model.present) return;
    json_object_set_new(o, "test", scaled_json(&r->model));
    json_object_set_new(o, "original", original_json(&r->model));
    json_object_set_new(o, "direction", direction_json(&r->model));
    json_object_set_new(o, "beaten_by_baseline", json_boolean(r->beaten));
}

static json_t *lines_json(const char *lines) {
    json_t *all = json_array();
    while (*lines) {
        char   line[sizeof ((forecast_result *)0)->advice];
        size_t length = strcspn(lines, "\n");
        snprintf(line, sizeof line, "%.*s", (int)length, lines);
        json_array_append_new(all, json_text(line));
        lines += length + (lines[length] == '\n');
    }
    return all;
}

tide_status report_json(const char *command, forecast_result *r, const error_parts *parts, tide_failure *failure) {
    json_t *o = json_pack("{s:i, s:s, s:I, s:I, s:I, s:I}", "schema_version", SCHEMA_VERSION, "command", command,
                          "windows", (json_int_t)r->windows,
                          "columns", (json_int_t)r->columns, "seq_len", (json_int_t)r->seq_len, "pred_len",
                          (json_int_t)r->pred_len);
    if (*r->run || r->model.present) put_model(o, r);
    if (r->epochs || r->solved) put_training(o, r);
    if (r->windows) json_object_set_new(o, "baselines", baselines_json(r));
    if (*r->season_note) json_object_set_new(o, "season_note", json_text(r->season_note));
    if (parts && parts->step_mse)
        json_object_set_new(o, "horizon", parts_json(parts->step_mse, parts->step_mae, parts->steps));
    if (r->by_column) json_object_set_new(o, "by_column", columns_json(r));
    json_t *intervals = intervals_json(r), *sums = sums_json(&r->sums);
    if (intervals) json_object_set_new(o, "intervals", intervals);
    if (sums) json_object_set_new(o, "sums", sums);
    json_object_set_new(o, "advice", lines_json(r->advice));
    put(o, "wall_s", r->wall_s);
    put(o, "peak_rss_mib", r->peak_rss_mib);
    free(r->json);
    r->json = json_dumps(o, JSON_INDENT(2) | JSON_REAL_PRECISION(9));
    json_decref(o);
    return r->json ? TIDE_OK : fail(failure, TIDE_ENOMEM, "out of memory for the result");
}

void report_setup(const char *run, const session *s, int64_t columns, forecast_result *r) {
    const model_config *c = &s->model.config;
    snprintf(r->run, sizeof r->run, "%.511s", run);
    snprintf(r->device, sizeof r->device, "%s", tide_graph_device(s->graph));
    snprintf(r->precision, sizeof r->precision, "%s", tide_precision_name(s->precision));
    r->threads = tide_graph_threads(s->graph), r->parameters = forecaster_parameters(c);
    r->columns = columns, r->seq_len = c->seq_len, r->pred_len = c->pred_len;
}

void report_baselines(forecast_result *r, const baseline_parts *parts, bool metrics_scaled, const listener *l) {
    char list[160] = "";
    r->season = parts->season;
    snprintf(r->season_note, sizeof r->season_note, "%s", parts->season_note);
    for (int i = 0; i < 3; i++) {
        if (!parts->present[i]) continue;
        r->baselines[i] = score_pair_result(baseline_names[i], &parts->pair[i], metrics_scaled);
        if (!r->model.present || r->baselines[i].mse > r->model.mse) continue;
        size_t used = strlen(list);
        snprintf(list + used, sizeof list - used, "%s%s (%.4f)", r->beaten ? ", " : "", baseline_names[i],
                 r->baselines[i].mse);
        r->beaten = true;
    }
    if (r->beaten)
        listener_note(l, FORECAST_STAGE_WARNING, "by test MSE the model (%.4f) does not beat %s", r->model.mse, list);
}

/* ---- errors by column ---- */

static void columns_free(forecast_result *r) {
    for (int64_t i = 0; i < r->by_column_count; i++) free(r->by_column[i].name);
    free(r->by_column);
    r->by_column = NULL, r->by_column_count = 0;
}

static tide_status no_memory(tide_failure *failure) {
    return fail(failure, TIDE_ENOMEM, "out of memory for the result");
}

/* The scores of the columns by the model or a baseline, one of the four. */
static tide_status put_columns(forecast_result *r, const score *original, int which, tide_failure *failure) {
    int64_t count = r->by_column_count;
    double *mse   = malloc((size_t)(2 * count) * sizeof *mse + 1);
    if (!mse) return no_memory(failure);
    score_parts(original, NULL, NULL, mse, mse + count);
    for (int64_t i = 0; i < count; i++)
        r->by_column[i].original_mse[which] = mse[i], r->by_column[i].original_mae[which] = mse[count + i];
    free(mse);
    return TIDE_OK;
}

static bool columns_new(forecast_result *r, const dataset *d, const error_parts *scaled) {
    columns_free(r);
    if (!(r->by_column = calloc((size_t)d->out_count + 1, sizeof *r->by_column))) return false;
    r->by_column_count = d->out_count;
    for (int64_t i = 0; i < d->out_count; i++) {
        forecast_column_score *s = &r->by_column[i];
        *s = (forecast_column_score){ .name = strdup(d->frame.names[d->out_first + i]),
                                      .mse = (double)NAN,
                                      .mae = (double)NAN };
        if (scaled->column_mse) s->mse = scaled->column_mse[i], s->mae = scaled->column_mae[i];
        for (int k = 0; k < 4; k++) s->original_mse[k] = s->original_mae[k] = (double)NAN;
        if (!s->name) return false;
    }
    return true;
}

tide_status report_columns(forecast_result *r, const dataset *d, const score_pair *model,
                           const baseline_parts *baselines, tide_failure *failure) {
    error_parts scaled = { 0 };
    bool fine =
        (!model || error_parts_new(model->scaled, r->pred_len, d->out_count, &scaled)) && columns_new(r, d, &scaled);
    tide_status status = fine ? TIDE_OK : no_memory(failure);
    if (status == TIDE_OK && model) status = put_columns(r, model->original, 0, failure);
    for (int i = 0; status == TIDE_OK && i < 3; i++)
        if (baselines->present[i]) status = put_columns(r, baselines->pair[i].original, i + 1, failure);
    error_parts_free(&scaled);
    return status;
}

/* Each of its arrays is a part of one of three. */
void backtest_rows_free(forecast_backtest_rows *rows) {
    if (rows) free(rows->origin), free(rows->forecast), free(rows->time);
    free(rows);
}

static void backtest_free(forecast_result *r) {
    for (int64_t i = 0; r->backtest && i < r->backtest->columns; i++) free(r->backtest->by_column[i].name);
    if (r->backtest) free(r->backtest->by_column), backtest_rows_free(r->backtest->rows);
    free(r->backtest);
    r->backtest = NULL;
}

static void tune_free(forecast_tune_result *t) {
    if (!t) return;
    for (int64_t i = 0; i < t->count; i++) free(t->trials[i].settings), free(t->trials[i].reason);
    free(t->trials);
    free(t->seeds);
    free(t->command);
    free(t);
}

void forecast_result_free(forecast_result *r) {
    if (!r) return;
    intervals_free_all(r);
    sums_free(&r->sums);
    columns_free(r);
    backtest_free(r);
    tune_free(r->tune);
    inputs_free(r->inputs);
    r->tune = NULL, r->inputs = NULL;
    free(r->json);
    free(r->csv);
    free(r->text);
    free(r->explanation);
    r->json = r->csv = r->text = r->explanation = NULL;
}
