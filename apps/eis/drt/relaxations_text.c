/* A distribution as text for people, as rows of a table, and as JSON. */
#include <inttypes.h>
#include <math.h>

#include "base/json.h"
#include "relaxations.h"

static const char *const ways[] = { "gcv", "l-curve", "given" };

/* ---- text ---- */

static void put_peaks(const eis_relaxations *r, text *out) {
    if (r->peaks) text_add(out, "     tau (s)      f (Hz)     R (ohm)       C (F)  gamma (ohm)\n");
    for (int64_t i = 0; i < r->peaks; i++) {
        const eis_drt_peak *p = &r->peak[i];
        text_add(out, "%12.4g%12.4g%12.5g%12.4g%13.4g%s\n", p->tau_s, p->frequency_hz, p->r_ohm, p->c_farad,
                 p->gamma_ohm, p->beyond ? "  beyond what was measured" : "");
    }
}

static void put_notes(const char *notes, text *out) {
    for (const char *end; (end = strchr(notes, '\n')); notes = end + 1)
        text_add(out, "  note        %.*s\n", (int)(end - notes), notes);
}

void relaxations_text(const eis_relaxations *r, text *out) {
    text_add(out, "%s: %" PRId64 " points, %" PRId64 " peaks\n", r->name, r->points, r->peaks);
    put_peaks(r, out);
    text_add(out, "  areas       %.5g ohm in all; Re Z at the lowest frequency less R_inf %.5g ohm\n", r->area_ohm,
             r->low_ohm);
    text_add(out, "  R_inf       %.5g ohm\n  L           %.4g H\n", r->r_inf_ohm, r->l_henry);
    if (isfinite(r->c_farad)) text_add(out, "  C           %.4g F in series\n", r->c_farad);
    text_add(out, "  lambda      %.3g (%s), on derivative %" PRId64 "\n", r->lambda, ways[r->lambda_by],
             r->penalty_order);
    text_add(out, "  residuals   %.3g %% of |Z|; %.3g %% where gamma may be negative\n", 100 * r->rms,
             100 * r->rms_signed);
    put_notes(r->notes, out);
}

/* ---- rows ---- */

static void put_cell(const char *s, text *out) {
    text_add(out, "\"");
    for (; *s; s++) text_add(out, *s == '"' ? "\"\"" : "%c", *s);
    text_add(out, "\"");
}

static void put_numbers(const double *v, size_t count, text *out) {
    for (size_t i = 0; i < count; i++) {
        char number[32];
        num_format(number, v[i], true);
        text_add(out, ",%s", isfinite(v[i]) ? number : "");
    }
}

void relaxations_table_header(text *out) {
    text_add(out,
             "spectrum,peak,tau_s,frequency_hz,r_ohm,c_farad,gamma_ohm,beyond,lambda,r_inf_ohm,l_henry,series_c_farad,"
             "area_ohm,low_ohm,rms,rms_signed,reason\n");
}

static void put_row(const eis_relaxations *r, int64_t i, const eis_drt_peak *p, text *out) {
    const double of_peak[] = { p->tau_s, p->frequency_hz, p->r_ohm, p->c_farad, p->gamma_ohm };
    const double of_all[] = { r->lambda,   r->r_inf_ohm, r->l_henry, r->c_farad,
                              r->area_ohm, r->low_ohm,   r->rms,     r->rms_signed };
    put_cell(r->name, out);
    text_add(out, ",%" PRId64, i);
    put_numbers(of_peak, sizeof of_peak / sizeof *of_peak, out);
    text_add(out, ",%s", p->beyond ? "true" : "false");
    put_numbers(of_all, sizeof of_all / sizeof *of_all, out);
    text_add(out, ",");
    if (r->negative_arc) put_cell("a negative arc is left in the residuals", out);
    text_add(out, "\n");
}

void relaxations_rows(const eis_relaxations *r, text *out) {
    const eis_drt_peak none = { NAN, NAN, NAN, NAN, NAN, false };
    for (int64_t i = 0; i < r->peaks; i++) put_row(r, i + 1, &r->peak[i], out);
    if (!r->peaks) put_row(r, 0, &none, out);
}

void relaxations_row_failed(const char *path, const char *reason, text *out) {
    put_cell(path, out);
    text_add(out, ",,,,,,,,,,,,,,,,");
    put_cell(reason, out);
    text_add(out, "\n");
}

/* ---- JSON ---- */

static json_t *peaks_json(const eis_relaxations *r) {
    json_t *list = json_array();
    for (int64_t i = 0; i < r->peaks; i++) {
        const eis_drt_peak *p = &r->peak[i];
        json_t *o = json_with(json_object(), "tau_s", json_finite(p->tau_s));
        o = json_with(o, "frequency_hz", json_finite(p->frequency_hz));
        o = json_with(o, "r_ohm", json_finite(p->r_ohm));
        o = json_with(o, "c_farad", json_finite(p->c_farad));
        o = json_with(o, "gamma_ohm", json_finite(p->gamma_ohm));
        list = json_with_item(list, json_with(o, "beyond", json_boolean(p->beyond)));
    }
    return list;
}

static json_t *numbers_json(const double *v, int64_t count) {
    json_t *list = json_array();
    for (int64_t i = 0; i < count; i++) list = json_with_item(list, json_finite(v[i]));
    return list;
}

static json_t *residuals_json(const eis_relaxations *r) {
    json_t *list = json_array();
    for (int64_t i = 0; i < r->points; i++) {
        json_t *o = json_with(json_object(), "frequency_hz", json_finite(r->freq_hz[i]));
        o = json_with(o, "residual_re", json_finite(r->residual[i].re));
        list = json_with_item(list, json_with(o, "residual_im", json_finite(r->residual[i].im)));
    }
    return list;
}

static json_t *notes_json(const char *notes) {
    json_t *list = json_array();
    for (const char *end; (end = strchr(notes, '\n')); notes = end + 1)
        list = json_with_item(list, json_stringn(notes, (size_t)(end - notes)));
    return list;
}

static json_t *penalty_json(const eis_relaxations *r) {
    json_t *o = json_with(json_object(), "lambda", json_finite(r->lambda));
    o = json_with(o, "by", json_string(ways[r->lambda_by]));
    return json_with(o, "order", json_integer(r->penalty_order));
}

json_t *relaxations_json(const eis_relaxations *r) {
    json_t *o = json_with(json_object(), "spectrum", json_text(r->name));
    o = json_with(o, "peaks", peaks_json(r));
    o = json_with(o, "area_ohm", json_finite(r->area_ohm));
    o = json_with(o, "low_ohm", json_finite(r->low_ohm));
    o = json_with(o, "r_inf_ohm", json_finite(r->r_inf_ohm));
    o = json_with(o, "l_henry", json_finite(r->l_henry));
    o = json_with(o, "series_c_farad", json_finite(r->c_farad));
    o = json_with(o, "penalty", penalty_json(r));
    o = json_with(o, "rms", json_finite(r->rms));
    o = json_with(o, "rms_signed", json_finite(r->rms_signed));
    o = json_with(o, "negative_arc", json_boolean(r->negative_arc));
    o = json_with(o, "notes", notes_json(r->notes));
    o = json_with(o, "tau_s", numbers_json(r->tau_s, r->taus));
    o = json_with(o, "gamma_ohm", numbers_json(r->gamma_ohm, r->taus));
    return json_with(o, "points", residuals_json(r));
}
