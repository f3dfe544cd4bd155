/* A walk over the circuit from the top: each part in series takes what there is of it. */
#include "guess.h"

#include <math.h>
#include <string.h>

enum { ARCS = 2 };

typedef struct arc {
    double ohm, tau_s, n;
} arc;
typedef struct placing {
    const equivalent *e;
    const fit_guess *g;
    double value[PARAMETERS_MOST]; /* NaN: none yet */
    int arcs; /* that have a place */
} placing;

/* ---- the tree ---- */

static int child_of(const equivalent *e, int node, int which) {
    for (int i = 0; i < node; i++)
        if (e->node[i].parent == node && which-- == 0) return i;
    return -1;
}

static const element *element_at(const equivalent *e, int node) {
    return node >= 0 && e->node[node].kind == NODE_ELEMENT ? e->part[e->node[node].part].kind : NULL;
}

static bool is(const element *kind, const char *symbol) { return kind && !strcmp(kind->symbol, symbol); }

static bool is_capacitive(const element *kind) { return is(kind, "C") || is(kind, "CPE"); }

/* ---- values ---- */

static double value_of(slot_role role, const arc *a) {
    switch (role) {
    case ROLE_RESISTANCE: return a->ohm;
    case ROLE_TIME: return a->tau_s;
    case ROLE_CAPACITANCE: return a->tau_s / a->ohm;
    case ROLE_INDUCTANCE: return a->tau_s * a->ohm;
    case ROLE_ADMITTANCE: return pow(a->tau_s, a->n) / a->ohm;
    case ROLE_EXPONENT: return a->n;
    case ROLE_LA:
    case ROLE_WARBURG:
    case ROLE_NUMBER: break;
    }
    return NAN;
}

static void put(placing *t, int node, const arc *a) {
    const circuit_part *part = &t->e->part[t->e->node[node].part];
    for (int s = 0; s < part->kind->slots; s++) t->value[part->first + s] = value_of(part->kind->slot[s].role, a);
}

/* An arc is one element, or a resistance and a capacitance side by side. */
static bool put_arc(placing *t, int node, const arc *a) {
    const element *whole = element_at(t->e, node);
    if (is(whole, "Zarc") || is(whole, "K")) return put(t, node, a), true;
    if (whole || t->e->node[node].kind != NODE_PARALLEL || child_of(t->e, node, 2) >= 0) return false;
    int first = child_of(t->e, node, 0), second = child_of(t->e, node, 1);
    const element *one = element_at(t->e, first), *other = element_at(t->e, second);
    if (!(is(one, "R") && is_capacitive(other)) && !(is(other, "R") && is_capacitive(one))) return false;
    put(t, first, a), put(t, second, a);
    return true;
}

static arc arc_of(const fit_guess *g, int k) { return (arc){ g->r_ohm[k], g->tau_s[k], g->n[k] }; }

/* R across two arcs in series. */
static bool put_shunt(placing *t, int node) {
    int first = child_of(t->e, node, 0), second = child_of(t->e, node, 1);
    int shunt = is(element_at(t->e, first), "R") ? first : second, cells = shunt == first ? second : first;
    const fit_guess *g = t->g;
    double five[EIS_COUNT],
        p[EIS_COUNT] = { INFINITY, g->r_ohm[0], g->r_ohm[1], g->tau_s[0] / g->r_ohm[0], g->tau_s[1] / g->r_ohm[1] };
    eis_invariants v = eis_invariants_of(p);
    if (t->arcs || cells < 0 || !is(element_at(t->e, shunt), "R") || child_of(t->e, node, 2) >= 0) return false;
    if (t->e->node[cells].kind != NODE_SERIES || child_of(t->e, cells, 2) >= 0) return false;
    if (!eis_fibre(&v, 1, five)) return false;
    put(t, shunt, &(arc){ five[EIS_RSH], 1, 1 });
    t->arcs = ARCS;
    return put_arc(t, child_of(t->e, cells, 0), &(arc){ five[EIS_RA], five[EIS_RA] * five[EIS_CA], g->n[0] }) &&
           put_arc(t, child_of(t->e, cells, 1), &(arc){ five[EIS_RB], five[EIS_RB] * five[EIS_CB], g->n[1] });
}

static bool put_child(placing *t, int node) {
    const element *kind = element_at(t->e, node);
    const fit_guess *g = t->g;
    if (is(kind, "R")) return put(t, node, &(arc){ g->rs_ohm, 1, 1 }), true;
    if (is(kind, "L")) return put(t, node, &(arc){ 1, g->l_henry, 1 }), true;
    if (is_capacitive(kind)) return put(t, node, &(arc){ 1 / g->electrode_q, 1, g->electrode_n }), true;
    arc next = t->arcs < ARCS ? arc_of(g, t->arcs) : (arc){ 0 };
    if (t->arcs < ARCS && put_arc(t, node, &next)) return t->arcs++, true;
    return !kind && t->e->node[node].kind == NODE_PARALLEL && put_shunt(t, node);
}

/* Values of all parameters. False: the circuit has other parts. */
static bool place(const equivalent *e, const fit_guess *g, placing *t) {
    int root = e->nodes - 1;
    *t = (placing){ .e = e, .g = g };
    for (int k = 0; k < PARAMETERS_MOST; k++) t->value[k] = NAN;
    bool fine = true, series = e->node[root].kind == NODE_SERIES;
    for (int i = 0, node; series && fine && (node = child_of(e, root, i)) >= 0; i++) fine = put_child(t, node);
    return series ? fine : put_child(t, root);
}

bool fit_guess_start(const fit_problem *p, const fit_guess *g, double x[PARAMETERS_MOST]) {
    placing t;
    bool fine = place(p->e, g, &t);
    for (int v = 0; fine && v < p->variables; v++) {
        double value = t.value[p->of[v]];
        fine = value > 0 && isfinite(value);
        if (fine) x[v] = fit_coordinate(p, v, value);
    }
    return fine;
}

bool fit_guess_goes(const equivalent *e) {
    static const fit_guess any = { { 100, 100 }, { 1e-2, 1e-3 }, { 1, 1 }, 10, 1e-3, 1, 1e-6 };
    placing t;
    return place(e, &any, &t);
}
