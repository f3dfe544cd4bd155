/* Measures a cell predictor: do its intervals hold the truth as often as they say, how far off are its medians, beside
 * robust fits that began at the truth; and where fits lead that begin at its start. */
#include "evaluate.h"

#include <inttypes.h>
#include <math.h>
#include <stdlib.h>

#include "base/parallel.h"
#include "cell_fits.h"
#include "eis/predictor/arcs_answer.h"
#include "tally.h"

enum { GROUP = 128, EACH = QUANTITIES_CELL * BINS_LAB };

typedef struct cell_level {
    double noise; /* 0: as in training */
    tally all[QUANTITIES_CELL];
    tally first[QUANTITIES_CELL]; /* of the spectra that were fitted too */
    double *fit_error[QUANTITIES_CELL]; /* of those fits */
    int64_t fitted, from_start, searched, with_start; /* how many reached the best minimum */
    bool fits; /* this build has them */
    double seconds; /* of features and network: what a screening takes */
    calibration quantities;
} cell_level;

typedef struct cell_group {
    const evaluation *e;
    sampler_settings settings;
    int64_t first, spectra;
    sample *sample;
    arcs_fit *fit;
    float *raw, *probability;
    cell_fits *of;
    tide_status *status;
} cell_group;

static bool group_new(const evaluation *e, cell_group *g) {
    *g = (cell_group){ .e = e,
                       .sample = malloc(GROUP * sizeof *g->sample),
                       .fit = malloc(GROUP * sizeof *g->fit),
                       .raw = malloc(GROUP * ARCS_WIDTH * sizeof *g->raw),
                       .probability = malloc(GROUP * EACH * sizeof *g->probability),
                       .of = calloc(GROUP, sizeof *g->of),
                       .status = calloc(GROUP, sizeof *g->status) };
    return g->sample && g->fit && g->raw && g->probability && g->of && g->status;
}

static void group_free(cell_group *g) {
    free(g->sample), free(g->fit), free(g->raw), free(g->probability), free(g->of), free(g->status);
}

/* ---- one group ---- */

static void draw_one(void *of, int64_t i, int thread) {
    cell_group *g = of;
    (void)thread;
    test_draw(g->e, &g->settings, g->first + i, &g->sample[i]);
}

static void take_features(void *of, int64_t i, int thread) {
    cell_group *g = of;
    sample *s = &g->sample[i];
    (void)thread;
    arcs_features(s->count, s->freq_hz, s->z, g->raw + i * ARCS_WIDTH, &g->fit[i]);
}

static tide_status ask_network(cell_group *g, cell_level *level, tide_failure *failure) {
    double began = os_seconds();
    parallel_for(g->e->threads, g->spectra, 1, take_features, g);
    tide_status status = predictor_screen(g->e->predictor, g->spectra, g->raw, g->probability, failure);
    level->seconds += os_seconds() - began;
    return status;
}

static void fit_one_spectrum(void *of, int64_t i, int thread) {
    cell_group *g = of;
    const sample *s = &g->sample[i];
    arcs_answer answer;
    tide_failure failure = { 0 };
    (void)thread;
    arcs_answer_of(predictor_model(g->e->predictor), &g->fit[i], g->probability + i * EACH, s->freq_hz[s->count - 1],
                   &answer);
    g->status[i] = cell_fits_of(s, &answer.starts, &g->of[i], &failure);
}

static tide_status fit_group(cell_group *g, cell_level *level, tide_failure *failure) {
    memset(g->of, 0, GROUP * sizeof *g->of);
    if (!level->fits) return TIDE_OK;
    parallel_for(g->e->threads, g->spectra, 1, fit_one_spectrum, g);
    for (int64_t i = 0; i < g->spectra; i++) {
        if (g->status[i] == TIDE_EDEVICE) level->fits = false;
        else if (g->status[i] != TIDE_OK)
            return fail(failure, g->status[i], "the fits of test spectrum %" PRId64 " failed: %s", g->first + i,
                        tide_status_name(g->status[i]));
    }
    return TIDE_OK;
}

/* ---- sums ---- */

static void add_fit(const cell_fits *f, const double truth[QUANTITIES_CELL], cell_level *level) {
    for (int q = 0; q < QUANTITIES_CELL; q++) {
        double value = arcs_quantity(f->p, q);
        level->fit_error[q][level->fitted] =
            cell_quantities[q].exponent ? fabs(value - truth[q]) : fabs(log10(value / truth[q]));
    }
    level->from_start += cell_fits_reached(f->from_start, f->best);
    level->searched += cell_fits_reached(f->searched, f->best);
    level->with_start += cell_fits_reached(f->with_start, f->best);
    level->fitted++;
}

static void add_spectrum(const cell_group *g, int64_t i, cell_level *level) {
    const spectrum_model *m = predictor_model(g->e->predictor);
    arcs_view view = arcs_view_of(&g->fit[i]);
    double truth[QUANTITIES_CELL], at[SHARES];
    float coordinate[QUANTITIES_CELL];
    arcs_coordinates(g->sample[i].arcs, &view, coordinate);
    for (int q = 0; q < QUANTITIES_CELL; q++) {
        const float *p = g->probability + i * EACH + q * BINS_LAB;
        int best = 0;
        truth[q] = arcs_quantity(g->sample[i].arcs, q);
        for (int k = 0; k < SHARES; k++)
            at[k] = arcs_value(q, spectrum_model_quantile(m, q, p, tally_shares[k]), &view);
        for (int k = 1; k < BINS_LAB; k++) best = p[k] > p[best] ? k : best;
        tally_add(&level->all[q], cell_quantities[q].exponent, at, truth[q]);
        if (g->of[i].tried) tally_add(&level->first[q], cell_quantities[q].exponent, at, truth[q]);
        calibration_add(&level->quantities, (double)p[best], quantity_bin(EIS_RECIPE_CELL, coordinate[q]) == best);
    }
    if (g->of[i].tried) add_fit(&g->of[i], truth, level);
}

static tide_status measure(const evaluation *e, cell_level *level, tide_failure *failure) {
    cell_group g;
    tide_status status = group_new(e, &g) ? TIDE_OK : fail(failure, TIDE_ENOMEM, "out of memory for test spectra");
    g.settings = test_settings(e, level->noise, false);
    for (; status == TIDE_OK && g.first < e->options->test_spectra; g.first += GROUP) {
        g.spectra = MIN2(e->options->test_spectra - g.first, GROUP);
        parallel_for(e->threads, g.spectra, 1, draw_one, &g);
        status = ask_network(&g, level, failure);
        if (status == TIDE_OK) status = fit_group(&g, level, failure);
        for (int64_t i = 0; status == TIDE_OK && i < g.spectra; i++) add_spectrum(&g, i, level);
        if (status == TIDE_OK) status = evaluation_progress(e, "cell", level->noise, g.first + g.spectra, failure);
    }
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
    for (int q = 0; q < QUANTITIES_CELL; q++) {
        fine = tally_new(&level->all[q], spectra) && fine;
        fine = tally_new(&level->first[q], spectra) && fine;
        fine = (level->fit_error[q] = malloc((size_t)spectra * sizeof(double))) && fine;
    }
    return fine;
}

static void level_free(cell_level *level) {
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
                     ? measure(e, &level, failure)
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
