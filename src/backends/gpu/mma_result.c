/* C of a product on matrix units: where in it a lane's sums are, and how they come there. */
#include "product_mma.h"

#include "mma_store_text.h"

/* "result(sum, old, bias)": what becomes of a sum. */
void mma_declare_result(gpu_print *g, const flat_gemm *p, gpu_words *w, bool partial) {
    const bool bias = !partial && g->kernel->n_operands == 4;
    static const char *const results[2][2] = {
        { "alpha * $1", "alpha * $1 + $3" }, { "FMA(beta, $2, alpha * $1)", "FMA(beta, $2, alpha * $1) + $3" },
    };
    if (bias) gpu_operand(g, "bias", &g->kernel->operands[3], false);
    const bool beta = !partial && p->beta != 0;
    product_declare_real(g, "alpha", partial ? 1 : p->alpha, true);
    if (beta) product_declare_real(g, "beta", p->beta, true);
    gpu_word(w, "result", results[beta][bias]);
    gpu_word(w, "more", bias ? "col + e < n ? bias[col + e] : 0.0f" : "0.0f");
}

static const char *const write_one[][2] = {
    { "write", "#pragma unroll\n"
               "            for (uint e = 0; e < 4; e++)\n"
               "                if (row < m && col + e < n) $store(to[e], $result(sum[e], $load(to[e]), more[e]));" },
};
static const char *const write_four[][2] = {
    { "write", "if (row < m && col < n) {\n"
               "                $quad q;\n"
               "                $before\n"
               "                $fill\n"
               "                *(GLOBAL $quad *)to = q;\n"
               "            }" },
};
static const char *const fill_floats[][2] = {
    { "quad", "float4" },
    { "before", "const float4 old = *(GLOBAL const float4 *)to;" },
    { "fill", "q.x = $result(sum[0], old.x, more[0]);\n"
              "                q.y = $result(sum[1], old.y, more[1]);\n"
              "                q.z = $result(sum[2], old.z, more[2]);\n"
              "                q.w = $result(sum[3], old.w, more[3]);" },
};
static const char *const fill_halves[][2] = {
    { "quad", "uint2" },
    { "before", "const ushort4 old = *(GLOBAL const ushort4 *)to;" },
    { "fill", "q.x = $pack($result(sum[0], $load(old.x), more[0]),\n"
              "                            $result(sum[1], $load(old.y), more[1]));\n"
              "                q.y = $pack($result(sum[2], $load(old.z), more[2]),\n"
              "                            $result(sum[3], $load(old.w), more[3]));" },
};

void mma_fragment_words(const mma_product *r, gpu_words *w) {
    const mma_tile *t = r->how->tile;
    const int tm = t->bm / t->wm / 16, tn = t->bn / t->wn / 8;
    const struct { const char *name; int value; } counts[] = {
        { "tm", tm }, { "tn", tn }, { "wn", t->wn }, { "wk", t->wk }, { "warps", t->wm * t->wn },
        { "slots", tm * tn * t->wk * 32 },
    };
    for (size_t i = 0; i < sizeof counts / sizeof *counts; i++) gpu_word_count(w, counts[i].name, counts[i].value);
    gpu_word(w, "zero", "#pragma unroll\n"
                        "for (uint i = 0; i < $tm; i++) {\n"
                        "    #pragma unroll\n"
                        "    for (uint j = 0; j < $tn; j++)\n"
                        "        $1[i][j][0] = $1[i][j][1] = $1[i][j][2] = $1[i][j][3] = 0.0f;\n"
                        "}");
}

