/* The inner loops over grid circuits. Lanes are the b membranes, so that no sum changes its order.
 *
 * With Y = 1/Z = 1/Rsh + 1/Zm the relative misfit |z/Z - 1|^2 = |(z/Zm - 1) + z/Rsh|^2 is a parabola in 1/Rsh whose
 * three coefficients are sums over the frequencies: one pass gives the misfit for every Rsh. The log-determinant needs
 * prod |z/Z|^2, one multiplication a frequency, with the exponent taken out now and then. */
#include <math.h>
#include <string.h>

#include "cells.h"
#include "eis/circuit/clones.h"

enum { RENORMALISE = 16, EXPONENT_BIAS = 1023 };
typedef double  lanes __attribute__((vector_size(8 * CELL_LANES)));
typedef int64_t lanes_bits __attribute__((vector_size(8 * CELL_LANES)));
typedef float   lanes_single __attribute__((vector_size(4 * CELL_LANES)));
static const double ln_2 = 0.69314718055994530942;

#define INLINE static inline __attribute__((always_inline))

/* Takes the exponent of x out, into e: x is then in [1, 2). Zero and subnormal count as the smallest exponent. */
INLINE void take_exponent(lanes *x, lanes_bits *e) {
    lanes_bits bits = (lanes_bits)*x;
    *e += (bits >> 52) - EXPONENT_BIAS;
    *x = (lanes)((bits & 0x000fffffffffffff) | 0x3ff0000000000000);
}

/* ln of x 2^e, x in [1, 2): 2 atanh((x - 1) / (x + 1)), to 1e-12. */
INLINE void put_logs(lanes *x, lanes_bits *e, float *out) {
    take_exponent(x, e);
    lanes z = (*x - 1) / (*x + 1), q = z * z, sum = q * 0 + 1.0 / 23;
    for (int k = 21; k >= 1; k -= 2) sum = sum * q + 1.0 / k;
    lanes_single logs = __builtin_convertvector(__builtin_convertvector(*e, lanes) * ln_2 + 2 * z * sum, lanes_single);
    memcpy(out, &logs, sizeof logs);
}

INLINE void put_single(const lanes *x, float *out) {
    lanes_single single = __builtin_convertvector(*x, lanes_single);
    memcpy(out, &single, sizeof single);
}

/* Zm of one a and CELL_LANES b. */
INLINE void load_membranes(const cell_job *job, int64_t f, int64_t a, int64_t first, lanes *x, lanes *y) {
    memcpy(x, job->b->re + f * job->b->width + first, sizeof *x);
    memcpy(y, job->b->im + f * job->b->width + first, sizeof *y);
    *x += job->a->re[f * job->a->width + a];
    *y += job->a->im[f * job->a->width + a];
}

EIS_CLONES static void block_shunt(const cell_job *job, int64_t a, int64_t first, float *misfit, float *log_ratio) {
    int64_t    nr = job->nr;
    double     curve = 0, over_rsh[CELL_POINTS];
    lanes      constant = { 0 }, slope = { 0 }, product[CELL_POINTS], x, y;
    lanes_bits exponent[CELL_POINTS];
    for (int64_t r = 0; r < nr; r++)
        over_rsh[r] = 1 / job->rsh[r], product[r] = constant + 1, exponent[r] = (lanes_bits)constant;
    for (int64_t f = 0; f < job->points; f++) {
        double zr = job->z[f].re, zi = job->z[f].im, size = zr * zr + zi * zi;
        load_membranes(job, f, a, first, &x, &y);
        lanes over = 1 / (x * x + y * y), ur = (zr * x + zi * y) * over, ui = (zi * x - zr * y) * over, dr = ur - 1;
        constant += dr * dr + ui * ui;
        slope += dr * zr + ui * zi;
        curve += size;
        lanes square = ur * ur + ui * ui, twice = 2 * (ur * zr + ui * zi);
        for (int64_t r = 0; r < nr; r++) product[r] *= square + over_rsh[r] * (twice + over_rsh[r] * size);
        if ((f + 1) % RENORMALISE == 0)
            for (int64_t r = 0; r < nr; r++) take_exponent(&product[r], &exponent[r]);
    }
    for (int64_t r = 0; r < nr; r++) {
        lanes sum = constant + over_rsh[r] * (2 * slope + over_rsh[r] * curve);
        put_single(&sum, misfit + r * CELL_LANES);
        put_logs(&product[r], &exponent[r], log_ratio + r * CELL_LANES);
    }
}

