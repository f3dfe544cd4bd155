/* quick_fit_start.c's starts, for all spectra at once: the best pair of a scan of time constants; one relaxation, and a
 * second on either side where its errors ask for it. */
#include <math.h>

#include "eis/circuit/stream.h"
#include "fits.h"
#include "quick_rule.h"

enum { PAIRS = SCAN_TAUS * SCAN_TAUS };

/* Numbers of a spectrum are (spectra, 1) here, of each time constant (spectra, SCAN_TAUS). */
typedef struct scan {
    int64_t  spectra;
    tide_val pole_by, data_by;   /* (points, SCAN_TAUS): 1 / (1 + a^2), a / (1 + a^2) */
    tide_val tau;                /* (SCAN_TAUS) */
    tide_val pole, data;
    tide_val none;               /* 0 */
} scan;

static tide_val flat(const fits_data *d, tide_val of) {
    return tide_reshape(of, TIDE_SHAPE(d->spectra, tide_shape_count(tide_shape_of(of)) / d->spectra));
}

/* Sums over the points of 1 / (1 + a^2) (re - a im). */
static tide_val onto_poles(const scan *s, tide_val re, tide_val im) {
    return tide_sub(tide_matmul(re, s->pole_by), tide_matmul(im, s->data_by));
}

static scan scan_of(const fits_data *d) {
    tide_graph *g = d->re.graph;
    double omega[SAMPLE_MOST], tau[SCAN_TAUS], pole[SAMPLE_MOST * SCAN_TAUS], slope[SAMPLE_MOST * SCAN_TAUS];
    for (int64_t i = 0; i < d->points; i++) omega[i] = TWO_PI * d->freq_hz[i];
    quick_taus(d->points, omega, tau);
    for (int64_t i = 0; i < d->points * SCAN_TAUS; i++) {
        double a = omega[i / SCAN_TAUS] * tau[i % SCAN_TAUS];
        pole[i] = 1 / (1 + a * a), slope[i] = a * pole[i];
    }
    tide_shape shape = TIDE_SHAPE(d->points, SCAN_TAUS);
    scan s = { .spectra = d->spectra, .pole_by = tide_constant(g, TIDE_F64, shape, pole),
               .data_by = tide_constant(g, TIDE_F64, shape, slope),
               .tau = tide_constant(g, TIDE_F64, TIDE_SHAPE(SCAN_TAUS), tau),
               .none = tide_scalar_of(g, TIDE_F64, 0) };
    s.pole = tide_matmul(flat(d, d->weight), s.pole_by);
    s.data = onto_poles(&s, flat(d, tide_mul(d->weight, d->re)), flat(d, tide_mul(d->weight, d->im)));
    return s;
}

/* Where `gain` (spectra, n) is largest, and whether that is above 0. */
static tide_val largest(tide_val gain, tide_val *is) {
    *is = tide_gt_scalar(tide_max(gain, TIDE_AXES_KEEP(1)), 0);
    return tide_expand_dims(tide_argmax(gain, 1), 1);
}

static tide_val at(tide_val of, tide_val index) { return tide_take_along(of, 1, index); }

/* ---- two relaxations ---- */

static tide_val apart_enough(tide_graph *g) {
    uint8_t fine[PAIRS];
    for (int i = 0; i < PAIRS; i++) fine[i] = i % SCAN_TAUS <= i / SCAN_TAUS - QUICK_APART;
    return tide_constant(g, TIDE_BOOL, TIDE_SHAPE(SCAN_TAUS, SCAN_TAUS), fine);
}

