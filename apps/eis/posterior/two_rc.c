/* Starts come from a scan: for every pair of time constants of a grid the amplitudes are linear least squares. The best
 * few pairs, and the best single one beside a small second relaxation, are polished. */
#include "two_rc.h"

#include <math.h>
#include <stdlib.h>

#include "base/base.h"
#include "eis/circuit/complex_of.h"
#include "least_squares.h"

#define TWO_PI 6.283185307179586476925286766559
enum { TAUS = 48, STARTS = 6 };

typedef struct scan {
    double tau[TAUS];
    double basis[TAUS + 1][TAUS + 1];  /* inner products; the last is the constant */
    double data[TAUS + 1], total;
} scan;

typedef struct start { double misfit, offset, r[2], tau[2]; } start;

typedef struct fit_job {
    const eis_spectrum *s;
    const double *over;  /* 1 / |z| of each point */
    double offset;
    bool   free_offset;
} fit_job;

/* 1 / (1 + j y), of y that may be anything from 0 up. */
static double complex pole_of(double y) {
    y            = fmin(y, 1e150);
    double share = 1 / (1 + y * y);
    return CMPLX(share, -y * share);
}

static void scan_fill(const eis_spectrum *s, const double *over, double offset, scan *c) {
    double low = INFINITY, high = 0;
    for (int64_t i = 0; i < s->count; i++) low = fmin(low, s->freq_hz[i]), high = fmax(high, s->freq_hz[i]);
    double first = 0.1 / (TWO_PI * high), last = 10 / (TWO_PI * low);
    *c           = (scan){ 0 };
    for (int k = 0; k < TAUS; k++) c->tau[k] = first * pow(last / first, (double)k / (TAUS - 1));
    for (int64_t i = 0; i < s->count; i++) {
        double complex basis[TAUS + 1];
        double complex target = over[i] * (CMPLX(s->z[i].re, s->z[i].im) - (isnan(offset) ? 0 : offset));
        for (int k = 0; k < TAUS; k++) basis[k] = over[i] * pole_of(TWO_PI * s->freq_hz[i] * c->tau[k]);
        basis[TAUS] = over[i];
        c->total += creal(target * conj(target));
        for (int k = 0; k <= TAUS; k++) {
            c->data[k] += creal(target * conj(basis[k]));
            for (int l = 0; l <= k; l++) c->basis[k][l] += creal(basis[l] * conj(basis[k]));
        }
    }
    for (int k = 0; k <= TAUS; k++)
        for (int l = k + 1; l <= TAUS; l++) c->basis[k][l] = c->basis[l][k];
}

/* Amplitudes of the columns `at` by Gaussian elimination; returns what they leave of the sum of squares, infinity if an
 * amplitude is not positive. */
static double amplitudes(const scan *c, const int *at, int count, double *x) {
    double m[3][4];
    double left = c->total;
    for (int i = 0; i < count; i++) {
        for (int j = 0; j < count; j++) m[i][j] = c->basis[at[i]][at[j]];
        m[i][count] = c->data[at[i]];
    }
    for (int i = 0; i < count; i++)
        for (int k = i + 1; k < count; k++) {
            double factor = m[k][i] / m[i][i];
            for (int j = i; j <= count; j++) m[k][j] -= factor * m[i][j];
        }
    for (int i = count; i-- > 0;) {
        x[i] = m[i][count];
        for (int j = i + 1; j < count; j++) x[i] -= m[i][j] * x[j];
        x[i] /= m[i][i];
    }
    for (int i = 0; i < count; i++) {
        if (!(x[i] > 0) && at[i] != TAUS) return INFINITY;
        left -= x[i] * c->data[at[i]];
    }
    return left;
}

/* Keeps the best, in order; of pairs that are neighbours on the grid only the better one. */
static void keep(start *best, start s) {
    if (!(s.misfit < best[STARTS - 1].misfit)) return;
    int at = STARTS - 1;
    for (int i = 0; i < STARTS; i++) {
        bool near = fabs(log(best[i].tau[0] / s.tau[0])) < 1 && fabs(log(best[i].tau[1] / s.tau[1])) < 1;
        if (near && best[i].misfit <= s.misfit) return;
        if (near) { at = i; break; }
    }
    for (best[at] = s; at > 0 && best[at].misfit < best[at - 1].misfit; at--) {
        start higher = best[at - 1];
        best[at - 1] = best[at];
        best[at]     = higher;
    }
}

static start start_of(const scan *c, int slow, int fast, double offset) {
    bool   free_offset = isnan(offset);
    int    at[3] = { slow, fast, TAUS };
    double x[3] = { 0 };
    start  s = { .tau = { c->tau[slow], c->tau[fast] } };
    if (slow != fast) s.misfit = amplitudes(c, at, 2 + free_offset, x);
    else { /* one relaxation, and a hundredth of it elsewhere */
        double one[2] = { 0 };
        s.misfit = amplitudes(c, (int[]){ slow, TAUS }, 1 + free_offset, one);
        x[0] = one[0], x[1] = 0.01 * one[0], x[2] = one[1];
    }
    s.r[0] = x[0], s.r[1] = x[1];
    s.offset = free_offset ? x[2] : offset;
    return s;
}

