/* Everything is a function of (seed, split, number). */
#include "stream.h"

#include <string.h>

enum { POINTS_A_DECADE = 10, GRID_VALUES = 12, LAB_FEWEST = 20, ATTEMPTS = 1 << 20, SITE_CELL = 0x43454c4c };
#define TIE 1e-9  /* grid time constants are equal to rounding, or differ by far more */
#define RS_MOST 100.0
#define OUTLIER_SHARE 0.01
#define OUTLIER_FACTOR 10.0
#define LAB_TOP_LOW 1e4
#define LAB_TOP_HIGH 1e6
#define LAB_BOTTOM_LOW 0.01
#define LAB_BOTTOM_HIGH 10.0

/* ---- circuits ---- */

static void swap_index(int *index) {
    int ra = index[EIS_RA], ca = index[EIS_CA];
    index[EIS_RA] = index[EIS_RB], index[EIS_CA] = index[EIS_CB];
    index[EIS_RB] = ra, index[EIS_CB] = ca;
}

static void canonical(sample *out) {
    double tau_a = out->p[EIS_RA] * out->p[EIS_CA], tau_b = out->p[EIS_RB] * out->p[EIS_CB];
    bool   tied  = fabs(tau_a - tau_b) < TIE * tau_b;
    if (tied ? out->p[EIS_RA] >= out->p[EIS_RB] : tau_a > tau_b) return;
    eis_swap(out->p, out->p);
    swap_index(out->index);
}

bool cell_kept_out(const sampler_settings *s, const int index[EIS_COUNT]) {
    int a = index[EIS_RA] * GRID_VALUES + index[EIS_CA], b = index[EIS_RB] * GRID_VALUES + index[EIS_CB];
    philox4x32_ctr_t c = { { (uint32_t)index[EIS_RSH], (uint32_t)(a < b ? a : b), (uint32_t)(a < b ? b : a),
                             SITE_CELL } };
    return ((double)philox4x32(c, key_of(s->seed)).v[0] + 0.5) * 0x1p-32 < s->keep_out;
}

static bool acceptable(const sampler_settings *s, sample_split split, const int *index) {
    if (!(s->keep_out > 0)) return true;
    if (s->kept_out_only) return cell_kept_out(s, index);
    return split != SPLIT_TRAIN || !cell_kept_out(s, index);
}

static void draw_cell(const sampler_settings *s, sample_split split, stream *r, sample *out) {
    for (int attempt = 0; attempt < ATTEMPTS; attempt++) {
        for (int k = 0; k < EIS_COUNT; k++) out->index[k] = below(r, GRID_VALUES);
        if (acceptable(s, split, out->index)) break;
    }
    for (int k = 0; k < EIS_COUNT; k++) out->p[k] = eis_grid_value(k, out->index[k], GRID_VALUES);
}

static void draw_anywhere(stream *r, sample *out) {
    for (int k = 0; k < EIS_COUNT; k++) {
        double at = unit(r);
        out->p[k]     = eis_parameters[k].low * pow(eis_parameters[k].high / eis_parameters[k].low, at);
        out->index[k] = (int)(at * (GRID_VALUES - 1) + 0.5);
    }
    out->p[EIS_RS] = RS_MOST * unit(r);
}

/* ---- frequencies ---- */

static void grid_frequencies(sample *out) {
    static const double decade[] = { 1e5, 1e4, 1e3, 1e2, 1e1, 1, 0.1 };
    static const double down[POINTS_A_DECADE] = { 1, 0.79432823472428150, 0.63095734448019325, 0.50118723362727229,
                                                  0.39810717055349725,
                                                  0.31622776601683793, 0.25118864315095801, 0.19952623149688796,
                                                  0.15848931924611135,
                                                  0.12589254117941672 };
    out->count = GRID_FREQUENCIES;
    for (int i = 0; i < GRID_FREQUENCIES; i++)
        out->freq_hz[i] = decade[i / POINTS_A_DECADE] * down[i % POINTS_A_DECADE];
}

