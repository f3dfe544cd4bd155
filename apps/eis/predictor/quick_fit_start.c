/* No single start is good: the best pair of a scan of time constants misses small relaxations, one relaxation and a
 * second where its errors ask for it misses equals. Together they leave next to no failures; the linear problem of
 * Sanathanan and Koerner added nothing to them. */
#include "quick_fit_start.h"
#include "quick_rule.h"

#include <math.h>

enum { SINGLE_MOST = 3 };
#define RS_MOST 100.0

static double clamp(double x, double low, double high) { return x < low ? low : x > high ? high : x; }

void quick_taus(int64_t count, const double *omega, double tau[SCAN_TAUS]) {
    double low = INFINITY, high = 0;
    for (int64_t i = 0; i < count; i++) low = fmin(low, omega[i]), high = fmax(high, omega[i]);
    double now = 0.3 / high, ratio = pow(9 * high / (0.81 * low), 1.0 / (SCAN_TAUS - 1));
    for (int k = 0; k < SCAN_TAUS; k++, now *= ratio) tau[k] = now;
}

/* The constant that suits the relaxations. */
static double rs_beside(const quick_scan *s, bool rs_free, int slow, int fast, const double *r) {
    return rs_free ? clamp((s->one_data - r[0] * s->pole[slow] - r[1] * s->pole[fast]) / s->one, 0, RS_MOST) : 0;
}

static bool start_scan(const quick_scan *s, bool rs_free, quick_start *out) {
    double r[2];
    int    slow, fast;
    if (!quick_scan_best(s, rs_free, QUICK_APART, &slow, &fast, r)) return false;
    *out = (quick_start){ { r[0], s->tau[slow], r[1], s->tau[fast], rs_beside(s, rs_free, slow, fast, r) } };
    return true;
}

/* ---- one relaxation, then a second where the errors ask for it ---- */

/* A symmetric positive system, scaled to a unit diagonal. */
static bool solve(int n, double m[SINGLE_MOST][SINGLE_MOST], double *x) {
    double scale[SINGLE_MOST];
    for (int i = 0; i < n; i++) {
        if (!(m[i][i] > 0)) return false;
        scale[i] = 1 / sqrt(m[i][i]);
    }
    for (int i = 0; i < n; i++) {
        x[i] *= scale[i];
        for (int j = 0; j <= i; j++) {
            double sum = m[i][j] * scale[i] * scale[j];
            for (int k = 0; k < j; k++) sum -= m[i][k] * m[j][k];
            if (i != j) m[i][j] = sum / m[j][j];
            else if (sum > 1e-14) m[i][i] = sqrt(sum);
            else return false;
        }
        for (int k = 0; k < i; k++) x[i] -= m[i][k] * x[k];
        x[i] /= m[i][i];
    }
    for (int i = n; i-- > 0;) {
        for (int k = i + 1; k < n; k++) x[i] -= m[k][i] * x[k];
        x[i] /= m[i][i];
    }
    for (int i = 0; i < n; i++) x[i] *= scale[i];
    return true;
}

/* Unknowns ln R, ln tau and perhaps Rs. */
static void single_gram(const quick_sums *q, double m[SINGLE_MOST][SINGLE_MOST]) {
    m[0][0] = q->gram[0];
    m[1][0] = q->gram[1], m[1][1] = q->gram[2] + 1e-6 * q->gram[0];
    m[2][0] = q->gram[10], m[2][1] = q->gram[11], m[2][2] = q->gram[14];
}

/* Gauss and Newton. */
static void polish_single(const quick_data *d, bool rs_free, double value[QUICK_UNKNOWNS], quick_sums *q) {
    quick_sums_at(d, value, rs_free, q);
    for (int step = 0; step < QUICK_SINGLE_STEPS; step++) {
        double m[SINGLE_MOST][SINGLE_MOST], x[SINGLE_MOST] = { q->gradient[0], q->gradient[1], q->gradient[4] };
        single_gram(q, m);
        if (!solve(2 + rs_free, m, x)) return;
        value[0] *= exp(clamp(-x[0], -1, 1));
        value[1] *= exp(clamp(-x[1], -1, 1));
        if (rs_free) value[4] = clamp(value[4] - x[2], 0, RS_MOST);
        quick_sums_at(d, value, rs_free, q);
    }
}