static void find_starts(const scan *c, double offset, start *best) {
    start single = { .misfit = INFINITY };
    for (int i = 0; i < STARTS; i++) best[i] = (start){ .misfit = INFINITY, .tau = { 1e300 * (i + 1), 1e300 } };
    for (int slow = 1; slow < TAUS; slow++)
        for (int fast = 0; fast < slow; fast++) keep(best, start_of(c, slow, fast, offset));
    for (int k = 0; k < TAUS; k++) {
        start s = start_of(c, k, k, offset);
        if (s.misfit < single.misfit) single = s;
    }
    best[STARTS - 1] = best[STARTS - 2] = single;
    best[STARTS - 1].tau[1] *= 0.1;
    best[STARTS - 2].tau[1] *= 10;
}

/* Unknowns: ln r and ln tau of both, then the offset in ohm. */
static void evaluate(void *user, const double *x, double *residual, double *jacobian) {
    const fit_job *job = user;
    int64_t n = job->s->count, rows = 2 * n;
    double  offset = job->free_offset ? x[4] : job->offset;
    double  r[2] = { exp(x[0]), exp(x[2]) }, tau[2] = { exp(x[1]), exp(x[3]) };
    for (int64_t i = 0; i < n; i++) {
        double complex z = CMPLX(job->s->z[i].re, job->s->z[i].im), model = offset;
        double over = job->over[i], w = TWO_PI * job->s->freq_hz[i];
        for (int k = 0; k < 2; k++) {
            double complex pole = pole_of(w * tau[k]), part = r[k] * pole, turn = part * (pole - 1);
            model += part;
            if (!jacobian) continue;
            jacobian[2 * k * rows + 2 * i]           = creal(part) * over;
            jacobian[2 * k * rows + 2 * i + 1]       = cimag(part) * over;
            jacobian[(2 * k + 1) * rows + 2 * i]     = creal(turn) * over;
            jacobian[(2 * k + 1) * rows + 2 * i + 1] = cimag(turn) * over;
        }
        if (jacobian && job->free_offset) jacobian[4 * rows + 2 * i] = over, jacobian[4 * rows + 2 * i + 1] = 0;
        if (jacobian) continue;
        residual[2 * i]     = creal(model - z) * over;
        residual[2 * i + 1] = cimag(model - z) * over;
    }
}

static tide_status polish(fit_job *job, const start *from, double *scratch, two_rc *best, tide_failure *failure) {
    least_squares p = { 4 + job->free_offset, (int)(2 * job->s->count), evaluate, job };
    double x[5] = { log(from->r[0]), log(from->tau[0]), log(from->r[1]), log(from->tau[1]), from->offset }, misfit;
    tide_status   status = least_squares_solve(&p, x, scratch, &misfit, failure);
    if (status != TIDE_OK || !(misfit < best->misfit)) return status;
    int slow = x[1] > x[3] ? 0 : 2;
    *best = (two_rc){ .offset_ohm = job->free_offset ? x[4] : job->offset, .misfit = misfit, .unknowns = p.unknowns,
                      .r_ohm = { exp(x[slow]), exp(x[2 - slow]) }, .tau_s = { exp(x[slow + 1]), exp(x[3 - slow]) } };
    return TIDE_OK;
}

tide_status two_rc_fit(const eis_spectrum *s, double offset_ohm, two_rc *out, tide_failure *failure) {
    start       best[STARTS];
    scan       *c = malloc(sizeof *c);
    double     *scratch = malloc((size_t)(2 * s->count * 8) * sizeof *scratch);
    double     *over    = malloc((size_t)s->count * sizeof *over + 1);
    fit_job     job     = { s, over, offset_ohm, isnan(offset_ohm) };
    tide_status status  = c && scratch && over ? TIDE_OK : fail(failure, TIDE_ENOMEM, "out of memory for a fit");
    *out = (two_rc){ .misfit = INFINITY };
    for (int64_t i = 0; status == TIDE_OK && i < s->count; i++) over[i] = 1 / hypot(s->z[i].re, s->z[i].im);
    if (status == TIDE_OK) {
        scan_fill(s, over, offset_ohm, c);
        find_starts(c, offset_ohm, best);
    }
    for (int i = 0; status == TIDE_OK && i < STARTS; i++)
        if (isfinite(best[i].misfit)) status = polish(&job, &best[i], scratch, out, failure);
    if (status == TIDE_OK && !isfinite(out->misfit))
        status = fail(failure, TIDE_EDATA, "no two relaxations of positive resistance come near this spectrum");
    free(c);
    free(over);
    free(scratch);
    return status;
}

double two_rc_noise(const two_rc *fit, int64_t points) {
    return sqrt(fit->misfit / (double)(2 * points - fit->unknowns));
}
