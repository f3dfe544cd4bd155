/* The kernels that are compiled once for each instruction set, as tables. They work on strips: short contiguous runs
 * of numbers in cache. */
#ifndef TIDE_ISA_H
#define TIDE_ISA_H

#include "../backend.h"

/* dst[i] = f(a[i], b[i], c[i]) for n elements; an operand may be one number (see forms). dst may be a, b or c. */
typedef void (*strip_fn)(void *dst, const void *a, const void *b, const void *c, int64_t n);
/* Something over a block of rows * cols elements. */
typedef void (*rows_fn)(void *dst, const void *src, int64_t rows, int64_t cols);

typedef enum strip_type { T_F32, T_F64, T_I32, T_I64, T_U8, STRIP_TYPES } strip_type;

/* Which operands are one number for the whole strip: of two-operand functions the second (1) or the first (2),
 * of where() the second (1), the third (2) or both (3). */
enum { FORM_VECTORS = 0, FORM_SECOND_ONE = 1, FORM_FIRST_ONE = 2, FORMS = 4 };

/* Indexed by the type computed in: of the result, but of the operands for comparisons and is_finite.
 * NULL where an operation has no meaning for a type. */
typedef struct strip_ops {
    strip_fn op[SCALAR_COUNT][STRIP_TYPES][FORMS];
    strip_fn cast[TIDE_DTYPES][TIDE_DTYPES];  /* [from][to]; 16-bit floats only from and to F32 */
} strip_ops;

enum { REDUCE_KINDS = FLAT_ROW_ARGMIN - FLAT_ROW_SUM + 1 };
typedef struct row_ops {
    rows_fn reduce[REDUCE_KINDS][STRIP_TYPES];  /* [op - FLAT_ROW_SUM]: one result a row */
    rows_fn column_sum[STRIP_TYPES];            /* adds the rows to dst[cols] */
    rows_fn all_sum[STRIP_TYPES];               /* adds all elements to dst[0] */
    rows_fn expand[STRIP_TYPES];                /* dst[r][c] = src[r] */
} row_ops;

/* Elements first .. first + n of one sample; what they are is said in base/philox.h. */
typedef struct random_site {
    uint64_t seed;
    uint32_t step, site;
    float    number, scale;  /* of a mask */
} random_site;
typedef void (*random_fn)(float *dst, const random_site *site, uint32_t sample, int64_t first, int64_t n);
typedef struct random_ops { random_fn unit, mask; } random_ops;

/* One matrix product, C = alpha A B + beta C; strides in elements, C's column stride is 1. `panel` has room for
 * gemm_panel_count() elements. */
typedef struct gemm_shape {
    int64_t m, n, k;
    int64_t a_row, a_col, b_row, b_col, c_row;
    double  alpha, beta;
} gemm_shape;
typedef void (*gemm_fn)(const gemm_shape *s, const void *a, const void *b, void *c, void *panel);
typedef struct gemm_ops { gemm_fn f32, f64; int64_t lanes_f32, lanes_f64; } gemm_ops;
enum { GEMM_VECTORS = 2 };  /* a panel is this many vectors wide and k deep */

/* The same in F32, where A's columns and B's rows are contiguous; no panel. */
typedef void (*dot_fn)(const gemm_shape *s, const void *a, const void *b, void *c);

typedef struct isa_table {
    const char *name;
    const strip_ops  *strips;
    const row_ops    *rows;
    const random_ops *random;
    const gemm_ops   *gemm;
    dot_fn dot;
} isa_table;

/* The best this machine can do, or the one named (NULL: any). Fails with TIDE_EDEVICE if it is not available. */
tide_status isa_choose(const char *name, const isa_table **out, tide_failure *why);

/* Compiled code of one instruction set says ISA(name) for its own symbols. */
#define ISA_PASTE(name, isa) name##_##isa
#define ISA_EXPAND(name, isa) ISA_PASTE(name, isa)
#ifdef TIDE_ISA
#define ISA(name) ISA_EXPAND(name, TIDE_ISA)
#endif

#if defined(__clang__)
#define INDEPENDENT _Pragma("clang loop vectorize(assume_safety)")
#else
#define INDEPENDENT _Pragma("GCC ivdep")
#endif

#endif
