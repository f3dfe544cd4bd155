/* exp and erf of float vectors in terms of lanes_*.h: what softmax, sigmoid and gelu spend their time in. Inlined and
 * without special cases they take half as long as a library's. Errors are about 1 ulp. */
#ifndef TIDE_MATH_F32_H
#define TIDE_MATH_F32_H

/* exp(x) = 2^n exp(r), |r| <= log(2) / 2; coefficients of Cephes' expf (Moshier). Adding 1.5 * 2^23 rounds to an
 * integer. Outside the clamp the result is 0 or infinite. */
static inline vf vf_exp(vf x) {
    const float round = 0x1.8p23f;
    x = vf_clamp(x, -104.0f, 89.0f);
    vf n = vf_fma(x, vf_set(1.44269504088896341f), vf_set(round)) - round;
    vf r = vf_fma(n, vf_set(-0.693359375f), x);
    r = vf_fma(n, vf_set(2.12194440e-4f), r);
    vf p = vf_set(1.9875691500e-4f);
    p = vf_fma(p, r, vf_set(1.3981999507e-3f));
    p = vf_fma(p, r, vf_set(8.3334519073e-3f));
    p = vf_fma(p, r, vf_set(4.1665795894e-2f));
    p = vf_fma(p, r, vf_set(1.6666665459e-1f));
    p = vf_fma(p, r, vf_set(5.0000001201e-1f));
    p = vf_fma(p, r * r, r) + 1.0f;
    return vf_scale(p, n);
}

/* Minimax polynomials of N. Juffa's erff: x + x p(x^2) near 0, 1 - exp(q(|x|)) elsewhere. */
static inline vf vf_erf(vf x) {
    vf t = vf_abs(x), s = x * x;
    vf p = vf_set(-5.96761703e-4f);
    p = vf_fma(p, s, vf_set(4.99119423e-3f));
    p = vf_fma(p, s, vf_set(-2.67681349e-2f));
    p = vf_fma(p, s, vf_set(1.12819925e-1f));
    p = vf_fma(p, s, vf_set(-3.76125336e-1f));
    p = vf_fma(p, s, vf_set(1.28379166e-1f));
    p = vf_fma(p, x, x);
    vf q = vf_fma(vf_set(-1.72853470e-5f), t, vf_set(3.83197126e-4f));
    q = vf_fma(q, s, vf_fma(vf_set(-3.88396438e-3f), t, vf_set(2.42546219e-2f)));
    q = vf_fma(q, t, vf_set(-1.06777877e-1f));
    q = vf_fma(q, t, vf_set(-6.34846687e-1f));
    q = vf_fma(q, t, vf_set(-1.28717512e-1f));
    q = vf_fma(q, t, -t);
    return vf_if_greater(t, 0.927734375f, vf_copysign(1.0f - vf_exp(q), x), p);
}

#endif
