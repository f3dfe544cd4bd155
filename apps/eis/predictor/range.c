/* What lies outside of the training: each reason a sentence. */
#include "range.h"

#include <inttypes.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>

enum {
    LAB_FEWEST   = 20,
    CLIPPED_MOST = 6   /* features beyond six standard deviations: of 8,192 test spectra of either recipe none had
                          more */
};
#define LAB_TOP_LOW     1e4
#define LAB_TOP_HIGH    1e6
#define LAB_BOTTOM_LOW  0.01
#define LAB_BOTTOM_HIGH 10.0
#define GRID_TOP        1e5
#define GRID_BOTTOM     0.1
#define RS_MOST         100.0
static const double estimate = 1.3;         /* an inferred quantity may be off by this factor */
static const double off_grid = 1e-3;        /* of a grid step */

static void add(range_check *c, const char *format, ...) TIDE_PRINTF(2, 3);
static void add(range_check *c, const char *format, ...) {
    va_list list;
    if (c->count == RANGE_REASONS) return;
    va_start(list, format);
    vsnprintf(c->reason[c->count++], RANGE_REASON, format, list);
    va_end(list);
}

static bool outside(double v, double low, double high) { return v < low * (1 - 1e-6) || v > high * (1 + 1e-6); }

static void check_grid(const range_question *r, range_check *c) {
    double ratio = GRID_BOTTOM / GRID_TOP;
    bool   same  = r->spectrum->count == GRID_FREQUENCIES;
    for (int64_t i = 0; same && i < r->points->count; i++)
        same = fabs(r->points->freq_hz[i] / (GRID_TOP * pow(ratio, (double)i / (GRID_FREQUENCIES - 1))) - 1) < 1e-3;
    if (!same) add(c, "its frequencies are not the %d from 100 kHz to 0.1 Hz", GRID_FREQUENCIES);
    if (r->q->rs_ohm > 0) add(c, "it has a solution resistance (%g ohm, taken off)", r->q->rs_ohm);
    for (int k = 0; k < EIS_COUNT; k++) {
        double u = r->q->known.is[k] ? grid_coordinate(k, r->q->known.value[k]) : 0;
        if (fabs(u - round(u)) > off_grid) add(c, "the known %s lies between grid values", eis_parameters[k].name);
    }
}

static void check_points(int64_t count, int fewest, range_check *c) {
    if (count < fewest || count > SAMPLE_MOST)
        add(c, "it has %" PRId64 " points, not %d to %d", count, fewest, SAMPLE_MOST);
}

static void check_lab(const range_question *r, range_check *c) {
    double top = r->points->freq_hz[0], bottom = r->points->freq_hz[r->points->count - 1];
    check_points(r->spectrum->count, LAB_FEWEST, c);
    if (outside(top, LAB_TOP_LOW, LAB_TOP_HIGH))
        add(c, "its highest frequency, %g Hz, is not within 10 kHz to 1 MHz", top);
    if (outside(bottom, LAB_BOTTOM_LOW, LAB_BOTTOM_HIGH))
        add(c, "its lowest frequency, %g Hz, is not within 0.01 to 10 Hz", bottom);
    if (r->fit->rs_ohm > RS_MOST * 0.999 || r->q->rs_ohm > RS_MOST)
        add(c, "its solution resistance is not within 0 to 100 ohm");
}

/* Resistances and capacitances of the membranes in parallel and in series at the ends of the ranges. */
static void check_invariants(const range_question *r, range_check *c) {
    eis_invariants v = quick_invariants(r->fit->x), ends[2];
    for (int high = 0; high < 2; high++) {
        double p[EIS_COUNT];
        for (int k = 0; k < EIS_COUNT; k++) p[k] = high ? eis_parameters[k].high : eis_parameters[k].low;
        ends[high] = eis_invariants_of(p);
    }
    if (outside(v.r0_ohm, ends[0].r0_ohm / estimate, ends[1].r0_ohm * estimate))
        add(c, "its TER, %.4g ohm, is not within %.3g to %.4g ohm", v.r0_ohm, ends[0].r0_ohm, ends[1].r0_ohm);
    if (outside(v.cinf_farad, ends[0].cinf_farad / estimate, ends[1].cinf_farad * estimate))
        add(c, "its TEC, %.3g F, is not within %.3g to %.3g F", v.cinf_farad, ends[0].cinf_farad, ends[1].cinf_farad);
}

static void check_noise(double noise, double slack, range_check *c) {
    if (outside(noise, NOISE_LOW / slack, NOISE_HIGH * slack))
        add(c, "its noise, %.3g %%, is not within 0.1 to 5 %%", 100 * noise);
}

static void check_features(const spectrum_model *m, const float *raw, range_check *c) {
    float scaled[FEATURES_MOST];
    int clipped = features_scale(&m->scale, raw, scaled);
    if (clipped > CLIPPED_MOST)
        add(c, "%d of %d features are beyond six standard deviations of the training spectra", clipped,
            (int)m->scale.width);
}

void training_range_check(const range_question *r, range_check *c) {
    *c = (range_check){ 0 };
    (r->model->config.recipe == EIS_RECIPE_GRID ? check_grid : check_lab)(r, c);
    check_noise(r->noise, r->noise_estimated ? estimate : 1, c);
    check_invariants(r, c);
    check_features(r->model, r->raw, c);
}

void training_range_check_cell(const spectrum_model *m, int64_t points, double decades, double noise, const float *raw,
                               range_check *c) {
    *c = (range_check){ 0 };
    if (outside(decades, CELL_DECADES_LOW, CELL_DECADES_HIGH))
        add(c, "its frequencies span %.2g decades, not %d to %d", decades, CELL_DECADES_LOW, CELL_DECADES_HIGH);
    check_points(points, CELL_FEWEST, c);
    check_noise(noise, estimate, c);
    check_features(m, raw, c);
}
