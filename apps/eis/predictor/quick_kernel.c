/* Lanes are points of the spectrum. Each function has a static twin that is compiled for every width of vectors: their
 * resolvers would be visible outside the library otherwise. */
#include "quick_kernel.h"

#include <math.h>

#include "eis/circuit/clones.h"

enum { SUMS = QUICK_PAIRS + QUICK_UNKNOWNS + 1 };

/* One relaxation and its derivative by ln tau, from 1 / (1 + a^2). */
LANES_INLINE void relaxation(double r, const lanes *a, const lanes *q, lanes part[2], lanes slope[2]) {
    part[0]  = r * *q;
    part[1]  = -(*a * part[0]);
    slope[1] = part[1] * (2 * *q - 1);
    slope[0] = 2 * (*a * *q) * part[1];
}

LANES_INLINE void add_sums(const quick_data *d, const double *v, int unknowns, double *out) {
    lanes sums[SUMS], zero = { 0 };
    int   count = unknowns * (unknowns + 3) / 2 + 1;
    for (int k = 0; k < count; k++) sums[k] = zero;
    for (int64_t i = 0; i < d->padded; i += LANES) {
        lanes w, re, im, weight, row[QUICK_UNKNOWNS][2];
        lanes_load(d->omega + i, &w), lanes_load(d->re + i, &re), lanes_load(d->im + i, &im),
            lanes_load(d->weight + i, &weight);
        lanes a = w * v[1], b = w * v[3], pa = 1 + a * a, pb = 1 + b * b, both = 1 / (pa * pb), qa = both * pb,
              qb = both * pa;
        relaxation(v[0], &a, &qa, row[0], row[1]);
        relaxation(v[2], &b, &qb, row[2], row[3]);
        lanes er = row[0][0] + row[2][0] + v[4] - re, ei = row[0][1] + row[2][1] - im, wr = weight * er,
              wi = weight * ei;
        sums[0] += wr * er + wi * ei;
        for (int k = 0; k < 4; k++) sums[1 + k] += wr * row[k][0] + wi * row[k][1];
        int at = 1 + unknowns;
        for (int k = 0; k < 4; k++) {
            lanes r = weight * row[k][0], j = weight * row[k][1];
            for (int l = 0; l <= k; l++, at++) sums[at] += r * row[l][0] + j * row[l][1];
        }
        if (unknowns == 4) continue;
        sums[5] += wr;
        for (int l = 0; l < 4; l++, at++) sums[at] += weight * row[l][0];
        sums[at] += weight;
    }
    for (int k = 0; k < count; k++) out[k] = lanes_total(&sums[k]);
}

EIS_CLONES static void sums_4(const quick_data *d, const double *v, double *out) { add_sums(d, v, 4, out); }
EIS_CLONES static void sums_5(const quick_data *d, const double *v, double *out) { add_sums(d, v, 5, out); }

void quick_sums_at(const quick_data *d, const double value[QUICK_UNKNOWNS], bool rs_free, quick_sums *out) {
    double all[SUMS];
    int    unknowns = rs_free ? 5 : 4;
    (rs_free ? sums_5 : sums_4)(d, value, all);
    out->square = all[0];
    memcpy(out->gradient, all + 1, (size_t)unknowns * sizeof(double));
    memcpy(out->gram, all + 1 + unknowns, (size_t)(unknowns * (unknowns + 1) / 2) * sizeof(double));
}

/* Second derivative along (dr, dt) in ln R, ln tau: dr^2 P + 2 dr dt P' + dt^2 P'', P'' = P' (2 pole - 1). */
LANES_INLINE void add_bend(const lanes part[2], const lanes slope[2], const lanes *a, const lanes *q, double dr,
                           double dt, lanes bend[2]) {
    lanes x = 2 * *q - 1, y = -2 * (*a * *q);
    bend[0] += (dr * dr) * part[0] + (2 * dr * dt) * slope[0] + (dt * dt) * (slope[0] * x - slope[1] * y);
    bend[1] += (dr * dr) * part[1] + (2 * dr * dt) * slope[1] + (dt * dt) * (slope[0] * y + slope[1] * x);
}

