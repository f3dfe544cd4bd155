/* Sorting rows. Heap sort of the indices in place needs no scratch; it is made stable by comparing equal elements
 * by their index. */
#include <math.h>

#include "ref.h"

typedef struct sorter {
    int type;
    const char *row;
    bool descending;
} sorter;

static bool is_nan(int type, ref_value v) {
    return type != TIDE_I32 && type != TIDE_I64 && type != TIDE_U8 && type != TIDE_BOOL && isnan(v.f);
}

/* -1, 0, 1 as a is smaller, equal, larger; NaN is largest. */
static int compare(int type, ref_value a, ref_value b) {
    bool nan_a = is_nan(type, a), nan_b = is_nan(type, b);
    if (nan_a || nan_b) return nan_a - nan_b;
    if (type == TIDE_I32 || type == TIDE_I64 || type == TIDE_U8 || type == TIDE_BOOL) return (a.i > b.i) - (a.i < b.i);
    return (a.f > b.f) - (a.f < b.f);
}

static bool before(const sorter *s, int32_t i, int32_t j) {
    int order = compare(s->type, ref_load(s->type, s->row, i), ref_load(s->type, s->row, j));
    if (order == 0) return i < j;
    return s->descending ? order > 0 : order < 0;
}

static void sift_down(const sorter *s, int32_t *heap, int64_t top, int64_t n) {
    for (int64_t child; (child = 2 * top + 1) < n; top = child) {
        if (child + 1 < n && before(s, heap[child], heap[child + 1])) child++;
        if (!before(s, heap[top], heap[child])) return;
        int32_t t = heap[top];
        heap[top] = heap[child];
        heap[child] = t;
    }
}

static void sort_indices(const sorter *s, int32_t *index, int64_t n) {
    for (int64_t i = 0; i < n; i++) index[i] = (int32_t)i;
    for (int64_t i = n / 2; i-- > 0;) sift_down(s, index, i, n);
    for (int64_t i = n; i-- > 1;) {
        int32_t t = index[0];
        index[0] = index[i];
        index[i] = t;
        sift_down(s, index, 0, i);
    }
}

void ref_sort(const ref_run *r, const flat_kernel *k, int64_t task) {
    const flat_index *ix = &k->index;
    int     type = k->operands[0].type;
    int64_t first = task * ix->per_task, last = MIN2(ix->outer, first + ix->per_task);
    const char *x = ref_data(r, &k->operands[0]);
    char       *values = ref_data(r, &k->operands[1]);
    int32_t    *index = ref_data(r, &k->operands[2]);
    int64_t     row_bytes = ix->n * (int64_t)tide_dtype_size(k->operands[0].type);
    for (int64_t o = first; o < last; o++) {
        sorter s = { type, x + o * row_bytes, ix->flag };
        sort_indices(&s, index + o * ix->n, ix->n);
        for (int64_t i = 0; i < ix->n; i++)
            ref_store(type, values + o * row_bytes, i, ref_load(type, s.row, index[o * ix->n + i]));
    }
}
