/* Small and oddly strided matrix products, for one instruction set. */
#include "backends/cpu/isa.h"
#include LANES_HEADER

enum { ROWS = 12 };

/* Columns that are contiguous in memory become rows of the panel, four by four in vectors; returns how many rows are
 * done. */
typedef float four __attribute__((vector_size(16)));

static inline four four_at(const float *p, bool there) {
    four v = { 0 };
    if (there) memcpy(&v, p, sizeof v);
    return v;
}

static int64_t turn_f32(float *restrict panel, int64_t width, const float *restrict b, int64_t b_col, int64_t k,
                        int64_t cols) {
    int64_t done = k / 4 * 4;
    for (int64_t j = 0; j < cols; j += 4)
        for (int64_t l = 0; l < done; l += 4) {
            const float *from = b + j * b_col + l;
            four r0 = four_at(from, true), r1 = four_at(from + b_col, j + 1 < cols);
            four r2 = four_at(from + 2 * b_col, j + 2 < cols), r3 = four_at(from + 3 * b_col, j + 3 < cols);
            four a = __builtin_shufflevector(r0, r1, 0, 4, 1, 5), c = __builtin_shufflevector(r2, r3, 0, 4, 1, 5);
            four d = __builtin_shufflevector(r0, r1, 2, 6, 3, 7), e = __builtin_shufflevector(r2, r3, 2, 6, 3, 7);
            four out[4] = { __builtin_shufflevector(a, c, 0, 1, 4, 5), __builtin_shufflevector(a, c, 2, 3, 6, 7),
                            __builtin_shufflevector(d, e, 0, 1, 4, 5), __builtin_shufflevector(d, e, 2, 3, 6, 7) };
            for (int i = 0; i < 4; i++) memcpy(panel + (l + i) * width + j, &out[i], sizeof out[i]);
        }
    return done;
}

/* Not worth it for doubles. */
static int64_t turn_f64(double *panel, int64_t width, const double *b, int64_t b_col, int64_t k, int64_t cols) {
    (void)panel, (void)width, (void)b, (void)b_col, (void)k, (void)cols;
    return 0;
}

#define T float
#define V vf
#define VF(x) vf_##x
#define LANES VF_LANES
#define NAME(x) x##_f32
#include "gemm_small.h"
#undef T
#undef V
#undef VF
#undef LANES
#undef NAME
#define T double
#define V vd
#define VF(x) vd_##x
#define LANES VD_LANES
#define NAME(x) x##_f64
#include "gemm_small.h"

const gemm_ops ISA(gemm) = { gemm_f32, gemm_f64, VF_LANES, VD_LANES };
