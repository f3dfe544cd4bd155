/* Elements in closed form of s = j w: resistance to Havriliak-Negami. Each also gives p dZ/dp of its parameters. */
#include <math.h>

#include "element_kernels.h"

void element_r(const double *p, const frequencies *f, zblock z, zblock *d) {
    (void)f;
    for (int i = 0; i < BLOCK; i++) {
        z[i] = p[0];
        if (d) d[0][i] = p[0];
    }
}

void element_c(const double *p, const frequencies *f, zblock z, zblock *d) {
    for (int i = 0; i < BLOCK; i++) {
        z[i] = CMPLX(0, -1 / (f->omega[i] * p[0]));
        if (d) d[0][i] = -z[i];
    }
}

void element_l(const double *p, const frequencies *f, zblock z, zblock *d) {
    for (int i = 0; i < BLOCK; i++) {
        z[i] = CMPLX(0, f->omega[i] * p[0]);
        if (d) d[0][i] = z[i];
    }
}

void element_cpe(const double *p, const frequencies *f, zblock z, zblock *d) {
    double complex turn = quarter_turns(-p[1]);
    for (int i = 0; i < BLOCK; i++) {
        z[i] = power_of_s(f->log_omega[i], -p[1], turn) / p[0];
        if (d) d[0][i] = -z[i], d[1][i] = -p[1] * z[i] * CMPLX(f->log_omega[i], HALF_PI);
    }
}

void element_la(const double *p, const frequencies *f, zblock z, zblock *d) {
    double complex turn = quarter_turns(p[1]);
    for (int i = 0; i < BLOCK; i++) {
        z[i] = p[0] * power_of_s(f->log_omega[i], p[1], turn);
        if (d) d[0][i] = z[i], d[1][i] = p[1] * z[i] * CMPLX(f->log_omega[i], HALF_PI);
    }
}

void element_w(const double *p, const frequencies *f, zblock z, zblock *d) {
    for (int i = 0; i < BLOCK; i++) {
        double part = p[0] / sqrt(f->omega[i]);
        z[i]        = CMPLX(part, -part);
        if (d) d[0][i] = z[i];
    }
}

void element_g(const double *p, const frequencies *f, zblock z, zblock *d) {
    for (int i = 0; i < BLOCK; i++) {
        double complex st = CMPLX(0, f->omega[i] * p[1]);
        z[i]              = p[0] / csqrt(1 + st);
        if (d) d[0][i] = z[i], d[1][i] = -0.5 * z[i] * (st / (1 + st));
    }
}

void element_k(const double *p, const frequencies *f, zblock z, zblock *d) {
    for (int i = 0; i < BLOCK; i++) {
        double complex st = CMPLX(0, f->omega[i] * p[1]);
        z[i]              = p[0] / (1 + st);
        if (d) d[0][i] = z[i], d[1][i] = -z[i] * (st / (1 + st));
    }
}

void element_zarc(const double *p, const frequencies *f, zblock z, zblock *d) {
    double complex turn    = quarter_turns(p[2]);
    double         log_tau = log(p[1]);
    for (int i = 0; i < BLOCK; i++) {
        double         log_s = f->log_omega[i] + log_tau;
        double complex x     = power_of_s(log_s, p[2], turn), share;
        z[i]                 = p[0] / (1 + x);
        if (!d) continue;
        share   = -p[2] * z[i] * (x / (1 + x));
        d[0][i] = z[i], d[1][i] = share, d[2][i] = share * CMPLX(log_s, HALF_PI);
    }
}

void element_hn(const double *p, const frequencies *f, zblock z, zblock *d) {
    double complex turn    = quarter_turns(p[2]);
    double         log_tau = log(p[1]);
    for (int i = 0; i < BLOCK; i++) {
        double         log_s = f->log_omega[i] + log_tau;
        double complex x     = power_of_s(log_s, p[2], turn), size = clog(1 + x), share;
        z[i]                 = p[0] * cexp(-p[3] * size);
        if (!d) continue;
        share   = -p[3] * p[2] * z[i] * (x / (1 + x));
        d[0][i] = z[i], d[1][i] = share, d[2][i] = share * CMPLX(log_s, HALF_PI), d[3][i] = -p[3] * z[i] * size;
    }
}
