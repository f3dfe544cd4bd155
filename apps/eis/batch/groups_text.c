/* Groups as CSV, JSON and text. */
#include <math.h>

#include "base/json.h"
#include "groups.h"
#include "table.h"

static void put_place(const char *condition, const char *time, text *out) {
    table_cell(condition, out), text_add(out, ",");
    table_time(time, out), text_add(out, ",");
}

void groups_table(const batch_groups *g, text *out) {
    text_add(out,
             "what,quantity,unit,condition,time,less_condition,less_time,paired_by,count,misfits,mean,median,low95,"
             "high95,sd,between_sd,within_error\n");
    for (int64_t i = 0; i < g->count; i++) {
        const batch_group *of = &g->of[i];
        const double numbers[] = { of->mean, of->median, of->low95, of->high95, of->sd, of->between, of->within };
        text_add(out, "%s,%s,%s,", of->what, of->quantity, of->unit);
        put_place(of->condition, of->time, out);
        put_place(of->less_condition, of->less_time, out);
        text_add(out, "%s,%lld,%lld", of->paired_by, (long long)of->count, (long long)of->misfits);
        for (size_t k = 0; k < sizeof numbers / sizeof *numbers; k++) text_add(out, ","), table_number(numbers[k], out);
        text_add(out, "\n");
    }
}

static json_t *group_json(const batch_group *of) {
    const char *const key[] = { "what", "quantity",       "unit",      "condition",
                                "time", "less_condition", "less_time", "paired_by" };
    const char *const word[] = { of->what, of->quantity,       of->unit,      of->condition,
                                 of->time, of->less_condition, of->less_time, of->paired_by };
    const char *const name[] = { "mean", "median", "low95", "high95", "sd", "between_sd", "within_error" };
    const double value[] = { of->mean, of->median, of->low95, of->high95, of->sd, of->between, of->within };
    json_t *o = json_object();
    for (size_t k = 0; k < sizeof key / sizeof *key; k++) o = json_with(o, key[k], json_text(word[k]));
    o = json_with(json_with(o, "count", json_integer(of->count)), "misfits", json_integer(of->misfits));
    for (size_t k = 0; k < sizeof name / sizeof *name; k++) o = json_with(o, name[k], json_finite(value[k]));
    return o;
}

json_t *groups_json(const batch_groups *g) {
    json_t *list = json_array();
    for (int64_t i = 0; i < g->count; i++) list = json_with_item(list, group_json(&g->of[i]));
    return list;
}

static void put_label(const char *condition, const char *time, text *out) {
    text_add(out, "%s%s%s", condition, *condition && *time ? ", " : "", time);
}

static void put_group(const batch_group *of, text *out) {
    text_add(out, "  %s ", of->quantity), put_label(of->condition, of->time, out);
    if (*of->paired_by) text_add(out, " less "), put_label(of->less_condition, of->less_time, out);
    text_add(out, ": mean %.5g %s of %lld %s%s", of->mean, of->unit, (long long)of->count,
             *of->paired_by ? "pairs by " : "wells", of->paired_by);
    if (isfinite(of->low95)) text_add(out, ", 95 %% from %.5g to %.5g", of->low95, of->high95);
    text_add(out, ", median %.5g", of->median);
    if (isfinite(of->between)) text_add(out, "; between %.3g", of->between);
    text_add(out, ", within %.3g\n", of->within);
}

void groups_text(const batch_groups *g, text *out) {
    for (int64_t i = 0; i < g->count; i++) put_group(&g->of[i], out);
}
