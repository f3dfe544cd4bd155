#include "members_json.h"

#include <math.h>

#include "base/json.h"

static json_t *number(double v) { return isfinite(v) ? json_real(v) : json_null(); }

/* A member that was not trained has no numbers. */
static json_t *member_json(const forecast_member *m) {
    const struct { const char *key; double value; } rows[] = {
        { "weight", m->weight },           { "weight_low", m->weight_low },
        { "weight_high", m->weight_high }, { "validation_mse", m->validation_mse },
        { "test_mse", m->test_mse },       { "seconds", m->seconds },
    };
    json_t *o = json_pack("{s:s, s:b}", "name", m->name, "trained", (int)m->trained);
    if (!o) return NULL;
    if (*m->note) json_object_set_new(o, "note", json_text(m->note));
    if (!m->trained) return o;
    json_object_set_new(o, "shortened", json_boolean(m->shortened));
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        json_object_set_new(o, rows[i].key, number(rows[i].value));
    return o;
}

json_t *members_json(const forecast_member *members, int64_t count) {
    json_t *a = json_array();
    for (int64_t i = 0; a && i < count; i++) json_array_append_new(a, member_json(&members[i]));
    return a;
}