/* Four neighbours of a row: halves of two fragments, which two lanes exchange, or one number each of four. */
static const char *const exchange[][2] = {
    { "col", "8 * (j + lane % 2) + lane % 4 / 2 * 4" },
    { "four", "const uint odd = lane % 2;\n"
              "            const float mine_0 = odd ? sums[i][j][h] : sums[i][j + 1][h];\n"
              "            const float mine_1 = odd ? sums[i][j][h + 1] : sums[i][j + 1][h + 1];\n"
              "            const float other_0 = SHUFFLE_XOR(mine_0, 1), other_1 = SHUFFLE_XOR(mine_1, 1);\n"
              "            sum[0] = odd ? other_0 : sums[i][j][h];\n"
              "            sum[1] = odd ? other_1 : sums[i][j][h + 1];\n"
              "            sum[2] = odd ? sums[i][j + 1][h] : other_0;\n"
              "            sum[3] = odd ? sums[i][j + 1][h + 1] : other_1;" },
};
static const char *const one_of_each[][2] = {
    { "col", "j / 4 * 32 + lane % 4 * 8 + j % 4 * 2" },
    { "four", "#pragma unroll\n"
              "            for (uint e = 0; e < 4; e++) sum[e] = sums[i][j / 4 * 4 + e][h + j / 2 % 2];" },
};
/* The sums of all slices, in order, by one of them. */
static const char *const of_slices[][2] = {
    { "mine", "if ((j / 2 * $tm + i) % $wk != slice) continue;" },
    { "sum", "sum[0] = sum[1] = sum[2] = sum[3] = 0.0f;\n"
             "            #pragma unroll\n"
             "            for (uint s = 0; s < $wk; s++) {\n"
             "                const float4 q = left[(((j / 2 * $tm + i) * 2 + h / 2) * $wk + s) * 32];\n"
             "                sum[0] += q.x;\n"
             "                sum[1] += q.y;\n"
             "                sum[2] += q.z;\n"
             "                sum[3] += q.w;\n"
             "            }" },
};
static const char *const of_one[][2] = {
    { "mine", "" },
    { "sum", "$four" },
};

void mma_place_words(gpu_words *w, const mma_side *a, const mma_side *b) {
    gpu_word(w, "row", a->fours ? "i / 2 * 32 + lane % 32 / 4 * 4 + i % 2 * 2 + h / 2"
                                : "16 * i + 4 * h + lane % 32 / 4");
    if (b->fours) GPU_WORD_TABLE(w, one_of_each);
    else GPU_WORD_TABLE(w, exchange);
}

void mma_sum_words(const mma_product *r, gpu_words *w, const mma_side *a, const mma_side *b) {
    mma_place_words(w, a, b);
    if (r->how->tile->wk > 1) GPU_WORD_TABLE(w, of_slices);
    else GPU_WORD_TABLE(w, of_one);
}

/* Whether four neighbours of C can be stored at a time. */
static bool stores_fours(const mma_product *r, int64_t across, int64_t size, bool partial) {
    bool four = r->p->n % 4 == 0 && across % 4 == 0 && product_last_number(r->g) % (4 * size) == 0;
    for (int32_t d = 0; d < r->p->batch_ndim && !partial; d++) four &= r->operand[2].stride[d] % 4 == 0;
    return four;
}

void mma_print_store(const mma_product *r, const mma_side *a, const mma_side *b, bool partial) {
    gpu_print *g = r->g;
    gpu_words w = { 0 };
    const tide_dtype type = partial ? TIDE_F32 : r->operand[2].type;
    const int64_t across = partial ? r->p->n : r->operand[2].stride[r->p->batch_ndim];
    if (partial) gpu_scratch(g, "c", "float", 0);
    else gpu_operand(g, "c", &r->operand[2], true);
    bool four = stores_fours(r, across, (int64_t)tide_dtype_size(type), partial);
    gpu_declare(g, "i64", "across_c", across);
    if (partial) {
        gpu_declare(g, "i64", "batches", r->p->batches);
        text_add(&g->body, "c += ((i64)part * batches + (i64)entry) * (i64)m * (i64)n;\n");
    } else product_print_batch(g, r->p, r->operand, 2, 3);
    mma_declare_result(g, r->p, &w, partial);
    gpu_word(&w, "M", gpu_memory_type(type));
    gpu_word_load(&w, type);
    gpu_word_store(&w, type);
    gpu_word(&w, "pack", type == TIDE_F16 ? "PACK_F16($1, $2)" : "PACK_BF16($1, $2)");
    if (partial || r->p->beta == 0) gpu_word(&w, "before", "");
    if (type == TIDE_F32) GPU_WORD_TABLE(&w, fill_floats);
    else GPU_WORD_TABLE(&w, fill_halves);
    mma_fragment_words(r, &w);
    mma_sum_words(r, &w, a, b);
    if (four) GPU_WORD_TABLE(&w, write_four);
    else GPU_WORD_TABLE(&w, write_one);
    gpu_fill_in(g, &w, mma_store_text);
    text_add(&g->body, "}\n");
}
