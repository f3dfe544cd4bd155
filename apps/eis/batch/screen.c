/* What a predictor says of a spectrum as a row: medians with 95 % intervals, no check and no fit. */
#include "screen.h"

#include <math.h>

#include "base/json.h"
#include "eis/predictor/arcs_answer.h"
#include "line.h"

static const double noise_most = 0.1; /* of |Z|: what leaves more is no such circuit's (as eis check refuses it) */
static const double half_width = 1.959964; /* of a normal's 95 % interval, in standard deviations */

slot_role screen_role(int quantity) {
    switch (*cell_quantities[quantity].unit) {
    case 'o': return ROLE_RESISTANCE;
    case 'F': return ROLE_CAPACITANCE;
    case 'H': return ROLE_INDUCTANCE;
    case 's': return ROLE_TIME;
    default: return ROLE_EXPONENT;
    }
}

static json_t *put_quantity(const arcs_answer *a, int q, double area_cm2) {
    double scale, error = (a->of[q].high - a->of[q].low) / (2 * half_width);
    eis_per_area per = fit_per_area(screen_role(q), area_cm2, a->of[q].median, error);
    const char *area_unit = line_area_unit(per.unit, &scale);
    return line_value(&(batch_value){ cell_quantities[q].name, cell_quantities[q].unit, a->of[q].median, error,
                                      area_unit, per.value * scale, per.error * scale, EIS_PARAMETER_FREE, a->of[q].low,
                                      a->of[q].high });
}

static json_t *put_note(const range_check *range) {
    text note = { 0 };
    for (int i = 0; i < range->count; i++)
        text_add(&note, "%s%s", i ? "; " : "the predictor was not trained on the like: ", range->reason[i]);
    json_t *o = note.failed ? NULL : json_text(note.data ? note.data : "");
    text_free(&note);
    return o;
}

static json_t *make_line(const arcs_answer *a, double area_cm2) {
    json_t *quantities = json_array(), *parameters = json_array();
    for (int q = 0; q < CELL_ARCS; q++) quantities = json_with_item(quantities, put_quantity(a, q, area_cm2));
    for (int q = CELL_ARCS; q < QUANTITIES_CELL; q++)
        parameters = json_with_item(parameters, put_quantity(a, q, area_cm2));
    json_t *o = json_with(json_object(), "screened", json_true());
    o = json_with(json_with(o, "noise", line_number(a->noise)), "circuit", json_string("arcs"));
    o = json_with(json_with(o, "quantities", quantities), "parameters", parameters);
    return json_with(o, "note", put_note(&a->range));
}

static json_t *make_reason(const char *why) { return json_with(json_object(), "reason", json_text(why)); }

static json_t *make_misfit(const arcs_answer *a) {
    char why[128];
    snprintf(why, sizeof why,
             "two arcs with electrodes and leads leave %.2g %% of |Z|: they did not make this spectrum",
             100 * a->noise);
    return make_reason(why);
}

static json_t *make_narrow(const arcs_answer *a) {
    char why[128];
    snprintf(why, sizeof why, "its frequencies span %.2g decades: with less than one no arc is told from another",
             a->decades);
    return make_reason(why);
}

tide_status line_screen(const line_asked *q, const eis_spectrum *s, json_t **out, tide_failure *failure) {
    arcs_answer a;
    tide_failure why = { 0 };
    tide_status status = arcs_predict(q->model, q->thread, s, &a, &why);
    *out = NULL;
    if (status != TIDE_OK && status != TIDE_EDATA) return *failure = why, status;
    *out = status == TIDE_EDATA   ? make_reason(why.message)
           : a.decades < 1        ? make_narrow(&a)
           : a.noise > noise_most ? make_misfit(&a)
                                  : make_line(&a, s->area_cm2);
    return *out ? TIDE_OK : fail(failure, TIDE_ENOMEM, "out of memory for a row of the batch");
}
