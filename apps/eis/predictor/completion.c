/* Completion by a trained spectrum predictor.
 *
 * The network knows circuits whose membrane a is the slower one. Where the user's labels say nothing of that, it is
 * asked with the labels as they are and with them exchanged, each weighed by the probability density of the known
 * values themselves. */
#include "eis/posterior/completion.h"

#include <math.h>
#include <stdlib.h>

#include "base/base.h"
#include "predictor.h"
#include "range.h"

enum { DRAWS = 2000, LABELLINGS = 2, STREAM = 0x4e4554 };
static const int    chain[EIS_COUNT] = { EIS_RSH, EIS_RA, EIS_RB, EIS_CA, EIS_CB };
static const double least_effective  = 0.05;  /* of the draws; with fewer, likelihoods pick a handful of them */
#define LEAST_PROBABILITY 1e-38
#define FEWEST_POINTS     5

typedef struct labelling {
    bool      swapped;
    eis_known known;                /* in these labels */
    float     known_u[EIS_COUNT];
    double    weight;               /* of all labellings: they sum to 1 */
} labelling;

typedef struct network_task {
    const question     *q;
    const eis_spectrum *s;
    eis_recipe recipe;
    int64_t    quantities, bins, each;  /* each: probabilities an answer */
    int        labellings;
    labelling  labelling[LABELLINGS];
    /* the spectrum as features take it: frequencies falling, at most SAMPLE_MOST of them */
    int64_t    count;
    double     freq_hz[SAMPLE_MOST];
    eis_z      z[SAMPLE_MOST];
    float      raw[FEATURES_MOST];
    quick_fit  fit;
    float     *first;                   /* [labellings][each]: given the known values */
    int64_t    split;                   /* draws before this one are of the first labelling */
} network_task;

static tide_status no_memory(tide_failure *failure) {
    return fail(failure, TIDE_ENOMEM, "out of memory for the network's answer");
}

/* ---- the spectrum ---- */

typedef struct reading { double freq_hz; eis_z z; } reading;

static int by_falling_frequency(const void *a, const void *b) {
    double x = ((const reading *)a)->freq_hz, y = ((const reading *)b)->freq_hz;
    return (x < y) - (x > y);
}

/* Of more points than the features take, as many of them, even in number. */
static tide_status take_spectrum(network_task *t, double offset_ohm, tide_failure *failure) {
    reading *all   = malloc((size_t)t->s->count * sizeof *all);
    int64_t  count = 0;
    if (!all) return no_memory(failure);
    for (int64_t i = 0; i < t->s->count; i++) {
        eis_z z = { t->s->z[i].re - offset_ohm, t->s->z[i].im };
        if (hypot(z.re, z.im) > 0) all[count++] = (reading){ t->s->freq_hz[i], z };
    }
    qsort(all, (size_t)count, sizeof *all, by_falling_frequency);
    t->count = MIN2(count, SAMPLE_MOST);
    for (int64_t i = 0; i < t->count; i++) {
        const reading *r = &all[t->count < 2 ? 0 : i * (count - 1) / (t->count - 1)];
        t->freq_hz[i] = r->freq_hz, t->z[i] = r->z;
    }
    free(all);
    return t->count >= FEWEST_POINTS ? TIDE_OK
                                     : fail(failure, TIDE_EDATA,
                                            "the spectrum has %d points that are not 0; at least %d are needed",
                                            (int)t->count, FEWEST_POINTS);
}

static tide_status take_features(network_task *t, completion *out, tide_failure *failure) {
    const question *q    = t->q;
    bool            grid = t->recipe == EIS_RECIPE_GRID;
    if (grid && isnan(q->rs_ohm))
        return fail_at(
            failure, TIDE_EINVAL, NULL, 0, "rs",
            "this predictor was trained with `recipe` grid, on spectra without solution resistance: give `rs` OHM, or "
            "use a lab model");
    tide_status status = take_spectrum(t, grid ? q->rs_ohm : 0, failure);
    if (status != TIDE_OK) return status;
    quick_fit_run(t->count, t->freq_hz, t->z, NAN, !grid, &t->fit);
    out->noise_inferred = isnan(q->noise);
    out->noise          = out->noise_inferred ? fmax(t->fit.noise, COMPLETION_LEAST_NOISE) : q->noise;
    features_of(t->recipe, t->count, t->freq_hz, t->z, grid ? out->noise : (double)NAN, t->raw, grid ? NULL : &t->fit);
    return predictor_spectra(q->predictor, 1, t->raw, failure);
}

