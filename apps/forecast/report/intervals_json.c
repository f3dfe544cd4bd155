#include "intervals_json.h"

#include <math.h>
#include <stdlib.h>

#include "forecast/fit/scoring.h"

static json_t *number(double v) { return isfinite(v) ? json_real(v) : json_null(); }

static json_t *level_json(const forecast_result *r, const forecast_interval *l) {
    const struct { const char *key; double value; } rows[] = {
        { "level", l->level }, { "coverage", l->coverage }, { "coverage_low", l->coverage_low },
        { "coverage_high", l->coverage_high }, { "width", l->width }, { "winkler", l->winkler },
        { "winkler_low", l->winkler_low }, { "winkler_high", l->winkler_high }
    };
    json_t *o = json_object(), *steps = json_array(), *columns = json_object();
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) json_object_set_new(o, rows[i].key, number(rows[i].value));
    for (int64_t i = 0; i < r->pred_len; i++) json_array_append_new(steps, number(l->by_step[i]));
    for (int64_t i = 0; i < r->by_column_count; i++)
        json_object_set_new(columns, r->by_column[i].name, number(l->by_column[i]));
    json_object_set_new(o, "worst_column", json_string(r->by_column[l->worst_column].name));
    json_object_set_new(o, "coverage_by_step", steps);
    json_object_set_new(o, "coverage_by_column", columns);
    return o;
}

static json_t *forecaster_json(const forecast_result *r, const forecast_intervals *s) {
    json_t *o = json_object(), *levels = json_array();
    json_object_set_new(o, "crps", number(s->crps));
    json_object_set_new(o, "wql", number(s->wql));
    for (int64_t i = 0; i < s->level_count; i++) json_array_append_new(levels, level_json(r, &s->level[i]));
    json_object_set_new(o, "levels", levels);
    return o;
}

json_t *intervals_json(const forecast_result *r) {
    json_t *o = NULL;
    for (int i = 0; i < 4; i++) {
        if (!r->intervals[i].present || !r->by_column_count) continue;
        if (!o) o = json_object();
        json_object_set_new(o, i ? baseline_names[i - 1] : "model", forecaster_json(r, &r->intervals[i]));
    }
    return o;
}

void intervals_free_all(forecast_result *r) {
    for (int i = 0; i < 4; i++) {
        forecast_intervals *s = &r->intervals[i];
        for (int64_t l = 0; l < s->level_count; l++) free(s->level[l].by_step), free(s->level[l].by_column);
        *s = (forecast_intervals){ 0 };
    }
}