/* Z = (p + q Zm) / (s + t Zm) for either circuit, all four real. */
typedef struct fraction { double p, q, s, t; } fraction;

INLINE fraction fraction_of(const cell_job *job, double rsh) {
    double rs = job->rs_ohm;
    return job->circuit == EIS_SHUNT ? (fraction){ rs * rsh, rs + rsh, rsh, 1 } : (fraction){ rs + rsh, 1, 1, 0 };
}

EIS_CLONES static void block_any(const cell_job *job, int64_t a, int64_t first, float *misfit, float *log_ratio) {
    for (int64_t r = 0; r < job->nr; r++) {
        fraction   c = fraction_of(job, job->rsh[r]);
        lanes      sum = { 0 }, product = sum + 1, x, y;
        lanes_bits exponent = { 0 };
        for (int64_t f = 0; f < job->points; f++) {
            double zr = job->z[f].re, zi = job->z[f].im, size = zr * zr + zi * zi;
            load_membranes(job, f, a, first, &x, &y);
            lanes nr = c.p + c.q * x, ni = c.q * y, dr = c.s + c.t * x, di = c.t * y, over = 1 / (nr * nr + ni * ni);
            lanes er = zr * dr - zi * di - nr, ei = zr * di + zi * dr - ni;
            sum += (er * er + ei * ei) * over;
            product *= size * (dr * dr + di * di) * over;
            if ((f + 1) % RENORMALISE == 0) take_exponent(&product, &exponent);
        }
        put_single(&sum, misfit + r * CELL_LANES);
        put_logs(&product, &exponent, log_ratio + r * CELL_LANES);
    }
}

/* In single precision, and the membranes of all points first. */
EIS_CLONES static void block_part(const cell_job *job, const int64_t *point, int64_t points, int64_t a, int64_t first,
                                  float *misfit) {
    lanes_single x[CELL_PART], y[CELL_PART];
    float        zr[CELL_PART], zi[CELL_PART];
    for (int64_t i = 0; i < points; i++) {
        lanes re, im;
        load_membranes(job, point[i], a, first, &re, &im);
        x[i] = __builtin_convertvector(re, lanes_single), y[i] = __builtin_convertvector(im, lanes_single);
        zr[i] = (float)job->z[point[i]].re, zi[i] = (float)job->z[point[i]].im;
    }
    for (int64_t r = 0; r < job->nr; r++) {
        fraction     c = fraction_of(job, job->rsh[r]);
        float        p = (float)c.p, q = (float)c.q, s = (float)c.s, t = (float)c.t;
        lanes_single sum = { 0 };
        for (int64_t i = 0; i < points; i++) {
            lanes_single nr = p + q * x[i], ni = q * y[i], dr = s + t * x[i], di = t * y[i];
            lanes_single er = zr[i] * dr - zi[i] * di - nr, ei = zr[i] * di + zi[i] * dr - ni;
            sum += (er * er + ei * ei) / (nr * nr + ni * ni);
        }
        memcpy(misfit + r * CELL_LANES, &sum, sizeof sum);
    }
}

/* The clones are static: their resolvers would be visible outside the library otherwise. */
void cell_block_shunt(const cell_job *job, int64_t a, int64_t first, float *misfit, float *log_ratio) {
    block_shunt(job, a, first, misfit, log_ratio);
}

void cell_block_any(const cell_job *job, int64_t a, int64_t first, float *misfit, float *log_ratio) {
    block_any(job, a, first, misfit, log_ratio);
}

void cell_block_part(const cell_job *job, const int64_t *point, int64_t points, int64_t a, int64_t first,
                     float *misfit) {
    block_part(job, point, points, a, first, misfit);
}