/* ---- labels ---- */

static eis_known swapped(const eis_known *k) {
    static const int other[EIS_COUNT] = { EIS_RSH, EIS_RB, EIS_RA, EIS_CB, EIS_CA };
    eis_known out;
    for (int i = 0; i < EIS_COUNT; i++) out.is[i] = k->is[other[i]], out.value[i] = k->value[other[i]];
    return out;
}

static void set_labellings(network_task *t) {
    t->labellings = t->q->canonical ? 1 : LABELLINGS;
    for (int l = 0; l < t->labellings; l++) {
        labelling *own = &t->labelling[l];
        *own = (labelling){ .swapped = l, .known = l ? swapped(&t->q->known) : t->q->known, .weight = 1 };
        for (int k = 0; k < EIS_COUNT; k++)
            own->known_u[k] = own->known.is[k] ? (float)grid_coordinate(k, own->known.value[k]) : NAN;
    }
}

/* Of a known value: its bin, or shared between the grid values on both sides. Parameters of either membrane have the
 * same range, so densities of both labellings compare as probabilities of bins do. */
static double probability_at(const network_task *t, const float *p, float u) {
    if (t->recipe == EIS_RECIPE_LAB) return (double)p[quantity_bin(EIS_RECIPE_LAB, u / (CELL_VALUES - 1))];
    int   low  = MIN2(MAX2((int)u, 0), CELL_VALUES - 2);
    float part = u - (float)low;
    return (double)((1 - part) * p[low] + part * p[low + 1]);
}

/* By the chain rule over the known values, nothing known at first. */
static tide_status weigh_labellings(network_task *t, tide_failure *failure) {
    static const int32_t spectrum[LABELLINGS] = { 0 };
    float  given[LABELLINGS][EIS_COUNT], *p = t->first;
    double log_weight[LABELLINGS] = { 0 };
    for (int l = 0; l < LABELLINGS; l++)
        for (int k = 0; k < EIS_COUNT; k++) given[l][k] = NAN;
    for (int i = 0; t->labellings > 1 && i < EIS_COUNT; i++)
        for (int k = chain[i], l = 0; l < t->labellings; l++) {
            if (!t->labelling[l].known.is[k]) continue;
            tide_status status =
                predictor_ask(t->q->predictor, 1, spectrum, (const float (*)[EIS_COUNT])given[l], p, failure);
            if (status != TIDE_OK) return status;
            log_weight[l] +=
                log(fmax(probability_at(t, p + k * t->bins, t->labelling[l].known_u[k]), LEAST_PROBABILITY));
            given[l][k] = t->labelling[l].known_u[k];
        }
    for (int l = 0; t->labellings > 1 && l < LABELLINGS; l++)
        t->labelling[l].weight = 1 / (1 + exp(log_weight[1 - l] - log_weight[l]));
    for (int l = 0; l < t->labellings; l++) memcpy(given[l], t->labelling[l].known_u, sizeof given[l]);
    return predictor_ask(t->q->predictor, t->labellings, spectrum, (const float (*)[EIS_COUNT])given, t->first,
                         failure);
}

/* ---- candidates of the grid recipe ---- */

static void put_draw(const network_task *t, const labelling *l, const double p[EIS_WITH_RS], double log_probability,
                     completion *out) {
    draw *d = &out->draws[out->draw_count++];
    memcpy(d->p, p, sizeof d->p);
    for (int k = 0; k < EIS_COUNT; k++)
        if (l->known.is[k]) d->p[k] = l->known.value[k];
    if (l->swapped) eis_swap(d->p, d->p);
    if (!isnan(t->q->rs_ohm)) d->p[EIS_RS] = t->q->rs_ohm;
    d->log_density = log_probability + log(fmax(l->weight, LEAST_PROBABILITY));
}