static void fit_single(const quick_data *d, const quick_scan *s, bool rs_free, double value[QUICK_UNKNOWNS],
                       quick_sums *q) {
    double most = -1, shift = rs_free ? 1 / s->one : 0;
    int    at = 0;
    for (int k = 0; k < SCAN_TAUS; k++) {
        double data = s->data[k] - shift * s->one_data * s->pole[k], own = s->pole[k] - shift * s->pole[k] * s->pole[k];
        if (data > 0 && own > 0 && data * data / own > most) most = data * data / own, at = k;
    }
    double own = s->pole[at] - shift * s->pole[at] * s->pole[at];
    double r[2] = { fmax((s->data[at] - shift * s->one_data * s->pole[at]) / own, 1e-3), 0 };
    if (!isfinite(r[0])) r[0] = 1;
    double start[QUICK_UNKNOWNS] = { r[0], s->tau[at], 0, 1, rs_beside(s, rs_free, at, at, r) };
    memcpy(value, start, sizeof start);
    polish_single(d, rs_free, value, q);
}

/* What a small relaxation at each time constant would explain beyond changes of the first. */
static void score(const quick_scan *s, bool rs_free, const double *value, const quick_sums *q, const double *errors,
                  double *gain, double *amplitude) {
    double tau = value[1], pole = q->gram[0] / (value[0] * value[0]), slope = 2 * q->gram[1] / (value[0] * value[0]);
    double inverse[SINGLE_MOST][SINGLE_MOST] = { { 0 } };
    int    n = 2 + rs_free;
    for (int j = 0; j < n; j++) {
        double m[SINGLE_MOST][SINGLE_MOST];
        single_gram(q, m);
        inverse[j][j] = 1;
        if (!solve(n, m, inverse[j])) memset(inverse[j], 0, sizeof inverse[j]);
    }
    for (int k = 0; k < SCAN_TAUS; k++) {
        double sum = s->tau[k] + tau, cross = (s->tau[k] * s->pole[k] + tau * pole) / sum, own = s->pole[k];
        double with[SINGLE_MOST] = { value[0] * cross, value[0] * tau * (pole + slope - cross) / sum, s->pole[k] };
        for (int i = 0; i < n; i++)
            for (int j = 0; j < n; j++) own -= with[i] * inverse[i][j] * with[j];
        bool fine = own > 1e-9 * s->pole[k] && errors[k] > 0;
        gain[k]      = fine ? errors[k] * errors[k] / own : 0;
        amplitude[k] = fine ? fmin(errors[k] / own, value[0]) : 0;
    }
}

/* The best place for a second relaxation on one side. */
static quick_start second(const quick_scan *s, const double *value, const double *gain, const double *amplitude,
                          bool slow) {
    int at = -1;
    for (int k = 0; k < SCAN_TAUS; k++)
        if ((s->tau[k] > value[1]) == slow && gain[k] > 0 && (at < 0 || gain[k] > gain[at])) at = k;
    double r = at < 0 ? 1e-3 * value[0] : amplitude[at], tau = at >= 0 ? s->tau[at]
                                                               : slow  ? 10 * value[1]
                                                                       : 0.1 * value[1];
    double first = fmax(value[0] - r, 0.1 * value[0]);
    return slow ? (quick_start){ { r, tau, first, value[1], value[4] } }
                : (quick_start){ { first, value[1], r, tau, value[4] } };
}

int quick_starts(const quick_data *d, bool rs_free, quick_start *out) {
    quick_scan s;
    quick_sums q;
    double     single[QUICK_UNKNOWNS], errors[SCAN_TAUS], gain[SCAN_TAUS], amplitude[SCAN_TAUS];
    int        count = 0;
    quick_taus(d->count, d->omega, s.tau);
    quick_scan_fill(d, &s);
    fit_single(d, &s, rs_free, single, &q);
    count += start_scan(&s, rs_free, &out[count]);
    quick_scan_errors(d, single, s.tau, errors);
    score(&s, rs_free, single, &q, errors, gain, amplitude);
    out[count++] = second(&s, single, gain, amplitude, true);
    out[count++] = second(&s, single, gain, amplitude, false);
    return count;
}
