/* Circuits drawn at random around what the spectrum shows. Of each the shape is drawn (times, exponents, what shares
 * what), and the sizes of the parts in series follow by non-negative least squares. So that not all starts lie in one
 * valley, the best of each cell is kept: which elements are fast, which slow. */
#include "start.h"

#include <math.h>
#include <string.h>

#include "base/base.h"
#include "eis/circuit/rng.h"

enum { DRAWS = 400, STREAM_STARTS = 21, ZONES = 3, CHILDREN_MOST = PARTS_MOST };
static const double usual_exponent = 0.9;

/* The series connection at the top, or the circuit as its only child. */
typedef struct top {
    int node[CHILDREN_MOST], count;
    int of[PARTS_MOST]; /* a part's child */
    bool held[CHILDREN_MOST];
} top;

typedef struct place {
    double ohm, tau_s;
} place;

typedef struct drawing {
    const fit_problem *p;
    const landscape *land;
    const top *at;
    rng r;
    bool used[PEAKS_MOST];
    uint64_t cell; /* of the last drawing */
} drawing;

static double spread(drawing *d, double low, double high) { return pow(10, low + (high - low) * rng_unit(&d->r)); }

/* ---- the circuit from the top ---- */

static int child_above(const equivalent *e, const top *t, int node) {
    for (;; node = e->node[node].parent)
        for (int c = 0; c < t->count; c++)
            if (t->node[c] == node) return c;
}

/* A child with a fixed or tied size keeps the size that it is drawn with. */
static bool sized(const equivalent *e, int k) {
    const circuit_parameter *q = &e->parameter[k];
    slot_role role = e->part[q->part].kind->slot[q->slot].role;
    return role != ROLE_EXPONENT && role != ROLE_NUMBER && role != ROLE_TIME;
}

static void find_top(const equivalent *e, top *t) {
    int root = e->nodes - 1;
    *t = (top){ 0 };
    for (int i = 0; i < root; i++)
        if (e->node[i].parent == root && e->node[root].kind == NODE_SERIES) t->node[t->count++] = i;
    if (!t->count) t->node[t->count++] = root;
    for (int i = 0; i < e->nodes; i++)
        if (e->node[i].kind == NODE_ELEMENT) t->of[e->node[i].part] = child_above(e, t, i);
    for (int k = 0; k < e->parameters; k++) {
        const circuit_parameter *q = &e->parameter[k];
        if (!sized(e, k) || !(q->fixed || q->tie >= 0)) continue;
        t->held[t->of[q->part]] = true;
        if (q->tie >= 0) t->held[t->of[e->parameter[q->tie].part]] = true;
    }
}

/* ---- drawing ---- */

static double size_near(const landscape *l, double tau) {
    int best = 0;
    for (int i = 1; i < l->points; i++)
        if (fabs(l->log_omega[i] + log(tau)) < fabs(l->log_omega[best] + log(tau))) best = i;
    return cabs(l->z[best]);
}

static place anywhere(drawing *d) {
    const landscape *l = d->land;
    double high = log10(l->omega[0]), low = log10(l->omega[l->points - 1]);
    double tau = spread(d, -high - 0.5, -low + 0.5);
    return (place){ size_near(l, tau) * spread(d, -1, 0.2), tau };
}

static place at_a_peak(drawing *d) {
    int k = (int)(rng_unit(&d->r) * d->land->peaks);
    if (d->land->peaks == 0 || rng_unit(&d->r) < 0.25 || d->used[k]) return anywhere(d);
    d->used[k] = true;
    return (place){ d->land->peak[k].r_ohm * spread(d, -0.2, 0.2), d->land->peak[k].tau_s * spread(d, -0.3, 0.3) };
}

