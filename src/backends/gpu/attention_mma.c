/* Attention of 16-bit numbers on matrix units (FlashAttention-2, Dao 2023): a warp has sixteen rows, whose scores and
 * sums are in registers throughout, as what a product of matrix units leaves in a lane is what the next one takes. Of
 * the others tiles come by asynchronous copies, one while the one before is in use. */
#include "attention.h"

#include "attention_mma_ends_text.h"
#include "attention_mma_logs_text.h"
#include "attention_mma_own_text.h"
#include "attention_mma_place_text.h"
#include "attention_mma_rows_text.h"
#include "attention_mma_scores_text.h"
#include "attention_mma_slopes_text.h"
#include "attention_mma_softmax_text.h"
#include "attention_mma_start_text.h"
#include "attention_mma_store_text.h"
#include "attention_mma_total_text.h"
#include "attention_mma_weigh_text.h"

/* Rates are estimates. */
static const struct { int warps, cols; double rate; } tiles[] = {
    { 4, 64, 1 }, { 4, 32, 0.9 }, { 2, 32, 0.8 }, { 1, 32, 0.7 }, { 1, 16, 0.6 },
};

enum { MANY_REGISTERS = 136, MOST_REGISTERS = 168, SMALL = 1024 /* bytes besides tiles and masks */ };

static void add_words(gpu_words *w, const char *const words[][2], size_t count) {
    for (size_t i = 0; i < count; i++) gpu_word(w, words[i][0], words[i][1]);
}
#define ADD_WORDS(w, words) add_words(w, words, sizeof words / sizeof *words)

static void word_count(gpu_words *w, const char *name, int64_t count) {
    gpu_word_printed(w, name, "%d", (int)count);
}

/* ---- which tile ---------------------------------------------------------------------------------------- */

/* A matrix's columns, up to those that a product has; a row of it in memory of the group, so that eight of them meet
 * different banks. */
static int64_t padded(const attention *r, int which) { return round_up(attention_width(r, which), 16); }
static int64_t pitch_of(const attention *r, int which) { return padded(r, which) + 8; }

/* Whether rows are copied by sixteen bytes. */
static bool is_aligned(const attention *r, int which) {
    const flat_operand *o = &r->operand[which];
    const int64_t size = (int64_t)tide_dtype_size(o->type);
    gpu_print probe = *r->g;
    int block;
    bool aligned = gpu_place(&probe, o, false, &block) % 16 == 0 && attention_width(r, which) % 8 == 0;
    for (int32_t d = 0; d <= r->a.batch_ndim; d++) aligned &= o->stride[d] * size % 16 == 0;
    return aligned;
}

/* Registers of a lane: sums, scores, and what it has of its own rows. */
static int64_t registers_of(const attention *r, int cols, int scores, int64_t width, int64_t width2) {
    const int64_t d = round_up(r->a.d, 16), e = round_up(r->a.e, 16);
    return (round_up(width, 16) + round_up(width2, 16)) / 2 + scores * cols / 2 + (scores == 2 ? d + e : d) / 4;
}

static bool choose(attention *r, int scores, int64_t width, int64_t width2) {
    const int64_t row = 2 * 2 * (round_up(r->a.d, 16) + round_up(r->a.e, 16) + 16);
    double least = 0;
    int best = -1;
    for (int i = 0; i < (int)(sizeof tiles / sizeof *tiles); i++) {
        const int cols = tiles[i].cols, rows = 16 * tiles[i].warps;
        const int64_t registers = registers_of(r, cols, scores, width, width2);
        const int64_t bytes = cols * (row + 16) + (r->a.dropout ? 2 * 64 * 12 : 0) + SMALL;
        if (2 * rows > r->g->limits->threads || bytes > r->g->limits->local_bytes || registers > MOST_REGISTERS)
            continue;
        const double cost = attention_cost(r, rows, cols, tiles[i].rate * (registers > MANY_REGISTERS ? 0.8 : 1));
        if (best < 0 || cost < least) best = i, least = cost;
    }
    if (best < 0) return false;
    r->rows = 16 * tiles[best].warps, r->cols = tiles[best].cols, r->threads = 32 * tiles[best].warps;
    return true;
}

