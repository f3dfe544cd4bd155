/* Completion by a trained spectrum predictor.
 *
 * The network knows circuits whose membrane a is the slower one. Where the user's labels say nothing of that, it is
 * asked with the labels as they are and with them exchanged, each weighed by the probability density of the known
 * values themselves. */
#include <math.h>
#include <stdlib.h>

#include "base/base.h"
#include "completion_task.h"
#include "range.h"

const int completion_chain[EIS_COUNT] = { EIS_RSH, EIS_RA, EIS_RB, EIS_CA, EIS_CB };

tide_status completion_no_memory(tide_failure *failure) {
    return fail(failure, TIDE_ENOMEM, "out of memory for the network's answer");
}

/* ---- the spectrum ---- */

static tide_status take_features(network_task *t, completion *out, tide_failure *failure) {
    const question *q = t->q;
    const spectrum_points *p = &t->points;
    bool grid = t->recipe == EIS_RECIPE_GRID;
    if (grid && isnan(q->rs_ohm))
        return fail_at(
            failure, TIDE_EINVAL, NULL, 0, "rs",
            "this predictor was trained with `recipe` grid, on spectra without solution resistance: give `rs` OHM, or "
            "use a lab model");
    tide_status status = spectrum_take(t->s, grid ? q->rs_ohm : 0, &t->points, failure);
    if (status != TIDE_OK) return status;
    quick_fit_run(p->count, p->freq_hz, p->z, NAN, !grid, &t->fit);
    status = completion_noise(q, t->s, out, failure);
    if (status != TIDE_OK) return status;
    features_of(t->recipe, p->count, p->freq_hz, p->z, grid ? out->noise : (double)NAN, t->raw, grid ? NULL : &t->fit);
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

enum { CHAIN_ROWS = LABELLINGS * EIS_COUNT };
static const int32_t same_spectrum[CHAIN_ROWS] = { 0 };

/* What is asked of each labelling about its known values: one after the other by the chain rule, nothing known at
 * first. All is asked at once, as a known value need not be waited for. */
typedef struct chain_questions {
    int   rows, asked[CHAIN_ROWS], of[CHAIN_ROWS];  /* parameter, labelling */
    float given[CHAIN_ROWS][EIS_COUNT];
} chain_questions;

static void put_chain(const network_task *t, int l, chain_questions *c) {
    float given[EIS_COUNT];
    for (int k = 0; k < EIS_COUNT; k++) given[k] = NAN;
    for (int i = 0; i < EIS_COUNT; i++) {
        int k = completion_chain[i];
        if (!t->labelling[l].known.is[k]) continue;
        memcpy(c->given[c->rows], given, sizeof given);
        c->asked[c->rows] = k, c->of[c->rows++] = l;
        given[k] = t->labelling[l].known_u[k];
    }
}

static tide_status weigh_by_chain(network_task *t, tide_failure *failure) {
    chain_questions c = { 0 };
    double log_weight[LABELLINGS] = { 0 };
    for (int l = 0; l < t->labellings; l++) put_chain(t, l, &c);
    float *p = malloc((size_t)(CHAIN_ROWS * t->each) * sizeof *p);
    tide_status status = !p ? completion_no_memory(failure)
                            : predictor_ask(t->q->predictor, c.rows, same_spectrum,
                                            (const float (*)[EIS_COUNT])c.given, p, failure);
    for (int i = 0; status == TIDE_OK && i < c.rows; i++) {
        int k = c.asked[i], l = c.of[i];
        double own = probability_at(t, p + i * t->each + k * t->bins, t->labelling[l].known_u[k]);
        log_weight[l] += log(fmax(own, LEAST_PROBABILITY));
    }
    for (int l = 0; l < LABELLINGS; l++) t->labelling[l].weight = 1 / (1 + exp(log_weight[1 - l] - log_weight[l]));
    free(p);
    return status;
}

static tide_status weigh_labellings(network_task *t, tide_failure *failure) {
    float given[LABELLINGS][EIS_COUNT];
    tide_status status = t->labellings > 1 ? weigh_by_chain(t, failure) : TIDE_OK;
    for (int l = 0; l < t->labellings; l++) memcpy(given[l], t->labelling[l].known_u, sizeof given[l]);
    return status == TIDE_OK ? predictor_ask(t->q->predictor, t->labellings, same_spectrum,
                                             (const float (*)[EIS_COUNT])given, t->first, failure)
                             : status;
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
    double nu = (double)(2 * t->points.count - (t->recipe == EIS_RECIPE_LAB ? 5 : 4));
    double ratio = t->fit.noise / out->noise;
    double chi2 = t->fit.misfit * ratio * ratio / nu;
    out->circuit_adequate = completion_chi2_fits(out, chi2, nu);
    out->noise_used       = completion_widen(out, chi2, nu, &out->free.left);
    return chi2;
}

static bool put_free_fit(const network_task *t, completion *out) {
    const double *x = t->fit.x, r_ohm[2] = { exp(x[QUICK_LN_R1]), exp(x[QUICK_LN_R2]) };
    const double  tau_s[2] = { exp(x[QUICK_LN_TAU1]), exp(x[QUICK_LN_TAU2]) };
    return completion_free_fit(t->s, t->recipe == EIS_RECIPE_GRID ? t->q->rs_ohm : t->fit.rs_ohm, r_ohm, tau_s, out);
}

/* ---- all ---- */

/* Proposals weigh what the network gives them; what it gives to others is `aside`. */
static double own_weights(completion *out) {
    double sum = 0;
    for (int64_t i = 0; i < out->draw_count; i++) sum += out->draws[i].weight = exp(out->draws[i].log_density);
    for (int64_t i = 0; i < out->draw_count; i++) out->draws[i].weight /= sum;
    return fmax(1 - sum, 0);
}

static tide_status answer(network_task *t, completion *out, tide_failure *failure) {
    bool   grid  = t->recipe == EIS_RECIPE_GRID;
    double aside = 0, chi2 = judge_circuit(t, out);
    tide_status status = weigh_labellings(t, failure);
    if (status == TIDE_OK) status = (grid ? completion_draw_beams : completion_draw_lab)(t, out, failure);
    if (status == TIDE_OK && grid) aside = own_weights(out);
    if (status == TIDE_OK) status = completion_weigh_again(t, out, failure);
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
    if (!out->draws) return completion_no_memory(failure);
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
    out->effective = out->disagreement = out->one.log_odds = (double)NAN;
    tide_status status = t.first ? take_features(&t, out, failure) : completion_no_memory(failure);
    if (status == TIDE_OK && !put_free_fit(&t, out)) status = completion_no_memory(failure);
    out->noise_used    = out->noise;
    set_labellings(&t);
    if (status == TIDE_OK) {
        training_range_check(&(range_question){ predictor_model(q->predictor), q, s, &t.points, t.raw, &t.fit,
                                                out->noise, out->noise_source != EIS_NOISE_GIVEN },
                             &out->range);
        status = missing ? answer(&t, out, failure) : only_known(&t, out, failure);
    }
    free(t.first);
    return status;
}
