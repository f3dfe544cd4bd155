/* The parts of attention's texts on matrix units (FlashAttention-2, Dao 2023): a warp has sixteen rows, whose scores
 * and sums are in registers throughout, as what a product of matrix units leaves in a lane is what the next one takes.
 * Of the others tiles come by asynchronous copies, one while the one before is in use.
 *
 * Of F32 each number is two of TF32, as in product_mma.c, halved where it is multiplied; the units add up eight
 * products at a time, plain arithmetic the rest. */
#include "attention_mma.h"

#include "attention_mma_bits_text.h"
#include "attention_mma_drawn_text.h"
#include "attention_mma_lane_text.h"
#include "attention_mma_own_split_text.h"
#include "attention_mma_own_text.h"
#include "attention_mma_scores_split_text.h"
#include "attention_mma_scores_text.h"
#include "attention_mma_start_bits_text.h"
#include "attention_mma_start_text.h"
#include "attention_mma_store_text.h"
#include "attention_mma_weigh_split_text.h"
#include "attention_mma_weigh_text.h"

/* Rates are estimates. */
static const struct { int warps, cols; double rate; } tiles[] = {
    { 4, 64, 1 }, { 4, 32, 0.9 }, { 2, 32, 0.8 }, { 1, 32, 0.7 }, { 1, 16, 0.6 },
};

enum { MANY_REGISTERS = 136, MOST_REGISTERS = 168, SMALL = 1024 /* bytes besides tiles and masks */, MOST_PIECES = 8,
       FEW_F32 = 64 /* queries or keys */ };

/* ---- which tile ---------------------------------------------------------------------------------------- */

/* Whether rows are copied by sixteen bytes. */
static bool is_aligned(const attention *r, int which) {
    const flat_operand *o = &r->operand[which];
    const int64_t size = (int64_t)tide_dtype_size(o->type);
    gpu_print probe = *r->g;
    int block;
    bool aligned = gpu_place(&probe, o, false, &block) % 16 == 0;
    aligned &= attention_width(r, which) % (16 / mma_size(r)) == 0;
    for (int32_t d = 0; d <= r->a.batch_ndim; d++) aligned &= o->stride[d] * size % 16 == 0;
    return aligned;
}

/* Registers of a lane: sums, scores, and what it has of its own rows. */
int64_t mma_registers(const attention *r, int cols, int scores, int64_t width, int64_t width2) {
    const int64_t d = round_up(r->a.d, 16), e = round_up(r->a.e, 16);
    const int64_t own = (scores == 2 ? d + e : d) / (attention_split(r) ? 2 : 4);
    return (round_up(width, 16) + round_up(width2, 16)) / 2 + scores * cols / 2 + own;
}

