/* Attention of made-up numbers, as one node (tide_attention) or in plain ops, which is what it is when somebody asks
 * for the probabilities. */
#ifndef ATTENTION_SUPPORT_H
#define ATTENTION_SUPPORT_H

#include "nn_support.h"

typedef struct problem {
    int     batch_ndim;
    int64_t batch[3], m, n, d, e;
    double  p;
    bool    turned;   /* the matrices of (.., t, heads, d), as a layer's are */
    int64_t offset;   /* of the samples; 0: none */
} problem;

typedef struct attended {
    tide_graph *g;
    tide_val  in[3], w, out, loss;  /* q, k, v; the loss is sum(w out) */
    tide_list grads;
} attended;

static inline float made_up(int64_t i, int seed) {
    return (float)((i * 7919 + seed * 104729 + i * i % 613) % 2003) / 1001.0f - 1;
}

static inline tide_shape problem_shape(const problem *p, int64_t rows, int64_t cols) {
    tide_shape s = { .ndim = p->batch_ndim + 2 };
    for (int i = 0; i < p->batch_ndim; i++) s.dim[i] = p->batch[i];
    s.dim[s.ndim - 2] = rows, s.dim[s.ndim - 1] = cols;
    return s;
}

/* A variable seen as a matrix an entry of the batch. */
static inline tide_val matrices(tide_graph *g, const problem *p, const char *name, int64_t rows, int64_t cols, int seed,
                                tide_val *variable) {
    tide_shape s = problem_shape(p, rows, cols);
    bool turned = p->turned && p->batch_ndim > 0;
    int64_t count = tide_shape_count(s);
    float *x = malloc(sizeof *x * (size_t)(count + 1));
    for (int64_t i = 0; i < count; i++) x[i] = 1.5f * made_up(i, seed);
    if (turned) s.dim[s.ndim - 2] = s.dim[s.ndim - 3], s.dim[s.ndim - 3] = rows;
    *variable = tide_variable(g, name, tide_constant(g, TIDE_F32, s, x));
    free(x);
    return turned ? tide_transpose(*variable, -2, -3) : *variable;
}

static inline attended attend(const char *device, const problem *p, bool plain) {
    attended a = { .g = tide_graph_new_with(&(tide_graph_options){ .device = device, .seed = 5 }) };
    tide_val share, q = matrices(a.g, p, "q", p->m, p->d, 1, &a.in[0]),
                    k = matrices(a.g, p, "k", p->n, p->d, 2, &a.in[1]),
                    v = matrices(a.g, p, "v", p->n, p->e, 3, &a.in[2]);
    tide_val w = matrices(a.g, p, "w", p->m, p->e, 4, &a.w);
    if (p->offset)
        tide_sample_offset(a.g, tide_variable(a.g, "at", tide_scalar_of(a.g, TIDE_I32, (double)p->offset)));
    a.out = tide_attention(q, k, v, p->p, TIDE_TRAIN, plain ? &share : NULL);
    a.loss = tide_sum(tide_mul(a.out, w), TIDE_ALL);
    a.grads = tide_grad(a.loss, (tide_list){ a.in, 3 });
    expect_fine(a.g);
    return a;
}

/* One run of the output and the derivatives. */
static inline tide_program *attend_run(attended *a, tide_precision precision) {
    tide_val wanted[] = { a->out, a->grads.items[0], a->grads.items[1], a->grads.items[2] };
    tide_program *program =
        tide_compile((tide_list){ wanted, 4 }, &(tide_compile_options){ .precision = precision });
    if (tide_run(program, NULL, 0)) fail_msg("%s", tide_program_error(program)->message);
    return program;
}

static inline tide_val attended_result(const attended *a, int i) { return i ? a->grads.items[i - 1] : a->out; }

#endif
