/* features_scale, features_known and fill_case (spectra.c) of a whole batch, in operations of the engine. */
#include "visits.h"

#include <math.h>
#include <stdlib.h>

#include <tidemill/ops.h>

#include "base/parallel.h"

enum { WIDTH = GRID_WIDTH, RSH_ROW = RSH_FEATURES + CELL_FEATURES, ROW_PLACE = 2, ROW_SD = 14, MEMBRANE = 4,
       FIBRE = 16 };
static const double scaled_most = 6, apart_most = 3, sd_least = 1e-4, variance_least = 4e-4;

/* ---- on the host ---- */

bool visits_new(int64_t spectra, visits *v) {
    *v = (visits){ .spectra = spectra, .raw = malloc((size_t)(spectra * WIDTH) * sizeof(float)),
                   .place = malloc((size_t)(spectra * EIS_COUNT) * sizeof(float)),
                   .label = malloc((size_t)(spectra * EIS_COUNT) * sizeof(int32_t)),
                   .missing = malloc((size_t)(spectra * MASKS * EIS_COUNT)) };
    if (v->raw && v->place && v->label && v->missing) return true;
    visits_free(v);
    return false;
}

void visits_free(visits *v) {
    free(v->raw), free(v->place), free(v->label), free(v->missing);
    *v = (visits){ 0 };
}

typedef struct filling { const float *const *row; uint64_t seed, first_visit; sample_split split; visits *to; } filling;

static void fill_visit(void *of, int64_t i, int thread) {
    const filling *f = of;
    const float   *row = f->row[i], *coordinate = row + WIDTH + EIS_COUNT;
    visits        *v = f->to;
    (void)thread;
    memcpy(v->raw + i * WIDTH, row, WIDTH * sizeof *row);
    memcpy(v->place + i * EIS_COUNT, row + WIDTH, EIS_COUNT * sizeof *row);
    for (int k = 0; k < EIS_COUNT; k++) v->label[i * EIS_COUNT + k] = quantity_bin(EIS_RECIPE_GRID, coordinate[k]);
    for (int m = 0; m < MASKS; m++) {
        unsigned missing = mask_draw(f->seed, f->split, f->first_visit + (uint64_t)i, m);
        for (int k = 0; k < EIS_COUNT; k++) v->missing[(i * MASKS + m) * EIS_COUNT + k] = missing >> k & 1;
    }
}

void visits_fill(const float *const *row, uint64_t seed, sample_split split, uint64_t first_visit, int threads,
                 visits *v) {
    parallel_for(threads, v->spectra, 64, fill_visit, &(filling){ row, seed, first_visit, split, v });
}

/* ---- on the device ---- */

visit_inputs visit_inputs_new(tide_graph *g, int64_t spectra) {
    tide_scope_push(g, "visits");
    visit_inputs in = { .raw = tide_input(g, "raw", TIDE_F32, TIDE_SHAPE(spectra, WIDTH)),
                        .place = tide_input(g, "place", TIDE_F32, TIDE_SHAPE(spectra, EIS_COUNT)),
                        .label = tide_input(g, "label", TIDE_I32, TIDE_SHAPE(spectra, 1, EIS_COUNT)),
                        .missing = tide_input(g, "missing", TIDE_U8, TIDE_SHAPE(spectra, MASKS, EIS_COUNT)),
                        .mean = tide_input(g, "mean", TIDE_F32, TIDE_SHAPE(WIDTH)),
                        .over_sd = tide_input(g, "over_sd", TIDE_F32, TIDE_SHAPE(WIDTH)) };
    tide_scope_pop(g);
    return in;
}

void visit_feeds(const visit_inputs *in, const visits *v, const feature_scale *scale, train_feed feeds[VISIT_FEEDS]) {
    feeds[0] = (train_feed){ in->raw, v->raw, false };
    feeds[1] = (train_feed){ in->place, v->place, false };
    feeds[2] = (train_feed){ in->label, v->label, false };
    feeds[3] = (train_feed){ in->missing, v->missing, false };
    feeds[4] = (train_feed){ in->mean, scale->mean, true };
    feeds[5] = (train_feed){ in->over_sd, scale->over_sd, true };
}

/* What follows: s spectra, m masks. */
typedef struct batch_of {
    int64_t  spectra;
    tide_val raw, scaled;     /* (s, RSH_VALUES, RSH_ROW): for each Rsh of the grid, as they came and scaled */
    tide_val place;           /* (s, 1, EIS_COUNT) */
    tide_val known, missing;  /* (s, m, EIS_COUNT): 1 or 0 */
    tide_val axis;            /* 0..11 */
    tide_val here;            /* (s, RSH_VALUES): 1 where Rsh is */
} batch_of;

