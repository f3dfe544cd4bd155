/* The questions about a table: what comes next, and how good the model is on it. */
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "forecast.h"
#include "later.h"

/* ---- predict ---- */

/* With options->use; of the two answers the one that is wanted. */
static tide_status forecast_once(table_task *t, const forecast_options *o, json_t **json, char **csv,
                                 tide_failure *failure) {
    if (t->frame) {
        forecast_prediction p;
        tide_status status = forecast_model_forecast(t->model->forecast, t->frame, o, table_task_hear, t, &p, failure);
        if (status != TIDE_OK) return status;
        if (csv) *csv = forecast_as_csv(&p);
        else *json = forecast_as_json(&p);
        forecast_prediction_free(&p);
        return TIDE_OK;
    }
    forecast_result r = { 0 };
    tide_status status = forecast_predict(o, table_task_hear, t, &r, failure);
    if (status == TIDE_OK && csv) *csv = r.csv, r.csv = NULL;
    else if (status == TIDE_OK) *json = forecast_of_command(json_loads(r.json, 0, NULL));
    forecast_result_free(&r);
    return status;
}

/* One that cannot be had (the run keeps none, no season is known, too few rows) is left out, and a note says why. */
static tide_status add_baseline(table_task *t, forecast_options *o, const char *name, json_t **all,
                                tide_failure *failure) {
    json_t     *made   = NULL;
    tide_status status = forecast_once(t, o, &made, NULL, failure);
    if (status == TIDE_OK) {
        *all = json_with(*all, name, json_incref(json_object_get(made, "columns")));
        json_decref(made);
        return TIDE_OK;
    }
    if (status != TIDE_EINVAL && status != TIDE_EDATA) return status;
    table_task_note(t, name, failure->message);
    return TIDE_OK;
}

static tide_status add_baselines(table_task *t, tide_failure *failure) {
    static const struct { forecast_use use; const char *name; } of[] = {
        { FORECAST_USE_LAST_VALUE, "last_value" }, { FORECAST_USE_SEASONAL, "seasonal_naive" },
        { FORECAST_USE_LINEAR, "linear" },
    };
    forecast_options *o   = malloc(sizeof *o);
    json_t           *all = json_object();
    tide_status       status = o && all ? TIDE_OK : fail(failure, TIDE_ENOMEM, "out of memory for the baselines");
    t->deaf = true;
    for (size_t i = 0; status == TIDE_OK && i < sizeof of / sizeof *of; i++) {
        *o = *t->o, o->use = (int)of[i].use, *o->level = 0;
        status = add_baseline(t, o, of[i].name, &all, failure);
    }
    if (status == TIDE_OK) t->json = json_with(t->json, "baselines", all);
    else json_decref(all);
    free(o);
    return status;
}

static tide_status predict(table_task *t, tide_failure *failure) {
    tide_status status = forecast_once(t, t->o, &t->json, t->csv ? &t->text : NULL, failure);
    return status == TIDE_OK && t->in.baselines ? add_baselines(t, failure) : status;
}

const table_kind predict_table = { &predict_record, &predict_door, predict, true };

/* ---- evaluate ---- */

#define E forecast_in
const option_door evaluate_door = { forecast_table, FORECAST_FOR_EVALUATE, "Machine" };
static const field evaluate_rows[] = {
    { "model", FIELD_TEXT, offsetof(E, model), .required = true, .help = "its id" },
    { "upload", FIELD_TEXT, offsetof(E, upload),
      .help = "a table that was brought, by its id; its last rows are scored" },
    { "past", FIELD_RECORD, offsetof(E, past), .of = &rows_record, .help = "in place of it: the rows" },
    { "options", FIELD_OPTIONS, offsetof(E, options), .door = &evaluate_door,
      .help = "as the command has them: test, val, season, level, how the table is read, ..." },
};
const record evaluate_record = { "ForecastEvaluate", "A table on which a model is scored.", evaluate_rows,
                                 sizeof evaluate_rows / sizeof *evaluate_rows, sizeof(E) };

static tide_status evaluate(table_task *t, tide_failure *failure) {
    forecast_result r = { 0 };
    tide_status status =
        t->frame ? forecast_model_evaluate(t->model->forecast, t->frame, t->o, table_task_hear, t, &r, failure)
                 : forecast_evaluate(t->o, table_task_hear, t, &r, failure);
    if (status == TIDE_OK) t->json = json_with(json_loads(r.json, 0, NULL), "run", json_text(t->model->id));
    forecast_result_free(&r);
    return status;
}

const table_kind evaluate_table = { &evaluate_record, &evaluate_door, evaluate, false };

static void begin_evaluate(serve *s, http_request *r) { table_task_begin(&evaluate_table, s, r, NULL, NULL); }
void route_forecast_evaluate(void *user, http_request *r) { decoded(user, r, begin_evaluate); }
