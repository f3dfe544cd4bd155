/* The network's circuits weighed again, by likelihood times prior over how probable it was to propose them. */
#include <math.h>
#include <stdlib.h>

#include "base/base.h"
#include "completion_task.h"

static const double least_effective = 0.05;  /* of the draws; with fewer, likelihoods pick a handful of them */

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
    out->grid_adequate = completion_chi2_fits(out, out->grid_chi2, nu);
    out->noise_used    = completion_widen(out, out->grid_chi2, nu, &out->free.left);
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

tide_status completion_weigh_again(const network_task *t, completion *out, tide_failure *failure) {
    bool    lab       = t->recipe == EIS_RECIPE_LAB;
    double *posterior = malloc((size_t)(2 * out->draw_count) * sizeof *posterior),
           *weight = posterior + out->draw_count;
    density d         = { 0 };
    bool    fine      = posterior && density_new(EIS_SHUNT, &t->q->known, t->q->rs_ohm, &grid_ranges, false,
                                                   out->noise, t->s, &d);
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
    return fine ? TIDE_OK : completion_no_memory(failure);
}
