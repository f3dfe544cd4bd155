/* One type's small matrix product: V vectors of T with LANES lanes; NAME(x) makes its names. Blocks of up to ROWS rows
 * by two vectors stay in registers over all of k. B is copied to a panel when its columns are not contiguous or its
 * last vector is in part. */

static inline __attribute__((always_inline)) void NAME(block)(const int rows, const int vectors, const gemm_shape *s,
                                                              const T *a, const T *b, int64_t b_row, T *c,
                                                              int64_t cols) {
    V sum[ROWS][2];
    for (int i = 0; i < rows; i++)
        for (int v = 0; v < vectors; v++) sum[i][v] = VF(set)(0);
    for (int64_t l = 0; l < s->k; l++, b += b_row, a += s->a_col) {
        V right[2];
        for (int v = 0; v < vectors; v++) right[v] = VF(load)(b + v * LANES);
        for (int i = 0; i < rows; i++) {
            V left = VF(set)(a[i * s->a_row]);
            for (int v = 0; v < vectors; v++) sum[i][v] = VF(fma)(left, right[v], sum[i][v]);
        }
    }
    const V alpha = VF(set)((T)s->alpha);
    for (int i = 0; i < rows; i++)
        for (int v = 0; v < vectors; v++) {
            T *to = c + i * s->c_row + v * LANES;
            int64_t left = cols - v * LANES;
            V value = sum[i][v] * alpha;
            if (s->beta != 0) value += left >= LANES ? VF(load)(to) : VF(load_part)(to, left, value);
            if (left >= LANES) VF(store)(to, value); else VF(store_part)(to, value, left);
        }
}

#define CASE(n) case n: NAME(block)(n, 1, s, a, b, b_row, c, cols); break;
static void NAME(one_vector)(int64_t rows, const gemm_shape *s, const T *a, const T *b, int64_t b_row, T *c,
                             int64_t cols) {
    switch (rows) {
    CASE(1) CASE(2) CASE(3) CASE(4) CASE(5) CASE(6) CASE(7) CASE(8) CASE(9) CASE(10) CASE(11)
    default: NAME(block)(12, 1, s, a, b, b_row, c, cols);
    }
}
#undef CASE
#define CASE(n) case n: NAME(block)(n, 2, s, a, b, b_row, c, cols); break;
static void NAME(two_vectors)(int64_t rows, const gemm_shape *s, const T *a, const T *b, int64_t b_row, T *c,
                              int64_t cols) {
    switch (rows) {
    CASE(1) CASE(2) CASE(3) CASE(4) CASE(5)
    default: NAME(block)(6, 2, s, a, b, b_row, c, cols);
    }
}
#undef CASE

static void NAME(pack)(T *restrict panel, int64_t width, const gemm_shape *s, const T *restrict b, int64_t cols) {
    const int64_t k = s->k, b_row = s->b_row, b_col = s->b_col;
    for (int64_t l = 0; l < k; l++)
        for (int64_t j = cols; j < width; j++) panel[l * width + j] = 0;
    if (b_col == 1) {
        for (int64_t l = 0; l < k; l++) memcpy(panel + l * width, b + l * b_row, (size_t)cols * sizeof(T));
        return;
    }
    int64_t l = 0;
    if (b_row == 1) l = NAME(turn)(panel, width, b, b_col, k, cols);
    for (; l < k; l++)
        for (int64_t j = 0; j < cols; j++) panel[l * width + j] = b[l * b_row + j * b_col];
}

static void NAME(gemm)(const gemm_shape *s, const void *pa, const void *pb, void *pc, void *panel) {
    for (int64_t j = 0; j < s->n; j += 2 * LANES) {
        int64_t cols = MIN2(s->n - j, 2 * LANES), width = cols > LANES ? 2 * LANES : LANES;
        const T *b = (const T *)pb + j * s->b_col;
        int64_t b_row = s->b_row;
        if (s->b_col != 1 || cols != width) {
            NAME(pack)(panel, width, s, b, cols);
            b = panel;
            b_row = width;
        }
        int64_t most = width == LANES ? 12 : 6;
        for (int64_t i = 0; i < s->m; i += most) {
            const T *a = (const T *)pa + i * s->a_row;
            T *c = (T *)pc + i * s->c_row + j;
            (width == LANES ? NAME(one_vector) : NAME(two_vectors))(MIN2(s->m - i, most), s, a, b, b_row, c, cols);
        }
    }
}
