/* Sizes are drawn against one another and times against the frequencies, so that a spectrum of ohms at megahertz and
 * one of megohms at millihertz are the same spectrum to a predictor. */
#include "stream.h"

static const double middle_low = 1, middle_high = 1e5; /* Hz */
static const double ter_low = 1, ter_high = 1e6; /* ohm */
static const double apart_most = 30; /* of one arc's resistance to the other's */
static const double beyond = 3; /* times past either end of the frequencies */
static const double exponent_low = 0.7, exponent_high = 1;
static const double rs_low = 1e-3, rs_high = 3; /* of TER */
static const double electrode_low = 1e-4, electrode_high = 3; /* of TER, at the lowest frequency */
static const double inductance_low = 1e-4, inductance_high = 0.5; /* of |Z| at the highest */

static void draw_frequencies(stream *r, sample *out) {
    double middle = log_uniform(r, middle_low, middle_high),
           half = 0.5 * uniform(r, CELL_DECADES_LOW, CELL_DECADES_HIGH);
    out->count = CELL_FEWEST + below(r, SAMPLE_MOST - CELL_FEWEST + 1);
    sample_frequencies(r, middle * pow(10, half), middle * pow(10, -half), out);
}

static void draw_arcs(stream *r, double slow_s, double fast_s, double p[ARCS_COUNT]) {
    double ter = log_uniform(r, ter_low, ter_high), ratio = log_uniform(r, 1 / apart_most, apart_most);
    p[ARC_R1] = ter * ratio / (1 + ratio);
    p[ARC_R2] = ter / (1 + ratio);
    p[ARC_TAU1] = log_uniform(r, fast_s, slow_s);
    p[ARC_TAU2] = log_uniform(r, fast_s, slow_s);
    p[ARC_N1] = uniform(r, exponent_low, exponent_high);
    p[ARC_N2] = uniform(r, exponent_low, exponent_high);
    p[ARC_RS] = ter * log_uniform(r, rs_low, rs_high);
    p[ARC_EL] = ter * log_uniform(r, electrode_low, electrode_high);
    p[ARC_NEL] = uniform(r, exponent_low, exponent_high);
    arcs_order(p);
}

void sample_draw_cell(stream *r, sample *out) {
    double omega[SAMPLE_MOST];
    eis_z z[SAMPLE_MOST];
    draw_frequencies(r, out);
    for (int64_t i = 0; i < out->count; i++) omega[i] = TWO_PI * out->freq_hz[i];
    double high = omega[0], low = omega[out->count - 1], *p = out->arcs;
    draw_arcs(r, beyond / low, 1 / (beyond * high), p);
    p[ARC_L] = 0;
    arcs_impedance(p, low, 1, &high, z);
    p[ARC_L] = hypot(z->re, z->im) / high * log_uniform(r, inductance_low, inductance_high);
    arcs_impedance(p, low, out->count, omega, z);
    for (int64_t i = 0; i < out->count; i++) sample_measure(r, z[i], true, i, out);
}
