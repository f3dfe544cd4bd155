#include "sums_json.h"

#include <math.h>

static json_t *number(double v) { return isfinite(v) ? json_real(v) : json_null(); }

static json_t *sum_json(const forecast_sums *s, const forecast_sum_score *one) {
    json_t *levels = json_array();
    for (int64_t l = 0; l < s->level_count; l++)
        json_array_append_new(levels, json_pack("{s:f, s:o, s:o}", "level", s->level[l], "coverage",
                                                number(one->coverage[l]), "width", number(one->width[l])));
    return json_pack("{s:I, s:o}", "truths", (json_int_t)one->truths, "levels", levels);
}

json_t *sums_json(const forecast_sums *s) {
    if (!s->count) return NULL;
    json_t *of = json_object();
    for (int64_t i = 0; i < s->count; i++) json_object_set_new(of, s->of[i].name, sum_json(s, &s->of[i]));
    return json_pack("{s:I, s:b, s:o}", "windows", (json_int_t)s->windows, "over_horizon", s->over_horizon, "of", of);
}
