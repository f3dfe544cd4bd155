/* Draws of the posterior without priors, weighed again by these: right as long as enough of them count, which
 * draws_worth tells. */
#include "told.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/base.h"
#include "eis/circuit/parameters.h"

enum { PLACES = 256, STREAM_TOLD = 31 };

static int find(const void *of, const char *name, size_t length) {
    const eis_circuit *circuit = of;
    int count = *circuit == EIS_SHUNT ? SUM_COUNT : EIS_WITH_RS;
    for (int k = 0; k < count; k++)
        if (strlen(quantities[k].name) == length && strncmp(name, quantities[k].name, length) == 0) return k;
    return -1;
}

static bool read(const void *of, int k, const char *text, double *out) {
    char *end;
    (void)of;
    if (strcmp(quantities[k].unit, "s") != 0) return eis_quantity_parse(text, quantities[k].unit, out);
    *out = num_parse(text, &end);
    end += strspn(end, " ");
    return end != text && isfinite(*out) && (!*end || !strcmp(end, "s"));
}

tide_status told_parse(const char *text, eis_circuit circuit, priors *out, tide_failure *failure) {
    const char *list = circuit == EIS_SHUNT ? "Rsh, Ra, Rb, Ca, Cb, Rs, TER, TEC, n1, d1" : "Rsh, Ra, Rb, Ca, Cb, Rs";
    prior_names names = { &circuit, find, read, list };
    return priors_parse(text, &names, out, failure);
}

static bool is_membrane(int k) { return k >= EIS_RA && k <= EIS_CB; }

bool told_labels(const priors *told) {
    for (int i = 0; i < told->count; i++)
        if (is_membrane(told->of[i].above) || is_membrane(told->of[i].below)) return true;
    return false;
}

void told_name(const prior *p, char name[TOLD_NAME]) {
    snprintf(name, TOLD_NAME, "%s%s%s", quantities[p->above].name, p->below < 0 ? "" : "/",
             p->below < 0 ? "" : quantities[p->below].name);
}

static double log_prior(const priors *told, eis_circuit circuit, const double *p) {
    double sum = 0;
    for (int i = 0; i < told->count; i++) {
        const prior *q = &told->of[i];
        double is = circuit_quantity(p, q->above, circuit);
        if (q->below >= 0) is /= circuit_quantity(p, q->below, circuit);
        double pull = (is - q->value) / q->deviation;
        sum -= pull * pull / 2;
    }
    return sum;
}

static void normalise(draw *draws, int64_t count) {
    double sum = 0;
    for (int64_t i = 0; i < count; i++) sum += draws[i].weight;
    for (int64_t i = 0; i < count && sum > 0; i++) draws[i].weight /= sum;
}

/* By exp(more[i]), relative to the most of them: else all could be 0 where the priors lie far off. */
static void multiply(const double *more, draw *draws, int64_t count) {
    double most = -INFINITY;
    for (int64_t i = 0; i < count; i++)
        if (draws[i].weight > 0) most = fmax(most, more[i]);
    for (int64_t i = 0; i < count; i++) draws[i].weight *= draws[i].weight > 0 ? exp(more[i] - most) : 0;
    normalise(draws, count);
}

bool told_weigh(const priors *told, eis_circuit circuit, draw *draws, int64_t count) {
    double *more = malloc((size_t)count * sizeof *more);
    for (int64_t i = 0; more && i < count; i++) {
        more[i] = log_prior(told, circuit, draws[i].p);
        draws[i].log_density += more[i];
    }
    if (more) multiply(more, draws, count);
    free(more);
    return more != NULL;
}

/* ---- along the fibre ---- */

/* PLACES evenly spread over the pieces by mass, each somewhere in its share. */
typedef struct places {
    double p[PLACES][EIS_WITH_RS], log_prior[PLACES];
} places;

static void spread(const priors *told, const fibre *f, const shape *s, double rs_ohm, rng *r, places *out) {
    double before = 0;
    int k = 0;
    for (int i = 0; i < PLACES; i++) {
        double at = f->mass * (i + rng_unit(r)) / PLACES;
        while (k + 1 < f->count && at > before + f->piece[k].mass) before += f->piece[k++].mass;
        const fibre_piece *piece = &f->piece[k];
        fibre_circuit(s, fibre_at(piece, fmin(1, (at - before) / piece->mass)), piece->swapped, out->p[i]);
        out->p[i][EIS_RS] = rs_ohm;
        out->log_prior[i] = log_prior(told, EIS_SHUNT, out->p[i]);
    }
}

/* Moves a draw to one of the places by their priors; ln of the priors' mean over all. */
static double choose(const places *at, rng *r, draw *d) {
    double most = -INFINITY, sum = 0, so_far = 0, chosen = rng_unit(r);
    for (int i = 0; i < PLACES; i++) most = fmax(most, at->log_prior[i]);
    for (int i = 0; i < PLACES; i++) sum += exp(at->log_prior[i] - most);
    int k = 0;
    for (so_far = exp(at->log_prior[0] - most); k + 1 < PLACES && so_far < chosen * sum;)
        so_far += exp(at->log_prior[++k] - most);
    memcpy(d->p, at->p[k], sizeof d->p);
    d->log_density += at->log_prior[k];
    return most + log(sum / PLACES);
}

static double slide(const priors *told, const fibre_rule *rule, rng *r, places *at, fibre *f, draw *d) {
    shape s;
    bool along = d->weight > 0 && shape_of_circuit(d->p, &s);
    if (along) fibre_within(&s, rule, f);
    if (along && f->mass > 0) {
        spread(told, f, &s, d->p[EIS_RS], r, at);
        return choose(at, r, d);
    }
    double more = log_prior(told, EIS_SHUNT, d->p);
    d->log_density += more;
    return more;
}

tide_status told_slide(const priors *told, const fibre_rule *rule, uint64_t seed, const stopper *stop, draw *draws,
                       int64_t count) {
    enum { BETWEEN = 64 };
    double *more = malloc((size_t)count * sizeof *more);
    places *at = malloc(sizeof *at);
    fibre *f = malloc(sizeof *f);
    rng r = { .seed = seed, .stream = STREAM_TOLD };
    tide_status status = more && at && f ? TIDE_OK : TIDE_ENOMEM;
    for (int64_t i = 0; status == TIDE_OK && i < count; i++) {
        more[i] = slide(told, rule, &r, at, f, &draws[i]);
        if (i % BETWEEN == 0 && stopped(stop)) status = TIDE_ECANCELLED;
    }
    if (status == TIDE_OK) multiply(more, draws, count);
    free(more), free(at), free(f);
    return status;
}

double draws_worth(const draw *draws, int64_t count) {
    double sum = 0, square = 0;
    for (int64_t i = 0; i < count; i++) sum += draws[i].weight, square += draws[i].weight * draws[i].weight;
    return square > 0 ? sum * sum / square : 0;
}
