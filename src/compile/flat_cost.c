/* What a kernel moves and computes, and what it is called: for people and for tables. */
#include "compile.h"
#include "pass.h"

/* ---- bytes ---- */

/* Elements of a strided view that are touched: dimensions that it does not vary over count once. */
static int64_t distinct(const int64_t *dim, const int64_t *stride, int32_t ndim) {
    int64_t count = 1;
    for (int32_t i = 0; i < ndim; i++) count *= dim[i] == 0 ? 0 : stride[i] ? dim[i] : 1;
    return count;
}

/* Of an operand's element, every touch after the first is in cache, or should be: so it counts once. */
static int64_t map_elements(const flat_kernel *k, int32_t operand) {
    const flat_map *m = &k->map;
    for (int32_t i = 0; i < m->count; i++) {
        if (m->instrs[i].operand != operand) continue;
        if (m->instrs[i].op == FLAT_COL_SUM) return k->tasks * m->cols;
        if (m->instrs[i].op == FLAT_ALL_SUM) return k->tasks;
    }
    return distinct(m->dim, k->operands[operand].stride, m->ndim);
}

/* Each matrix once, of every batch entry that it differs in, however often a provider reads it. */
static int64_t gemm_elements(const flat_kernel *k, int32_t operand) {
    const flat_gemm *g = &k->gemm;
    int64_t matrix = (operand == 3 ? 1 : operand == 1 ? g->k : g->m) * (operand == 0 ? g->k : g->n);
    return matrix * distinct(g->batch, k->operands[operand].stride, g->batch_ndim);
}

/* Operands of the other kernels in the words of backend.h: Whole (outer, n, inner), Rows (outer, count, inner),
 * Index (count), Lane (inner). */
static const char *const index_operands[] = {
    [FLAT_FOLD] = "WL",           [FLAT_GATHER] = "RIR", [FLAT_SCATTER_ADD] = "WIRW", [FLAT_TAKE_ALONG] = "RRR",
    [FLAT_PUT_ALONG_ADD] = "RRW", [FLAT_CUMSUM] = "WW",  [FLAT_SORT] = "WWW",         [FLAT_CUSTOM] = "",
};

static int64_t index_elements(const flat_kernel *k, int32_t operand) {
    const flat_index *x = &k->index;
    switch (index_operands[k->kind][operand]) {
    case 'W': return x->outer * x->n * x->inner;
    case 'R': return x->outer * x->count * x->inner;
    case 'I': return x->count;
    default: return x->inner;
    }
}

/* Of attention's operands rows and columns, by their letters; those after them are single numbers. */
static const char *const attention_operands[] = { "md", "nd", "ne", "me", "m1", "me", "md", "nd", "ne" };

static int64_t attention_elements(const flat_kernel *k, int32_t operand) {
    const flat_attention *a = &k->attention;
    if (operand >= (k->kind == FLAT_ATTENTION ? 5 : 9))
        return a->bits && operand == k->n_operands - 1 ? flat_attention_bits(a) : 1;
    int64_t count = distinct(a->batch, k->operands[operand].stride, a->batch_ndim);
    for (const char *c = attention_operands[operand]; *c; c++)
        count *= *c == 'm' ? a->m : *c == 'n' ? a->n : *c == 'd' ? a->d : *c == 'e' ? a->e : 1;
    return count;
}

/* A custom operation may touch all or nothing: its whole buffer is counted. */
static int64_t operand_bytes(const flat_program *p, const flat_kernel *k, int32_t operand) {
    const flat_operand *o = &k->operands[operand];
    if (k->kind == FLAT_CUSTOM) return p->buffers[o->buffer].bytes;
    bool attention = k->kind == FLAT_ATTENTION || k->kind == FLAT_ATTENTION_GRAD;
    int64_t elements = k->kind == FLAT_MAP    ? map_elements(k, operand)
                       : k->kind == FLAT_GEMM ? gemm_elements(k, operand)
                       : attention            ? attention_elements(k, operand)
                                              : index_elements(k, operand);
    return elements * (int64_t)tide_dtype_size(o->type);
}

/* ---- operations ---- */

static const char *const map_op_names[] = {
    [FLAT_IOTA] = "iota",
    [FLAT_RANDOM] = "random",
    [FLAT_DROPMASK] = "dropout mask",
    [FLAT_ROW_SUM] = "row sum",
    [FLAT_ROW_MAX] = "row max",
    [FLAT_ROW_MIN] = "row min",
    [FLAT_ROW_ARGMAX] = "row argmax",
    [FLAT_ROW_ARGMIN] = "row argmin",
    [FLAT_COL_SUM] = "sum over rows",
    [FLAT_ALL_SUM] = "sum of all",
};

