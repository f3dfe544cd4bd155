/* Levenberg's and Marquardt's step with geodesic acceleration: quick_fit.c's, for all spectra at once. */
#include "fits.h"

#include <math.h>

#include "quick_rule.h"

enum { N = QUICK_COUNT };
static const double middle[N] = { QUICK_MIDDLE_R, QUICK_MIDDLE_C, QUICK_MIDDLE_R, QUICK_MIDDLE_C };

/* ---- sums over the points ---- */

tide_val fits_pole(tide_val a) { return tide_reciprocal(tide_add_scalar(tide_square(a), 1)); }

relaxation_values fits_relaxation(tide_val r, tide_val a, tide_val q) {
    tide_val re = tide_mul(r, q), im = tide_neg(tide_mul(a, re));
    return (relaxation_values){ .re = re, .im = im, .a = a, .q = q,
                                .slope_re = tide_mul(tide_mul_scalar(tide_mul(a, q), 2), im),
                                .slope_im = tide_mul(im, tide_sub_scalar(tide_mul_scalar(q, 2), 1)) };
}

tide_val fits_dot(tide_val ar, tide_val ai, tide_val br, tide_val bi) {
    return tide_sum(tide_add(tide_mul(ar, br), tide_mul(ai, bi)), TIDE_AXES_KEEP(2));
}

/* Errors' derivatives: rows of the Jacobian, real and imaginary parts. */
typedef struct jacobian { relaxation_values one, two; tide_val re[N], im[N]; } jacobian;

static jacobian jacobian_at(const fits_data *d, const tide_val value[N]) {
    tide_val a = tide_mul(d->omega, value[1]), b = tide_mul(d->omega, value[3]);
    jacobian j = { .one = fits_relaxation(value[0], a, fits_pole(a)),
                   .two = fits_relaxation(value[2], b, fits_pole(b)) };
    const relaxation_values *of[2] = { &j.one, &j.two };
    for (int k = 0; k < 2; k++) {
        j.re[2 * k] = of[k]->re, j.re[2 * k + 1] = of[k]->slope_re;
        j.im[2 * k] = of[k]->im, j.im[2 * k + 1] = of[k]->slope_im;
    }
    return j;
}

static void values_at(const tide_val x[N], tide_val value[N]) {
    for (int k = 0; k < N; k++) value[k] = tide_exp(x[k]);
}

static tide_val prior(const tide_val x[N]) {
    tide_val sum = tide_square(tide_sub_scalar(x[0], middle[0]));
    for (int k = 1; k < N; k++) sum = tide_add(sum, tide_square(tide_sub_scalar(x[k], middle[k])));
    return tide_mul_scalar(sum, QUICK_WEIGHT);
}

/* All of the state but the damping. */
static void evaluate(const fits_data *d, const tide_val x[N], fits_state *s) {
    tide_val value[N], *of = s->of;
    values_at(x, value);
    jacobian j = jacobian_at(d, value);
    tide_val er = tide_sub(tide_add(j.one.re, j.two.re), d->re), ei = tide_sub(tide_add(j.one.im, j.two.im), d->im),
             wr = tide_mul(d->weight, er), wi = tide_mul(d->weight, ei);
    of[FIT_SQUARE] = fits_dot(wr, wi, er, ei);
    for (int k = 0, at = FIT_GRAM; k < N; k++) {
        tide_val re = tide_mul(d->weight, j.re[k]), im = tide_mul(d->weight, j.im[k]);
        of[FIT_X + k]        = x[k];
        of[FIT_GRADIENT + k] = fits_dot(wr, wi, j.re[k], j.im[k]);
        for (int l = 0; l <= k; l++) of[at++] = fits_dot(re, im, j.re[l], j.im[l]);
    }
    of[FIT_OBJECTIVE] = tide_add(tide_mul(of[FIT_SQUARE], d->over_noise), prior(x));
}

/* ---- small systems ---- */

void fits_hessian(const fits_data *d, const fits_state *s, fits_matrix h, tide_val g[N]) {
    for (int a = 0, at = FIT_GRAM; a < N; a++) {
        for (int b = 0; b <= a; b++) h[a][b] = tide_mul(s->of[at++], d->over_noise);
        h[a][a] = tide_add_scalar(h[a][a], QUICK_WEIGHT);
        if (g)
            g[a] = tide_add(tide_mul(s->of[FIT_GRADIENT + a], d->over_noise),
                            tide_mul_scalar(tide_sub_scalar(s->of[FIT_X + a], middle[a]), QUICK_WEIGHT));
    }
}

void fits_cholesky(fits_matrix h) {
    for (int i = 0; i < N; i++) {
        tide_val least = tide_mul_scalar(h[i][i], 1e-14), sum;
        for (int j = 0; j < i; j++) {
            sum = h[i][j];
            for (int k = 0; k < j; k++) sum = tide_sub(sum, tide_mul(h[i][k], h[j][k]));
            h[i][j] = tide_mul(sum, h[j][j]);
        }
        sum = h[i][i];
        for (int k = 0; k < i; k++) sum = tide_sub(sum, tide_square(h[i][k]));
        h[i][i] = tide_reciprocal(tide_sqrt(tide_where(tide_gt(sum, least), sum, least)));
    }
}

