/* A and B of a product on matrix units: how their tiles come to memory of the group, and fragments from there. Tiles
 * lie as their operands do: in rows across k, each of neighbours along k, or the other way round. */
#include "product_mma.h"

#include <stdlib.h>

/* Copies of a whole chunk, of parts of it, and, where neighbours are not aligned or are none, number by number, which
 * wait in registers until the tiles before are multiplied. */
static const char *const copy_chunk[][2] = {
    { "copy", "CP_ASYNC_16(to, from, $valid(0, $chunk));" },
    { "put", "" },
    { "got", "" },
};
static const char *const copy_parts[][2] = {
    { "copy", "{\n"
              "        #pragma unroll\n"
              "        for (uint e = 0; e < $chunk; e += $vector)\n"
              "            $piece((LOCAL $M *)to + e, from + e * $unit, $valid(e, $vector));\n"
              "    }" },
    { "put", "" },
    { "got", "" },
};
static const char *const copy_one[][2] = {
    { "copy", "{\n"
              "        #pragma unroll\n"
              "        for (uint e = 0; e < 8; e += 2)\n"
              "            got_$x[4 * s + e / 2] = (uint)(e < left ? from[e * unit_$x] : (ushort)0) |\n"
              "                                    (uint)(e + 1 < left ? from[(e + 1) * unit_$x] : (ushort)0) << 16;\n"
              "    }" },
    { "put", "{\n"
             "        uint4 q;\n"
             "        q.x = got_$x[4 * s];\n"
             "        q.y = got_$x[4 * s + 1];\n"
             "        q.z = got_$x[4 * s + 2];\n"
             "        q.w = got_$x[4 * s + 3];\n"
             "        *to = q;\n"
             "    }" },
    { "got", "uint got_$x[4 * $loads];" },
};

/* How many neighbours can be copied at a time, of an operand whose first element is `at` bytes into its block. */
static int copied(const mma_product *r, const mma_side *s, const flat_operand *o, int64_t at) {
    int64_t other = s->by_k ? s->across : s->along;
    if ((s->by_k ? s->along : s->across) != 1) return 1;
    for (int v = MMA_CHUNK / r->size; v > 1; v /= 2) {
        bool aligned = other % v == 0 && at % (r->size * v) == 0;
        for (int32_t d = 0; d < r->p->batch_ndim; d++) aligned &= o->stride[d] % v == 0;
        if (aligned) return v;
    }
    return 1;
}

/* Of F32 with neighbours across k numbers come one by one; or, where a warp has 32 of these, by fours, for as many
 * places in its fragments: a fragment then has not eight neighbours, but each fourth of 32. */
static const char *const read_matrices[][2] = {
    { "of", "lane % 8" },
    { "starts", "uint from_$x[$ways];\n"
                "{\n"
                "    const uint row = $row, half = $half, turned = $turned($of);\n"
                "    #pragma unroll\n"
                "    for (uint v = 0; v < $ways; v++) from_$x[v] = $way;\n"
                "}" },
    { "where", "LOCAL const uint4 *const here = room_$x + turn * $size;" },
    { "read", "$how(of_$x[i][0], of_$x[i][1], of_$x[i][2], of_$x[i][3], here + $at);" },
};
static const char *const read_numbers[][2] = {
    { "of", "lane % 4" },
    { "starts", "" },
    { "where", "const uint row = $row, half = $half, turned = $turned($of);" },
    { "read", "#pragma unroll\n"
              "            for (uint e = 0; e < 4; e++)\n"
              "                of_$x[i]$slot((e / 2), (e % 2)) = ((LOCAL const uint *)(room_$x + turn * $size +\n"
              "                    (l + my_k + row + e / 2 * 4) * $chunks +\n"
              "                    ((my_$x / 4 + i * 4 + e % 2 * 2 + half / 4) ^ turned)))[half % 4];" },
};
static const char *const read_fours[][2] = {
    { "of", "lane % 4" },
    { "starts", "" },
    { "where", "const uint row = $row, half = $half, turned = $turned($of);" },
    { "read", "#pragma unroll\n"
              "            for (uint e = 0; e < 2; e++)\n"
              "                if (i % 2 == 0) {\n"
              "                    const uint4 q = room_$x[turn * $size + (l + my_k + row + e * 4) * $chunks +\n"
              "                                            ((my_$x / 4 + i * 4 + half) ^ turned)];\n"
              "                    of_$x[i]$slot(e, 0) = q.x;\n"
              "                    of_$x[i]$slot(e, 1) = q.y;\n"
              "                    of_$x[i + 1]$slot(e, 0) = q.z;\n"
              "                    of_$x[i + 1]$slot(e, 1) = q.w;\n"
              "                }" },
};

