/* Products of 16-bit numbers where no instruction multiplies them, and those too small or oddly strided for a library:
 * both operands as F32 in scratch, and then the product of that type. */
#include "backends/cpu/cpu.h"

typedef struct widened {
    const gemm_call *inner;
    strip_fn to_f32;
    int64_t  a_bytes, b_bytes, a_line, b_line;  /* of the copies, and from one line to the next */
} widened;

static bool fits(const isa_table *isa, const gemm_shape *s, tide_dtype type) {
    (void)isa, (void)s;
    return type == TIDE_F16 || type == TIDE_BF16;
}

/* The copies keep the way round that the operands have, so that they are read along memory. A turned left one is never
 * dense: oneDNN takes another way with it then (gemm.c), and another still where it is not as wide as the usual one. */
static bool by_columns(int64_t row, int64_t col) { return row == 1 && col != 1; }

static void copy_strides(int64_t rows, int64_t cols, int64_t *row, int64_t *col) {
    bool turned = by_columns(*row, *col);
    *row = turned ? 1 : MAX2(cols, 1);
    *col = turned ? MAX2(rows, 1) : 1;
}

static tide_status prepare(const cpu_build *b, gemm_call *call) {
    gemm_shape s = call->shape;
    widened *w = call->state = arena_new(b->keep, widened, 1);
    int64_t a_rows = MAX2(s.m, call->usual_rows) + 1;
    copy_strides(a_rows, s.k, &s.a_row, &s.a_col);
    copy_strides(s.k, s.n, &s.b_row, &s.b_col);
    w->to_f32 = b->isa->strips->cast[call->type][TIDE_F32];
    w->a_bytes = round_up(a_rows * s.k * (int64_t)sizeof(float), 64);
    w->b_bytes = round_up(s.k * s.n * (int64_t)sizeof(float), 64);
    w->a_line = MAX2(s.a_row, s.a_col), w->b_line = MAX2(s.b_row, s.b_col);
    gemm_shape usual = s;
    usual.m = call->usual_rows;
    tide_status status = gemm_find(b, &s, &usual, TIDE_F32, &w->inner);
    if (status == TIDE_OK) call->scratch = w->a_bytes + w->b_bytes + w->inner->scratch;
    return status;
}

static void widen(strip_fn to_f32, float *to, int64_t to_line, const uint16_t *from, int64_t rows, int64_t cols,
                  int64_t row, int64_t col) {
    bool    turned = by_columns(row, col);
    int64_t lines = turned ? cols : rows, length = turned ? rows : cols, line = turned ? col : row;
    int64_t run = turned || col == 1 ? length : 1;
    for (int64_t i = 0; i < lines; i++)
        for (int64_t j = 0; j < length; j += run)
            to_f32(to + i * to_line + j, from + i * line + j * col * (run == 1), NULL, NULL, run);
}

static tide_status run(const gemm_call *call, const void *a, const void *b, void *c, int thread, char *scratch) {
    const widened *w = call->state;
    const gemm_shape *s = &call->shape;
    float *wide_a = (float *)scratch, *wide_b = (float *)(scratch + w->a_bytes);
    if (s->k > 0) {
        widen(w->to_f32, wide_a, w->a_line, a, s->m, s->k, s->a_row, s->a_col);
        widen(w->to_f32, wide_b, w->b_line, b, s->k, s->n, s->b_row, s->b_col);
    }
    return w->inner->provider->run(w->inner, wide_a, wide_b, c, thread, scratch + w->a_bytes + w->b_bytes);
}

const gemm_provider gemm_widened = { "widened", fits, prepare, run, NULL, NULL };
