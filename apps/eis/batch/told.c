/* The same rows as JSON for programs and as lines for people. */
#include "told.h"

#include <math.h>

#include "base/json.h"
#include "eis/check/checked.h"
#include "eis/check/faults.h"
#include "eis/fit/fitted.h"

/* The value, and how well it is known: a fit's by its error, a screening's by an interval. */
static json_t *put_size(json_t *o, const batch_value *v, double by, double error, bool screened) {
    o = json_with(o, "value", json_finite(v->value * by));
    if (!screened) return json_with(o, "stderr", json_finite(error));
    return json_with(json_with(o, "low95", json_finite(v->low95 * by)), "high95", json_finite(v->high95 * by));
}

static json_t *value_json(const batch_value *v, bool screened) {
    json_t *o = json_with(json_object(), "name", json_string(v->name));
    o = put_size(json_with(o, "unit", json_string(v->unit)), v, 1, v->error, screened);
    if (!screened) o = json_with(o, "state", json_string(fit_state_name(v->state)));
    if (!v->area_unit) return json_with(o, "per_area", json_null());
    json_t *per = put_size(json_object(), v, v->area_value / v->value, v->area_error, screened);
    return json_with(o, "per_area", json_with(per, "unit", json_string(v->area_unit)));
}

static json_t *values_json(const batch_value *v, int64_t count, bool screened) {
    json_t *list = json_array();
    for (int64_t i = 0; i < count; i++)
        if (v[i].name) list = json_with_item(list, value_json(&v[i], screened));
    return list;
}

static json_t *names_json(const batch_row *r) {
    const char *const key[] = { "file", "sweep", "well", "condition", "donor", "time" };
    const char *const word[] = { r->file, r->sweep, r->well, r->condition, r->donor, r->time };
    json_t *o = json_object();
    for (size_t i = 0; i < sizeof key / sizeof *key; i++) o = json_with(o, key[i], json_text(word[i]));
    return json_with(o, "area_cm2", json_finite(r->area_cm2));
}

static json_t *check_json(json_t *o, const batch_row *r) {
    json_t *flags = json_array();
    for (int64_t i = 0; i < r->faults; i++) flags = json_with_item(flags, json_string(eis_fault_name(r->fault[i])));
    o = json_with(o, "points", r->spectrum ? json_integer(r->spectrum->count) : json_null());
    o = json_with(o, "data", r->checked ? json_string(check_verdict_name(r->data)) : json_null());
    o = json_with(json_with(o, "flags", flags), "kk_rmse", json_finite(r->kk_rmse));
    return json_with(o, "noise", json_finite(r->noise));
}

static json_t *put_verdict(json_t *o, const batch_row *r) {
    o = json_with(o, "fitted", json_integer(r->points));
    o = json_with(o, "verdict", json_string(fit_verdict_name(r->verdict)));
    return json_with(o, "reduced_chi2", json_finite(r->chi2));
}

static json_t *row_json(const batch_row *r) {
    json_t *o = check_json(names_json(r), r);
    o = json_with(o, "note", json_text(r->note));
    if (*r->reason) return json_with(o, "reason", json_text(r->reason));
    o = json_with(json_with(o, "reason", json_null()), "circuit", json_text(r->circuit));
    if (!r->screened) o = put_verdict(o, r);
    o = json_with(o, "quantities", values_json(r->of, BATCH_QUANTITIES, r->screened));
    return json_with(o, "parameters", values_json(r->parameter, r->parameters, r->screened));
}

json_t *told_json(const batch_rows *rows, const batch_groups *groups) {
    json_t *list = json_array();
    for (int64_t i = 0; i < rows->count; i++) list = json_with_item(list, row_json(&rows->row[i]));
    json_t *o = json_with(json_object(), "schema_version", json_integer(1));
    o = json_with(o, "command", json_string("eis batch"));
    o = json_with(json_with(o, "circuit", json_text(rows->circuit)), "answered", json_integer(rows->answered));
    if (rows->screened) o = json_with(o, "screened", json_true());
    o = json_with(o, "rows", list);
    return rows->plate ? json_with(o, "groups", groups_json(groups)) : o;
}

/* ---- text ---- */

static void put_value(const batch_value *v, bool screened, text *out) {
    bool area = v->area_unit && isfinite(v->area_value);
    double value = area ? v->area_value : v->value, error = area ? v->area_error : v->error, by = value / v->value;
    text_add(out, "  %s %.5g", v->name, value);
    if (screened) text_add(out, " (%.4g to %.4g)", v->low95 * by, v->high95 * by);
    else if (isfinite(error)) text_add(out, " +- %.2g", error);
    text_add(out, " %s", area ? v->area_unit : v->unit);
}

static void put_row(const batch_row *r, text *out) {
    text_add(out, "%s%s%s:", r->file, *r->sweep ? ", " : "", r->sweep);
    if (*r->reason) text_add(out, " NO ANSWER: %s\n", r->reason);
    if (*r->reason) return;
    if (r->of[BATCH_TER].name)
        for (int k = BATCH_TER; k <= BATCH_TEC && r->of[k].name; k++) put_value(&r->of[k], r->screened, out);
    else
        for (int64_t i = 0; i < r->parameters; i++) put_value(&r->parameter[i], r->screened, out);
    if (r->screened) text_add(out, "  (screened)\n");
    else text_add(out, "  (%s)\n", fit_verdict_name(r->verdict));
    if (*r->note) text_add(out, "  %s\n", r->note);
}

void told_text(const batch_rows *rows, const batch_groups *groups, text *out) {
    for (int64_t i = 0; i < rows->count; i++) put_row(&rows->row[i], out);
    if (rows->plate) text_add(out, "\n"), groups_text(groups, out);
}