/* By a lane's number l: of the matrices of a fragment, two by two, the first two lie in A one above the other, in B one
 * beside the other, seen as the tile lies. */
static void add_matrix_words(mma_side *s) {
    gpu_words *w = &s->words;
    const bool above = (s->name == 'a') == s->by_k;
    gpu_word(w, "row", above ? "lane % 16" : "lane % 8 + lane % 32 / 16 * 8");
    gpu_word(w, "half", above ? "lane % 32 / 16" : "lane / 8 % 2");
    gpu_word(w, "how", s->by_k ? "LDMATRIX_X4" : "LDMATRIX_X4_TRANS");
    gpu_word(w, "way", s->by_k ? "(my_$x + row) * $chunks + (((v * $step + my_k) / $chunk + half) ^ turned)"
                               : "(my_k + row) * $chunks + ((my_$x / 8 + v * 2 + half) ^ turned)");
    gpu_word(w, "at", s->by_k ? "from_$x[l / $step] + i * 16 * $chunks" : "from_$x[i] + l * $chunks");
    gpu_word(w, "ways", s->by_k ? "$steps" : "$count");
    GPU_WORD_TABLE(w, read_matrices);
}

/* Where a number is in of_x, by whether it is of a fragment's second four along k, of its second eight across. */
static void add_number_words(mma_side *s) {
    gpu_words *w = &s->words;
    gpu_word(w, "row", "lane % 4");
    gpu_word(w, "half", "lane % 32 / 4");
    gpu_word(w, "slot", s->name == 'a' ? "[$1 * 2 + $2]" : "[$1 + $2 * 2]");
    if (s->fours) GPU_WORD_TABLE(w, read_fours);
    else GPU_WORD_TABLE(w, read_numbers);
}

static void add_place_words(const mma_product *r, mma_side *s) {
    gpu_words *w = &s->words;
    const mma_tile *t = r->how->tile;
    const bool numbers = r->split && !s->by_k;
    const int chunks = (s->by_k ? t->bk : s->width) * r->size / MMA_CHUNK, repeat = MAX2(8 / chunks, 1);
    gpu_word_printed(w, "turned", numbers ? "($1) / %d * 2 %% %d" : "($1) / %d %% %d", repeat, MIN2(chunks, 8));
    if (numbers) add_number_words(s);
    else add_matrix_words(s);
    gpu_word_count(w, "chunks", chunks);
    gpu_word_count(w, "apart", mma_threads(t) / chunks);
}

/* The numbers that a lane's sums are of, one by one. */
static void add_one_words(const mma_product *r, mma_side *s) {
    gpu_words *w = &s->words;
    const mma_tile *t = r->how->tile;
    static const char *const of_a[] = { "i * 8 + lane % 32 / 4", "i / 4 * 32 + lane % 32 / 4 * 4 + i % 4" };
    static const char *const of_b[] = { "i / 2 * 8 + lane % 4 * 2 + i % 2",
                                        "i / 8 * 32 + lane % 4 * 8 + i % 2 * 4 + i / 2 % 4" };
    gpu_word_count(w, "ones", s->name == 'a' ? t->bm / t->wm / 8 : t->bn / t->wn / 4);
    gpu_word(w, "other", s->name == 'a' ? of_a[s->fours] : of_b[s->fours]);
    gpu_word(w, "line", s->by_k ? "o" : "l");
    gpu_word(w, "place", s->by_k ? "l" : "o");
}

