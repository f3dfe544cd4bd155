/* Weighted circuits to intervals: quantiles, marginals on the grid, the most probable cells, and which parameters
 * the data determine. */
#include "summary.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/base.h"
#include "ranked.h"

const quantity quantities[SUM_COUNT] = {
    { "Rsh", "ohm" }, { "Ra", "ohm" }, { "Rb", "ohm" }, { "Ca", "F" }, { "Cb", "F" }, { "Rs", "ohm" },
    { "TER", "ohm" }, { "TEC", "F" },  { "n1", "s" },   { "d1", "s" },
};

typedef struct cell_mass { int64_t key; double mass; const draw *best; } cell_mass;

int grid_index(int parameter, double v) {
    double low = log(eis_parameters[parameter].low), high = log(eis_parameters[parameter].high);
    int    i   = (int)lround((log(v) - low) / (high - low) * (CELL_POINTS - 1));
    return MIN2(MAX2(i, 0), CELL_POINTS - 1);
}

double circuit_quantity(const double *p, int k, eis_circuit circuit) {
    if (k < EIS_WITH_RS) return p[k];
    if (circuit != EIS_SHUNT) return NAN;
    eis_invariants q = eis_invariants_of(p);
    return k == SUM_TER ? q.r0_ohm : k == SUM_TEC ? q.cinf_farad : k == SUM_N1 ? q.n1_s : q.d1_s;
}

/* ---- intervals ---- */

enum { SHARES = 3 };
static const double shares[SHARES] = { 0.025, 0.5, 0.975 };

/* The draws at which the weights reach these shares, in the order of the quantity's values. */
static void quantiles(const draws_of *of, double all, const ranked *r, const double *p[SHARES]) {
    double sum  = 0;
    int    next = 0;
    for (int64_t i = 0; i < of->count && next < SHARES; i++) {
        const draw *own = &of->draw[r[i].place];
        sum += own->weight / all;
        while (next < SHARES && sum >= shares[next]) p[next++] = own->p;
    }
    while (next < SHARES) p[next++] = of->draw[r[of->count - 1].place].p;
}

/* The value at a draw, or at the lower (-1) or upper (1) corner of its cell: all quantities grow with every
 * parameter. */
static double value_at(const draws_of *of, const double *p, int k, int corner) {
    double moved[EIS_WITH_RS];
    memcpy(moved, p, sizeof moved);
    for (int i = 0; of->cells && i < EIS_COUNT; i++) {
        const eis_parameter *range = &eis_parameters[i];
        double half_step = pow(range->high / range->low, 0.5 * corner / (CELL_POINTS - 1));
        if (!of->known->is[i]) moved[i] = fmin(fmax(p[i] * half_step, range->low), range->high);
    }
    return circuit_quantity(moved, k, of->circuit);
}

static interval interval_of(const draws_of *of, double all, int k, ranked *r) {
    const double *p[SHARES];
    bool same = true;
    for (int64_t i = 0; i < of->count; i++) {
        r[i] = (ranked){ ranked_key(circuit_quantity(of->draw[i].p, k, of->circuit)), i };
        same = same && r[i].key == r->key;
    }
    if (!same) ranked_sort(r, r + of->count, of->count);
    quantiles(of, all, r, p);
    interval own = { value_at(of, p[0], k, -1), circuit_quantity(p[1], k, of->circuit), value_at(of, p[2], k, 1) };
    if (!(own.high > own.low)) own.low = own.high = NAN;
    return own;
}

static bool find_intervals(const draws_of *of, double all, summary *out) {
    ranked *r = malloc((size_t)(2 * of->count) * sizeof *r);
    for (int k = 0; r && k < SUM_COUNT; k++) {
        bool none = isnan(circuit_quantity(of->draw->p, k, of->circuit));
        out->of[k] = none ? (interval){ NAN, NAN, NAN } : interval_of(of, all, k, r);
    }
    free(r);
    return r != NULL;
}

/* ---- cells ---- */

static int64_t key_of(const double *p, const eis_known *known) {
    int64_t key = 0;
    for (int k = 0; k < EIS_COUNT; k++) key = key * CELL_POINTS + (known->is[k] ? 0 : grid_index(k, p[k]));
    return key;
}