static tide_val rsh_rows(tide_val features, int64_t spectra) {
    return tide_reshape(tide_slice(features, 1, FIT_FEATURES, TIDE_END), TIDE_SHAPE(spectra, RSH_VALUES, RSH_ROW));
}

static tide_val membrane(tide_val of) { return tide_slice(of, 2, EIS_RA, EIS_COUNT); }

/* Between two grid values a place is shared by how near they are. */
static tide_val places(const batch_of *b) {
    tide_val at    = tide_expand_dims(tide_clamp(b->place, 0, RSH_VALUES - 1), 3);
    tide_val share = tide_relu(tide_add_scalar(tide_neg(tide_abs(tide_sub(at, b->axis))), 1));
    return tide_reshape(tide_mul(share, tide_expand_dims(b->known, 3)),
                        TIDE_SHAPE(b->spectra, MASKS, EIS_COUNT * RSH_VALUES));
}

/* Of each Rsh's circuit from the known values, in standard deviations. */
static tide_val distances(const batch_of *b) {
    tide_val u  = tide_slice(b->raw, 2, ROW_PLACE, ROW_PLACE + MEMBRANE);
    tide_val sd = tide_sub_scalar(tide_exp(tide_slice(b->raw, 2, ROW_SD, ROW_SD + MEMBRANE)), sd_least);
    tide_val square = tide_div(tide_square(tide_sub(u, membrane(b->place))),
                               tide_add_scalar(tide_square(sd), variance_least));
    tide_val sum = tide_sum(tide_mul(tide_expand_dims(square, 1), tide_expand_dims(membrane(b->known), 2)),
                            TIDE_AXES(3));
    return tide_mul_scalar(tide_log1p(sum), 0.25);
}

/* The row of the known Rsh; nothing where it is missing. */
static tide_val fibre(const batch_of *b) {
    tide_val pick  = tide_expand_dims(b->here, 2);
    tide_val row   = tide_sum(tide_mul(tide_slice(b->scaled, 2, ROW_PLACE, ROW_PLACE + FIBRE), pick), TIDE_AXES(1));
    tide_val u     = tide_sum(tide_mul(tide_slice(b->raw, 2, ROW_PLACE, ROW_PLACE + MEMBRANE), pick), TIDE_AXES(1));
    tide_val apart = tide_clamp(tide_sub(tide_expand_dims(u, 1), membrane(b->place)), -apart_most, apart_most);
    tide_val shunt = tide_slice(b->known, 2, EIS_RSH, EIS_RSH + 1);
    return tide_concat(b->known.graph, TIDE_LIST(tide_mul(tide_expand_dims(row, 1), shunt),
                                                 tide_mul(tide_mul(apart, membrane(b->known)), shunt)), 2);
}

static tide_val label_of(const visit_inputs *in, int64_t spectra) {
    return tide_broadcast(in->label, TIDE_SHAPE(spectra, MASKS, EIS_COUNT));
}

spectrum_inputs visit_values(const visit_inputs *in) {
    tide_graph *g       = in->raw.graph;
    int64_t     spectra = tide_shape_of(in->raw).dim[0];
    tide_val features = tide_clamp(tide_mul(tide_sub(in->raw, in->mean), in->over_sd), -scaled_most, scaled_most);
    tide_val missing  = tide_cast(in->missing, TIDE_F32),
             axis     = tide_cast(tide_arange(g, TIDE_I32, RSH_VALUES), TIDE_F32);
    tide_val rsh      = tide_slice(in->place, 1, EIS_RSH, EIS_RSH + 1);
    batch_of b = { .spectra = spectra, .raw = rsh_rows(in->raw, spectra), .scaled = rsh_rows(features, spectra),
                   .place = tide_expand_dims(in->place, 1), .missing = missing, .axis = axis,
                   .known = tide_add_scalar(tide_neg(missing), 1),
                   .here = tide_cast(tide_eq(tide_round(rsh), axis), TIDE_F32) };
    tide_val known = tide_concat(g, TIDE_LIST(places(&b), missing, distances(&b), fibre(&b)), 2);
    return (spectrum_inputs){ .features = features, .known = known, .label = label_of(in, spectra),
                              .weight = tide_div(missing, tide_sum(missing, TIDE_AXES_KEEP(2))) };
}
