/* The last launch of a product in parts where the rows of C lie one behind the other: four neighbours a thread. */
#include "product_mma.h"

#include "product_sum_fours_text.h"

enum { SUM_THREADS = 256 };

bool product_sums_fours(const gpu_print *g, const flat_gemm *p, const flat_operand operand[3]) {
    return operand[2].type != TIDE_F64 && p->n % 4 == 0 && product_in_order(p, &operand[2]) &&
           gpu_fours(g, &operand[2]);
}

void product_print_sum_fours(gpu_print *g, const flat_gemm *p, const flat_operand operand[3], int64_t parts) {
    gpu_words w = { 0 };
    text four = { 0 };
    const int type = operand[2].type;
    const bool bias = g->kernel->n_operands == 4;
    const int64_t total = p->m * p->n * p->batches;
    g->threads = MIN2(SUM_THREADS, g->limits->threads);
    g->groups = ceil_div(total, 4 * (int64_t)g->threads);
    text_add(&g->body, "{\nBEGIN\n");
    gpu_scratch(g, "partial", "float", 0);
    gpu_operand(g, "c", &operand[2], true);
    gpu_declare(g, "uint", "parts", parts);
    gpu_declare(g, "uint", "total", total);
    text_add(&g->body, "const uint at = (group * %d + lane) * 4;\n", (int)g->threads);
    if (bias) gpu_declare(g, "uint", "n", p->n), text_add(&g->body, "const uint col = at %% n;\n");
    mma_declare_result(g, p, &w, false);
    gpu_word(&w, "M", gpu_memory_type(type));
    gpu_word_load(&w, type);
    gpu_word(&w, "added", bias ? "bias[col + e]" : "0.0f");
    gpu_store_four(&four, type, "*to", "sum");
    gpu_word_printed(&w, "four", "%s", four.data ? four.data : "");
    g->body.failed |= four.failed;
    text_free(&four);
    gpu_fill_in(g, &w, product_sum_fours_text);
}