/* Whether matrix units can do it at all: the greatest product must be the greatest score. */
static bool suits(const attention *r, const int *used, int count) {
    const int type = r->operand[ATT_Q].type;
    bool good = r->g->limits->matrix && (type == TIDE_BF16 || type == TIDE_F16) && r->a.scale > 0;
    for (int i = 0; i < count && good; i++) good = is_aligned(r, used[i]);
    return good;
}

/* ---- parts of the text --------------------------------------------------------------------------------- */

static gpu_words words_of(const attention *r, int which) {
    const bool bf16 = r->operand[ATT_Q].type == TIDE_BF16;
    gpu_words w = { 0 };
    gpu_word(&w, "x", attention_name(which));
    gpu_word(&w, "width", attention_width_name(which));
    gpu_word(&w, "I", r->index);
    gpu_word(&w, "M", gpu_memory_type(r->operand[which].type));
    gpu_word(&w, "mma", bf16 ? "MMA_BF16" : "MMA_F16");
    gpu_word(&w, "pack", bf16 ? "PACK_BF16" : "PACK_F16");
    word_count(&w, "rows", r->rows);
    word_count(&w, "cols", r->cols);
    word_count(&w, "threads", r->threads);
    word_count(&w, "pitch", pitch_of(r, which));
    return w;
}

static bool is_wide(const attention *r, int which) { return r->operand[which].type == TIDE_F32; }

/* The group's rows of a matrix, as the first side of products. */
static void print_own(attention *r, int which) {
    gpu_words w = words_of(r, which);
    word_count(&w, "steps", padded(r, which) / 16);
    gpu_word(&w, "pair", is_wide(r, which) ? "$pack(from[0], from[1])" : "*(GLOBAL const uint *)from");
    gpu_fill_in(r->g, &w, attention_mma_own_text);
}

static const char *const copy_halves[][2] = {
    { "copy", "CP_ASYNC_16(to, $x + (there ? ($I)from * across_$x + ($I)c : 0), there);" },
};
static const char *const copy_floats[][2] = {
    { "copy", "{\n"
              "        uint4 eight;\n"
              "        eight.x = eight.y = eight.z = eight.w = 0u;\n"
              "        if (there) {\n"
              "            GLOBAL const float *at = $x + ($I)from * across_$x + ($I)c;\n"
              "            const float4 four = *(GLOBAL const float4 *)at, more = *(GLOBAL const float4 *)(at + 4);\n"
              "            eight.x = $pack(four.x, four.y);\n"
              "            eight.y = $pack(four.z, four.w);\n"
              "            eight.z = $pack(more.x, more.y);\n"
              "            eight.w = $pack(more.z, more.w);\n"
              "        }\n"
              "        *(LOCAL uint4 *)to = eight;\n"
              "    }" },
};

static void print_start(attention *r, int which) {
    gpu_words w = words_of(r, which);
    const int64_t units = padded(r, which) / 8, all = r->cols * units, loads = ceil_div(all, r->threads);
    word_count(&w, "units", units);
    word_count(&w, "loads", loads);
    gpu_word_printed(&w, "guard", loads * r->threads > all ? "if (u < %d) " : "", (int)all);
    gpu_word(&w, "inside", padded(r, which) == attention_width(r, which) ? "" : " && c < $width");
    if (is_wide(r, which)) ADD_WORDS(&w, copy_floats);
    else ADD_WORDS(&w, copy_halves);
    gpu_fill_in(r->g, &w, attention_mma_start_text);
}

static const char made[] = "float part = 0.0f;\n"
    "    #pragma unroll 8\n"
    "    for (uint c = way; inside && c < e; c += $ways)\n"
    "        part = FMA($loado(o[(i64)query * across_o + c]), $loadgo(go[(i64)query * across_go + c]), part);\n"
    "    if ($ways > 1) part += SHUFFLE_XOR(part, 1);\n"
    "    if ($ways > 2) part += SHUFFLE_XOR(part, 2);";
static const char found[] = "const float part = inside && way == 0 ? row_parts[entry * m + query] : 0.0f;";

