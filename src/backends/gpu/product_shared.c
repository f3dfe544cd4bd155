/* See product.h. */
#include "product.h"

int64_t product_last_number(const gpu_print *g) { return g->numbers[g->n_numbers - 1]; }

/* ---- the batch ----------------------------------------------------------------------------------------- */

/* Leaves out batch dimensions of one entry, and puts two into one where all operands go through them in step. */
static void merge_batch(flat_gemm *p, flat_operand operand[3], const flat_kernel *k) {
    int32_t ndim = 0, all = k->gemm.batch_ndim;
    *p = k->gemm;
    for (int i = 0; i < 3; i++) operand[i] = k->operands[i];
    for (int32_t d = 0; d < all; d++) {
        int64_t size = k->gemm.batch[d];
        bool in_step = ndim > 0;
        if (size == 1) continue;
        for (int i = 0; i < 3 && in_step; i++)
            in_step = operand[i].stride[ndim - 1] == k->operands[i].stride[d] * size;
        ndim -= in_step;
        p->batch[ndim] = in_step ? p->batch[ndim] * size : size;
        for (int i = 0; i < 3; i++) operand[i].stride[ndim] = k->operands[i].stride[d];
        ndim++;
    }
    for (int i = 0; i < 3; i++)
        for (int32_t j = 0; j < 2; j++) operand[i].stride[ndim + j] = k->operands[i].stride[all + j];
    p->batch_ndim = ndim;
}

/* Where all entries of the last batch dimension have one B, their rows are as those of one product, if they lie so. */
static void rows_of_batch(flat_gemm *p, flat_operand operand[3]) {
    while (p->batch_ndim > 0) {
        int32_t last = p->batch_ndim - 1;
        bool follow = operand[1].stride[last] == 0 && p->m * p->batch[last] <= PRODUCT_MOST_SIZE;
        for (int i = 0; i < 3; i += 2)
            follow &= p->m == 1 || operand[i].stride[last] == p->m * operand[i].stride[last + 1];
        if (!follow) return;
        for (int i = 0; i < 3; i++) {
            int64_t *stride = operand[i].stride + last;
            if (i == 1 || p->m > 1) stride[0] = stride[1];
            stride[1] = stride[2];
        }
        p->m *= p->batch[last], p->batches /= p->batch[last], p->batch_ndim--;
    }
}

void product_merge(flat_gemm *p, flat_operand operand[3], const flat_kernel *k) {
    merge_batch(p, operand, k);
    rows_of_batch(p, operand);
}

bool product_in_order(const flat_gemm *p, const flat_operand *c) {
    int64_t below = p->n;
    if (p->m > 1 && c->stride[p->batch_ndim] != below) return false;
    below *= p->m;
    for (int32_t d = p->batch_ndim - 1; d >= 0; below *= p->batch[d--])
        if (p->batch[d] > 1 && c->stride[d] != below) return false;
    return true;
}

void product_print_batch(gpu_print *g, const flat_gemm *p, const flat_operand operand[3], int first, int end) {
    text *out = &g->body;
    if (p->batch_ndim == 0) return;
    text_add(out, "{\nuint rest = entry;\n");
    for (int32_t d = p->batch_ndim - 1; d >= 0; d--) {
        text_add(out, "{\n");
        gpu_declare(g, "uint", "size", p->batch[d]);
        for (int i = first; i < end; i++)
            text_add(out, "%c += (i64)(rest %% size) * table[%d];\n", "abc"[i], gpu_number(g, operand[i].stride[d]));
        text_add(out, "rest /= size;\n}\n");
    }
    text_add(out, "}\n");
}

/* ---- the common dimension, numbers ---------------------------------------------------------------------- */

void product_print_part(gpu_print *g, const flat_gemm *p, int64_t parts, int64_t length) {
    text *out = &g->body;
    gpu_declare(g, "uint", "k", p->k);
    if (parts == 1) {
        text_add(out, "uint done = 0;\nconst uint end = k, entry = group / wide / high;\n");
        return;
    }
    gpu_declare(g, "uint", "parts", parts);
    gpu_declare(g, "uint", "length", length);
    text_add(out, "const uint part = group / wide / high %% parts, entry = group / wide / high / parts;\n"
                  "uint done = part * length;\nconst uint end = done + length < k ? done + length : k;\n");
}

static int64_t bits_of(double value, bool single) {
    float narrow = (float)value;
    uint32_t bits;
    int64_t wide;
    memcpy(&bits, &narrow, sizeof bits);
    memcpy(&wide, &value, sizeof wide);
    return single ? bits : wide;
}

void product_declare_real(gpu_print *g, const char *name, double value, bool single) {
    text_add(&g->body, single ? "const float %s = AS_FLOAT((uint)table[%d]);\n"
                              : "const double %s = AS_DOUBLE((u64)table[%d]);\n",
             name, gpu_number(g, bits_of(value, single)));
}