static tide_status draw_beams(network_task *t, completion *out, tide_failure *failure) {
    beam_case c[LABELLINGS];
    out->draws = malloc(LABELLINGS * BEAM_CANDIDATES * sizeof *out->draws);
    if (!out->draws) return no_memory(failure);
    for (int l = 0; l < t->labellings; l++) {
        c[l].spectrum = 0;
        memcpy(c[l].known_u, t->labelling[l].known_u, sizeof c[l].known_u);
    }
    tide_status status = beam_search(t->q->predictor, t->labellings, c, failure);
    for (int l = 0; status == TIDE_OK && l < t->labellings; l++) {
        for (int i = 0; i < c[l].count; i++) {
            double p[EIS_WITH_RS] = { 0 };
            for (int k = 0; k < EIS_COUNT; k++)
                if (!t->labelling[l].known.is[k]) p[k] = eis_grid_value(k, c[l].candidate[i].bin[k], CELL_POINTS);
            put_draw(t, &t->labelling[l], p, c[l].candidate[i].log_probability, out);
        }
        if (l == 0) t->split = out->draw_count;
    }
    return status;
}

/* Proposals weigh what the network gives them; what it gives to others is `aside`. */
static double own_weights(completion *out) {
    double sum = 0;
    for (int64_t i = 0; i < out->draw_count; i++) sum += out->draws[i].weight = exp(out->draws[i].log_density);
    for (int64_t i = 0; i < out->draw_count; i++) out->draws[i].weight /= sum;
    return fmax(1 - sum, 0);
}

/* ---- draws of the lab recipe ---- */

static int pick_bin(int64_t bins, const float *p, double share) {
    double sum = 0, left;
    for (int64_t i = 0; i < bins; i++) sum += (double)p[i];
    left = share * sum;
    for (int64_t i = 0; i < bins - 1; i++) {
        left -= (double)p[i];
        if (left < 0) return (int)i;
    }
    return (int)bins - 1;
}

/* A coordinate within the bins; *log_density grows by that of having drawn it. */
static double draw_coordinate(const network_task *t, const float *p, rng *r, double *log_density) {
    double where = rng_unit(r);
    int    bin   = pick_bin(t->bins, p, where);
    *log_density += log(fmax((double)p[bin] * (double)t->bins, LEAST_PROBABILITY));
    return ((double)bin + rng_unit(r)) / (double)t->bins;
}

/* The solution resistance, whose coordinate is not even in ohms: the density is turned into one an ohm. */
static double draw_rs(const network_task *t, const float *p, const fit_view *view, rng *r, double *log_density) {
    const double step = 1e-6;
    double at = fmin(fmax(draw_coordinate(t, p + QUANTITY_RS * t->bins, r, log_density), step), 1 - step);
    double above = quantity_value(t->recipe, QUANTITY_RS, at + step / 2, view),
           below = quantity_value(t->recipe, QUANTITY_RS, at - step / 2, view);
    *log_density -= log((above - below) / step);
    return quantity_value(t->recipe, QUANTITY_RS, at, view);
}

typedef struct draft {
    float (*given)[EIS_COUNT];
    double (*p)[EIS_WITH_RS], *log_density;
    float *answer;
    int32_t *spectrum;
} draft;

/* One missing parameter after the other, each given those drawn before it. */
static tide_status draw_chain(const network_task *t, const labelling *l, const float *first, rng *r, draft *d,
                              tide_failure *failure) {
    const float *rows   = first;   /* at first one for all */
    int64_t      stride = 0;
    tide_status  status = TIDE_OK;
    int          last   = -1;
    fit_view     view   = fit_view_of(t->raw);
    for (int i = 0; i < EIS_COUNT; i++) last = l->known.is[chain[i]] ? last : i;
    for (int i = 0; i <= last && status == TIDE_OK; i++) {
        int k = chain[i];
        if (l->known.is[k]) continue;
        for (int n = 0; n < DRAWS; n++) {
            const float *p = rows + n * stride;
            double coordinate = draw_coordinate(t, p + k * t->bins, r, &d->log_density[n]);
            d->p[n][k]     = quantity_value(t->recipe, k, coordinate, NULL);
            d->given[n][k] = (float)(coordinate * (CELL_VALUES - 1));
            if (i == last && isnan(t->q->rs_ohm)) d->p[n][EIS_RS] = draw_rs(t, p, &view, r, &d->log_density[n]);
        }
        if (i < last)
            status = predictor_ask(t->q->predictor, DRAWS, d->spectrum, (const float (*)[EIS_COUNT])d->given, d->answer,
                                   failure);
        rows = d->answer, stride = t->each;
    }
    return status;
}