EIS_CLONES static void bend_at(const quick_data *d, const double *v, const double *step, double *out) {
    lanes sums[QUICK_UNKNOWNS];
    for (int k = 0; k < QUICK_UNKNOWNS; k++) sums[k] = (lanes){ 0 };
    for (int64_t i = 0; i < d->padded; i += LANES) {
        lanes w, weight, row[4][2], bend[2] = { { 0 } };
        lanes_load(d->omega + i, &w), lanes_load(d->weight + i, &weight);
        lanes a = w * v[1], b = w * v[3], pa = 1 + a * a, pb = 1 + b * b, both = 1 / (pa * pb), qa = both * pb,
              qb = both * pa;
        relaxation(v[0], &a, &qa, row[0], row[1]);
        relaxation(v[2], &b, &qb, row[2], row[3]);
        add_bend(row[0], row[1], &a, &qa, step[0], step[1], bend);
        add_bend(row[2], row[3], &b, &qb, step[2], step[3], bend);
        bend[0] *= weight, bend[1] *= weight;
        for (int k = 0; k < 4; k++) sums[k] += bend[0] * row[k][0] + bend[1] * row[k][1];
        sums[4] += bend[0];
    }
    for (int k = 0; k < QUICK_UNKNOWNS; k++) out[k] = lanes_total(&sums[k]);
}

void quick_bend(const quick_data *d, const double value[QUICK_UNKNOWNS], const double step[QUICK_UNKNOWNS],
                double out[QUICK_UNKNOWNS]) {
    bend_at(d, value, step, out);
}

LANES_INLINE void errors_at(const quick_data *d, const double *v, int64_t i, lanes *w, lanes *er, lanes *ei) {
    lanes re, im;
    lanes_load(d->omega + i, w), lanes_load(d->re + i, &re), lanes_load(d->im + i, &im);
    lanes a = *w * v[1], b = *w * v[3], x = v[0] / (1 + a * a), y = v[2] / (1 + b * b);
    *er = x + y + v[4] - re;
    *ei = -(a * x + b * y) - im;
}

EIS_CLONES static void put_errors(const quick_data *d, const double *v, double *square) {
    for (int64_t i = 0; i < d->padded; i += LANES) {
        lanes w, er, ei, over;
        errors_at(d, v, i, &w, &er, &ei);
        lanes_load(d->over + i, &over);
        er = over * (er * er + ei * ei);
        lanes_store(&er, square + i);
    }
}

void quick_errors(const quick_data *d, const double value[QUICK_UNKNOWNS], double *square) {
    put_errors(d, value, square);
}

/* With e^2 the squared error over the noise's square, the odds of an outlier are 1/99 1/100 exp(e^2/2 (1 - 1/100)); it
 * counts a hundredth. */
EIS_CLONES static double weigh(quick_data *d, const double *square, double noise, double *outliers) {
    lanes  sum = { 0 }, seen = { 0 }, counts = { 0 };
    double scale = 0.495 / (noise * noise);
    for (int64_t i = 0; i < d->padded; i += LANES) {
        lanes e2, over, odds, ln_odds;
        lanes_load(square + i, &e2), lanes_load(d->over + i, &over);
        ln_odds = e2 * scale - 9.2003;
        lanes_clip(&ln_odds, -50, 50);
        lanes_exp(&ln_odds, &odds);
        lanes share = odds / (1 + odds), credit = 1 - 0.99 * share, weight = over * credit;
        lanes_bits real = over > counts;
        lanes none = counts;
        lanes_choose(&real, &share, &none, &share);
        sum += credit * e2;
        seen += share;
        lanes_store(&weight, d->weight + i);
    }
    *outliers = lanes_total(&seen);
    return lanes_total(&sum);
}

double quick_weigh(quick_data *d, const double *square, double noise, double *outliers) {
    return weigh(d, square, noise, outliers);
}

EIS_CLONES static void scan_fill(const quick_data *d, quick_scan *s) {
    lanes one = { 0 }, one_data = { 0 }, total = { 0 }, pole[SCAN_TAUS / LANES], data[SCAN_TAUS / LANES];
    for (int k = 0; k < SCAN_TAUS / LANES; k++) pole[k] = data[k] = one;
    for (int64_t i = 0; i < d->count; i++) {
        double w = d->omega[i], re = d->re[i], im = d->im[i], weight = d->weight[i];
        for (int k = 0; k < SCAN_TAUS / LANES; k++) {
            lanes tau;
            lanes_load(s->tau + LANES * k, &tau);
            lanes a = w * tau, q = weight / (1 + a * a);
            pole[k] += q;
            data[k] += q * (re - a * im);
        }
    }
    for (int64_t i = 0; i < d->padded; i += LANES) {
        lanes re, im, weight;
        lanes_load(d->re + i, &re), lanes_load(d->im + i, &im), lanes_load(d->weight + i, &weight);
        one += weight;
        one_data += weight * re;
        total += weight * (re * re + im * im);
    }
    for (int k = 0; k < SCAN_TAUS / LANES; k++)
        lanes_store(&pole[k], s->pole + LANES * k), lanes_store(&data[k], s->data + LANES * k);
    s->one = lanes_total(&one), s->one_data = lanes_total(&one_data), s->total = lanes_total(&total);
}

