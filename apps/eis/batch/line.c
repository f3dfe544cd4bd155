/* An answer as JSON and back. */
#include "line.h"

#include <math.h>

#include "base/json.h"
#include "eis/check/faults.h"

static tide_status out_of_memory(tide_failure *failure) {
    return fail(failure, TIDE_ENOMEM, "out of memory for a row of the batch");
}

const char *line_area_unit(const char *unit, double *scale) {
    bool farads = unit && strcmp(unit, "F/cm2") == 0;
    *scale = farads ? 1e6 : 1;
    return farads ? "uF/cm2" : unit;
}

/* ---- numbers ---- */

json_t *line_number(double v) {
    return isnan(v) ? json_null() : isinf(v) ? json_string(v > 0 ? "inf" : "-inf") : json_real(v);
}

static double number_of(const json_t *v) {
    if (json_is_string(v)) return json_string_value(v)[0] == '-' ? -INFINITY : INFINITY;
    return json_is_number(v) ? json_number_value(v) : NAN;
}

static double member(const json_t *o, const char *key) { return number_of(json_object_get(o, key)); }

/* A whole number from 0 to `most`; -1: it is none. */
static int64_t whole(const json_t *v, int64_t most) {
    int64_t n = json_is_integer(v) ? json_integer_value(v) : -1;
    return n >= 0 && n <= most ? n : -1;
}

/* ---- to JSON ---- */

json_t *line_value(const batch_value *v) {
    json_t *o = json_with(json_object(), "name", json_string(v->name));
    o = json_with(o, "unit", json_string(v->unit));
    o = json_with(o, "value", line_number(v->value));
    o = json_with(o, "error", line_number(v->error));
    o = json_with(o, "state", json_integer(v->state));
    if (isfinite(v->low95)) o = json_with(o, "low95", line_number(v->low95));
    if (isfinite(v->high95)) o = json_with(o, "high95", line_number(v->high95));
    if (!v->area_unit) return o;
    o = json_with(o, "area_unit", json_string(v->area_unit));
    o = json_with(o, "area_value", line_number(v->area_value));
    return json_with(o, "area_error", line_number(v->area_error));
}

static json_t *put_value(const char *name, const char *unit, double value, double error, const eis_per_area *per,
                         eis_fit_state state) {
    double scale;
    const char *area_unit = line_area_unit(per->unit, &scale);
    return line_value(
        &(batch_value){ name, unit, value, error, area_unit, per->value * scale, per->error * scale, state, NAN, NAN });
}

static json_t *put_values(const eis_fitted *f, bool parameters) {
    json_t *list = json_array();
    for (int64_t i = 0; parameters && i < f->parameters; i++) {
        const eis_fit_parameter *p = &f->parameter[i];
        list = json_with_item(list, put_value(p->name, p->unit, p->value, p->error, &p->per_area, p->state));
    }
    for (int64_t i = 0; !parameters && i < f->quantities; i++) {
        const eis_fit_quantity *q = &f->quantity[i];
        eis_fit_state state = isfinite(q->error) ? EIS_PARAMETER_FREE : EIS_PARAMETER_OPEN;
        list = json_with_item(list, put_value(q->name, q->unit, q->value, q->error, &q->per_area, state));
    }
    return list;
}

static json_t *put_fit(json_t *o, const eis_fitted *f) {
    json_t *used = json_array(), *model = json_array();
    text note = { 0 };
    for (int64_t i = 0; i < f->points; i++) {
        used = json_with_item(used, json_integer(f->used[i]));
        model = json_with_item(json_with_item(model, line_number(f->model[i].re)), line_number(f->model[i].im));
    }
    for (int64_t i = 0; i < f->warnings; i++) text_add(&note, "%s%s", note.length ? "; " : "", f->warning[i]);
    for (int64_t i = 0; i < f->quantities; i++)
        if (!isfinite(f->quantity[i].error))
            text_add(&note, "%s%s is not determined", note.length ? "; " : "", f->quantity[i].name);
    o = json_with(json_with(o, "used", used), "model", model);
    o = json_with(o, "circuit", json_string(f->circuit));
    o = json_with(o, "verdict", json_integer(f->verdict));
    o = json_with(o, "chi2", line_number(f->chi2));
    o = json_with(o, "quantities", put_values(f, false));
    o = json_with(o, "parameters", put_values(f, true));
    o = note.failed ? json_with(o, "note", NULL) : json_with(o, "note", json_text(note.data ? note.data : ""));
    text_free(&note);
    return o;
}