/* Alone at the top an element shows at an end of the spectrum. */
static place alone(drawing *d, slot_role role) {
    const landscape *l = d->land;
    int last = l->points - 1;
    switch (role) {
    case ROLE_RESISTANCE: return (place){ l->high_ohm, 1 / l->omega[0] };
    case ROLE_INDUCTANCE:
    case ROLE_LA: return (place){ fmax(fabs(cimag(l->z[0])), 1e-3 * cabs(l->z[0])), 1 / l->omega[0] };
    default: return (place){ fabs(cimag(l->z[last])), 1 / l->omega[last] * spread(d, -0.5, 0.5) };
    }
}

static place top_place(drawing *d, int node) {
    const equivalent *e = d->p->e;
    const circuit_node *n = &e->node[node];
    const element *kind = n->kind == NODE_ELEMENT ? e->part[n->part].kind : NULL;
    bool arc = !kind || (kind->slots > 1 && kind->slot[0].role == ROLE_RESISTANCE);
    return arc || rng_unit(&d->r) < 0.3 ? at_a_peak(d) : alone(d, kind->slot[0].role);
}

static place inner_place(drawing *d, place of, bool parallel) {
    if (parallel) return (place){ of.ohm * spread(d, -0.1, 0.4), of.tau_s * spread(d, -0.2, 0.2) };
    return (place){ of.ohm * spread(d, -1, 0.2), of.tau_s * spread(d, -1.5, 1.5) };
}

static double slot_value(slot_role role, place at, double exponent) {
    switch (role) {
    case ROLE_RESISTANCE: return at.ohm;
    case ROLE_TIME: return at.tau_s;
    case ROLE_CAPACITANCE: return at.tau_s / at.ohm;
    case ROLE_INDUCTANCE: return at.tau_s * at.ohm;
    case ROLE_ADMITTANCE: return pow(at.tau_s, exponent) / at.ohm;
    case ROLE_LA: return pow(at.tau_s, exponent) * at.ohm;
    case ROLE_WARBURG: return at.ohm / sqrt(at.tau_s);
    case ROLE_EXPONENT: return exponent;
    case ROLE_NUMBER: break;
    }
    return 1;
}

static void put_part(drawing *d, int part, place at, double *x) {
    const circuit_part *of = &d->p->e->part[part];
    double exponent = 0.55 + 0.43 * rng_unit(&d->r);
    for (int s = 0; s < of->kind->slots; s++) {
        slot_role role = of->kind->slot[s].role;
        double value = slot_value(role, at, exponent) * (role == ROLE_NUMBER ? spread(d, -1, 1) : 1);
        int v = d->p->variable[of->first + s];
        if (v >= 0) x[v] = fit_coordinate(d->p, v, value);
    }
}

/* A third of the spectrum's decades. */
static int zone(const landscape *l, double tau) {
    double share = (log(tau) + l->log_omega[0]) / (l->log_omega[0] - l->log_omega[l->points - 1]);
    return (int)fmax(0, fmin(ZONES - 1, floor(ZONES * share)));
}

static void note_cell(drawing *d, const circuit_part *part, double tau) {
    if (part->kind->slots > 1 || part->kind->slot[0].role != ROLE_RESISTANCE)
        d->cell = d->cell * ZONES + (uint64_t)zone(d->land, tau);
}

static void draw(drawing *d, double *x) {
    const equivalent *e = d->p->e;
    place at[NODES_MOST];
    memset(d->used, 0, sizeof d->used);
    d->cell = 0;
    for (int i = e->nodes - 1; i >= 0; i--) {
        bool is_top = false;
        for (int c = 0; c < d->at->count; c++) is_top = is_top || d->at->node[c] == i;
        int parent = e->node[i].parent;
        at[i] =
            is_top || parent < 0 ? top_place(d, i) : inner_place(d, at[parent], e->node[parent].kind == NODE_PARALLEL);
        if (e->node[i].kind != NODE_ELEMENT) continue;
        put_part(d, e->node[i].part, at[i], x);
        note_cell(d, &e->part[e->node[i].part], at[i].tau_s);
    }
}