bool mma_choose(attention *r, int scores, int64_t width, int64_t width2) {
    const int64_t row = 2 * mma_size(r) * (mma_pitch(r, ATT_K) + mma_pitch(r, ATT_V));
    double least = 0;
    int best = -1;
    for (int i = 0; i < (int)(sizeof tiles / sizeof *tiles); i++) {
        const int cols = tiles[i].cols, rows = 16 * tiles[i].warps;
        const int64_t registers = mma_registers(r, cols, scores, width, width2);
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

bool mma_suits(const attention *r, const int *used, int count) {
    const int type = r->operand[ATT_Q].type;
    bool good = r->g->limits->matrix && type != TIDE_F64 && r->a.scale > 0;
    good &= !attention_split(r) || MIN2(r->a.m, r->a.n) > FEW_F32;
    for (int i = 0; i < count && good; i++) good = is_aligned(r, used[i]);
    return good;
}

/* ---- parts of the text --------------------------------------------------------------------------------- */

gpu_words mma_words(const attention *r, int which) {
    const bool bf16 = r->operand[ATT_Q].type == TIDE_BF16;
    gpu_words w = { 0 };
    gpu_word(&w, "x", attention_name(which));
    gpu_word(&w, "width", attention_width_name(which));
    gpu_word(&w, "I", r->index);
    gpu_word(&w, "M", gpu_memory_type(r->operand[which].type));
    gpu_word(&w, "mma", bf16 ? "MMA_BF16" : "MMA_F16");
    gpu_word(&w, "pack", bf16 ? "PACK_BF16" : "PACK_F16");
    gpu_word_count(&w, "rows", r->rows);
    gpu_word_count(&w, "cols", r->cols);
    gpu_word_count(&w, "threads", r->threads);
    gpu_word_count(&w, "pitch", mma_pitch(r, which));
    gpu_word(&w, "T", attention_split(r) ? "float" : "ushort");
    gpu_word_count(&w, "chunk", 16 / mma_size(r));
    return w;
}

static bool is_wide(const attention *r, int which) { return r->operand[which].type == TIDE_F32; }

/* A number of TF32 and the rest, as in mma_split.txt; and a product of such, added to sums. */
static const char *const halves[][2] = {
    { "halve", "$1 = (whole + 0x1000u) & 0xffffe000u;\n"
               "            $2 = AS_UINT(AS_FLOAT(whole) - AS_FLOAT($1));" },
    { "add", "part[0] = part[1] = part[2] = part[3] = 0.0f;\n"
             "                MMA_TF32(part, low_a, $2);\n"
             "                MMA_TF32(part, a, $3);\n"
             "                MMA_TF32(part, a, $2);\n"
             "                #pragma unroll\n"
             "                for (uint i = 0; i < 4; i++) $1[i] += part[i];" },
};

void mma_own(attention *r, int which) {
    gpu_words w = mma_words(r, which);
    if (attention_split(r)) {
        gpu_word_count(&w, "steps", mma_padded(r, which) / 8);
        gpu_fill_in(r->g, &w, attention_mma_own_split_text);
        return;
    }
    gpu_word_count(&w, "steps", mma_padded(r, which) / 16);
    gpu_word(&w, "pair", is_wide(r, which) ? "$pack(from[0], from[1])" : "*(GLOBAL const uint *)from");
    gpu_fill_in(r->g, &w, attention_mma_own_text);
}

static const char *const copy_halves[][2] = { { "copy", "CP_ASYNC_16(to, at, there);" } };
static const char *const copy_floats[][2] = {
    { "copy", "{\n"
              "        uint4 eight;\n"
              "        eight.x = eight.y = eight.z = eight.w = 0u;\n"
              "        if (there) {\n"
              "            const float4 four = *(GLOBAL const float4 *)at, more = *(GLOBAL const float4 *)(at + 4);\n"
              "            eight.x = $pack(four.x, four.y);\n"
              "            eight.y = $pack(four.z, four.w);\n"
              "            eight.z = $pack(more.x, more.y);\n"
              "            eight.w = $pack(more.z, more.w);\n"
              "        }\n"
              "        *(LOCAL uint4 *)to = eight;\n"
              "    }" },
};
/* Where all of a lane's loads are of the same columns, its first place is known before, and moves on with the tiles. */
static const char *const place_even[][2] = {
    { "place", "const uint there = next + s * $step + lane / $units < $extent$inside ? 16 : 0;\n"
               "    LOCAL $T *to = to_$x + (into * $tile + s * $step) * $pitch;\n"
               "    GLOBAL const $M *at = from_$x + ($I)(s * $step) * across_$x;" },
    { "c", "lane % $units * $chunk" }, { "go", "from_$x += ($I)$tile * across_$x;" },
};
static const char *const place_any[][2] = {
    { "place", "const uint u = lane + s * $threads, from = next + u / $units;\n"
               "    const uint there = from < $extent$inside ? 16 : 0;\n"
               "    LOCAL $T *to = tile_$x + (into * $tile + u / $units) * $pitch + $c;\n"
               "    GLOBAL const $M *at = $x + (there ? ($I)from * across_$x + ($I)($c) : 0);" },
    { "c", "u % $units * $chunk" }, { "go", "" },
};

static int64_t mma_units(const attention *r, int which) { return mma_padded(r, which) * mma_size(r) / 16; }

static bool is_even(const attention *r, int which, int rows) {
    const int64_t units = mma_units(r, which);
    return r->threads % units == 0 && rows * units % r->threads == 0;
}

void mma_place(attention *r, int which, int rows) {
    gpu_words w = mma_words(r, which);
    gpu_word_count(&w, "units", mma_units(r, which));
    if (is_even(r, which, rows)) gpu_fill_in(r->g, &w, attention_mma_lane_text);
}

void mma_start(attention *r, int which, int rows, const char *extent) {
    gpu_words w = mma_words(r, which);
    const int64_t units = mma_units(r, which), all = rows * units, loads = ceil_div(all, r->threads);
    gpu_word_count(&w, "units", units);
    gpu_word_count(&w, "step", r->threads / units);
    gpu_word_count(&w, "loads", loads);
    gpu_word_count(&w, "tile", rows);
    gpu_word(&w, "extent", extent);
    gpu_word_printed(&w, "guard", loads * r->threads > all ? "if (u < %d) " : "", (int)all);
    gpu_word(&w, "inside", mma_padded(r, which) == attention_width(r, which) ? "" : " && $c < $width");
    if (is_even(r, which, rows)) GPU_WORD_TABLE(&w, place_even);
    else GPU_WORD_TABLE(&w, place_any);
    if (is_wide(r, which) && !attention_split(r)) GPU_WORD_TABLE(&w, copy_floats);
    else GPU_WORD_TABLE(&w, copy_halves);
    gpu_fill_in(r->g, &w, attention_mma_start_text);
}

void mma_scores(attention *r, const char *sums, int own, int which) {
    gpu_words w = mma_words(r, which);
    gpu_word(&w, "sums", sums);
    gpu_word(&w, "own", attention_name(own));
    gpu_word_count(&w, "tiles", r->cols / 8);
    gpu_word_count(&w, "steps", mma_padded(r, which) * mma_size(r) / 32);
    GPU_WORD_TABLE(&w, halves);
    gpu_fill_in(r->g, &w, attention_split(r) ? attention_mma_scores_split_text : attention_mma_scores_text);
}

void mma_weigh(attention *r, const char *sums, const char *weights, int which, bool drops) {
    gpu_words w = mma_words(r, which);
    gpu_word(&w, "sums", sums);
    gpu_word(&w, "weights", weights);
    gpu_word_count(&w, "tiles", mma_padded(r, which) / 8);
    if (attention_split(r)) {
        gpu_word(&w, "drop", drops ? "(kept_bits[$2][($3) / 8] >> (($3) / 2 % 4 * 8 + ($3) % 2) & 1u ? $1 : 0.0f)"
                                   : "$1");
        GPU_WORD_TABLE(&w, halves);
        gpu_fill_in(r->g, &w, attention_mma_weigh_split_text);
        return;
    }
    gpu_word(&w, "drop", drops ? "$1 & PAIR_MASK(kept_bits[$2][($3) / 4], ($3) % 4)" : "$1");
    gpu_fill_in(r->g, &w, attention_mma_weigh_text);
}

void mma_zero(attention *r, const char *sums, int columns) {
    text_add(&r->g->body, "float %s[%d][4];\n#pragma unroll\nfor (uint j = 0; j < %d; j++) "
             "%s[j][0] = %s[j][1] = %s[j][2] = %s[j][3] = 0.0f;\n", sums, columns / 8, columns / 8, sums, sums, sums,
             sums);
}

static const char *const store_pairs[][2] = {
    { "write", "*(GLOBAL uint *)(to + j * 8) = $pack($sums[j][2 * h] * $times, $sums[j][2 * h + 1] * $times);" },
};
static const char *const store_floats[][2] = {
    { "write", "float2 two; two.x = $sums[j][2 * h] * $times; two.y = $sums[j][2 * h + 1] * $times; "
               "*(GLOBAL float2 *)(to + j * 8) = two;" },
};

void mma_store_words(const attention *r, gpu_words *w, int which, const char *sums, const char *times) {
    gpu_word(w, "sums", sums);
    gpu_word(w, "times", times);
    if (is_wide(r, which)) GPU_WORD_TABLE(w, store_floats);
    else GPU_WORD_TABLE(w, store_pairs);
}

void mma_store(attention *r, int which, const char *sums, const char *times) {
    gpu_words w = mma_words(r, which);
    mma_store_words(r, &w, which, sums, times);
    gpu_word_count(&w, "tiles", mma_padded(r, which) / 8);
    gpu_fill_in(r->g, &w, attention_mma_store_text);
}

/* ---- masks --------------------------------------------------------------------------------------------- */

/* Of the bits a window that begins with the lane's first. */
static const char *const undropped[][2] = { { "bits", "" }, { "keep", "$1" } };
static const char *const drawn_cols[][2] = {
    { "bits", "uint bits[2];\n"
              "    #pragma unroll\n"
              "    for (uint x = 0; x < 2; x++) {\n"
              "        const uint of_query = (j * 8 + my_pair + x) * $maskpitch;\n"
              "        LOCAL const uint *of_bits = (LOCAL const uint *)(masks + of_query) + my_row / 32;\n"
              "        const uint shift = (uint)masks[of_query + $blocks + 1] + my_row % 32;\n"
              "        bits[x] = (uint)(((u64)of_bits[1] << 32 | of_bits[0]) >> shift);\n"
              "    }" },
    { "keep", "(bits[c % 2] >> c / 2 * 8 & 1u ? $1 : 0.0f)" },
};
static const char *const of_rows[][2] = {
    { "bits", "" }, { "keep", "(kept_bits[h][i / 8] >> (i / 2 % 4 * 8 + i % 2) & 1u ? $1 : 0.0f)" },
};
static const char *const found_cols[][2] = {
    { "bits", "uint bits[2];\n"
              "    const uint of_keys = (stage * $rows / 32 + my_row / 32) * $cols;\n"
              "    const uint2 both = *(LOCAL const uint2 *)(tile_bits + of_keys + j * 8 + my_pair);\n"
              "    bits[0] = both.x >> my_row % 32;\n"
              "    bits[1] = both.y >> my_row % 32;" },
    { "keep", "(bits[c % 2] >> c / 2 * 8 & 1u ? $1 : 0.0f)" },
};

gpu_words mma_each_words(const attention *r) {
    gpu_words w = { 0 };
    gpu_word_count(&w, "cols", r->cols);
    gpu_word_count(&w, "rows", r->rows);
    if (r->a.dropout && !r->bits) attention_mask_words(r, &w);
    if (!r->a.dropout) GPU_WORD_TABLE(&w, undropped);
    else if (!r->by_keys) GPU_WORD_TABLE(&w, of_rows);
    else if (r->bits) GPU_WORD_TABLE(&w, found_cols);
    else GPU_WORD_TABLE(&w, drawn_cols);
    return w;
}

/* ---- the group's memory -------------------------------------------------------------------------------- */

typedef struct piece { const char *type, *name; int64_t bytes; } piece;

/* Two stages of two matrices' tiles, and of what else a tile of columns has; more, where a group has all keys. */
static int pieces_of(const attention *r, const int *cols, piece out[]) {
    int n = 0;
    for (int i = 0; i < 2; i++)
        out[n++] = (piece){ attention_split(r) ? "float" : "ushort", attention_name(cols[i]),
                            2 * mma_size(r) * r->cols * mma_pitch(r, cols[i]) };
    if (r->by_keys) out[n++] = (piece){ "float2", "rows", 16 * r->cols };
    if (r->a.dropout && !r->bits) out[n++] = (piece){ "uchar", "masks", 2 * attention_mask_bytes(r) };
    if (r->a.dropout && r->bits && r->by_keys) out[n++] = (piece){ "uint", "bits", r->rows * r->cols / 4 };
    if (r->whole) out[n++] = (piece){ "ushort", "k", 2 * r->rows * mma_pitch(r, ATT_K) };
    if (r->whole) out[n++] = (piece){ "ushort", "slopes", 4 * r->rows * (r->cols + 8) };
    return n;
}

int64_t mma_bytes(const attention *r, const int *cols) {
    piece pieces[MOST_PIECES];
    int64_t bytes = 0;
    for (int i = 0, n = pieces_of(r, cols, pieces); i < n; i++) bytes += pieces[i].bytes;
    return bytes;
}

void mma_open(attention *r, const int *used, int count, const int *cols) {
    gpu_print *g = r->g;
    piece pieces[MOST_PIECES];
    int64_t bytes = mma_bytes(r, cols), at = 0;
    if (bytes > g->limits->local_bytes) g->room_bytes = bytes;
    text_add(&g->body, "{\nLOCAL_%s(uint4, room, %d);\nBEGIN\n", g->room_bytes ? "ROOM" : "ARRAY", (int)bytes / 16);
    for (int i = 0, n = pieces_of(r, cols, pieces); i < n; at += pieces[i++].bytes)
        text_add(&g->body, "LOCAL %s *tile_%s = (LOCAL %s *)(room + %d);\n", pieces[i].type, pieces[i].name,
                 pieces[i].type, (int)at / 16);
    for (int i = 0; i < count; i++) attention_declare(r, used[i]);
    attention_declare(r, ATT_L);
    attention_numbers(r);
    if (!r->a.dropout) text_add(&g->body, "const float kept = 1.0f;\n");
    attention_float(g, "scale", r->a.scale);
    attention_float(g, "factor", r->a.scale * 1.4426950408889634);
}

/* ---- the columns --------------------------------------------------------------------------------------- */

void mma_begin_loop(attention *r, const int *cols, void (*starts)(attention *r, const int *cols)) {
    text *out = &r->g->body;
    gpu_words w = mma_each_words(r);
    text_add(out, "{\nconst uint next = 0, into = 0;\n");
    starts(r, cols);
    text_add(out, "CP_ASYNC_COMMIT;\n}\n");
    attention_begin_loop(r);
    mma_draw(r);
    if (r->bits && !r->by_keys) gpu_fill_in(r->g, &w, attention_mma_bits_text);
    text_add(out, "CP_ASYNC_WAIT(0);\nSYNC;\nif (first_col + %d < other) {\n"
             "const uint next = first_col + %d, into = stage ^ 1;\n", r->cols, r->cols);
    starts(r, cols);
    text_add(out, "}\nCP_ASYNC_COMMIT;\n");
    if (r->a.dropout && !r->bits && !r->by_keys) gpu_fill_in(r->g, &w, attention_mma_drawn_text);
}

void mma_end_loop(attention *r) { text_add(&r->g->body, "stage ^= 1;\n}\n"); }

/* Of a tile of queries, by lanes that have little else to do. */
void mma_start_bits(attention *r) {
    gpu_words w = mma_words(r, ATT_Q);
    if (r->bits) gpu_fill_in(r->g, &w, attention_mma_start_bits_text);
}

void mma_draw(attention *r) {
    if (!r->a.dropout || r->bits) return;
    text_add(&r->g->body, "LOCAL uchar *masks = tile_masks + stage * %d;\n", attention_mask_bytes(r));
    attention_masks(r);
}