static double rmse_of(const eis_checked *c) {
    double sum = 0;
    int64_t count = 0;
    for (int64_t i = 0; c->terms && i < c->points; i++) {
        if (c->left_out[i]) continue;
        sum += c->residual[i].re * c->residual[i].re + c->residual[i].im * c->residual[i].im, count++;
    }
    return count ? sqrt(sum / (double)(2 * count)) : NAN;
}

static json_t *put_check(json_t *o, const eis_checked *c) {
    json_t *faults = json_array();
    for (int64_t i = 0; i < c->faults; i++) faults = json_with_item(faults, json_integer(c->fault[i].kind));
    o = json_with(json_with(o, "data", json_integer(c->verdict)), "faults", faults);
    o = json_with(o, "kk_rmse", line_number(rmse_of(c)));
    return json_with(o, "noise", line_number(c->noise));
}

/* Why this fit is no answer: a spectrum without an epithelium has no TER. */
static const char *forbidden(const equivalent *circuit, const eis_checked *c) {
    for (int64_t i = 0; circuit && fit_has_quantities(circuit) && i < c->faults; i++)
        if (c->fault[i].unfit) return c->fault[i].sentence;
    return NULL;
}

static json_t *make_line(const equivalent *circuit, const eis_checked *c, const eis_fitted *f, tide_status status,
                         const char *why) {
    json_t *o = c->parts ? put_check(json_object(), c) : json_object();
    const char *reason = status == TIDE_OK ? forbidden(circuit, c) : why;
    return reason ? json_with(o, "reason", json_text(reason)) : put_fit(o, f);
}

tide_status line_solve(const line_asked *q, const eis_spectrum *s, eis_listener listener, void *user, json_t **out,
                       tide_failure *failure) {
    eis_checked checked = { 0 };
    eis_fitted fitted = { 0 };
    fit_guessed guessed;
    tide_failure why = { 0 };
    tide_status status = eis_check_spectrum(s, &checked, &why);
    if (status == TIDE_OK) status = arcs_predict_starts(q->model, q->thread, s, &guessed, &why);
    if (status == TIDE_OK)
        status = fit_measured(q->circuit, q->fit, q->blank, s, &guessed, listener, user, &fitted, &why);
    bool told = status == TIDE_OK || status == TIDE_EDATA;
    *out = told ? make_line(q->circuit, &checked, &fitted, status, why.message) : NULL;
    if (!told && failure) *failure = why;
    eis_checked_free(&checked);
    eis_fitted_free(&fitted);
    return !told ? status : *out ? TIDE_OK : out_of_memory(failure);
}

/* ---- from JSON ---- */

static const char *string_of(const json_t *o, const char *key, arena *memory) {
    const char *s = json_string_value(json_object_get(o, key));
    return s ? arena_printf(memory, "%s", s) : NULL;
}

static bool read_value(const json_t *o, arena *memory, batch_value *out) {
    int64_t state = whole(json_object_get(o, "state"), EIS_PARAMETER_OPEN);
    *out = (batch_value){ string_of(o, "name", memory),
                          string_of(o, "unit", memory),
                          member(o, "value"),
                          member(o, "error"),
                          string_of(o, "area_unit", memory),
                          member(o, "area_value"),
                          member(o, "area_error"),
                          (eis_fit_state)state,
                          member(o, "low95"),
                          member(o, "high95") };
    return out->name && out->unit && state >= 0;
}