/* ---- sizes ---- */

typedef struct shapes {
    double complex z[CHILDREN_MOST * THIN];
} shapes;

static double times(const landscape *l, const double complex *a, const double complex *b) {
    double sum = 0;
    for (int i = 0; i < l->points; i++)
        sum += l->weight[i] * l->weight[i] * creal(a[i]) * creal(b[i]) +
               l->weight[THIN + i] * l->weight[THIN + i] * cimag(a[i]) * cimag(b[i]);
    return sum;
}

static void take_held(const drawing *d, const shapes *s, double complex *left) {
    for (int c = 0; c < d->at->count; c++)
        for (int i = 0; d->at->held[c] && i < d->land->points; i++) left[i] -= s->z[c * d->land->points + i];
}

/* How much larger each child should be; what is left then. */
static double sizes(const drawing *d, const double *x, double *larger) {
    const landscape *l = d->land;
    double values[PARAMETERS_MOST], gram[CHILDREN_MOST * CHILDREN_MOST], data[CHILDREN_MOST];
    double size[CHILDREN_MOST];
    double complex left[THIN];
    int free[CHILDREN_MOST], count = 0;
    shapes s;
    fit_values(d->p, x, values);
    equivalent_nodes(d->p->e, values, l->points, l->omega, l->log_omega, d->at->node, d->at->count, s.z);
    memcpy(left, l->z, sizeof left);
    take_held(d, &s, left);
    for (int c = 0; c < d->at->count; c++) larger[c] = 1;
    for (int c = 0; c < d->at->count; c++)
        if (!d->at->held[c]) free[count++] = c;
    for (int a = 0; a < count; a++) {
        data[a] = times(l, s.z + free[a] * l->points, left);
        for (int b = 0; b < count; b++)
            gram[a * count + b] = times(l, s.z + free[a] * l->points, s.z + free[b] * l->points);
    }
    non_negative(count, gram, data, size);
    for (int a = 0; a < count; a++) {
        larger[free[a]] = fmax(size[a], 1e-2);
        for (int i = 0; i < l->points; i++) left[i] -= larger[free[a]] * s.z[free[a] * l->points + i];
    }
    return times(l, left, left);
}

static double enlarged(slot_role role, double by) {
    switch (role) {
    case ROLE_CAPACITANCE:
    case ROLE_ADMITTANCE: return -log(by);
    case ROLE_RESISTANCE:
    case ROLE_INDUCTANCE:
    case ROLE_LA:
    case ROLE_WARBURG: return log(by);
    case ROLE_TIME:
    case ROLE_EXPONENT:
    case ROLE_NUMBER: break;
    }
    return 0;
}

static void enlarge(const drawing *d, const double *larger, double *x) {
    const equivalent *e = d->p->e;
    for (int v = 0; v < d->p->variables; v++) {
        const circuit_parameter *q = &e->parameter[d->p->of[v]];
        double by = enlarged(e->part[q->part].kind->slot[q->slot].role, larger[d->at->of[q->part]]);
        x[v] = fit_coordinate(d->p, v, exp(x[v] + by));
    }
}

/* ---- the best of them ---- */

static void keep(fit_start *best, int *count, const fit_start *s) {
    int at = *count;
    if (!isfinite(s->misfit) || (at == STARTS_MOST && s->misfit >= best[at - 1].misfit)) return;
    for (int i = 0; i < *count; i++)
        if (best[i].cell == s->cell) {
            if (best[i].misfit <= s->misfit) return;
            at = i;
            break;
        }
    if (at == STARTS_MOST) at--;
    else if (at == *count) ++*count;
    for (best[at] = *s; at > 0 && best[at - 1].misfit > best[at].misfit; at--) {
        fit_start better = best[at];
        best[at] = best[at - 1], best[at - 1] = better;
    }
}