/* Of two poles the inner product is (tau_k pole_k + tau_l pole_l) / (tau_k + tau_l): partial fractions. */
static void start_scan(const scan *s, tide_val out[QUICK_COUNT], tide_val *is) {
    tide_graph *g  = s->tau.graph;
    tide_val    tk = tide_expand_dims(s->tau, 1), pk = tide_expand_dims(s->pole, 2), dk = tide_expand_dims(s->data, 2);
    tide_val    pl = tide_expand_dims(s->pole, 1), dl = tide_expand_dims(s->data, 1), own = tide_mul(pk, pl);
    tide_val cross = tide_div(tide_add(tide_mul(tk, pk), tide_mul(s->tau, pl)), tide_add(tk, s->tau));
    tide_val det   = tide_sub(own, tide_square(cross));
    tide_val ak    = tide_sub(tide_mul(dk, pl), tide_mul(dl, cross)),
             al    = tide_sub(tide_mul(dl, pk), tide_mul(dk, cross));
    tide_val gain  = tide_div(tide_add(tide_mul(ak, dk), tide_mul(al, dl)), det);
    tide_val fine  = tide_and(tide_and(tide_gt(ak, s->none), tide_gt(al, s->none)),
                              tide_and(tide_gt(det, tide_mul_scalar(own, 1e-12)), apart_enough(g)));
    tide_shape pairs = TIDE_SHAPE(s->spectra, PAIRS);
    tide_val place = largest(tide_reshape(tide_where(fine, gain, s->none), pairs), is);
    tide_val slow  = tide_div_scalar(place, SCAN_TAUS), fast = tide_sub(place, tide_mul_scalar(slow, SCAN_TAUS));
    out[0] = at(tide_reshape(tide_div(ak, det), pairs), place), out[1] = tide_gather(s->tau, 0, slow);
    out[2] = at(tide_reshape(tide_div(al, det), pairs), place), out[3] = tide_gather(s->tau, 0, fast);
}

/* ---- one relaxation, then a second where the errors ask for it ---- */

/* Of R and tau; sums as in quick_sums: gradient, and p p, p p', p' p'. */
typedef struct single { tide_val r, tau, gradient[2], gram[3], er, ei; } single;

static void sums_of(const fits_data *d, single *s) {
    tide_shape one = TIDE_SHAPE(d->spectra, 1, 1), two = TIDE_SHAPE(d->spectra, 1);
    tide_val   a   = tide_mul(d->omega, tide_reshape(s->tau, one));
    relaxation_values p = fits_relaxation(tide_reshape(s->r, one), a, fits_pole(a));
    tide_val er = tide_mul(d->weight, tide_sub(p.re, d->re)), ei = tide_mul(d->weight, tide_sub(p.im, d->im));
    tide_val re = tide_mul(d->weight, p.re), im = tide_mul(d->weight, p.im);
    s->er = flat(d, er), s->ei = flat(d, ei);
    s->gradient[0] = tide_reshape(fits_dot(er, ei, p.re, p.im), two);
    s->gradient[1] = tide_reshape(fits_dot(er, ei, p.slope_re, p.slope_im), two);
    s->gram[0] = tide_reshape(fits_dot(re, im, p.re, p.im), two);
    s->gram[1] = tide_reshape(fits_dot(re, im, p.slope_re, p.slope_im), two);
    s->gram[2] = tide_reshape(
        fits_dot(tide_mul(d->weight, p.slope_re), tide_mul(d->weight, p.slope_im), p.slope_re, p.slope_im), two);
}

/* A symmetric positive system of two, scaled to a unit diagonal: the inverse, and whether it has one. */
typedef struct inverse { tide_val of[3], is; } inverse;
static inverse invert(const single *s) {
    tide_val m0 = s->gram[0], m2 = tide_add(s->gram[2], tide_mul_scalar(m0, 1e-6));
    tide_val scale = tide_rsqrt(tide_mul(m0, m2)), c = tide_mul(s->gram[1], scale), one = tide_neg(tide_square(c));
    tide_val left  = tide_add_scalar(one, 1), over = tide_reciprocal(left);
    return (inverse){ .of = { tide_div(over, m0), tide_neg(tide_mul(tide_mul(c, over), scale)), tide_div(over, m2) },
                      .is = tide_and(tide_gt_scalar(m0, 0), tide_gt_scalar(left, 1e-14)) };
}

/* Gauss and Newton; where a system has no answer it ends. */
static void polish(const fits_data *d, single *s) {
    tide_val going = { 0 };
    sums_of(d, s);
    for (int step = 0; step < QUICK_SINGLE_STEPS; step++) {
        inverse  m  = invert(s);
        tide_val dr = tide_add(tide_mul(m.of[0], s->gradient[0]), tide_mul(m.of[1], s->gradient[1])),
                 dt = tide_add(tide_mul(m.of[1], s->gradient[0]), tide_mul(m.of[2], s->gradient[1]));
        going  = step ? tide_and(going, m.is) : m.is;
        s->r   = tide_where(going, tide_mul(s->r, tide_exp(tide_clamp(tide_neg(dr), -1, 1))), s->r);
        s->tau = tide_where(going, tide_mul(s->tau, tide_exp(tide_clamp(tide_neg(dt), -1, 1))), s->tau);
        sums_of(d, s);
    }
}

