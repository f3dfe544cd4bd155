/* Arcs that are alike can be exchanged without a change of the impedance: the slower one, whose imaginary part is
 * largest at the lower frequency, comes first. */
#include <math.h>
#include <string.h>

#include "search.h"

enum { FREQUENCIES = 161 }; /* eight a decade over twenty */

/* Nodes of the subtree of `node` stand from here to it. */
static int first_of(const equivalent *e, int node) {
    int first = node;
    for (int i = node - 1; i >= 0; i--) {
        int above = i;
        while (above >= 0 && above < node) above = e->node[above].parent;
        if (above == node) first = i;
    }
    return first;
}

/* What a prior names has a place of its own. */
static bool has_prior(const fit_problem *f, int k) {
    for (int i = 0; i < f->priors; i++)
        for (int t = 0; t < f->prior[i].terms; t++)
            if (f->of[f->prior[i].variable[t]] == k) return true;
    return false;
}

static bool is_shared(const fit_problem *f, int k) {
    return f->spectra > 1 && f->variable[PARAMETERS_MOST + k] == f->variable[k];
}

static bool alike_parameters(const fit_problem *f, int a, int b) {
    const circuit_parameter *p = &f->e->parameter[a], *q = &f->e->parameter[b];
    if (has_prior(f, a) || has_prior(f, b) || is_shared(f, a) != is_shared(f, b)) return false;
    return !p->fixed && !q->fixed && p->tie < 0 && q->tie < 0 && p->low == q->low && p->high == q->high;
}

static bool alike_parts(const fit_problem *f, int a, int b) {
    const circuit_part *p = &f->e->part[a], *q = &f->e->part[b];
    bool is = p->kind == q->kind;
    for (int s = 0; is && s < p->kind->slots; s++) is = alike_parameters(f, p->first + s, q->first + s);
    return is;
}

/* Siblings with the same structure below them. */
static bool alike(const fit_problem *f, int a, int b) {
    const equivalent *e = f->e;
    int from = first_of(e, a), to = first_of(e, b), count = a - from;
    bool is = e->node[a].parent == e->node[b].parent && count == b - to;
    for (int i = 0; is && i <= count; i++) {
        const circuit_node *p = &e->node[from + i], *q = &e->node[to + i];
        is = p->kind == q->kind && (i == count || p->parent - from == q->parent - to);
        if (is && p->kind == NODE_ELEMENT) is = alike_parts(f, p->part, q->part);
    }
    for (int k = 0; is && k < e->parameters; k++) is = e->parameter[k].tie < 0;
    return is;
}

typedef struct span {
    double omega[FREQUENCIES], log_omega[FREQUENCIES];
} span;

static void make_span(span *f) {
    for (int i = 0; i < FREQUENCIES; i++) f->omega[i] = pow(10, -10 + i / 8.), f->log_omega[i] = log(f->omega[i]);
}

/* Both nodes' at once; true if b is the slower. */
static bool slower(const fit_problem *p, const span *f, int a, int b, const double *values) {
    const int node[2] = { a, b };
    double complex z[2 * FREQUENCIES];
    int best[2] = { 0, 0 };
    equivalent_nodes(p->e, values, FREQUENCIES, f->omega, f->log_omega, node, 2, z);
    for (int c = 0; c < 2; c++)
        for (int i = 1; i < FREQUENCIES; i++)
            if (cimag(z[c * FREQUENCIES + i]) < cimag(z[c * FREQUENCIES + best[c]])) best[c] = i;
    return best[1] < best[0];
}

static void exchange(const fit_problem *p, int a, int b, double *x) {
    const equivalent *e = p->e;
    int from = first_of(e, a), to = first_of(e, b);
    for (int i = 0; i <= a - from; i++) {
        if (e->node[from + i].kind != NODE_ELEMENT) continue;
        const circuit_part *one = &e->part[e->node[from + i].part], *other = &e->part[e->node[to + i].part];
        for (int s = 0; s < one->kind->slots; s++) {
            int v = p->variable[one->first + s], w = p->variable[other->first + s];
            double was = x[v];
            x[v] = x[w], x[w] = was;
        }
    }
}

/* A connection, or an element that is an arc by itself. */
static bool is_arc(const equivalent *e, int node) {
    return e->node[node].kind != NODE_ELEMENT || e->part[e->node[node].part].kind->slots > 1;
}

bool fit_exchange(const fit_problem *p, double *x) {
    for (int a = 0; a < p->e->nodes; a++)
        for (int b = a + 1; b < p->e->nodes; b++)
            if (is_arc(p->e, a) && alike(p, a, b)) return exchange(p, a, b, x), true;
    return false;
}

void fit_order(const fit_problem *p, double *x) {
    const equivalent *e = p->e;
    double values[PARAMETERS_MOST];
    span f;
    bool made = false;
    if (p->spectra > 1) return; /* their starts are in order */
    for (int a = 0; a < e->nodes; a++)
        for (int b = a + 1; b < e->nodes; b++) {
            if (!is_arc(e, a) || !alike(p, a, b)) continue;
            if (!made) make_span(&f), made = true;
            fit_values(p, x, values);
            if (slower(p, &f, a, b, values)) exchange(p, a, b, x);
        }
}