void fits_substitute(fits_matrix l, tide_val x[N]) {
    for (int i = 0; i < N; i++) {
        for (int k = 0; k < i; k++) x[i] = tide_sub(x[i], tide_mul(l[i][k], x[k]));
        x[i] = tide_mul(x[i], l[i][i]);
    }
    for (int i = N; i-- > 0;) {
        for (int k = i + 1; k < N; k++) x[i] = tide_sub(x[i], tide_mul(l[k][i], x[k]));
        x[i] = tide_mul(x[i], l[i][i]);
    }
}

/* ---- a step ---- */

/* Second derivative along (dr, dt) in ln R, ln tau: dr^2 P + 2 dr dt P' + dt^2 P'', P'' = P' (2 pole - 1). */
static void bend_of(const relaxation_values *p, tide_val dr, tide_val dt, tide_val *re, tide_val *im) {
    tide_val x = tide_sub_scalar(tide_mul_scalar(p->q, 2), 1), y = tide_mul_scalar(tide_mul(p->a, p->q), -2);
    tide_val rr = tide_square(dr), rt = tide_mul_scalar(tide_mul(dr, dt), 2), tt = tide_square(dt);
    tide_val bent_re = tide_sub(tide_mul(p->slope_re, x), tide_mul(p->slope_im, y)),
             bent_im = tide_add(tide_mul(p->slope_re, y), tide_mul(p->slope_im, x));
    *re = tide_add(tide_add(tide_mul(rr, p->re), tide_mul(rt, p->slope_re)), tide_mul(tt, bent_re));
    *im = tide_add(tide_add(tide_mul(rr, p->im), tide_mul(rt, p->slope_im)), tide_mul(tt, bent_im));
}

static void follow_valley(const fits_data *d, const fits_state *s, fits_matrix l, tide_val step[N]) {
    tide_val value[N], bend[N], re[2], im[2];
    values_at(s->of + FIT_X, value);
    jacobian j = jacobian_at(d, value);
    bend_of(&j.one, step[0], step[1], &re[0], &im[0]);
    bend_of(&j.two, step[2], step[3], &re[1], &im[1]);
    tide_val wr = tide_mul(d->weight, tide_add(re[0], re[1])), wi = tide_mul(d->weight, tide_add(im[0], im[1]));
    for (int k = 0; k < N; k++) bend[k] = tide_mul(fits_dot(wr, wi, j.re[k], j.im[k]), d->over_noise);
    fits_substitute(l, bend);
    tide_val size = tide_square(step[0]), turn = tide_square(bend[0]);
    for (int k = 1; k < N; k++)
        size = tide_add(size, tide_square(step[k])), turn = tide_add(turn, tide_square(bend[k]));
    tide_val mild = tide_lt(turn, tide_mul_scalar(size, QUICK_BEND_MOST * QUICK_BEND_MOST));
    for (int k = 0; k < N; k++)
        step[k] = tide_where(mild, tide_add(step[k], tide_mul_scalar(bend[k], 0.5)), step[k]);
}

static tide_val clip(tide_val x, int k) {
    return tide_clamp(x, middle[k] - QUICK_FURTHEST, middle[k] + QUICK_FURTHEST);
}

static void move(const fits_state *s, const tide_val step[N], tide_val x[N]) {
    tide_val longest = tide_abs(step[0]), one = tide_scalar_of(step[0].graph, TIDE_F64, 1);
    for (int k = 1; k < N; k++) longest = tide_maximum(longest, tide_abs(step[k]));
    tide_val share = tide_minimum(one, tide_mul_scalar(tide_reciprocal(longest), QUICK_LONGEST));
    for (int k = 0; k < N; k++) x[k] = clip(tide_sub(s->of[FIT_X + k], tide_mul(share, step[k])), k);
}

fits_state fits_step(const fits_data *d, const fits_state *s, tide_val *gained) {
    fits_matrix h;
    tide_val   step[N], x[N];
    fits_state  trial, out;
    tide_val   damping = s->of[FIT_DAMPING], none = tide_scalar_of(damping.graph, TIDE_F64, 0);
    fits_hessian(d, s, h, step);
    for (int k = 0; k < N; k++) h[k][k] = tide_mul(h[k][k], tide_add_scalar(damping, 1));
    fits_cholesky(h);
    fits_substitute(h, step);
    follow_valley(d, s, h, step);
    move(s, step, x);
    evaluate(d, x, &trial);
    tide_val fell = tide_sub(s->of[FIT_OBJECTIVE], trial.of[FIT_OBJECTIVE]), better = tide_ge_scalar(fell, 0);
    trial.of[FIT_DAMPING] = tide_clamp(tide_mul_scalar(damping, 0.1), QUICK_LEAST_DAMPING, INFINITY);
    for (int k = 0; k < FIT_STATE; k++) out.of[k] = tide_where(better, trial.of[k], s->of[k]);
    out.of[FIT_DAMPING] = tide_where(better, trial.of[FIT_DAMPING], tide_mul_scalar(damping, 10));
    if (gained) *gained = tide_where(better, fell, none);
    return out;
}

fits_state fits_begin(const fits_data *d, const tide_val value[N]) {
    tide_val  x[N];
    fits_state s;
    for (int k = 0; k < N; k++) x[k] = clip(tide_log(value[k]), k);
    evaluate(d, x, &s);
    s.of[FIT_DAMPING] = tide_add_scalar(tide_mul_scalar(x[0], 0), QUICK_DAMPING);
    return s;
}