static single fit_single(const fits_data *d, const scan *s) {
    tide_val fine  = tide_and(tide_gt(s->data, s->none), tide_gt(s->pole, s->none)), is;
    tide_val share = tide_div(s->data, s->pole),
             place = largest(tide_where(fine, tide_mul(share, s->data), s->none), &is);
    tide_val r     = tide_clamp(at(share, place), 1e-3, INFINITY);
    single   out   = { .r = tide_where(tide_is_finite(r), r, tide_scalar_of(r.graph, TIDE_F64, 1)),
                       .tau = tide_gather(s->tau, 0, place) };
    polish(d, &out);
    return out;
}

/* What a small relaxation at each time constant would explain beyond changes of the first. */
static void score(const scan *s, const single *one, tide_val *gain, tide_val *amplitude) {
    tide_val r = one->r, over = tide_reciprocal(tide_square(r)), pole = tide_mul(one->gram[0], over),
             slope = tide_mul_scalar(tide_mul(one->gram[1], over), 2), sum = tide_add(s->tau, one->tau);
    tide_val errors = tide_neg(onto_poles(s, one->er, one->ei));
    tide_val cross  = tide_div(tide_add(tide_mul(s->tau, s->pole), tide_mul(one->tau, pole)), sum);
    tide_val w0     = tide_mul(r, cross),
             w1     = tide_div(tide_mul(tide_mul(r, one->tau), tide_sub(tide_add(pole, slope), cross)), sum);
    inverse  m      = invert(one);
    tide_val taken  = tide_add(tide_add(tide_mul(m.of[0], tide_square(w0)), tide_mul(m.of[2], tide_square(w1))),
                               tide_mul_scalar(tide_mul(m.of[1], tide_mul(w0, w1)), 2));
    tide_val own  = tide_where(m.is, tide_sub(s->pole, taken), s->pole);
    tide_val fine = tide_and(tide_gt(own, tide_mul_scalar(s->pole, 1e-9)), tide_gt(errors, s->none));
    *gain      = tide_where(fine, tide_div(tide_square(errors), own), s->none);
    *amplitude = tide_where(fine, tide_minimum(tide_div(errors, own), r), s->none);
}

/* The best place for a second relaxation on one side. */
static void second(const scan *s, const single *one, tide_val gain, tide_val amplitude, bool slow,
                   tide_val out[QUICK_COUNT]) {
    tide_val side  = slow ? tide_gt(s->tau, one->tau) : tide_le(s->tau, one->tau), is;
    tide_val place = largest(tide_where(side, gain, s->none), &is);
    tide_val r     = tide_where(is, at(amplitude, place), tide_mul_scalar(one->r, 1e-3));
    tide_val tau   = tide_where(is, tide_gather(s->tau, 0, place), tide_mul_scalar(one->tau, slow ? 10 : 0.1));
    tide_val first = tide_maximum(tide_sub(one->r, r), tide_mul_scalar(one->r, 0.1));
    int      at_second = slow ? 0 : 2, at_first = slow ? 2 : 0;
    out[at_second] = r, out[at_second + 1] = tau;
    out[at_first] = first, out[at_first + 1] = one->tau;
}

void fits_starts(const fits_data *d, tide_val start[QUICK_STARTS][QUICK_COUNT], tide_val *first) {
    scan     s   = scan_of(d);
    single   one = fit_single(d, &s);
    tide_val gain, amplitude;
    start_scan(&s, start[0], first);
    score(&s, &one, &gain, &amplitude);
    second(&s, &one, gain, amplitude, true, start[1]);
    second(&s, &one, gain, amplitude, false, start[2]);
    *first = tide_expand_dims(*first, 2);
    for (int i = 0; i < QUICK_STARTS; i++)
        for (int k = 0; k < QUICK_COUNT; k++) start[i][k] = tide_expand_dims(start[i][k], 2);
}
