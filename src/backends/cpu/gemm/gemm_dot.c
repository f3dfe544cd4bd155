/* Products of few rows by a matrix whose columns are contiguous, as weights kept (out, in) are: every element is the
 * dot product of two runs of memory. B is read once, along memory, and nothing is copied; for one instruction set. */
#include "backends/cpu/isa.h"
#include LANES_HEADER

enum { DOT_ROWS = 4, DOT_COLS = VF_LANES == 16 ? 4 : 2 };

static inline __attribute__((always_inline)) void tile(const int rows, const int cols, const gemm_shape *s,
                                                       const float *a, const float *b, float *c) {
    vf sum[DOT_ROWS][DOT_COLS];
    for (int i = 0; i < rows; i++)
        for (int j = 0; j < cols; j++) sum[i][j] = vf_set(0);
    int64_t l = 0, part = s->k % VF_LANES;
    for (; l + VF_LANES <= s->k; l += VF_LANES) {
        vf right[DOT_COLS];
        for (int j = 0; j < cols; j++) {
            right[j] = vf_load(b + j * s->b_col + l);
            __builtin_prefetch(b + (j + cols) * s->b_col + l);  /* the next columns, from wherever weights are */
        }
        for (int i = 0; i < rows; i++) {
            vf left = vf_load(a + i * s->a_row + l);
            for (int j = 0; j < cols; j++) sum[i][j] = vf_fma(left, right[j], sum[i][j]);
        }
    }
    for (int i = 0; i < rows && part; i++)
        for (int j = 0; j < cols; j++)
            sum[i][j] = vf_fma(vf_load_part(a + i * s->a_row + l, part, vf_set(0)),
                               vf_load_part(b + j * s->b_col + l, part, vf_set(0)), sum[i][j]);
    for (int i = 0; i < rows; i++)
        for (int j = 0; j < cols; j++) {
            float *to = c + i * s->c_row + j, value = (float)s->alpha * vf_sum(sum[i][j]);
            *to = s->beta != 0 ? *to + value : value;
        }
}

#define CASE(n) case n: tile(n, DOT_COLS, s, a, b, c); break;
static void row_tile(int64_t rows, const gemm_shape *s, const float *a, const float *b, float *c) {
    switch (rows) {
    CASE(1) CASE(2) CASE(3)
    default: tile(DOT_ROWS, DOT_COLS, s, a, b, c);
    }
}
#undef CASE

void ISA(gemm_dot)(const gemm_shape *s, const void *pa, const void *pb, void *pc);
void ISA(gemm_dot)(const gemm_shape *s, const void *pa, const void *pb, void *pc) {
    int64_t j = 0;
    for (; j + DOT_COLS <= s->n; j += DOT_COLS)
        for (int64_t i = 0; i < s->m; i += DOT_ROWS)
            row_tile(MIN2(s->m - i, DOT_ROWS), s, (const float *)pa + i * s->a_row, (const float *)pb + j * s->b_col,
                     (float *)pc + i * s->c_row + j);
    for (; j < s->n; j++)
        for (int64_t i = 0; i < s->m; i++)
            tile(1, 1, s, (const float *)pa + i * s->a_row, (const float *)pb + j * s->b_col,
                 (float *)pc + i * s->c_row + j);
}
