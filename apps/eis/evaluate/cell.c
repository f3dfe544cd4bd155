/* Measures a cell predictor: do its intervals hold the truth as often as they say, how far off are its medians, beside
 * robust fits that began at the truth; and where fits lead that begin at its start. */
#include "divide.h"

#include <inttypes.h>
#include <math.h>
#include <stdlib.h>

#include "base/parallel.h"
#include "cell_fits.h"
#include "eis/predictor/arcs_answer.h"
#include "tally.h"

enum { GROUP = 128, EACH = QUANTITIES_CELL * BINS_LAB };
enum { FITTED = 8 };  /* spectra that a process takes at a time: some seconds of one core */

/* Of a spectrum, what the network says: doubles alone, as it lies in records. */
typedef struct cell_record {
    double truth[QUANTITIES_CELL], at[QUANTITIES_CELL][SHARES];
    double confidence[QUANTITIES_CELL], hit[QUANTITIES_CELL];  /* of the most probable bin */
    double starts, seconds;                                    /* how many; of the group that begins with it */
    fit_guess start[GUESSES_MOST];
} cell_record;

/* Of its fits: whether there were any, how they ended, and what the one from the truth says. */
typedef struct fits_record { double status, tried, from_start, searched, with_start, of[QUANTITIES_CELL]; } fits_record;

typedef struct cell_level {
    double noise; /* 0: as in training */
    tally all[QUANTITIES_CELL];
    tally first[QUANTITIES_CELL]; /* of the spectra that were fitted too */
    double *fit_error[QUANTITIES_CELL]; /* of those fits */
    int64_t fitted, from_start, searched, with_start; /* how many reached the best minimum */
    bool fits; /* this build has them */
    double seconds; /* of features and network: what a screening takes */
    calibration quantities;
    cell_record *said; /* [test spectra] */
} cell_level;

typedef struct cell_group {
    const evaluation *e;
    sampler_settings settings;
    cell_level *level;
    int64_t first, spectra;
    sample *sample;
    arcs_fit *fit;
    float *raw, *probability;
    fits_record *fitted; /* of those that are fitted now */
} cell_group;

static bool group_new(const evaluation *e, cell_group *g) {
    *g = (cell_group){ .e = e,
                       .sample = malloc(GROUP * sizeof *g->sample),
                       .fit = malloc(GROUP * sizeof *g->fit),
                       .raw = malloc(GROUP * ARCS_WIDTH * sizeof *g->raw),
                       .probability = malloc(GROUP * EACH * sizeof *g->probability) };
    return g->sample && g->fit && g->raw && g->probability;
}

static void group_free(cell_group *g) {
    free(g->sample), free(g->fit), free(g->raw), free(g->probability);
}

static void draw_one(void *of, int64_t i, int thread) {
    cell_group *g = of;
    (void)thread;
    test_draw(g->e, &g->settings, g->first + i, &g->sample[i]);
}

static void draw_group(cell_group *g, int64_t first, int64_t spectra) {
    g->first = first, g->spectra = spectra;
    parallel_for(g->e->threads, spectra, 1, draw_one, g);
}

/* ---- the network ---- */

static void take_features(void *of, int64_t i, int thread) {
    cell_group *g = of;
    sample *s = &g->sample[i];
    (void)thread;
    arcs_features(s->count, s->freq_hz, s->z, g->raw + i * ARCS_WIDTH, &g->fit[i]);
}

static void record_quantity(const spectrum_model *m, const float *p, int q, const arcs_view *view, float coordinate,
                            cell_record *out) {
    int best = 0;
    for (int k = 0; k < SHARES; k++)
        out->at[q][k] = arcs_value(q, spectrum_model_quantile(m, q, p, tally_shares[k]), view);
    for (int k = 1; k < BINS_LAB; k++) best = p[k] > p[best] ? k : best;
    out->confidence[q] = (double)p[best], out->hit[q] = quantity_bin(EIS_RECIPE_CELL, coordinate) == best;
}

static void record_spectrum(const cell_group *g, int64_t i, cell_record *out) {
    const spectrum_model *m = predictor_model(g->e->predictor);
    const sample *s = &g->sample[i];
    arcs_view view = arcs_view_of(&g->fit[i]);
    float coordinate[QUANTITIES_CELL];
    arcs_answer answer;
    arcs_coordinates(s->arcs, &view, coordinate);
    for (int q = 0; q < QUANTITIES_CELL; q++) {
        out->truth[q] = arcs_quantity(s->arcs, q);
        record_quantity(m, g->probability + i * EACH + q * BINS_LAB, q, &view, coordinate[q], out);
    }
    arcs_answer_of(m, &g->fit[i], g->probability + i * EACH, s->freq_hz[s->count - 1], &answer);
    out->starts = answer.starts.count;
    memcpy(out->start, answer.starts.of, sizeof out->start);
}