/* NULL: what moves numbers and computes none. */
static const char *op_name(const flat_instr *in) {
    if (in->op < SCALAR_COUNT) return scalar_names[in->op];
    if (in->op == FLAT_CAST) return in->type == in->src_type[0] ? NULL : "cast";
    return in->op < sizeof map_op_names / sizeof *map_op_names ? map_op_names[in->op] : NULL;
}

static bool reduces(const flat_instr *in) { return in->op >= FLAT_ROW_SUM; }

/* Loads and stores are bytes, not operations; a reduction is one operation per element. */
static void add_map_cost(const flat_map *m, flat_cost *c) {
    for (int32_t i = 0; i < m->count; i++) {
        const flat_instr *in = &m->instrs[i];
        flat_kind kind = reduces(in) ? FLAT_FULL : (flat_kind)in->kind;
        bool sink = in->op == FLAT_COL_SUM || in->op == FLAT_ALL_SUM;
        if (in->op == FLAT_STORE || sink) c->results++;
        if (!op_name(in)) continue;
        c->ops++;
        c->flops += kind == FLAT_FULL ? (double)m->rows * (double)m->cols : kind == FLAT_ROW ? (double)m->rows : 1;
    }
}

double attention_flops(const flat_kernel *k) {
    const flat_attention *a = &k->attention;
    double products = k->kind == FLAT_ATTENTION ? (double)(a->d + a->e) : (double)(3 * a->d + 2 * a->e);
    return 2.0 * (double)a->m * (double)a->n * (double)a->batches * products;
}

flat_cost flat_cost_of(const flat_program *p, const flat_kernel *k) {
    flat_cost c = { 0 };
    for (int32_t i = 0; i < k->n_operands; i++)
        *(operand_written(k, i) ? &c.written : &c.read) += operand_bytes(p, k, i);
    if (k->kind == FLAT_MAP)
        add_map_cost(&k->map, &c);
    else if (k->kind == FLAT_GEMM) {
        const flat_gemm *g = &k->gemm;
        c.flops = 2.0 * (double)g->m * (double)g->n * (double)g->k * (double)g->batches;
        if (g->beta != 0) c.read += operand_bytes(p, k, 2);
    } else if (k->kind == FLAT_ATTENTION || k->kind == FLAT_ATTENTION_GRAD) {
        c.flops = attention_flops(k);
    } else if (k->kind == FLAT_FOLD || k->kind == FLAT_CUMSUM || k->kind == FLAT_SCATTER_ADD ||
               k->kind == FLAT_PUT_ALONG_ADD) {
        c.flops = (double)index_elements(k, k->kind == FLAT_SCATTER_ADD ? 2 : k->kind == FLAT_PUT_ALONG_ADD ? 1 : 0);
    }
    return c;
}

/* ---- names ---- */

static bool same_op(const flat_instr *a, const flat_instr *b) { return a->op == b->op && op_name(b); }

void flat_members(text *out, const flat_kernel *k) {
    const flat_map *m = &k->map;
    size_t before = out->length;
    for (int32_t i = 0; k->kind == FLAT_MAP && i < m->count; i++) {
        int32_t seen = 0, count = 0;
        if (!op_name(&m->instrs[i])) continue;
        for (int32_t j = 0; j < i; j++) seen += same_op(&m->instrs[i], &m->instrs[j]);
        for (int32_t j = i; j < m->count; j++) count += same_op(&m->instrs[i], &m->instrs[j]);
        if (seen) continue;
        text_add(out, "%s", out->length > before ? ", " : "");
        if (count > 1) text_add(out, "%d ", (int)count);
        text_add(out, "%s", op_name(&m->instrs[i]));
    }
    bool attention = k->kind == FLAT_ATTENTION || k->kind == FLAT_ATTENTION_GRAD;
    if (attention && k->attention.dropout) text_add(out, "dropout");
    if (out->length > before || k->kind == FLAT_GEMM || attention) return;
    bool filled = k->kind == FLAT_MAP && m->count && m->instrs[0].op == FLAT_CONST;
    text_add(out, "%s", k->kind != FLAT_MAP ? k->name : filled ? "fill" : "copy");
}
