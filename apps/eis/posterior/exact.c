/* The grid posterior as a table: sums over the cells that agree with what is known, swaps of the membranes counted
 * once. */
#include "exact.h"

#include <stdlib.h>

static cell_problem problem_of(const sample *s, unsigned missing) {
    cell_problem problem = {
        .circuit = EIS_SHUNT, .canonical = true, .count = s->count, .freq_hz = s->freq_hz, .z = s->z
    };
    for (int k = 0; k < EIS_COUNT; k++) {
        problem.known.is[k]    = !(missing >> k & 1);
        problem.known.value[k] = eis_grid_value(k, s->index[k], CELL_POINTS);
    }
    return problem;
}

/* On a symmetric grid a cell off the diagonal already counts for its swapped copy. Where something of the membranes is
 * known only canonical cells count, each for one: here they count for their copies too, as the truths do when they are
 * drawn. */
static void count_copies(cells *c) {
    if (c->symmetric) return;
    for (int64_t i = 0; i < c->count; i++) {
        int at[EIS_COUNT];
        if (!(c->weight[i] > 0)) continue;
        cells_index(c, i, at);
        bool diagonal = c->value[EIS_RA][at[EIS_RA]] == c->value[EIS_RB][at[EIS_RB]] &&
                        c->value[EIS_CA][at[EIS_CA]] == c->value[EIS_CB][at[EIS_CB]];
        c->weight[i]  = diagonal ? 1 : 2;
    }
}

void exact_chance(int64_t once, int64_t twice, double chance[2]) {
    double all = (double)twice, total = (double)once + 2 * all;
    for (int i = 0; i < 2; i++) {
        double cells = i ? 5 : 1, doubles = all < cells ? all : cells,
               singles = (double)once < cells - doubles ? (double)once : cells - doubles;
        chance[i] = (2 * doubles + singles) / total;
    }
}

static void find_chance(const cells *c, double chance[2]) {
    int64_t of[3] = { 0 };
    for (int64_t i = 0; i < c->count; i++) of[(int)c->weight[i]]++;
    exact_chance(of[1], of[2], chance);
}

static void put_table(const cells *c, exact_posterior *out) {
    double sum = 0;
    for (int64_t i = 0; i < c->count; i++) {
        int at[EIS_COUNT];
        if (!(c->probability[i] > 0)) continue;
        cells_index(c, i, at);
        double tau_a = c->value[EIS_RA][at[EIS_RA]] * c->value[EIS_CA][at[EIS_CA]],
               tau_b = c->value[EIS_RB][at[EIS_RB]] * c->value[EIS_CB][at[EIS_CB]];
        /* equal time constants are those of equal membranes on this grid: nothing to put in order */
        if (c->symmetric && tau_a < tau_b) {
            int ra = at[EIS_RA], ca = at[EIS_CA];
            at[EIS_RA] = at[EIS_RB], at[EIS_CA] = at[EIS_CB];
            at[EIS_RB] = ra, at[EIS_CB] = ca;
        }
        out->probability[exact_place(out, at)] = (double)c->probability[i];
        sum += (double)c->probability[i];
    }
    for (int64_t i = 0; i < out->count; i++) out->probability[i] /= sum;
}

bool exact_posterior_begin(unsigned missing, exact_posterior *out) {
    *out = (exact_posterior){ .count = 1 };
    for (int k = 0; k < EIS_COUNT; k++) {
        if (!(missing >> k & 1)) continue;
        out->missing[out->missing_count++] = k;
        out->count *= CELL_POINTS;
    }
    out->probability = calloc((size_t)out->count, sizeof *out->probability);
    return out->probability != NULL;
}

bool exact_posterior_new(const sample *s, unsigned missing, exact_posterior *out) {
    cells        c;
    cell_problem problem = problem_of(s, missing);
    if (!exact_posterior_begin(missing, out) || !cells_new(&problem, &c)) {
        exact_posterior_free(out);
        return false;
    }
    count_copies(&c);
    find_chance(&c, out->chance);
    cells_weigh(&c, s->noise);
    put_table(&c, out);
    cells_free(&c);
    return true;
}

void exact_posterior_free(exact_posterior *p) {
    free(p->probability);
    *p = (exact_posterior){ 0 };
}

void exact_bins(const exact_posterior *p, int64_t place, int bin[EIS_COUNT]) {
    for (int m = p->missing_count - 1; m >= 0; m--, place /= CELL_POINTS)
        bin[p->missing[m]] = (int)(place % CELL_POINTS);
}

int64_t exact_place(const exact_posterior *p, const int bin[EIS_COUNT]) {
    int64_t place = 0;
    for (int m = 0; m < p->missing_count; m++) place = place * CELL_POINTS + bin[p->missing[m]];
    return place;
}

void exact_marginal(const exact_posterior *p, int which, double out[CELL_POINTS]) {
    int64_t stride = 1;
    for (int m = p->missing_count - 1; m > which; m--) stride *= CELL_POINTS;
    for (int i = 0; i < CELL_POINTS; i++) out[i] = 0;
    for (int64_t at = 0; at < p->count;)
        for (int i = 0; i < CELL_POINTS; i++)
            for (int64_t end = at + stride; at < end; at++) out[i] += p->probability[at];
}

int exact_top(const exact_posterior *p, int k, int64_t *place) {
    int count = 0;
    for (int64_t i = 0; i < p->count; i++) {
        double own = p->probability[i];
        if (count == k && own <= p->probability[place[k - 1]]) continue;
        int at = count < k ? count++ : k - 1;
        for (; at > 0 && p->probability[place[at - 1]] < own; at--) place[at] = place[at - 1];
        place[at] = i;
    }
    return count;
}

double exact_top_mass(const exact_posterior *p, int k) {
    int64_t place[EXACT_TOP];
    double  sum = 0;
    for (int i = exact_top(p, k, place); i-- > 0;) sum += p->probability[place[i]];
    return sum;
}

int64_t exact_draw(const exact_posterior *p, double share) {
    int64_t last = 0;
    double  sum  = 0;
    for (int64_t i = 0; i < p->count; i++) {
        if (!(p->probability[i] > 0)) continue;
        sum += p->probability[i];
        last = i;
        if (sum >= share) break;
    }
    return last;
}