static tide_status make_group(void *user, int64_t first, int64_t count, double *records, tide_failure *failure) {
    cell_group *g = user;
    cell_record *out = (cell_record *)records;
    draw_group(g, first, count);
    double began = os_seconds();
    parallel_for(g->e->threads, count, 1, take_features, g);
    tide_status status = predictor_screen(g->e->predictor, count, g->raw, g->probability, failure);
    double seconds = os_seconds() - began;
    for (int64_t i = 0; status == TIDE_OK && i < count; i++) record_spectrum(g, i, &out[i]);
    out[0].seconds = seconds;
    return status;
}

static void add_spectrum(void *user, int64_t number, const double *record) {
    cell_level *level = ((cell_group *)user)->level;
    cell_record *r = &level->said[number];
    memcpy(r, record, sizeof *r);
    level->seconds += r->seconds;
    for (int q = 0; q < QUANTITIES_CELL; q++) {
        tally_add(&level->all[q], cell_quantities[q].exponent, r->at[q], r->truth[q]);
        calibration_add(&level->quantities, r->confidence[q], r->hit[q]);
    }
}

/* ---- fits ---- */

static void fit_one_spectrum(void *of, int64_t i, int thread) {
    cell_group *g = of;
    const cell_record *r = &g->level->said[g->first + i];
    fits_record *out = &g->fitted[i];
    fit_guessed starts = { .count = (int)r->starts };
    cell_fits f;
    tide_failure failure = { 0 };
    (void)thread;
    memcpy(starts.of, r->start, sizeof starts.of);
    out->status = cell_fits_of(&g->sample[i], &starts, &f, &failure);
    if (out->status != TIDE_OK || !f.tried) return;
    out->tried = true;
    out->from_start = cell_fits_reached(f.from_start, f.best);
    out->searched = cell_fits_reached(f.searched, f.best);
    out->with_start = cell_fits_reached(f.with_start, f.best);
    for (int q = 0; q < QUANTITIES_CELL; q++) out->of[q] = arcs_quantity(f.p, q);
}

static tide_status make_fits(void *user, int64_t first, int64_t count, double *records, tide_failure *failure) {
    cell_group *g = user;
    g->fitted = (fits_record *)records;
    draw_group(g, first, count);
    parallel_for(g->e->threads, count, 1, fit_one_spectrum, g);
    for (int64_t i = 0; i < count; i++) {
        tide_status status = (tide_status)g->fitted[i].status;
        if (status == TIDE_OK || status == TIDE_EDEVICE) continue;
        return fail(failure, status, "the fits of test spectrum %" PRId64 " failed: %s", first + i,
                    tide_status_name(status));
    }
    return TIDE_OK;
}

static void add_fits(void *user, int64_t number, const double *record) {
    cell_level *level = ((cell_group *)user)->level;
    const fits_record *f = (const fits_record *)record;
    const cell_record *r = &level->said[number];
    if (f->status == TIDE_EDEVICE) level->fits = false;
    if (!f->tried) return;
    for (int q = 0; q < QUANTITIES_CELL; q++) {
        tally_add(&level->first[q], cell_quantities[q].exponent, r->at[q], r->truth[q]);
        level->fit_error[q][level->fitted] =
            cell_quantities[q].exponent ? fabs(f->of[q] - r->truth[q]) : fabs(log10(f->of[q] / r->truth[q]));
    }
    level->from_start += f->from_start > 0;
    level->searched += f->searched > 0;
    level->with_start += f->with_start > 0;
    level->fitted++;
}

/* ---- both ---- */

/* Fits take nearly all of the time, so several processes have small groups there. */
static tide_status measure(const evaluation *e, int64_t number, cell_level *level, tide_failure *failure) {
    cell_group g;
    tide_status status = group_new(e, &g) ? TIDE_OK : fail(failure, TIDE_ENOMEM, "out of memory for test spectra");
    g.settings = test_settings(e, level->noise, false);
    g.level = level;
    const divided network = { .name = "network", .what = "cell", .level = number, .noise = level->noise,
                              .spectra = e->options->test_spectra, .each = GROUP,
                              .numbers = sizeof(cell_record) / sizeof(double), .make = make_group,
                              .add = add_spectrum, .user = &g };
    const divided fits = { .name = "fits", .what = "fits", .level = number, .noise = level->noise,
                           .spectra = e->options->test_spectra, .each = e->joined ? FITTED : GROUP,
                           .numbers = sizeof(fits_record) / sizeof(double), .make = make_fits, .add = add_fits,
                           .user = &g };
    if (status == TIDE_OK) status = evaluation_divide(e, &network, failure);
    if (status == TIDE_OK) status = evaluation_divide(e, &fits, failure);
    group_free(&g);
    return status;
}

/* ---- the report ---- */

