/* The model file: parameters, widths, scale, levels and training range; what comes back is held to what the network
 * can be. */
#include "model.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/base.h"

const double model_shares[MODEL_LEVELS] = { 0.025, 0.1, 0.5, 0.9, 0.975 };

void spectrum_model_plain_levels(spectrum_model *m) {
    for (int q = 0; q < QUANTITIES_MOST; q++)
        for (int i = 0; i < MODEL_LEVELS; i++) m->level[q][i] = (float)model_shares[i];
}

/* Between the shares that were measured the level runs evenly. */
static double level_of(const float *level, double share) {
    double share_below = 0, level_below = 0;
    for (int i = 0; i <= MODEL_LEVELS; i++) {
        double share_above = i < MODEL_LEVELS ? model_shares[i] : 1,
               level_above = i < MODEL_LEVELS ? (double)level[i] : 1;
        if (share <= share_above)
            return level_below + (level_above - level_below) * (share - share_below) / (share_above - share_below);
        share_below = share_above, level_below = level_above;
    }
    return 1;
}

double spectrum_model_quantile(const spectrum_model *m, int quantity, const float *probability, double share) {
    int64_t bins = recipe_bins(m->config.recipe);
    double  sum = 0, below = 0, wanted;
    for (int64_t i = 0; i < bins; i++) sum += (double)probability[i];
    wanted = sum * level_of(m->level[quantity], share);
    for (int64_t i = 0; i < bins; i++) {
        double own = (double)probability[i];
        if (own > 0 && wanted - below <= own) return ((double)i + fmax(wanted - below, 0) / own) / (double)bins;
        below += own;
    }
    return 1;
}

static tide_status add_parameters(tide_archive *a, tide_list params, const tide_snapshot_t *best) {
    tide_status status = TIDE_OK;
    for (int64_t i = 0; status == TIDE_OK && i < params.count; i++) {
        tide_val    v    = params.items[i];
        const void *data = best ? tide_snapshot_data(best, i) : tide_data(v);
        status = data ? tide_archive_add(a, tide_name_of(v), tide_dtype_of(v), tide_shape_of(v), data) : TIDE_ENOMEM;
    }
    return status;
}

static tide_status add_facts(tide_archive *a, const spectrum_model *m) {
    char text[5][40];
    snprintf(text[0], sizeof text[0], "%d", SPECTRUM_MODEL_VERSION);
    snprintf(text[1], sizeof text[1], "%" PRId64, m->config.width);
    snprintf(text[2], sizeof text[2], "%" PRIu64, m->seed);
    num_format(text[3], m->keep_out, false);
    const char *const facts[][2] = { { "kind", SPECTRUM_MODEL_KIND }, { "format_version", text[0] },
                                     { "circuit", "shunt" },
                                     { "recipe", recipe_kinds[m->config.recipe].name }, { "width", text[1] },
                                     { "seed", text[2] },
                                     { "keep_out", text[3] } };
    tide_status status = TIDE_OK;
    for (size_t i = 0; status == TIDE_OK && i < sizeof facts / sizeof *facts; i++)
        status = tide_archive_set(a, facts[i][0], facts[i][1]);
    tide_shape shape = TIDE_SHAPE(m->scale.width),
               levels = TIDE_SHAPE(recipe_kinds[m->config.recipe].levels, MODEL_LEVELS);
    if (status == TIDE_OK) status = tide_archive_add(a, "scale.mean", TIDE_F32, shape, m->scale.mean);
    if (status == TIDE_OK)
        status = tide_archive_add(a, "level", TIDE_F32, levels, m->level);
    return status == TIDE_OK ? tide_archive_add(a, "scale.over_sd", TIDE_F32, shape, m->scale.over_sd) : status;
}

tide_status spectrum_model_archive(const spectrum_model *m, tide_list params, const tide_snapshot_t *best,
                                   tide_archive *a) {
    tide_status status = add_facts(a, m);
    return status == TIDE_OK ? add_parameters(a, params, best) : status;
}

/* ---- reading ---- */