/* What a tile of columns needs, into a stage: `next` is its first. */
static void print_starts(attention *r, const int *cols) {
    gpu_words w = words_of(r, cols[0]);
    attention_part_loads(r, &w);
    word_count(&w, "ways", r->threads / r->cols);
    gpu_word(&w, "part", r->parts_here ? made : found);
    for (int i = 0; i < 2; i++) print_start(r, cols[i]);
    if (r->by_keys) gpu_fill_in(r->g, &w, attention_mma_rows_text);
}

/* sums = own rows times columns' rows */
static void print_scores(attention *r, const char *sums, int own, int which) {
    gpu_words w = words_of(r, which);
    gpu_word(&w, "sums", sums);
    gpu_word(&w, "own", attention_name(own));
    word_count(&w, "tiles", r->cols / 8);
    word_count(&w, "steps", padded(r, which) / 16);
    gpu_fill_in(r->g, &w, attention_mma_scores_text);
}

static void print_weigh(attention *r, const char *sums, const char *weights, int which) {
    gpu_words w = words_of(r, which);
    gpu_word(&w, "sums", sums);
    gpu_word(&w, "weights", weights);
    word_count(&w, "tiles", padded(r, which) / 8);
    gpu_fill_in(r->g, &w, attention_mma_weigh_text);
}

static void print_zero(attention *r, const char *sums, int which) {
    int tiles_across = (int)padded(r, which) / 8;
    text_add(&r->g->body, "float %s[%d][4];\n#pragma unroll\nfor (uint j = 0; j < %d; j++) "
             "%s[j][0] = %s[j][1] = %s[j][2] = %s[j][3] = 0.0f;\n", sums, tiles_across, tiles_across, sums, sums, sums,
             sums);
}

static const char *const store_pairs[][2] = {
    { "write", "*(GLOBAL uint *)(to + j * 8) = $pack($sums[j][2 * h] * $times, $sums[j][2 * h + 1] * $times);" },
};
static const char *const store_floats[][2] = {
    { "write", "float2 two; two.x = $sums[j][2 * h] * $times; two.y = $sums[j][2 * h + 1] * $times; "
               "*(GLOBAL float2 *)(to + j * 8) = two;" },
};

static void print_store(attention *r, int which, const char *sums, const char *times) {
    gpu_words w = words_of(r, which);
    gpu_word(&w, "sums", sums);
    gpu_word(&w, "times", times);
    word_count(&w, "tiles", padded(r, which) / 8);
    if (is_wide(r, which)) ADD_WORDS(&w, store_floats);
    else ADD_WORDS(&w, store_pairs);
    gpu_fill_in(r->g, &w, attention_mma_store_text);
}

/* ---- masks --------------------------------------------------------------------------------------------- */

/* Of a row's bits, or of a column's, a window that begins with the lane's first. */
static const char *const dropped_rows[][2] = {
    { "bits", "uint bits[($cols + 31) / 32];\n"
              "    LOCAL const uint *of_bits = (LOCAL const uint *)(masks + (my_row + 8 * h) * $maskpitch);\n"
              "    const uint shift = (uint)masks[(my_row + 8 * h) * $maskpitch + $blocks + 1] + my_pair;\n"
              "    #pragma unroll\n"
              "    for (uint w = 0; w < ($cols + 31) / 32; w++)\n"
              "        bits[w] = (uint)(((u64)of_bits[w + 1] << 32 | of_bits[w]) >> shift);" },
    { "keep", "(bits[i / 8] >> (i / 2 % 4 * 8 + i % 2) & 1u ? $1 : 0.0f)" },
    { "less", "FMA($1, kept, -part_here)" },
};
static const char *const dropped_cols[][2] = {
    { "bits", "const uint of_query = (i / 2 * 8 + my_pair + i % 2) * $maskpitch;\n"
              "    LOCAL const uint *of_bits = (LOCAL const uint *)(masks + of_query) + my_row / 32;\n"
              "    const uint shift = (uint)masks[of_query + $blocks + 1] + my_row % 32;\n"
              "    const uint bits = (uint)(((u64)of_bits[1] << 32 | of_bits[0]) >> shift);" },
    { "keep", "(bits >> 8 * h & 1u ? $1 : 0.0f)" },
    { "less", "FMA($1, kept, -part_here)" },
};
static const char *const undropped[][2] = { { "bits", "" }, { "keep", "$1" }, { "less", "($1 - part_here)" } };
static const char *const by_rows[][2] = {
    { "outer", "h" }, { "outers", "2" }, { "inner", "i" }, { "inners", "$cols / 4" }, { "log", "log_of[h]" },
    { "part", "part_of[h]" },
};
static const char *const by_cols[][2] = {
    { "outer", "i" }, { "outers", "$cols / 4" }, { "inner", "h" }, { "inners", "2" },
    { "log", "row_log[stage * $cols + i / 2 * 8 + my_pair + i % 2]" },
    { "part", "row_part[stage * $cols + i / 2 * 8 + my_pair + i % 2]" },
};