static tide_status draw_labelling(const network_task *t, int l, rng *r, draft *d, completion *out,
                                  tide_failure *failure) {
    const labelling *own = &t->labelling[l];
    for (int n = 0; n < DRAWS; n++) {
        memcpy(d->given[n], own->known_u, sizeof d->given[n]);
        d->log_density[n] = 0;
    }
    tide_status status = draw_chain(t, own, t->first + l * t->each, r, d, failure);
    for (int n = 0; status == TIDE_OK && n < DRAWS; n++) put_draw(t, own, d->p[n], d->log_density[n], out);
    return status;
}

static tide_status draw_lab(network_task *t, completion *out, tide_failure *failure) {
    draft d = { malloc(DRAWS * sizeof *d.given), calloc(DRAWS, sizeof *d.p), malloc(DRAWS * sizeof *d.log_density),
                malloc((size_t)(DRAWS * t->each) * sizeof *d.answer), calloc(DRAWS, sizeof *d.spectrum) };
    rng   r = { .seed = (uint64_t)t->q->seed, .stream = STREAM };
    out->draws         = malloc(LABELLINGS * DRAWS * sizeof *out->draws);
    tide_status status =
        d.given && d.p && d.log_density && d.answer && d.spectrum && out->draws ? TIDE_OK : no_memory(failure);
    t->split = DRAWS;
    for (int l = 0; status == TIDE_OK && l < t->labellings; l++) status = draw_labelling(t, l, &r, &d, out, failure);
    for (int64_t i = 0; status == TIDE_OK && i < out->draw_count; i++)
        out->draws[i].weight = t->labelling[i >= t->split].weight / DRAWS;
    free(d.given), free(d.p), free(d.log_density), free(d.answer), free(d.spectrum);
    return status;
}

/* ---- weighing again ---- */

/* Under a labelling its own a is the slower membrane; a circuit of equal membranes is proposed under both. */
static double order_weight(const draw *d, bool is_swapped) {
    double tau_a = d->p[EIS_RA] * d->p[EIS_CA], tau_b = d->p[EIS_RB] * d->p[EIS_CB];
    if (fabs(tau_a - tau_b) <= 1e-9 * tau_b) return 0.5;
    return (tau_a > tau_b) != is_swapped;
}

static double least_misfit(const density *d, const completion *out) {
    double x[FREE_MOST], least = INFINITY;
    for (int64_t i = 0; i < out->draw_count; i++) {
        density_coordinates(d, out->draws[i].p, x);
        least = fmin(least, density_misfit(d, x));
    }
    return least;
}

static void judge_grid(const network_task *t, double misfit, completion *out) {
    double nu          = 2 * (double)t->s->count;
    out->grid_chi2     = misfit / (nu * out->noise * out->noise);
    out->grid_adequate = out->grid_chi2 <= chi2_limit(nu);
    out->noise_used    = completion_widen(out->noise, out->grid_chi2, nu, &out->free.left);
}

/* ln of likelihood times prior of each draw; then that over the density with which the draws of the lab recipe were
 * drawn. */
static void log_weights(const network_task *t, const density *d, const completion *out, double *posterior,
                        double *weight) {
    for (int64_t i = 0; i < out->draw_count; i++) {
        const draw      *own = &out->draws[i];
        const labelling *l   = &t->labelling[i >= t->split];
        double x[FREE_MOST], drawn = own->log_density - log(fmax(l->weight, LEAST_PROBABILITY));
        density_coordinates(d, own->p, x);
        posterior[i] = density_at(d, x, NULL) + log(order_weight(own, l->swapped));
        weight[i]    = posterior[i] - (t->recipe == EIS_RECIPE_LAB ? drawn : 0);
    }
}

/* exp of them, summing to 1; returns the effective share of the draws, 0 if none is possible. */
static double normalise(double *log_weight, int64_t count) {
    double most = -INFINITY, sum = 0, squares = 0;
    for (int64_t i = 0; i < count; i++) most = fmax(most, log_weight[i]);
    if (!isfinite(most)) return 0;
    for (int64_t i = 0; i < count; i++) sum += log_weight[i] = exp(log_weight[i] - most);
    for (int64_t i = 0; i < count; i++) log_weight[i] /= sum, squares += log_weight[i] * log_weight[i];
    return 1 / (squares * (double)count);
}