static bool read_parameters(const json_t *list, arena *memory, batch_row *row) {
    bool good = json_is_array(list);
    int64_t count = (int64_t)json_array_size(list);
    batch_value *value = arena_new(memory, batch_value, count);
    for (int64_t i = 0; i < count; i++) good &= read_value(json_array_get(list, (size_t)i), memory, &value[i]);
    row->parameter = value, row->parameters = count;
    return good;
}

static bool read_quantities(const json_t *list, arena *memory, batch_row *row) {
    static const char *const names[BATCH_QUANTITIES] = { "TER", "TEC", "n1", "d1" };
    bool good = json_array_size(list) <= BATCH_QUANTITIES;
    for (size_t i = 0; good && i < json_array_size(list); i++)
        good = read_value(json_array_get(list, i), memory, &row->of[i]) && strcmp(row->of[i].name, names[i]) == 0;
    return good;
}

static bool read_faults(const json_t *list, arena *memory, batch_row *row) {
    int64_t count = (int64_t)json_array_size(list);
    bool good = true;
    eis_fault_kind *kind = arena_new(memory, eis_fault_kind, count);
    for (int64_t i = 0; i < count; i++) {
        int64_t n = whole(json_array_get(list, (size_t)i), EIS_FAULT_BLANK);
        kind[i] = (eis_fault_kind)n, good &= n >= 0;
    }
    row->fault = kind, row->faults = count;
    return good;
}

/* The points that were fitted, the model there, and what it leaves. */
static bool read_points(const json_t *line, arena *memory, batch_row *row) {
    const json_t *list = json_object_get(line, "used"), *model = json_object_get(line, "model");
    const eis_spectrum *s = row->spectrum;
    int64_t count = (int64_t)json_array_size(list);
    if (count > s->count || (int64_t)json_array_size(model) != 2 * count) return false;
    int64_t *used = arena_new(memory, int64_t, count);
    eis_z *z = arena_new(memory, eis_z, count), *left = arena_new(memory, eis_z, count);
    for (int64_t i = 0; i < count; i++) {
        used[i] = whole(json_array_get(list, (size_t)i), s->count - 1);
        if (used[i] < 0) return false;
        const eis_z *data = &s->z[used[i]];
        double size = hypot(data->re, data->im);
        z[i].re = number_of(json_array_get(model, (size_t)(2 * i)));
        z[i].im = number_of(json_array_get(model, (size_t)(2 * i + 1)));
        left[i] = (eis_z){ (data->re - z[i].re) / size, (data->im - z[i].im) / size };
    }
    row->used = used, row->model = z, row->residual = left, row->points = count;
    return true;
}

static bool read_fit(const json_t *line, arena *memory, batch_row *row) {
    int64_t verdict = whole(json_object_get(line, "verdict"), EIS_FIT_NOISY);
    row->verdict = (eis_verdict)verdict, row->chi2 = member(line, "chi2");
    return verdict >= 0 && read_points(line, memory, row);
}

static bool read_answer(const json_t *line, arena *memory, batch_row *row) {
    row->reason = "", row->note = string_of(line, "note", memory);
    row->circuit = string_of(line, "circuit", memory);
    row->screened = json_is_true(json_object_get(line, "screened"));
    return row->note && row->circuit && (row->screened || read_fit(line, memory, row)) &&
           read_quantities(json_object_get(line, "quantities"), memory, row) &&
           read_parameters(json_object_get(line, "parameters"), memory, row);
}

bool line_read(const json_t *line, arena *memory, batch_row *row) {
    const json_t *data = json_object_get(line, "data");
    int64_t verdict = whole(data, EIS_CHECK_UNFIT);
    row->checked = data != NULL, row->data = (eis_check_verdict)verdict;
    row->kk_rmse = member(line, "kk_rmse"), row->noise = member(line, "noise");
    if (data && (verdict < 0 || !read_faults(json_object_get(line, "faults"), memory, row))) return false;
    row->reason = string_of(line, "reason", memory);
    if (row->reason) return row->note = "", true;
    return read_answer(line, memory, row);
}