static double share(int64_t part, int64_t of) { return of ? (double)part / (double)of : 0; }

static const char *linear(int q) { return cell_quantities[q].exponent ? "" : NULL; }

static json_t *fits_json(const cell_level *level) {
    json_t *list = json_array();
    for (int q = 0; q < QUANTITIES_CELL; q++) {
        json_t *of = tally_json(&level->first[q], cell_quantities[q].name, linear(q));
        json_object_set_new(of, linear(q) ? "fit_median_abs_error" : "fit_median_abs_log10_error",
                            json_real(tally_median(level->fit_error[q], level->fitted)));
        json_array_append_new(list, of);
    }
    return json_pack("{s:I, s:f, s:f, s:f, s:o}", "spectra", (json_int_t)level->fitted, "start_reaches_best",
                     share(level->from_start, level->fitted), "search_reaches_best",
                     share(level->searched, level->fitted), "search_with_start_reaches_best",
                     share(level->with_start, level->fitted), "quantities", list);
}

static json_t *level_json(const cell_level *level) {
    json_t *list = json_array();
    for (int q = 0; q < QUANTITIES_CELL; q++)
        json_array_append_new(list, tally_json(&level->all[q], cell_quantities[q].name, linear(q)));
    json_t *o = json_pack("{s:o, s:o, s:f, s:o}", "noise",
                          level->noise > 0 ? json_real(level->noise) : json_string("log-uniform 0.001..0.05"),
                          "network", list, "spectra_per_s", (double)level->all[0].count / level->seconds, "calibration",
                          calibration_json(&level->quantities));
    if (level->fits && level->fitted) json_object_set_new(o, "beside_fits", fits_json(level));
    return o;
}

static void fits_text(const cell_level *level, text *out) {
    if (!level->fits) text_add(out, "fits need a build with cminpack\n");
    if (!level->fits || !level->fitted) return;
    text_add(out,
             "of %" PRId64 " fits the best minimum is reached from the network's start alone by %.2f %%, from starts "
             "by the spectrum by %.2f %%,\nfrom both by %.2f %%\n",
             level->fitted, 100 * share(level->from_start, level->fitted), 100 * share(level->searched, level->fitted),
             100 * share(level->with_start, level->fitted));
}

static void level_text(const cell_level *level, text *out) {
    char noise[32] = "0.1 to 5 %, log-uniform";
    if (level->noise > 0) snprintf(noise, sizeof noise, "%g %%", 100 * level->noise);
    text_add(out,
             "\nnoise %s. Share of truths within the 80 and 95 %% intervals, median |log10 error| of the medians and "
             "median width of the 95 %%\nintervals in decades (of exponents: differences); last the error of robust "
             "fits that began at the truth\n",
             noise);
    for (int q = 0; q < QUANTITIES_CELL; q++) {
        text_add(out, "%4s %6" PRId64, cell_quantities[q].name, level->all[q].count);
        tally_text(&level->all[q], out);
        if (level->fitted) text_add(out, "   %9.3g", tally_median(level->fit_error[q], level->fitted));
        text_add(out, "\n");
    }
    fits_text(level, out);
    text_add(out, "%.0f spectra a second, features and network\n", (double)level->all[0].count / level->seconds);
}

static bool level_new(cell_level *level, double noise, int64_t spectra) {
    bool fine = true;
    *level = (cell_level){ .noise = noise, .fits = true };
    fine = (level->said = malloc((size_t)spectra * sizeof *level->said)) && fine;
    for (int q = 0; q < QUANTITIES_CELL; q++) {
        fine = tally_new(&level->all[q], spectra) && fine;
        fine = tally_new(&level->first[q], spectra) && fine;
        fine = (level->fit_error[q] = malloc((size_t)spectra * sizeof(double))) && fine;
    }
    return fine;
}

static void level_free(cell_level *level) {
    free(level->said);
    for (int q = 0; q < QUANTITIES_CELL; q++)
        tally_free(&level->all[q]), tally_free(&level->first[q]), free(level->fit_error[q]);
}

tide_status evaluate_cell(const evaluation *e, json_t *report, text *talk, tide_failure *failure) {
    json_t *levels = json_array();
    tide_status status = levels ? TIDE_OK : fail(failure, TIDE_ENOMEM, "out of memory for the report");
    json_object_set_new(report, "levels", levels);
    for (int i = 0; status == TIDE_OK && i < e->noises; i++) {
        cell_level level;
        status = level_new(&level, e->noise[i], e->options->test_spectra)
                     ? measure(e, i, &level, failure)
                     : fail(failure, TIDE_ENOMEM, "out of memory for the scores");
        if (status == TIDE_OK) {
            if (e->first && !json_array_size(levels)) *e->first = level.quantities;
            json_array_append_new(levels, level_json(&level));
            level_text(&level, talk);
        }
        level_free(&level);
    }
    return status;
}
