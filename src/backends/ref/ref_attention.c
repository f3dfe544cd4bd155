/* Attention and its derivative, one entry of the batch at a time, sums in double. Of the matrices between there is one
 * row or one column at a time. */
#include <math.h>

#include "../../base/philox.h"
#include "ref.h"

/* One entry of the batch. */
typedef struct entry {
    const ref_run     *run;
    const flat_kernel *k;
    int64_t index, at[9];  /* where the operands' matrices begin */
    double *share, *mask, *slope;  /* of a row or a column */
} entry;

enum { Q, KEY, V, O, L, DO, DQ, DK, DV };

/* A row or a column of the shares, of the mask and of the scores' derivatives. */
static int64_t line(const flat_attention *a) { return MAX2(a->m, a->n); }

int64_t ref_attention_scratch(const flat_attention *a) { return 3 * line(a) * (int64_t)sizeof(double); }

static double load(const entry *x, int operand, int64_t row, int64_t col) {
    const flat_operand *o = &x->k->operands[operand];
    const int64_t *s = o->stride + x->k->attention.batch_ndim;
    return ref_load(o->type, ref_data(x->run, o), x->at[operand] + row * s[0] + col * s[1]).f;
}

static void store(const entry *x, int operand, int64_t row, int64_t col, double value) {
    const flat_operand *o = &x->k->operands[operand];
    const int64_t *s = o->stride + x->k->attention.batch_ndim;
    ref_store(o->type, ref_data(x->run, o), x->at[operand] + row * s[0] + col * s[1], (ref_value){ .f = value });
}

static double score(const entry *x, int64_t i, int64_t j) {
    double sum = 0;
    for (int64_t c = 0; c < x->k->attention.d; c++) sum += load(x, Q, i, c) * load(x, KEY, j, c);
    return sum * x->k->attention.scale;
}

static int64_t counter(const entry *x, int32_t which) {
    if (which >= flat_attention_counters(x->k)) return 0;
    const flat_operand *o = &x->k->operands[(x->k->kind == FLAT_ATTENTION ? 5 : 9) + which];
    return ref_load(o->type, ref_data(x->run, o), 0).i;
}

static double mask(const entry *x, int64_t i, int64_t j) {
    const flat_attention *a = &x->k->attention;
    if (!a->dropout) return 1;
    int64_t element = (x->index * a->m + i) * a->n + j;
    uint32_t sample = (uint32_t)(element / a->per_sample + counter(x, 1));
    double half = philox_half(x->run->program->seed, (uint32_t)counter(x, 0), a->site, sample,
                              (uint32_t)(element % a->per_sample));
    return half >= 65536 * (double)(float)a->threshold ? (double)(float)a->kept : 0;
}

/* ---- forward ---- */

/* A NaN among them is the largest, and spoils the row. */
static double log_sum(const double *score, int64_t n) {
    double most = -INFINITY, sum = 0;
    for (int64_t j = 0; j < n; j++) most = score[j] > most || isnan(score[j]) ? score[j] : most;
    for (int64_t j = 0; j < n; j++) sum += exp(score[j] - most);
    return most + log(sum);
}

static void forward(const entry *x) {
    const flat_attention *a = &x->k->attention;
    for (int64_t i = 0; i < a->m; i++) {
        for (int64_t j = 0; j < a->n; j++) x->share[j] = score(x, i, j);
        double log = log_sum(x->share, a->n);
        ref_store(TIDE_F32, ref_data(x->run, &x->k->operands[L]), x->index * a->m + i, (ref_value){ .f = log });
        for (int64_t j = 0; j < a->n; j++) x->share[j] = exp(x->share[j] - log) * mask(x, i, j);
        for (int64_t c = 0; c < a->e; c++) {
            double sum = 0;
            for (int64_t j = 0; j < a->n; j++) sum += x->share[j] * load(x, V, j, c);
            store(x, O, i, c, sum);
        }
    }
}

/* ---- derivative ---- */

/* The sum over all keys of the shares times their derivatives is that of o times its own (Dao et al. 2022). */
static void share_and_slope(const entry *x, int64_t i, int64_t j, int64_t at) {
    const flat_attention *a = &x->k->attention;
    double log = ref_load(TIDE_F32, ref_data(x->run, &x->k->operands[L]), x->index * a->m + i).f;
    double along = 0, mean = 0;
    for (int64_t c = 0; c < a->e; c++) along += load(x, DO, i, c) * load(x, V, j, c);
    for (int64_t c = 0; c < a->e; c++) mean += load(x, DO, i, c) * load(x, O, i, c);
    x->share[at] = exp(score(x, i, j) - log);
    x->mask[at] = mask(x, i, j);
    x->slope[at] = x->share[at] * (x->mask[at] * along - mean) * a->scale;
}

static void of_queries(const entry *x) {
    const flat_attention *a = &x->k->attention;
    for (int64_t i = 0; i < a->m; i++) {
        for (int64_t j = 0; j < a->n; j++) share_and_slope(x, i, j, j);
        for (int64_t c = 0; c < a->d; c++) {
            double sum = 0;
            for (int64_t j = 0; j < a->n; j++) sum += x->slope[j] * load(x, KEY, j, c);
            store(x, DQ, i, c, sum);
        }
    }
}

static void of_keys_and_values(const entry *x) {
    const flat_attention *a = &x->k->attention;
    for (int64_t j = 0; j < a->n; j++) {
        for (int64_t i = 0; i < a->m; i++) share_and_slope(x, i, j, i);
        for (int64_t c = 0; c < a->d; c++) {
            double sum = 0;
            for (int64_t i = 0; i < a->m; i++) sum += x->slope[i] * load(x, Q, i, c);
            store(x, DK, j, c, sum);
        }
        for (int64_t c = 0; c < a->e; c++) {
            double sum = 0;
            for (int64_t i = 0; i < a->m; i++) sum += x->share[i] * x->mask[i] * load(x, DO, i, c);
            store(x, DV, j, c, sum);
        }
    }
}

/* Where the matrices of entry x->index begin. */
static void locate(entry *x) {
    const flat_attention *a = &x->k->attention;
    for (int operand = 0; operand < (x->k->kind == FLAT_ATTENTION ? L : DV + 1); operand++) {
        int64_t rest = x->index, at = 0;
        for (int32_t d = a->batch_ndim - 1; d >= 0; d--) {
            at += rest % a->batch[d] * x->k->operands[operand].stride[d];
            rest /= a->batch[d];
        }
        x->at[operand] = at;
    }
}

void ref_attention(const ref_run *r, const flat_kernel *k) {
    int64_t length = line(&k->attention);
    double *scratch = r->scratch;
    entry x = { .run = r, .k = k, .share = scratch, .mask = scratch + length, .slope = scratch + 2 * length };
    for (x.index = 0; x.index < k->attention.batches; x.index++) {
        locate(&x);
        if (k->kind == FLAT_ATTENTION) forward(&x);
        else of_queries(&x), of_keys_and_values(&x);
    }
}
