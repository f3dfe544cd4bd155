/* A spectrum's fit as numbers that a network can take: coordinates, their covariance, and how far the fit may be
 * trusted. */
#include "features.h"

#include <math.h>

#include "fibre_kernel.h"

#define CLIP 6.0f
#define NOISE_LEAST 1e-7

double grid_coordinate(int parameter, double value) {
    const eis_parameter *p = &eis_parameters[parameter];
    return log(value / p->low) / log(p->high / p->low) * (RSH_VALUES - 1);
}

/* Lower triangular; what rounding leaves of a variance is at least a trifle. */
static void cholesky(const double cov[QUICK_COUNT][QUICK_COUNT], double root[QUICK_COUNT][QUICK_COUNT]) {
    for (int i = 0; i < QUICK_COUNT; i++)
        for (int j = 0; j <= i; j++) {
            double sum = cov[i][j];
            for (int k = 0; k < j; k++) sum -= root[i][k] * root[j][k];
            root[i][j] = i == j ? sqrt(fmax(sum, 1e-14 * cov[i][i] + 1e-300)) : sum / root[j][j];
        }
}

static float *put_fit(eis_recipe recipe, const quick_fit *fit, const eis_invariants *q, float *out) {
    double sd[QUICK_COUNT];
    for (int k = 0; k < QUICK_COUNT; k++) sd[k] = sqrt(fit->cov[k][k]), *out++ = (float)fit->x[k];
    *out++ = (float)log(q->r0_ohm);
    *out++ = (float)log(q->n1_s);
    *out++ = (float)log(q->d1_s);
    *out++ = (float)log(q->d2_s2);
    *out++ = (float)log(q->cinf_farad);
    *out++ = (float)(recipe == EIS_RECIPE_GRID ? log(fit->misfit + 1) : log(fit->noise));
    for (int k = 0; k < QUICK_COUNT; k++) *out++ = (float)log(sd[k]);
    for (int a = 0; a < QUICK_COUNT; a++)
        for (int b = a + 1; b < QUICK_COUNT; b++) *out++ = (float)(fit->cov[a][b] / (sd[a] * sd[b]));
    return out;
}

static float *put_lab(const quick_fit *fit, int64_t count, const double *freq_hz, float *out) {
    *out++ = (float)(fit->rs_ohm / 100);
    *out++ = (float)asinh(fit->rs_ohm / (fit->rs_sd + 1e-6));
    *out++ = (float)log(fit->rs_sd + 1e-6);
    for (int k = 0; k < QUICK_COUNT; k++) *out++ = (float)fit->rs_corr[k];
    *out++ = (float)log((double)count);
    *out++ = (float)log(freq_hz[count - 1]);
    *out++ = (float)log(freq_hz[0]);
    *out++ = (float)log1p(fit->outliers);
    return out;
}

/* Standard deviation of ln TER. */
static double ter_sd(const quick_fit *fit, const eis_invariants *q) {
    double f1 = exp(fit->x[QUICK_LN_R1]) / q->r0_ohm, f2 = exp(fit->x[QUICK_LN_R2]) / q->r0_ohm;
    double both = fit->cov[QUICK_LN_R1][QUICK_LN_R2];
    double variance = f1 * f1 * fit->cov[QUICK_LN_R1][QUICK_LN_R1] + f2 * f2 * fit->cov[QUICK_LN_R2][QUICK_LN_R2] +
                      2 * f1 * f2 * both;
    return sqrt(fmax(variance, 1e-18));
}

void features_of(eis_recipe recipe, int64_t count, const double *freq_hz, const eis_z *z, double noise, float *out,
                 quick_fit *fit) {
    quick_fit      own;
    fibre_features f;
    double         rsh[FIBRE_ROOM], root[QUICK_COUNT][QUICK_COUNT], misfit[FIBRE_ROOM], distance[FIBRE_ROOM];
    bool           grid = recipe == EIS_RECIPE_GRID;
    if (!fit) fit = &own;
    quick_fit_run(count, freq_hz, z, noise, !grid, fit);
    eis_invariants q = quick_invariants(fit->x);
    double         sd = ter_sd(fit, &q);
    cholesky(fit->cov, root);
    for (int i = 0; i < FIBRE_ROOM; i++)
        rsh[i] = eis_grid_value(EIS_RSH, i < RSH_VALUES ? i : RSH_VALUES - 1, RSH_VALUES);
    fibre_features_of(fit->x, root, rsh, &f);
    if (grid) fibre_cells(fit->x, root, rsh, f.u, count, freq_hz, z, fit->noise, misfit, distance);
    out = put_fit(recipe, fit, &q, out);
    if (!grid) out = put_lab(fit, count, freq_hz, out);
    for (int i = 0; i < RSH_VALUES; i++) {
        *out++ = rsh[i] > q.r0_ohm;
        *out++ = (float)asinh((rsh[i] / q.r0_ohm - 1) / sd);
        for (int j = 0; j < 4; j++) {
            out[j]      = (float)f.u[j][i];
            out[4 + j]  = (float)f.cosine[j][i];
            out[8 + j]  = (float)f.sine[j][i];
            out[12 + j] = (float)f.ln_sd[j][i];
        }
        out += 16;
        if (!grid) continue;
        *out++ = (float)log1p(fmax(misfit[i] - fit->misfit, 0));
        *out++ = (float)log1p(distance[i]);
    }
}

void feature_scale_from(int64_t width, int64_t rows, const float *raw, feature_scale *out) {
    *out = (feature_scale){ .width = width };
    for (int64_t k = 0; k < width; k++) {
        double sum = 0, squares = 0, first = rows > 0 ? (double)raw[k] : 0;
        for (int64_t i = 0; i < rows; i++) {
            double v = (double)raw[i * width + k] - first;
            sum += v, squares += v * v;
        }
        double mean = rows > 0 ? sum / (double)rows : 0, variance = rows > 0 ? squares / (double)rows - mean * mean : 0;
        out->mean[k]    = (float)(first + mean);
        out->over_sd[k] = variance > 1e-12 * (first * first + mean * mean) + 1e-20 ? (float)(1 / sqrt(variance)) : 1;
    }
}

int features_scale(const feature_scale *s, const float *raw, float *out) {
    int clipped = 0;
    for (int64_t k = 0; k < s->width; k++) {
        float v = (raw[k] - s->mean[k]) * s->over_sd[k];
        clipped += v > CLIP || v < -CLIP;
        out[k] = v > CLIP ? CLIP : v < -CLIP ? -CLIP : v;
    }
    return clipped;
}