void quick_scan_fill(const quick_data *d, quick_scan *out) { scan_fill(d, out); }

EIS_CLONES static void scan_errors(const quick_data *d, const double *v, const double *tau, double *score) {
    double er[QUICK_ROOM], ei[QUICK_ROOM];
    lanes  sum[SCAN_TAUS / LANES], w, x, y, weight;
    for (int64_t i = 0; i < d->padded; i += LANES) {
        errors_at(d, v, i, &w, &x, &y);
        lanes_load(d->weight + i, &weight);
        x *= -weight, y *= -weight;
        lanes_store(&x, er + i), lanes_store(&y, ei + i);
    }
    for (int k = 0; k < SCAN_TAUS / LANES; k++) sum[k] = (lanes){ 0 };
    for (int64_t i = 0; i < d->count; i++)
        for (int k = 0; k < SCAN_TAUS / LANES; k++) {
            lanes t;
            lanes_load(tau + LANES * k, &t);
            lanes a = d->omega[i] * t;
            sum[k] += (er[i] - a * ei[i]) / (1 + a * a);
        }
    for (int k = 0; k < SCAN_TAUS / LANES; k++) lanes_store(&sum[k], score + LANES * k);
}

void quick_scan_errors(const quick_data *d, const double value[QUICK_UNKNOWNS], const double *tau, double *score) {
    scan_errors(d, value, tau, score);
}

/* Poles' inner products, what the constant explains taken out (shift = 1 / its own product). Of two poles it is
 * (tau_k pole_k + tau_l pole_l) / (tau_k + tau_l): partial fractions. */
EIS_CLONES static int scan_best(const quick_scan *s, double shift, int apart) {
    lanes  most = { 0 }, place = most - 1, first = { 0, 1, 2, 3, 4, 5, 6, 7 }, none = { 0 };
    double best = 0;
    int    at = -1;
    for (int k = apart; k < SCAN_TAUS; k++) {
        double tk = s->tau[k], pk = s->pole[k], dk = s->data[k] - shift * pk * s->one_data, self = pk - shift * pk * pk;
        for (int l = 0; l <= k - apart; l += LANES) {
            lanes tau, pole, data;
            lanes_load(s->tau + l, &tau), lanes_load(s->pole + l, &pole), lanes_load(s->data + l, &data);
            data -= shift * s->one_data * pole;
            lanes cross = (tk * pk + tau * pole) / (tk + tau) - shift * pk * pole;
            lanes own = pole - shift * pole * pole, det = self * own - cross * cross;
            lanes ak = dk * own - data * cross, al = data * self - dk * cross, gain = (ak * dk + al * data) / det;
            lanes index = first + (double)(k * SCAN_TAUS + l);
            lanes_bits better = (ak > none) & (al > none) & (det > 1e-12 * pk * pole) & (gain > most) &
                                (first <= none + (double)(k - apart - l));
            lanes_choose(&better, &gain, &most, &most);
            lanes_choose(&better, &index, &place, &place);
        }
    }
    for (int i = 0; i < LANES; i++)
        if (most[i] > best) best = most[i], at = (int)place[i];
    return at;
}

bool quick_scan_best(const quick_scan *s, bool rs_free, int apart, int *slow, int *fast, double amplitude[2]) {
    double shift = rs_free ? 1 / s->one : 0;
    int    at = scan_best(s, shift, apart), k = at / SCAN_TAUS, l = at % SCAN_TAUS;
    if (at < 0) return false;
    double pk = s->pole[k], pl = s->pole[l],
           cross = (s->tau[k] * pk + s->tau[l] * pl) / (s->tau[k] + s->tau[l]) - shift * pk * pl;
    double own_k = pk - shift * pk * pk, own_l = pl - shift * pl * pl, det = own_k * own_l - cross * cross;
    double dk = s->data[k] - shift * pk * s->one_data, dl = s->data[l] - shift * pl * s->one_data;
    amplitude[0] = (dk * own_l - dl * cross) / det;
    amplitude[1] = (dl * own_k - dk * cross) / det;
    *slow = k, *fast = l;
    return true;
}