static void sort_falling(double *x, int64_t count) {
    for (int64_t i = 1; i < count; i++) {
        double  v = x[i];
        int64_t j = i;
        for (; j > 0 && x[j - 1] < v; j--) x[j] = x[j - 1];
        x[j] = v;
    }
}

void sample_frequencies(stream *r, double top, double bottom, sample *out) {
    bool    even = unit(r) < 0.5;
    int64_t last = out->count - 1;
    for (int64_t i = 0; i <= last; i++)
        out->freq_hz[i] = top * pow(bottom / top, even ? (double)i / (double)last : unit(r));
    out->freq_hz[0] = top, out->freq_hz[last] = bottom;
    if (!even) sort_falling(out->freq_hz, out->count);
}

static void lab_frequencies(stream *r, sample *out) {
    out->count = LAB_FEWEST + below(r, SAMPLE_MOST - LAB_FEWEST + 1);
    double top = log_uniform(r, LAB_TOP_LOW, LAB_TOP_HIGH), bottom = log_uniform(r, LAB_BOTTOM_LOW, LAB_BOTTOM_HIGH);
    sample_frequencies(r, top, bottom, out);
}

/* ---- measurement ---- */

/* eis_impedance in real arithmetic, without its care for extreme numbers. */
static eis_z impedance(const double p[EIS_WITH_RS], double omega) {
    double a = omega * p[EIS_RA] * p[EIS_CA], b = omega * p[EIS_RB] * p[EIS_CB], za = p[EIS_RA] / (1 + a * a),
           zb = p[EIS_RB] / (1 + b * b);
    double rsh = p[EIS_RSH], x = za + zb, y = -(za * a + zb * b), u = x + rsh, share = rsh / (u * u + y * y);
    return (eis_z){ p[EIS_RS] + share * (x * u + y * y), share * rsh * y };
}

/* By Box and Muller. */
void sample_measure(stream *r, eis_z z, bool outliers, int64_t i, sample *out) {
    double radius = sqrt(-2 * log(unit(r))), angle = TWO_PI * unit(r),
           sd = out->noise * sqrt(z.re * z.re + z.im * z.im);
    if (outliers && unit(r) < OUTLIER_SHARE) sd *= OUTLIER_FACTOR;
    out->z[i] = (eis_z){ z.re + sd * radius * cos(angle), z.im + sd * radius * sin(angle) };
}

static stream begin_sample(const sampler_settings *s, sample_split split, uint64_t number, sample *out) {
    stream r = stream_of(s, split, number);
    out->noise     = log_uniform(&r, NOISE_LOW, NOISE_HIGH);
    out->p[EIS_RS] = 0;
    if (s->noise > 0) out->noise = s->noise;
    return r;
}

void sample_draw_words(const sampler_settings *s, sample_split split, uint64_t number, sample *out,
                       uint32_t words[2 * GRID_FREQUENCIES]) {
    stream r = begin_sample(s, split, number, out);
    draw_cell(s, split, &r, out);
    canonical(out);
    grid_frequencies(out);
    for (int i = 0; i < 2 * GRID_FREQUENCIES; i++) words[i] = next_word(&r);
}

void sample_draw(const sampler_settings *s, sample_split split, uint64_t number, sample *out) {
    stream r   = begin_sample(s, split, number, out);
    bool   lab = s->recipe == EIS_RECIPE_LAB;
    if (s->recipe == EIS_RECIPE_CELL) {
        sample_draw_cell(&r, out);
        return;
    }
    if (lab) draw_anywhere(&r, out);
    else draw_cell(s, split, &r, out);
    canonical(out);
    if (lab) lab_frequencies(&r, out);
    else grid_frequencies(out);
    for (int64_t i = 0; i < out->count; i++)
        sample_measure(&r, impedance(out->p, TWO_PI * out->freq_hz[i]), lab, i, out);
}