/* Draws of one cell become one row, the largest first, equal ones by their keys; returns the number of rows. `room` for
 * as many, `r` for twice. */
static int64_t gather(cell_mass *rows, cell_mass *room, ranked *r, int64_t count) {
    int64_t cells = 0;
    for (int64_t i = 0; i < count; i++) r[i] = (ranked){ (uint64_t)rows[i].key, i };
    ranked_sort(r, r + count, count);
    for (int64_t i = 0; i < count; i++) {
        const cell_mass *own = &rows[r[i].place];
        if (cells == 0 || room[cells - 1].key != own->key) {
            room[cells++] = *own;
            continue;
        }
        cell_mass *last = &room[cells - 1];
        last->mass += own->mass;
        if (own->best->log_density > last->best->log_density) last->best = own->best;
    }
    for (int64_t i = 0; i < cells; i++) r[i] = (ranked){ ~ranked_key(room[i].mass), i };
    ranked_sort(r, r + cells, cells);
    for (int64_t i = 0; i < cells; i++) rows[i] = room[r[i].place];
    return cells;
}

static void put_candidates(const cell_mass *rows, int64_t cells, double elsewhere, double all_cells, summary *out) {
    double rest = all_cells - (double)cells, each = elsewhere / all_cells;
    out->entropy_nats = rest > 0 && each > 0 ? -rest * each * log(each) : 0;
    for (int64_t i = 0; i < cells; i++) {
        double p = rows[i].mass * (1 - elsewhere) + each;
        out->entropy_nats -= p > 0 ? p * log(p) : 0;
        if (i == 0) out->max_probability = p;
        if (i < 5) out->top5_mass += p;
        if (i >= out->top_count) continue;
        candidate *c   = &out->top[i];
        c->probability = p;
        memcpy(c->p, rows[i].best->p, sizeof c->p);
        for (int k = 0; k < EIS_COUNT; k++) c->index[k] = grid_index(k, c->p[k]);
    }
}

static bool find_cells(const draw *draws, int64_t count, const eis_known *known, int64_t top_k, double elsewhere,
                       summary *out) {
    double     all_cells = 1;
    cell_mass *rows      = malloc((size_t)(2 * count) * sizeof *rows);
    ranked    *ranks     = malloc((size_t)(2 * count) * sizeof *ranks);
    out->top             = calloc((size_t)top_k + 1, sizeof *out->top);
    bool fine            = rows && ranks && out->top;
    for (int k = 0; k < EIS_COUNT; k++) all_cells *= known->is[k] ? 1 : CELL_POINTS;
    for (int64_t i = 0; fine && i < count; i++)
        rows[i] = (cell_mass){ key_of(draws[i].p, known), draws[i].weight, &draws[i] };
    if (fine) {
        int64_t cells  = gather(rows, rows + count, ranks, count);
        out->top_count = MIN2(top_k, cells);
        put_candidates(rows, cells, elsewhere, all_cells, out);
    }
    free(rows), free(ranks);
    return fine;
}

static void find_marginals(const draw *draws, int64_t count, double elsewhere, summary *out) {
    for (int k = 0; k < EIS_COUNT; k++) {
        for (int64_t i = 0; i < count; i++)
            out->marginal[k][grid_index(k, draws[i].p[k])] += draws[i].weight * (1 - elsewhere);
        for (int i = 0; i < CELL_POINTS; i++) out->marginal[k][i] += elsewhere / CELL_POINTS;
    }
}

bool summarise(const draws_of *of, int64_t top_k, double elsewhere, summary *out) {
    const draw *best = of->draw;
    *out = (summary){ 0 };
    for (int64_t i = 0; i < of->count; i++) best = of->draw[i].log_density > best->log_density ? &of->draw[i] : best;
    memcpy(out->best, best->p, sizeof out->best);
    find_marginals(of->draw, of->count, elsewhere, out);
    bool fine = find_intervals(of, 1, out) && find_cells(of->draw, of->count, of->known, top_k, elsewhere, out);
    if (!fine) summary_free(out);
    return fine;
}

bool summarise_intervals(const draws_of *of, double all, summary *out) {
    *out = (summary){ 0 };
    return find_intervals(of, all, out);
}

void summary_free(summary *s) {
    free(s->top);
    *s = (summary){ 0 };
}
