/* A check as text for people, as a row of a batch's table, and as JSON. */
#include <inttypes.h>
#include <math.h>

#include "base/json.h"
#include "checked.h"
#include "faults.h"
#include "noise.h"

/* ---- text ---- */

static void range_of(const eis_checked *c, double *low, double *high) {
    *low = INFINITY, *high = 0;
    for (int64_t i = 0; i < c->points; i++) *low = fmin(*low, c->freq_hz[i]), *high = fmax(*high, c->freq_hz[i]);
}

static double largest_residual(const eis_checked *c) {
    double most = 0;
    for (int64_t i = 0; i < c->points; i++)
        if (!c->left_out[i]) most = fmax(most, fmax(fabs(c->residual[i].re), fabs(c->residual[i].im)));
    return most;
}

static void put_noise(const eis_checked *c, text *out) {
    if (isnan(c->noise)) return;
    text_add(out, "  noise       %.3g %% of |Z| in each part", 100 * c->noise);
    if (c->noise_source == EIS_NOISE_SIGMA) text_add(out, ", as the file states; Kramers and Kronig leave ");
    else text_add(out, " (%.0f degrees of freedom); by the median ", c->noise_dof);
    text_add(out, "%.3g %%\n", 100 * c->noise_robust);
}

static void put_test(const eis_checked *c, text *out) {
    if (!c->terms) return;
    text_add(out, "  linear KK   %" PRId64 " relaxations%s%s, mu %.2f, S %.3g; residuals up to %.3g %%\n", c->terms,
             c->admittance ? " of the admittance" : "", c->plateau ? "" : " (no plateau was reached)", c->mu,
             c->pseudo_chi2, 100 * largest_residual(c));
    text_add(out, "  Z-HIT       |Z| follows from the phase within %.3g %%\n", 100 * c->zhit_rms);
}

void checked_text(const eis_checked *c, text *out) {
    static const char *const words[] = { "sound: nothing speaks against it", "usable, with this in mind",
                                         "no answer about an epithelium should be believed" };
    double low, high;
    range_of(c, &low, &high);
    text_add(out, "%s: %" PRId64 " points, %g to %g Hz\n  verdict     %s\n", c->name, c->points, low, high,
             words[c->verdict]);
    for (int64_t i = 0; i < c->faults; i++) text_add(out, "  %s\n", c->fault[i].sentence);
    put_noise(c, out);
    put_test(c, out);
}

/* ---- a row ---- */

static void put_cell(const char *s, text *out) {
    bool quoted = strpbrk(s, ",\"\n") != NULL;
    if (quoted) text_add(out, "\"");
    for (; *s; s++) text_add(out, *s == '"' ? "\"\"" : "%c", *s);
    if (quoted) text_add(out, "\"");
}

static void put_number(double v, text *out) {
    char number[32];
    num_format(number, v, true);
    text_add(out, ",%s", isfinite(v) ? number : "");
}

void checked_table_header(text *out) {
    text_add(out, "spectrum,verdict,faults,noise,noise_robust,dof,terms,mu,pseudo_chi2,zhit_rms,reason\n");
}

void checked_row(const eis_checked *c, text *out) {
    put_cell(c->name, out);
    text_add(out, ",%s,", check_verdict_name(c->verdict));
    for (int64_t i = 0; i < c->faults; i++) text_add(out, "%s%s", i ? ";" : "", eis_fault_name(c->fault[i].kind));
    const double numbers[] = { c->noise, c->noise_robust, c->noise_dof, c->terms ? (double)c->terms : NAN,
                               c->mu,    c->pseudo_chi2,  c->zhit_rms };
    for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++) put_number(numbers[i], out);
    text reasons = { 0 };
    for (int64_t i = 0; i < c->faults; i++) text_add(&reasons, "%s%s", i ? "; " : "", c->fault[i].sentence);
    text_add(out, ",");
    put_cell(reasons.data ? reasons.data : "", out);
    text_add(out, "\n");
    out->failed |= reasons.failed;
    text_free(&reasons);
}

void checked_row_failed(const char *path, const char *reason, text *out) {
    put_cell(path, out);
    text_add(out, ",unread,,,,,,,,,");
    put_cell(reason, out);
    text_add(out, "\n");
}

/* ---- JSON ---- */

static json_t *fault_json(const eis_fault *f) {
    json_t *points = json_array();
    for (int64_t i = 0; i < f->points; i++) points = json_with_item(points, json_integer(f->point[i] + 1));
    json_t *o = json_with(json_object(), "fault", json_string(eis_fault_name(f->kind)));
    o = json_with(o, "unfit", json_boolean(f->unfit));
    o = json_with(o, "points", points);
    o = json_with(o, "size", json_finite(f->size));
    return json_with(o, "message", json_text(f->sentence));
}

static json_t *faults_json(const eis_checked *c) {
    json_t *list = json_array();
    for (int64_t i = 0; i < c->faults; i++) list = json_with_item(list, fault_json(&c->fault[i]));
    return list;
}

static json_t *noise_json(const eis_checked *c) {
    json_t *o = json_with(json_object(), "source", json_string(eis_noise_source_name(c->noise_source)));
    o = json_with(o, "value", json_finite(c->noise));
    o = json_with(o, "robust", json_finite(c->noise_robust));
    return json_with(o, "degrees_of_freedom", json_finite(c->noise_dof));
}

static json_t *scan_json(const eis_checked *c) {
    json_t *list = json_array();
    for (int64_t m = 0; c->terms && m <= c->most_terms; m++) {
        if (isnan(c->pseudo_chi2_of[m])) continue;
        json_t *one = json_with(json_object(), "terms", json_integer(m));
        list = json_with_item(list, json_with(one, "pseudo_chi2", json_finite(c->pseudo_chi2_of[m])));
    }
    return list;
}

static json_t *test_json(const eis_checked *c) {
    json_t *o = json_with(json_object(), "terms", json_integer(c->terms));
    o = json_with(o, "mu", json_finite(c->mu));
    o = json_with(o, "pseudo_chi2", json_finite(c->pseudo_chi2));
    o = json_with(o, "extension", json_finite(c->extension));
    o = json_with(o, "admittance", json_boolean(c->admittance));
    o = json_with(o, "plateau", json_boolean(c->plateau));
    return json_with(o, "scan", scan_json(c));
}

static json_t *point_json(const eis_checked *c, int64_t i) {
    json_t *o = json_with(json_object(), "frequency_hz", json_finite(c->freq_hz[i]));
    o = json_with(o, "residual_re", json_finite(c->residual[i].re));
    o = json_with(o, "residual_im", json_finite(c->residual[i].im));
    o = json_with(o, "zhit", json_finite(c->zhit[i]));
    return json_with(o, "left_out", json_boolean(c->left_out[i]));
}

static json_t *points_json(const eis_checked *c) {
    json_t *list = json_array();
    for (int64_t i = 0; c->terms && i < c->points; i++) list = json_with_item(list, point_json(c, i));
    return list;
}

json_t *checked_json(const eis_checked *c) {
    json_t *o = json_with(json_object(), "spectrum", json_text(c->name));
    o = json_with(o, "verdict", json_string(check_verdict_name(c->verdict)));
    o = json_with(o, "faults", faults_json(c));
    o = json_with(o, "noise", noise_json(c));
    o = json_with(o, "linear_kramers_kronig", c->terms ? test_json(c) : json_null());
    o = json_with(o, "zhit_rms", json_finite(c->zhit_rms));
    return json_with(o, "points", points_json(c));
}
