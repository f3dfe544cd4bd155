/* Strided operands to and from strips. */
#include "map.h"

/* Counts through a view in row-major order, a run along the last dimension at a time. */
typedef struct cursor {
    int64_t index[TIDE_MAX_DIMS], at;
} cursor;

static cursor cursor_at(const map_view *v, int64_t element) {
    cursor c = { .at = 0 };
    for (int32_t d = v->ndim - 1; d >= 0; d--) {
        c.index[d] = element % v->dim[d];
        element /= v->dim[d];
        c.at += c.index[d] * v->stride[d];
    }
    return c;
}

/* `steps` on in dimension d, which may end it. */
static void cursor_step(cursor *c, const map_view *v, int32_t d, int64_t steps) {
    c->index[d] += steps;
    c->at += steps * v->stride[d];
    for (; d > 0 && c->index[d] == v->dim[d]; d--) {
        c->at += v->stride[d - 1] - v->dim[d] * v->stride[d];
        c->index[d] = 0;
        c->index[d - 1]++;
    }
}

/* Rows of a transposed matrix that the run ahead covers whole: read along the memory rather than across. */
static int64_t transposed_rows(const map_view *v, const cursor *c, int64_t n) {
    int32_t last = v->ndim - 1;
    if (last < 1 || v->stride[last - 1] != 1 || c->index[last] != 0) return 0;
    return MIN2(n / v->dim[last], v->dim[last - 1] - c->index[last - 1]);
}

#define RUNS(N, T)                                                                                          \
    static void gather_##N(T *dst, const map_view *v, const void *base, int64_t start, int64_t n) {         \
        int32_t last = v->ndim - 1;                                                                         \
        int64_t size = v->dim[last], stride = v->stride[last];                                              \
        cursor  c = cursor_at(v, start);                                                                    \
        while (n > 0) {                                                                                     \
            const T *from = (const T *)base + c.at;                                                         \
            int64_t rows = transposed_rows(v, &c, n), run = rows > 1 ? rows * size : MIN2(n, size - c.index[last]); \
            if (rows > 1)                                                                                   \
                for (int64_t j = 0; j < size; j++)                                                          \
                    for (int64_t r = 0; r < rows; r++) dst[r * size + j] = from[r + j * stride];            \
            else if (stride == 1 && run >= 64) memcpy(dst, from, (size_t)run * sizeof(T));                  \
            else                                                                                            \
                for (int64_t i = 0; i < run; i++) dst[i] = from[i * stride];                                \
            if (rows > 1) cursor_step(&c, v, last - 1, rows); else cursor_step(&c, v, last, run);           \
            dst += run;                                                                                     \
            n -= run;                                                                                       \
        }                                                                                                   \
    }                                                                                                       \
    static void scatter_##N(const map_view *v, void *base, const T *src, int64_t start, int64_t n) {        \
        int32_t last = v->ndim - 1;                                                                         \
        int64_t size = v->dim[last], stride = v->stride[last];                                              \
        cursor  c = cursor_at(v, start);                                                                    \
        while (n > 0) {                                                                                     \
            T *to = (T *)base + c.at;                                                                       \
            int64_t rows = transposed_rows(v, &c, n), run = rows > 1 ? rows * size : MIN2(n, size - c.index[last]); \
            if (rows > 1)                                                                                   \
                for (int64_t j = 0; j < size; j++)                                                          \
                    for (int64_t r = 0; r < rows; r++) to[r + j * stride] = src[r * size + j];              \
            else if (stride == 1 && run >= 64) memcpy(to, src, (size_t)run * sizeof(T));                    \
            else                                                                                            \
                for (int64_t i = 0; i < run; i++) to[i * stride] = src[i];                                  \
            if (rows > 1) cursor_step(&c, v, last - 1, rows); else cursor_step(&c, v, last, run);           \
            src += run;                                                                                     \
            n -= run;                                                                                       \
        }                                                                                                   \
    }
/* Elements are moved as integers of their size, whatever they are. */
typedef uint8_t  any1;
typedef uint16_t any2 __attribute__((may_alias));
typedef uint32_t any4 __attribute__((may_alias));
typedef uint64_t any8 __attribute__((may_alias));
RUNS(1, any1)
RUNS(2, any2)
RUNS(4, any4)
RUNS(8, any8)

void map_gather(void *dst, const map_view *v, const void *base, int64_t size, int64_t start, int64_t n) {
    if (n == 0) return;
    switch (size) {
    case 1:  gather_1(dst, v, base, start, n); break;
    case 2:  gather_2(dst, v, base, start, n); break;
    case 4:  gather_4(dst, v, base, start, n); break;
    default: gather_8(dst, v, base, start, n); break;
    }
}

void map_scatter(const map_view *v, void *base, const void *src, int64_t size, int64_t start, int64_t n) {
    if (n == 0) return;
    switch (size) {
    case 1:  scatter_1(v, base, src, start, n); break;
    case 2:  scatter_2(v, base, src, start, n); break;
    case 4:  scatter_4(v, base, src, start, n); break;
    default: scatter_8(v, base, src, start, n); break;
    }
}