static void add_side_words(const mma_product *r, mma_side *s) {
    gpu_words *w = &s->words;
    const mma_tile *t = r->how->tile;
    const int all = s->width * t->bk * r->size / MMA_CHUNK;
    const int64_t extent = s->name == 'a' ? r->p->m : r->p->n;
    const char *first = s->name == 'a' ? "first_a" : "first_b", *last = s->name == 'a' ? "m" : "n";
    add_place_words(r, s);
    gpu_word_printed(w, "x", "%c", s->name);
    gpu_word(w, "outer", s->by_k ? first : "at");
    gpu_word(w, "outerend", s->by_k ? last : "end");
    gpu_word(w, "inner", s->by_k ? "at" : first);
    gpu_word(w, "innerend", s->by_k ? "end" : last);
    gpu_word(w, "far", s->by_k ? "across" : "along");
    gpu_word(w, "near", s->by_k ? "along" : "across");
    gpu_word(w, "M", r->size == 4 ? "float" : "ushort");
    gpu_word_count(w, "wide", r->size);
    gpu_word_count(w, "chunk", MMA_CHUNK / r->size);
    gpu_word_count(w, "size", all);
    gpu_word_count(w, "loads", all / mma_threads(t));
    gpu_word_count(w, "threads", mma_threads(t));
    gpu_word_count(w, "bk", t->bk);
    gpu_word_count(w, "vector", s->vector);
    gpu_word_count(w, "step", MMA_DEPTH / r->size);
    gpu_word_count(w, "steps", t->bk / t->wk * r->size / MMA_DEPTH);
    gpu_word_count(w, "count", s->name == 'a' ? t->bm / t->wm / 16 : t->bn / t->wn / 16);
    add_one_words(r, s);
    gpu_word(w, "piece", s->vector * r->size == 8 ? "CP_ASYNC_8" : "CP_ASYNC_4");
    gpu_word(w, "unit", s->vector > 1 ? "1" : s->name == 'a' ? "unit_a" : "unit_b");
    gpu_word(w, "valid", (s->by_k ? r->p->k : extent) % s->vector == 0
                             ? "left > $1 ? $wide * $2 : 0"
                             : "left >= $1 + $2 ? $wide * $2 : left > $1 ? $wide * (left - $1) : 0");
    if (s->vector * r->size == MMA_CHUNK) GPU_WORD_TABLE(w, copy_chunk);
    else if (s->vector * r->size > 2) GPU_WORD_TABLE(w, copy_parts);
    else GPU_WORD_TABLE(w, copy_one);
}

mma_side mma_begin_side(const mma_product *r, int which) {
    const flat_operand *o = &r->operand[which];
    const mma_tile *t = r->how->tile;
    const int64_t *stride = o->stride + r->p->batch_ndim;
    mma_side s = which == 0 ? (mma_side){ .name = 'a', .width = t->bm, .across = stride[0], .along = stride[1] }
                            : (mma_side){ .name = 'b', .width = t->bn, .across = stride[1], .along = stride[0] };
    gpu_operand(r->g, which == 0 ? "a" : "b", o, false);
    s.by_k = s.along == 1 || (s.across != 1 && llabs(s.along) <= llabs(s.across));
    s.fours = r->split && !s.by_k && s.width / (which == 0 ? t->wm : t->wn) % 32 == 0;
    s.vector = copied(r, &s, o, product_last_number(r->g));
    gpu_declare(r->g, "i64", which == 0 ? "across_a" : "across_b", s.across);
    gpu_declare(r->g, "i64", which == 0 ? "along_a" : "along_b", s.along);
    add_side_words(r, &s);
    return s;
}
