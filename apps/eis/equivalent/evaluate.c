/* Z of a circuit and its derivatives, a block of frequencies at a time: up the tree for the impedances, down again for
 * dZ/dz_k = (I_k / I)^2, the current through element k squared: a part of a series connection carries all of its
 * parent's, one of a parallel connection the share Z/z_k. */
#include <math.h>
#include <string.h>

#include "equivalent.h"

typedef struct block {
    zblock z[NODES_MOST], share[NODES_MOST], d[PARAMETERS_MOST];
} block;

/* Without the care that C takes of products beyond 1e308: no impedance comes near. A short circuit has no end. */
static inline double complex inverse(double complex z) {
    double size = creal(z) * creal(z) + cimag(z) * cimag(z);
    if (!isfinite(size)) return 0;
    return size > 0 ? CMPLX(creal(z) / size, -cimag(z) / size) : INFINITY;
}

/* A parallel connection gathers admittances until its turn comes. */
static void give_to_parent(const equivalent *e, block *b, int i) {
    int parent = e->node[i].parent;
    if (parent < 0) return;
    bool parallel = e->node[parent].kind == NODE_PARALLEL;
    for (int k = 0; k < BLOCK; k++) b->z[parent][k] += parallel ? inverse(b->z[i][k]) : b->z[i][k];
}

static void go_up(const equivalent *e, const double *p, const frequencies *f, block *b, bool derivatives) {
    for (int i = 0; i < e->nodes; i++) {
        const circuit_part *part = e->part + (e->node[i].kind == NODE_ELEMENT ? e->node[i].part : 0);
        if (e->node[i].kind == NODE_ELEMENT)
            part->kind->evaluate(p + part->first, f, b->z[i], derivatives ? b->d + part->first : NULL);
        if (e->node[i].kind == NODE_PARALLEL)
            for (int k = 0; k < BLOCK; k++) b->z[i][k] = inverse(b->z[i][k]);
        give_to_parent(e, b, i);
    }
}

static void go_down(const equivalent *e, block *b) {
    int root = e->nodes - 1;
    for (int k = 0; k < BLOCK; k++) b->share[root][k] = 1;
    for (int i = root - 1; i >= 0; i--) {
        int parent = e->node[i].parent;
        for (int k = 0; k < BLOCK; k++) {
            double complex current = e->node[parent].kind == NODE_PARALLEL ? b->z[parent][k] * inverse(b->z[i][k]) : 1;
            b->share[i][k]         = b->share[parent][k] * current * current;
        }
    }
}

static void put_derivatives(const equivalent *e, const block *b, int64_t n, int64_t at, int count,
                            double complex *out) {
    for (int i = 0; i < e->nodes; i++) {
        if (e->node[i].kind != NODE_ELEMENT) continue;
        const circuit_part *part = &e->part[e->node[i].part];
        for (int s = part->first; s < part->first + part->kind->slots; s++)
            for (int k = 0; k < count; k++) out[s * n + at + k] = b->share[i][k] * b->d[s][k];
    }
}

/* The last block repeats its first frequency. */
static void fill(const double *omega, const double *log_omega, int64_t at, int count, frequencies *f) {
    for (int k = 0; k < BLOCK; k++) {
        int64_t from    = at + (k < count ? k : 0);
        f->omega[k]     = omega[from];
        f->log_omega[k] = log_omega[from];
    }
}

void equivalent_evaluate(const equivalent *e, const double *p, int64_t n, const double *omega, const double *log_omega,
                         double complex *z, double complex *derivatives) {
    block       b;
    frequencies f;
    for (int64_t at = 0; at < n; at += BLOCK) {
        int count = (int)(n - at < BLOCK ? n - at : BLOCK);
        fill(omega, log_omega, at, count, &f);
        memset(b.z, 0, (size_t)e->nodes * sizeof *b.z);
        go_up(e, p, &f, &b, derivatives != NULL);
        memcpy(z + at, b.z[e->nodes - 1], (size_t)count * sizeof *z);
        if (!derivatives) continue;
        go_down(e, &b);
        put_derivatives(e, &b, n, at, count, derivatives);
    }
}

void equivalent_nodes(const equivalent *e, const double *p, int64_t n, const double *omega, const double *log_omega,
                      const int *node, int count, double complex *z) {
    block       b;
    frequencies f;
    for (int64_t at = 0; at < n; at += BLOCK) {
        int points = (int)(n - at < BLOCK ? n - at : BLOCK);
        fill(omega, log_omega, at, points, &f);
        memset(b.z, 0, (size_t)e->nodes * sizeof *b.z);
        go_up(e, p, &f, &b, false);
        for (int c = 0; c < count; c++) memcpy(z + c * n + at, b.z[node[c]], (size_t)points * sizeof *z);
    }
}