static tide_status weigh_again(const network_task *t, completion *out, tide_failure *failure) {
    bool    lab       = t->recipe == EIS_RECIPE_LAB;
    double *posterior = malloc((size_t)(2 * out->draw_count) * sizeof *posterior),
           *weight = posterior + out->draw_count;
    density d         = { 0 };
    bool    fine      = posterior && density_new(EIS_SHUNT, &t->q->known, t->q->rs_ohm, false, out->noise, t->s, &d);
    if (fine && !lab) judge_grid(t, least_misfit(&d, out), out);
    d.noise = out->noise_used;
    if (fine && t->q->rerank) {
        log_weights(t, &d, out, posterior, weight);
        out->effective_share = normalise(weight, out->draw_count);
        out->reranked        = out->effective_share > (lab ? least_effective : 0);
        for (int64_t i = 0; i < out->draw_count; i++) {
            out->draws[i].log_density = posterior[i];
            if (out->reranked) out->draws[i].weight = weight[i];
        }
    }
    density_free(&d);
    free(posterior);
    return fine ? TIDE_OK : no_memory(failure);
}

/* ---- what the network says of single quantities ---- */

static void mix(const network_task *t, int quantity, bool labelled, float *out) {
    static const int other[EIS_COUNT] = { EIS_RSH, EIS_RB, EIS_RA, EIS_CB, EIS_CA };
    for (int64_t i = 0; i < t->bins; i++) out[i] = 0;
    for (int l = 0; l < t->labellings; l++) {
        int          own = labelled && t->labelling[l].swapped ? other[quantity] : quantity;
        const float *p   = t->first + l * t->each + own * t->bins;
        for (int64_t i = 0; i < t->bins; i++) out[i] += (float)t->labelling[l].weight * p[i];
    }
}

/* The network learned independent noise of one size: where more is left of the spectrum, its intervals are wider by as
 * much. */
static double stretched(double v, double median, int quantity, double wider) {
    if (wider <= 1) return v;
    return quantity == QUANTITY_RS ? fmax(median + wider * (v - median), 0) : median * pow(v / median, wider);
}

/* The network's own quantiles, whose coverage is known; TER, TEC, n1, d1 and the solution resistance are also far
 * better known than the parameters that draws are made of. */
static void put_own_interval(const network_task *t, int quantity, bool labelled, const fit_view *view, double wider,
                             interval *out) {
    static const double shares[] = { 0.025, 0.5, 0.975 };
    const spectrum_model *model = predictor_model(t->q->predictor);
    float  p[BINS_MOST];
    double at[3];
    mix(t, quantity, labelled, p);
    for (int n = 0; n < 3; n++)
        at[n] = quantity_value(t->recipe, quantity, spectrum_model_quantile(model, quantity, p, shares[n]), view);
    *out = (interval){ stretched(at[0], at[1], quantity, wider), at[1], stretched(at[2], at[1], quantity, wider) };
}

static void put_own_intervals(const network_task *t, completion *out) {
    static const struct {
        int quantity, summary;
    } of[] = { { QUANTITY_TER, SUM_TER }, { QUANTITY_TEC, SUM_TEC }, { QUANTITY_N1, SUM_N1 }, { QUANTITY_D1, SUM_D1 } };
    fit_view  view  = fit_view_of(t->raw);
    double    wider = out->noise_used / out->noise;
    interval *into  = out->summary.of;
    for (size_t i = 0; i < sizeof of / sizeof *of; i++)
        put_own_interval(t, of[i].quantity, false, &view, wider, &into[of[i].summary]);
    if (isnan(t->q->rs_ohm)) put_own_interval(t, QUANTITY_RS, false, &view, wider, &into[EIS_RS]);
    for (int k = 0; !out->reranked && k < EIS_COUNT; k++)
        if (!t->q->known.is[k]) put_own_interval(t, k, true, &view, wider, &into[k]);
}

static void put_own_marginals(const network_task *t, completion *out) {
    float p[BINS_MOST];
    for (int k = 0; k < EIS_COUNT; k++) {
        if (t->q->known.is[k]) continue;
        mix(t, k, true, p);
        for (int i = 0; i < CELL_POINTS; i++) out->summary.marginal[k][i] = (double)p[i];
    }
}

/* Whether any circuit of this kind fits is a question to the two relaxations, not to a draw that is only near. Returns
 * chi2. */