/* Values that the circuit came with, the best drawn one for what it leaves open. */
static void put_given(const fit_problem *p, fit_start *best, int *count) {
    fit_start s = best[0];
    bool given = false;
    for (int v = 0; v < p->variables; v++) {
        double value = p->e->parameter[p->of[v]].value;
        if (isnan(value)) continue;
        s.x[v] = fit_coordinate(p, v, value), given = true;
    }
    if (!given) return;
    *count = MIN2(*count, STARTS_MOST - 1);
    memmove(best + 1, best, (size_t)*count * sizeof *best);
    best[0] = s, ++*count;
}

/* ---- one element elsewhere ---- */

static double exponent_of(const fit_problem *p, const circuit_part *part, const double *x) {
    double values[PARAMETERS_MOST], exponent = 1;
    fit_values(p, x, values);
    for (int s = 0; s < part->kind->slots; s++)
        if (part->kind->slot[s].role == ROLE_EXPONENT) exponent = values[part->first + s];
    return exponent;
}

/* True if a time hangs on it. */
static bool move_part(const fit_problem *p, const circuit_part *of, place at, double exponent, double *x) {
    bool timed = false;
    for (int s = 0; s < of->kind->slots; s++) {
        slot_role role = of->kind->slot[s].role;
        int v = p->variable[of->first + s];
        if (v < 0 || role == ROLE_NUMBER) continue;
        if (role == ROLE_EXPONENT && exponent == exponent_of(p, of, x)) continue;
        x[v] = fit_coordinate(p, v, slot_value(role, at, exponent));
        timed = timed || (role != ROLE_RESISTANCE && role != ROLE_EXPONENT);
    }
    return timed;
}

static bool child_gone(const fit_problem *p, const top *t, int child, const bool *gone) {
    bool is = false;
    for (int v = 0; v < p->variables; v++)
        is = is || (gone[v] && t->of[p->e->parameter[p->of[v]].part] == child);
    return is;
}

/* All of it, in the size that fits best beside the rest. */
static void bring_back(const fit_problem *p, const landscape *l, const top *t, int child, place there, double *x) {
    const drawing d = { .p = p, .land = l, .at = t };
    double larger[CHILDREN_MOST];
    for (int part = 0; part < p->e->parts; part++)
        if (t->of[part] == child) move_part(p, &p->e->part[part], there, usual_exponent, x);
    sizes(&d, x, larger);
    enlarge(&d, larger, x);
}

bool fit_move(const fit_problem *p, const landscape *l, int part, int zone, const bool *gone, double *x) {
    const circuit_part *of = &p->e->part[part];
    double decades = log10(l->omega[0] / l->omega[l->points - 1]);
    double tau = pow(10, decades * (zone + 0.5) / ZONES) / l->omega[0];
    place there = { size_near(l, tau), tau };
    top at;
    find_top(p->e, &at);
    bool timed = move_part(p, of, there, exponent_of(p, of, x), x);
    if (timed && child_gone(p, &at, at.of[part], gone)) bring_back(p, l, &at, at.of[part], there, x);
    return timed;
}

tide_status fit_starts(const fit_problem *p, const landscape *land, fit_start start[STARTS_MOST], int *count,
                       tide_failure *failure) {
    top at;
    find_top(p->e, &at);
    drawing d = { .p = p, .land = land, .at = &at, .r = { .seed = 1, .stream = STREAM_STARTS } };
    *count = 0;
    for (int i = 0; i < DRAWS; i++) {
        fit_start s = { .misfit = INFINITY };
        double larger[CHILDREN_MOST];
        draw(&d, s.x);
        s.misfit = sizes(&d, s.x, larger);
        enlarge(&d, larger, s.x);
        s.cell = d.cell;
        keep(start, count, &s);
    }
    if (*count == 0)
        return fail_at(failure, TIDE_EDATA, NULL, 0, "circuit", "this circuit has no impedance at these frequencies");
    put_given(p, start, count);
    return TIDE_OK;
}
