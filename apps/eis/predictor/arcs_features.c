/* From a fit to numbers that a network can take, and from its quantities to coordinates and back. */
#include "arcs_features.h"

#include <math.h>

#include "quantities.h"

const cell_quantity cell_quantities[QUANTITIES_CELL] = {
    [CELL_TER] = { "TER", "ohm", false },
    [CELL_TEC] = { "TEC", "F", false },
    [CELL_ARCS + ARC_R1] = { "R1", "ohm", false },
    [CELL_ARCS + ARC_TAU1] = { "tau1", "s", false },
    [CELL_ARCS + ARC_N1] = { "n1", "", true },
    [CELL_ARCS + ARC_R2] = { "R2", "ohm", false },
    [CELL_ARCS + ARC_TAU2] = { "tau2", "s", false },
    [CELL_ARCS + ARC_N2] = { "n2", "", true },
    [CELL_ARCS + ARC_RS] = { "Rs", "ohm", false },
    [CELL_ARCS + ARC_EL] = { "Zel", "ohm", false },
    [CELL_ARCS + ARC_NEL] = { "nel", "", true },
    [CELL_ARCS + ARC_L] = { "L", "H", false },
};
static const double sd_least = 1e-9;

double arcs_quantity(const double p[ARCS_COUNT], int q) {
    return q == CELL_TER ? arcs_ter(p) : q == CELL_TEC ? arcs_tec(p) : p[q - CELL_ARCS];
}

/* ---- the fit's ---- */

static double deviation(const arcs_fit *f, const double gradient[ARCS_COUNT]) {
    double variance = 0;
    for (int a = 0; a < ARCS_COUNT; a++)
        for (int b = 0; b < ARCS_COUNT; b++) variance += gradient[a] * f->cov[a][b] * gradient[b];
    return sqrt(fmax(variance, 0)) + sd_least;
}

/* ln TER moves with ln R by the arcs' shares of the resistance, -ln TEC with ln R / tau by those of 1 / C. */
arcs_view arcs_view_of(const arcs_fit *f) {
    arcs_view v;
    double p[ARCS_COUNT], ter[ARCS_COUNT] = { 0 }, tec[ARCS_COUNT] = { 0 };
    for (int k = 0; k < ARCS_COUNT; k++) {
        p[k] = arc_is_exponent(k) ? f->x[k] : exp(f->x[k]);
        v.centre[CELL_ARCS + k] = f->x[k];
        v.sd[CELL_ARCS + k] = sqrt(fmax(f->cov[k][k], 0)) + sd_least;
    }
    for (int arc = 0; arc < 2; arc++) {
        int r = arc ? ARC_R2 : ARC_R1, tau = arc ? ARC_TAU2 : ARC_TAU1;
        double share = p[r] / p[tau] * arcs_tec(p);
        ter[r] = p[r] / arcs_ter(p);
        tec[r] = -share, tec[tau] = share;
    }
    v.centre[CELL_TER] = log(arcs_ter(p)), v.sd[CELL_TER] = deviation(f, ter);
    v.centre[CELL_TEC] = log(arcs_tec(p)), v.sd[CELL_TEC] = deviation(f, tec);
    return v;
}

void arcs_coordinates(const double p[ARCS_COUNT], const arcs_view *view, float out[QUANTITIES_CELL]) {
    for (int q = 0; q < QUANTITIES_CELL; q++) {
        double value = arcs_quantity(p, q), at = cell_quantities[q].exponent ? value : log(value);
        out[q] = (float)student((at - view->centre[q]) / view->sd[q]);
    }
}

double arcs_value(int q, double coordinate, const arcs_view *view) {
    double at = view->centre[q] + view->sd[q] * student_inverse(coordinate);
    return cell_quantities[q].exponent ? fmin(fmax(at, 0), 1) : exp(at);
}

/* ---- features ---- */

static float *put_fit(const arcs_fit *f, float *out) {
    double sd[ARCS_COUNT];
    for (int k = 0; k < ARCS_COUNT; k++) *out++ = (float)(f->x[k] - f->shift[k]);
    for (int k = 0; k < ARCS_COUNT; k++) sd[k] = sqrt(f->cov[k][k]), *out++ = (float)log(sd[k]);
    for (int a = 0; a < ARCS_COUNT; a++)
        for (int b = a + 1; b < ARCS_COUNT; b++) *out++ = (float)(f->cov[a][b] / (sd[a] * sd[b]));
    arcs_view v = arcs_view_of(f);
    *out++ = (float)(v.centre[CELL_TER] - f->shift[ARC_R1]);
    *out++ = (float)(v.centre[CELL_TEC] - f->shift[ARC_TAU1] + f->shift[ARC_R1]);
    *out++ = (float)log(v.sd[CELL_TER]);
    *out++ = (float)log(v.sd[CELL_TEC]);
    return out;
}

static float *put_second(const arcs_fit *f, float *out) {
    for (int k = 0; k < ARCS_COUNT; k++) *out++ = (float)(f->second[k] - f->x[k]);
    *out++ = (float)asinh(f->gap);
    return out;
}

/* Between neighbours in frequency ln |Z| and the phase run straight. */
static void put_places(int64_t count, const double *freq_hz, const eis_z *z, double ln_ohm, float *out) {
    double high = log(freq_hz[0]), low = log(freq_hz[count - 1]);
    int64_t at = 0;
    for (int k = 0; k < ARCS_PLACES; k++) {
        double ln = high + (low - high) * k / (ARCS_PLACES - 1);
        while (at < count - 2 && log(freq_hz[at + 1]) > ln) at++;
        double above = log(freq_hz[at]), below = log(freq_hz[at + 1]),
               share = fmin(fmax((above - ln) / (above - below), 0), 1);
        double size[2], phase[2];
        for (int i = 0; i < 2; i++) {
            eis_z v = z[at + i];
            size[i] = 0.5 * log(v.re * v.re + v.im * v.im), phase[i] = atan2(v.im, v.re);
        }
        *out++ = (float)(size[0] + share * (size[1] - size[0]) - ln_ohm);
        *out++ = (float)(phase[0] + share * (phase[1] - phase[0]));
    }
}

void arcs_features(int64_t count, const double *freq_hz, const eis_z *z, float out[ARCS_WIDTH], arcs_fit *fit) {
    arcs_fit_run(count, freq_hz, z, fit);
    out = put_fit(fit, out);
    *out++ = (float)log(fit->noise);
    *out++ = (float)log((double)count);
    *out++ = (float)log1p(fit->outliers);
    *out++ = (float)log(freq_hz[0] / freq_hz[count - 1]);
    out = put_second(fit, out);
    put_places(count, freq_hz, z, fit->shift[ARC_R1], out);
}