/* Of what is done to scores, one by one. */
static gpu_words each_words(const attention *r) {
    gpu_words w = { 0 };
    word_count(&w, "cols", r->cols);
    attention_mask_words(r, &w);
    if (r->by_keys) ADD_WORDS(&w, by_cols);
    else ADD_WORDS(&w, by_rows);
    if (!r->a.dropout) ADD_WORDS(&w, undropped);
    else if (r->by_keys) ADD_WORDS(&w, dropped_cols);
    else ADD_WORDS(&w, dropped_rows);
    return w;
}

/* ---- launches ------------------------------------------------------------------------------------------ */

/* From the opening brace to before the loop: a group's memory, operands and place, its own rows. */
static void begin(attention *r, const int *used, int count, const int *own, int n_own, const int *cols) {
    gpu_print *g = r->g;
    gpu_words w = words_of(r, cols[0]);
    text_add(&g->body, "{\n");
    for (int i = 0; i < 2; i++)
        text_add(&g->body, "LOCAL_ARRAY(uint4, room_%s, %d);\n", attention_name(cols[i]),
                 (int)(2 * r->cols * pitch_of(r, cols[i]) / 8));
    if (r->by_keys)
        text_add(&g->body, "LOCAL_ARRAY(float, row_log, %d);\nLOCAL_ARRAY(float, row_part, %d);\n", 2 * r->cols,
                 2 * r->cols);
    if (r->a.dropout) text_add(&g->body, "LOCAL_ARRAY(uint, mask_words, %d);\n", attention_mask_bytes(r) / 2);
    text_add(&g->body, "BEGIN\n");
    for (int i = 0; i < count; i++) attention_declare(r, used[i]);
    attention_declare(r, ATT_L);
    if (r->g->kernel->kind == FLAT_ATTENTION_GRAD) attention_declare_parts(r);
    attention_numbers(r);
    if (!r->a.dropout) text_add(&g->body, "const float kept = 1.0f;\n");
    for (int i = 0; i < 2; i++)
        text_add(&g->body, "LOCAL ushort *tile_%s = (LOCAL ushort *)room_%s;\n", attention_name(cols[i]),
                 attention_name(cols[i]));
    gpu_fill_in(g, &w, attention_mma_place_text);
    attention_batch(r, used, count);
    attention_float(g, "scale", r->a.scale);
    attention_float(g, "factor", r->a.scale * 1.4426950408889634);
    for (int i = 0; i < n_own; i++) print_own(r, own[i]);
}

/* A tile is there, and the next one is on its way. */
static void begin_loop(attention *r, const int *cols) {
    text *out = &r->g->body;
    text_add(out, "{\nconst uint next = 0, into = 0;\n");
    print_starts(r, cols);
    text_add(out, "CP_ASYNC_COMMIT;\n}\n");
    attention_begin_loop(r);
    if (r->a.dropout)
        text_add(out, "LOCAL uchar *masks = (LOCAL uchar *)mask_words + stage * %d;\n", attention_mask_bytes(r));
    attention_masks(r);
    text_add(out, "CP_ASYNC_WAIT(0);\nSYNC;\nif (first_col + %d < other) {\n"
             "const uint next = first_col + %d, into = stage ^ 1;\n", r->cols, r->cols);
    print_starts(r, cols);
    text_add(out, "}\nCP_ASYNC_COMMIT;\n");
}

static void end_loop(attention *r) { text_add(&r->g->body, "stage ^= 1;\n}\n"); }