static double judge_circuit(const network_task *t, completion *out) {
    double nu = (double)(2 * t->count - (t->recipe == EIS_RECIPE_LAB ? 5 : 4)), ratio = t->fit.noise / out->noise;
    double chi2 = t->fit.misfit * ratio * ratio / nu;
    out->circuit_adequate = chi2 <= chi2_limit(nu);
    out->noise_used       = completion_widen(out->noise, chi2, nu, &out->free.left);
    return chi2;
}

static bool put_free_fit(const network_task *t, completion *out) {
    const double *x = t->fit.x, r_ohm[2] = { exp(x[QUICK_LN_R1]), exp(x[QUICK_LN_R2]) };
    const double  tau_s[2] = { exp(x[QUICK_LN_TAU1]), exp(x[QUICK_LN_TAU2]) };
    return completion_free_fit(t->s, t->recipe == EIS_RECIPE_GRID ? t->q->rs_ohm : t->fit.rs_ohm, r_ohm, tau_s, out);
}

/* ---- all ---- */

static tide_status answer(network_task *t, completion *out, tide_failure *failure) {
    bool   grid  = t->recipe == EIS_RECIPE_GRID;
    double aside = 0, chi2 = judge_circuit(t, out);
    tide_status status = weigh_labellings(t, failure);
    if (status == TIDE_OK) status = grid ? draw_beams(t, out, failure) : draw_lab(t, out, failure);
    if (status == TIDE_OK && grid) aside = own_weights(out);
    if (status == TIDE_OK) status = weigh_again(t, out, failure);
    if (out->reranked) aside = 0;
    if (grid && !out->grid_adequate) aside = fmax(aside, COMPLETION_ELSEWHERE);
    if (status == TIDE_OK)
        status = completion_finish(t->q, t->s, grid ? DRAWS_ARE_CELLS : DRAWS_ARE_POINTS, aside, out, failure);
    if (status != TIDE_OK) return status;
    if (!grid) put_own_intervals(t, out);
    else if (!out->reranked) put_own_marginals(t, out);
    if (!grid && !out->reranked) out->chi2 = chi2;
    return TIDE_OK;
}

static tide_status only_known(const network_task *t, completion *out, tide_failure *failure) {
    out->draws = calloc(1, sizeof *out->draws);
    if (!out->draws) return no_memory(failure);
    memcpy(out->draws->p, t->q->known.value, sizeof t->q->known.value);
    out->draws->p[EIS_RS] = isnan(t->q->rs_ohm) ? t->fit.rs_ohm : t->q->rs_ohm;
    out->draws->weight    = 1;
    out->draw_count       = 1;
    return completion_finish(t->q, t->s, DRAWS_ARE_POINTS, 0, out, failure);
}

tide_status complete_network(const question *q, const eis_spectrum *s, completion *out, tide_failure *failure) {
    eis_recipe   recipe  = predictor_model(q->predictor)->config.recipe;
    network_task t = {
        .q = q, .s = s, .recipe = recipe, .quantities = recipe_quantities(recipe), .bins = recipe_bins(recipe)
    };
    bool         missing = false;
    for (int k = 0; k < EIS_COUNT; k++) missing = missing || !q->known.is[k];
    if (q->circuit != EIS_SHUNT)
        return fail_at(failure, TIDE_EINVAL, NULL, 0, "circuit",
                       "this predictor supports only the shunt circuit; leave `circuit` chain out, or use `method` "
                       "refined");
    t.each          = t.quantities * t.bins;
    t.first         = malloc((size_t)(LABELLINGS * t.each) * sizeof *t.first);
    out->recipe     = recipe == EIS_RECIPE_GRID ? "grid" : "lab";
    out->grid_chi2  = NAN;
    out->grid_adequate = true;
    tide_status status = t.first ? take_features(&t, out, failure) : no_memory(failure);
    if (status == TIDE_OK && !put_free_fit(&t, out)) status = no_memory(failure);
    out->noise_used    = out->noise;
    set_labellings(&t);
    if (status == TIDE_OK) {
        training_range_check(
            &(range_question){ predictor_model(q->predictor), q, s, t.count, t.freq_hz, t.raw, &t.fit, out->noise,
                               out->noise_inferred },
            &out->range);
        status = missing ? answer(&t, out, failure) : only_known(&t, out, failure);
    }
    free(t.first);
    return status;
}