static tide_status damaged(const char *path, const char *what, tide_failure *failure) {
    return fail_at(failure, TIDE_EDATA, path, 0, what,
                   "%s: its '%s' is missing or not that of a spectrum predictor (tidemill eis train)", path, what);
}

static bool number_of(const tide_archive *a, const char *key, double *out) {
    const char *text = tide_archive_metadata(a, key);
    char       *end;
    if (!text) return false;
    *out = num_parse(text, &end);
    return end != text && !*end;
}

static bool numbers_of(const tide_archive *a, const char *name, tide_shape shape, float *out) {
    const tide_tensor *t = tide_archive_find(a, name);
    if (!t || t->type != TIDE_F32 || !tide_shape_equal(t->shape, shape)) return false;
    memcpy(out, t->data, (size_t)tide_shape_count(shape) * sizeof *out);
    for (int64_t i = 0; i < tide_shape_count(shape); i++)
        if (!isfinite(out[i])) return false;
    return true;
}

/* Levels are shares: in 0..1, ascending. */
static bool are_levels(const spectrum_model *m) {
    for (int q = 0; q < QUANTITIES_MOST; q++)
        for (int i = 0; i < MODEL_LEVELS; i++)
            if (!(m->level[q][i] >= (i ? m->level[q][i - 1] : 0) && m->level[q][i] <= 1)) return false;
    return true;
}

/* The network is made before its parameters are read: the file must hold as many as the width says. */
static bool holds_width(const tide_archive *a, double width) {
    const tide_tensor *up = tide_archive_find(a, "encoder.0.up.weight");
    return width >= 1 && width <= 65536 && width == floor(width) && up &&
           tide_shape_equal(up->shape, TIDE_SHAPE((int64_t)width, (int64_t)width));
}

static tide_status take(const char *path, const tide_archive *a, spectrum_model *m, tide_failure *failure) {
    double      version, width, seed;
    const char *kind = tide_archive_metadata(a, "kind"), *recipe = tide_archive_metadata(a, "recipe");
    if (!kind || strcmp(kind, SPECTRUM_MODEL_KIND)) return damaged(path, "kind", failure);
    if (!number_of(a, "format_version", &version) || !(version >= 1)) return damaged(path, "format_version", failure);
    if (version > SPECTRUM_MODEL_VERSION)
        return fail_at(failure, TIDE_EDATA, path, 0, NULL,
                       "%s: its format version %g is newer than this program reads: update tidemill", path, version);
    if (recipe_find(recipe) < 0) return damaged(path, "recipe", failure);
    m->config.recipe = (eis_recipe)recipe_find(recipe);
    const recipe_kind *of = &recipe_kinds[m->config.recipe];
    if (!number_of(a, "width", &width) || !holds_width(a, width)) return damaged(path, "width", failure);
    if (!number_of(a, "seed", &seed)) return damaged(path, "seed", failure);
    if (!number_of(a, "keep_out", &m->keep_out) || !(m->keep_out >= 0 && m->keep_out <= 0.5))
        return damaged(path, "keep_out", failure);
    m->config.width = (int64_t)width;
    m->seed         = strtoull(tide_archive_metadata(a, "seed"), NULL, 10);
    m->scale.width  = features_width(m->config.recipe);
    tide_shape features = TIDE_SHAPE(m->scale.width), levels = TIDE_SHAPE(of->levels, MODEL_LEVELS);
    if (!numbers_of(a, "scale.mean", features, m->scale.mean)) return damaged(path, "scale.mean", failure);
    if (!numbers_of(a, "scale.over_sd", features, m->scale.over_sd)) return damaged(path, "scale.over_sd", failure);
    spectrum_model_plain_levels(m); /* values of the grid are no intervals: they need no others */
    if (of->intervals && !numbers_of(a, "level", levels, &m->level[0][0]))
        return damaged(path, "level", failure);
    return are_levels(m) ? TIDE_OK : damaged(path, "level", failure);
}

tide_status spectrum_model_take(const char *path, const tide_archive *a, spectrum_model *out, tide_failure *failure) {
    *out = (spectrum_model){ .keep_out = 0 };
    return take(path, a, out, failure);
}