bool attention_mma_forward(attention *r) {
    static const int used[] = { ATT_Q, ATT_K, ATT_V, ATT_O }, cols[] = { ATT_K, ATT_V };
    gpu_print *g = r->g;
    if (!suits(r, used, 4) || !choose(r, 1, r->a.e, 0)) return false;
    gpu_words w = each_words(r);
    word_count(&w, "tiles", padded(r, ATT_V) / 8);
    begin(r, used, 4, used, 1, cols);
    print_zero(r, "sum_o", ATT_O);
    text_add(&g->body, "float top[2], total[2];\ntop[0] = top[1] = -1.0e30f;\ntotal[0] = total[1] = 0.0f;\n");
    begin_loop(r, cols);
    print_scores(r, "scores", ATT_Q, ATT_K);
    gpu_fill_in(g, &w, attention_mma_ends_text);
    gpu_fill_in(g, &w, attention_mma_softmax_text);
    print_weigh(r, "sum_o", "scores", ATT_V);
    end_loop(r);
    gpu_fill_in(g, &w, attention_mma_total_text);
    print_store(r, ATT_O, "sum_o", "total[h]");
    text_add(&g->body, "}\n");
    return true;
}

static void print_keys(attention *r, const int *used, int count) {
    static const int own[] = { ATT_K, ATT_V }, cols[] = { ATT_Q, ATT_GO };
    gpu_words w = each_words(r);
    begin(r, used, count, own, 2, cols);
    print_zero(r, "sum_dk", ATT_DK);
    print_zero(r, "sum_dv", ATT_DV);
    begin_loop(r, cols);
    print_scores(r, "scores", ATT_K, ATT_Q);
    print_scores(r, "slopes", ATT_V, ATT_GO);
    gpu_fill_in(r->g, &w, attention_mma_slopes_text);
    print_weigh(r, "sum_dv", "scores", ATT_GO);
    print_weigh(r, "sum_dk", "slopes", ATT_Q);
    end_loop(r);
    print_store(r, ATT_DK, "sum_dk", "scale");
    print_store(r, ATT_DV, "sum_dv", "kept");
}

static const char row_made[] = "float part = 0.0f;\n"
    "    #pragma unroll 8\n"
    "    for (uint c = lane % 4; c < e; c += 4)\n"
    "        part = FMA($loado(o[(i64)query * across_o + c]), $loadgo(go[(i64)query * across_go + c]), part);\n"
    "    part += SHUFFLE_XOR(part, 1);\n"
    "    part_of[h] = part + SHUFFLE_XOR(part, 2);";
static const char row_found[] = "part_of[h] = row_parts[entry * m + query];";

static void print_queries(attention *r, const int *used, int count) {
    static const int own[] = { ATT_Q, ATT_GO }, cols[] = { ATT_K, ATT_V };
    gpu_words w = each_words(r);
    begin(r, used, count, own, 2, cols);
    attention_part_loads(r, &w);
    gpu_word(&w, "makepart", r->parts_here ? row_made : row_found);
    gpu_fill_in(r->g, &w, attention_mma_logs_text);
    print_zero(r, "sum_dq", ATT_DQ);
    begin_loop(r, cols);
    print_scores(r, "scores", ATT_Q, ATT_K);
    print_scores(r, "slopes", ATT_GO, ATT_V);
    gpu_fill_in(r->g, &w, attention_mma_ends_text);
    gpu_fill_in(r->g, &w, attention_mma_slopes_text);
    print_weigh(r, "sum_dq", "slopes", ATT_K);
    end_loop(r);
    print_store(r, ATT_DQ, "sum_dq", "scale");
}

bool attention_mma_grad(attention *r) {
    /* The last is used only where do o is made here, and then a number at a time. */
    static const int keys[] = { ATT_Q, ATT_K, ATT_V, ATT_GO, ATT_DK, ATT_DV, ATT_O },
                     queries[] = { ATT_Q, ATT_K, ATT_V, ATT_GO, ATT_DQ, ATT_O };
    const int *used = r->by_keys ? keys : queries, count = r->by_keys ? 6 : 5;
    if (!suits(r, used, count) || !choose(r, 2, r->a.d, r->by_keys ? r->a.e : 0)) return false;
    if (r->by_keys) print_keys(r, used, count + r->parts_here);
    else print_queries(r, used, count + r->parts_here);
    text_add(&r->g->body, "}\n");
    return true;
}
