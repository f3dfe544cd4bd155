#include <math.h>
#include <string.h>

#include "features.h"

enum { MEMBRANE = 4 };  /* Ra, Rb, Ca, Cb */
#define CLIP       6.0f
#define APART_MOST 3.0f
#define SD_LEAST   1e-4f  /* of RSH_FEATURES */

static float clip(float x, float most) { return x > most ? most : x < -most ? -most : x; }

static const float *rsh_row(eis_recipe recipe, const float *raw, int i) {
    bool grid = recipe == EIS_RECIPE_GRID;
    return raw + FIT_FEATURES + (grid ? i * (RSH_FEATURES + CELL_FEATURES) : LAB_FEATURES + i * RSH_FEATURES);
}

static void put_places(const float *known_u, float *out) {
    for (int k = 0; k < EIS_COUNT; k++, out += RSH_VALUES) {
        if (isnan(known_u[k])) continue;
        float at = known_u[k] < 0 ? 0 : known_u[k] > RSH_VALUES - 1 ? RSH_VALUES - 1 : known_u[k];
        int   low = (int)at < RSH_VALUES - 1 ? (int)at : RSH_VALUES - 2;
        out[low]     = 1 - (at - (float)low);
        out[low + 1] = at - (float)low;
    }
}

/* How far each Rsh's circuit is from the known values, in standard deviations. */
static void put_distances(eis_recipe recipe, const float *raw, const float *known_u, float *out) {
    for (int i = 0; i < RSH_VALUES; i++) {
        const float *row = rsh_row(recipe, raw, i) + 2;
        float        sum = 0;
        for (int j = 0; j < MEMBRANE; j++) {
            if (isnan(known_u[EIS_RA + j])) continue;
            float apart = row[j] - known_u[EIS_RA + j], sd = expf(row[12 + j]) - SD_LEAST;
            sum += apart * apart / (sd * sd + 4e-4f);
        }
        out[i] = 0.25f * log1pf(sum);
    }
}

/* u, cos, sin and ln sd at an Rsh between grid values: the circuit anew, ln sd between its neighbours. */
static void at_rsh(eis_recipe recipe, const float *raw, float known, float out[16]) {
    double       x[QUICK_COUNT], u[MEMBRANE];
    int          low = known < 0 ? 0 : known < RSH_VALUES - 1 ? (int)known : RSH_VALUES - 2;
    float        share = fminf(fmaxf(known - (float)low, 0), 1);
    const float *below = rsh_row(recipe, raw, low) + 2, *above = rsh_row(recipe, raw, low + 1) + 2;
    if (share == 0 || share == 1) {
        memcpy(out, share == 0 ? below : above, 16 * sizeof *out);
        return;
    }
    const eis_parameter *rsh = &eis_parameters[EIS_RSH];
    for (int k = 0; k < QUICK_COUNT; k++) x[k] = (double)raw[k];
    fibre_coordinates(x, rsh->low * pow(rsh->high / rsh->low, (double)known / (RSH_VALUES - 1)), u);
    for (int j = 0; j < MEMBRANE; j++) {
        out[j]      = (float)u[j];
        out[4 + j]  = cosf(6.2831853f * (float)(u[j] - round(u[j])));
        out[8 + j]  = sinf(6.2831853f * (float)(u[j] - round(u[j])));
        out[12 + j] = (1 - share) * below[12 + j] + share * above[12 + j];
    }
}

static void put_fibre(eis_recipe recipe, const feature_scale *s, const float *raw, const float *known_u, float *out) {
    float  here[16];
    int    nearest = (int)lroundf(fminf(fmaxf(known_u[EIS_RSH], 0), RSH_VALUES - 1));
    ptrdiff_t at = rsh_row(recipe, raw, nearest) + 2 - raw;
    at_rsh(recipe, raw, known_u[EIS_RSH], here);
    for (int j = 0; j < 16; j++) out[j] = clip((here[j] - s->mean[at + j]) * s->over_sd[at + j], CLIP);
    for (int j = 0; j < MEMBRANE; j++)
        if (!isnan(known_u[EIS_RA + j])) out[16 + j] = clip(here[j] - known_u[EIS_RA + j], APART_MOST);
}

void features_known(eis_recipe recipe, const feature_scale *s, const float *raw, const float known_u[EIS_COUNT],
                    float *out) {
    memset(out, 0, (size_t)recipe_known(recipe) * sizeof *out);
    if (recipe == EIS_RECIPE_CELL) return;
    put_places(known_u, out);
    out += EIS_COUNT * RSH_VALUES;
    for (int k = 0; k < EIS_COUNT; k++) *out++ = isnan(known_u[k]) ? 1.0f : 0.0f;
    put_distances(recipe, raw, known_u, out);
    if (!isnan(known_u[EIS_RSH])) put_fibre(recipe, s, raw, known_u, out + RSH_VALUES);
}
