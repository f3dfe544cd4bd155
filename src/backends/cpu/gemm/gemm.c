/* Matrix product kernels: cut into single products, each run by the provider that suits its shape. */
#include "backends/cpu/cpu.h"
#include "onednn.h"

/* In order of preference; the choice depends on the shape alone. */
static const gemm_provider *const providers[] = {
    &gemm_few,
#ifdef TIDE_HAVE_ONEDNN
    &gemm_onednn,
#endif
#ifdef TIDE_HAVE_CBLAS
    &gemm_cblas,
#endif
    &gemm_widened,
    &gemm_own,
};

/* A library that was asked for by name and is not here is no small thing. */
static tide_status choose_libraries(tide_failure *why) {
#ifdef TIDE_HAVE_ONEDNN
    bool named;
    const char *missing = onednn_missing(&named);
    if (missing && named) return fail(why, TIDE_EDEVICE, "TIDEMILL_ONEDNN cannot be used: %s", missing);
#endif
    (void)why;
    return TIDE_OK;
}

const char *gemm_lacks(const isa_table *isa, tide_dtype half) {
#ifdef TIDE_HAVE_ONEDNN
    return onednn_lacks(isa, half);
#else
    (void)isa, (void)half;
    return "this build has no oneDNN to multiply 16-bit numbers";
#endif
}

bool gemm_rows_alone(const isa_table *isa) {
    bool alone = true;
#ifdef TIDE_HAVE_ONEDNN
    alone = onednn_rows_alone();
#endif
#ifdef TIDE_HAVE_CBLAS
    alone = false;
#endif
    return (void)isa, alone;
}

/* Products of more rows are made in parts: the library is at its best near this (bench/results/chains.md). */
enum { MOST_ROWS = 192, OPERANDS = 4 };

typedef struct gemm_exec {
    const flat_kernel *kernel;
    const gemm_call *whole;         /* of `rows` rows */
    const gemm_call *rest, *tail;   /* of what is left of a block and of an entry's last block; NULL: nothing */
    int64_t rows, blocks;           /* rows of a call; blocks of rows_per_task rows that an entry has */
    int64_t a_row, c_row;           /* bytes from one row to the next */
    cpu_place at[OPERANDS];
    int64_t size[OPERANDS];  /* bytes of an element */
    const gemm_end *end;     /* NULL: C is what is multiplied */
    atomic_int *failed;
} gemm_exec;

static bool same_shape(const gemm_shape *a, const gemm_shape *b) {
    return a->m == b->m && a->n == b->n && a->k == b->k && a->a_row == b->a_row && a->a_col == b->a_col &&
           a->b_row == b->b_row && a->b_col == b->b_col && a->c_row == b->c_row && a->alpha == b->alpha &&
           a->beta == b->beta;
}

static const gemm_provider *provider_for(const cpu_build *b, const gemm_shape *s, tide_dtype type) {
    for (size_t i = 0;; i++)
        if (providers[i]->fits(b->isa, s, type)) return providers[i];
}

tide_status gemm_find(const cpu_build *b, const gemm_shape *s, const gemm_shape *usual, tide_dtype type,
                      const gemm_call **out) {
    for (gemm_call *c = b->gemms->calls; c; c = c->next)
        if (c->type == type && c->usual_rows == usual->m && same_shape(&c->shape, s)) {
            *out = c;
            return TIDE_OK;
        }
    gemm_call *c = arena_new(b->keep, gemm_call, 1);
    *c = (gemm_call){ .provider = provider_for(b, usual, type), .shape = *s, .usual_rows = usual->m, .type = type };
    c->provider = gemm_chosen(b, c, providers, sizeof providers / sizeof *providers);
    tide_status status = c->provider->prepare(b, c);
    if (status != TIDE_OK) return status;
    c->next = b->gemms->calls;
    b->gemms->calls = c;
    *out = c;
    return TIDE_OK;
}

void gemm_release(gemm_set *set) {
    for (gemm_call *c = set->calls; c; c = c->next)
        if (c->provider->release) c->provider->release(c);
    set->calls = NULL;
}

/* Strides along a dimension of size 1 mean nothing: give them values that every provider takes. */
static void tidy_strides(int64_t rows, int64_t cols, int64_t *row, int64_t *col) {
    if (cols == 1 && *row != 1) *col = 1;
    else if (cols == 1) *col = MAX2(rows, 1);
    if (rows == 1) *row = *col == 1 ? MAX2(cols, 1) : 1;
}

/* With an end, C is in scratch while it is made. */
static gemm_shape shape_of(const flat_kernel *k, int64_t m, int64_t n) {
    const flat_gemm *g = &k->gemm;
    const int64_t *a = k->operands[0].stride + g->batch_ndim, *b = k->operands[1].stride + g->batch_ndim;
    gemm_shape s = { .m = m, .n = n, .k = g->k, .a_row = a[0], .a_col = a[1], .b_row = b[0], .b_col = b[1],
                     .c_row = k->operands[2].stride[g->batch_ndim], .alpha = g->alpha, .beta = g->beta };
    tidy_strides(s.m, s.k, &s.a_row, &s.a_col);
    tidy_strides(s.k, s.n, &s.b_row, &s.b_col);
    if (m == 1 || gemm_ends(k)) s.c_row = MAX2(s.n, 1);
    return s;
}

/* The batch entry that a task is at: an odometer over the batch dimensions, with the operands' offsets. */
typedef struct entry { int64_t index[TIDE_MAX_DIMS], at[3]; } entry;

static entry entry_at(const flat_kernel *k, int64_t b) {
    entry e = { { 0 }, { 0 } };
    for (int32_t d = k->gemm.batch_ndim - 1; d >= 0; d--) {
        e.index[d] = b % k->gemm.batch[d];
        b /= k->gemm.batch[d];
        for (int i = 0; i < 3; i++) e.at[i] += e.index[d] * k->operands[i].stride[d];
    }
    return e;
}

static void entry_next(entry *e, const flat_kernel *k) {
    for (int32_t d = k->gemm.batch_ndim - 1; d >= 0; d--) {
        bool carry = ++e->index[d] == k->gemm.batch[d];
        for (int i = 0; i < 3; i++) e->at[i] += (carry ? 1 - k->gemm.batch[d] : 1) * k->operands[i].stride[d];
        if (!carry) return;
        e->index[d] = 0;
    }
}

static void run_call(const gemm_exec *x, char *const at[OPERANDS], const gemm_call *call, const entry *e, int64_t row,
                     int thread, char *scratch) {
    const char *a = at[0] + e->at[0] * x->size[0] + row * x->a_row, *b = at[1] + e->at[1] * x->size[1];
    char *c = at[2] + e->at[2] * x->size[2] + row * x->c_row;
    char *sums = x->end ? scratch + gemm_end_at(call) : c;
    if (x->end) gemm_end_begin(x->end, &call->shape, sums, c);
    tide_status status = call->provider->run(call, a, b, sums, thread, scratch);
    if (status != TIDE_OK) atomic_store(x->failed, status);
    if (x->end) gemm_end_finish(x->end, &call->shape, sums, at[3], c);
}

static void run_block(const gemm_exec *x, char *const at[OPERANDS], const entry *e, int64_t block, int thread,
                      char *scratch) {
    const flat_gemm *g = &x->kernel->gemm;
    int64_t row = block * g->rows_per_task, last = MIN2(g->m, row + g->rows_per_task);
    for (; row + x->rows <= last; row += x->rows) run_call(x, at, x->whole, e, row, thread, scratch);
    if (row < last) run_call(x, at, block == x->blocks - 1 ? x->tail : x->rest, e, row, thread, scratch);
}

static void operands_at(const gemm_exec *x, int64_t task, char *scratch, char *at[OPERANDS]) {
    for (int i = 0; i < x->kernel->n_operands; i++) at[i] = cpu_at(&x->at[i], task, scratch);
}

static void run_rows(const void *exec, int64_t task, int thread, char *scratch) {
    const gemm_exec *x = exec;
    entry e = entry_at(x->kernel, task / x->blocks);
    char *at[OPERANDS] = { NULL };
    operands_at(x, task, scratch, at);
    run_block(x, at, &e, task % x->blocks, thread, scratch);
}

static void run_each(const void *exec, int64_t task, int thread, char *scratch) {
    const gemm_exec *x = exec;
    entry e = entry_at(x->kernel, 0);
    char *at[OPERANDS] = { NULL };
    operands_at(x, task, scratch, at);
    for (int64_t i = 0; i < x->kernel->gemm.batches; i++, entry_next(&e, x->kernel))
        run_block(x, at, &e, task, thread, scratch);
}

/* `whole` and `tail` are products of a block of columns. */
static void run_cols(const void *exec, int64_t task, int thread, char *scratch) {
    const gemm_exec *x = exec;
    const flat_gemm *g = &x->kernel->gemm;
    entry e = { { 0 }, { 0 } };
    char *at[OPERANDS] = { NULL };
    operands_at(x, task, scratch, at);
    int64_t col = task * g->rows_per_task;
    at[1] += col * x->kernel->operands[1].stride[g->batch_ndim + 1] * x->size[1], at[2] += col * x->size[2];
    if (at[3]) at[3] += col * x->size[3];
    run_call(x, at, col + MIN2(g->rows_per_task, g->n) <= g->n ? x->whole : x->tail, &e, 0, thread, scratch);
}

static void run_batch(const void *exec, int64_t task, int thread, char *scratch) {
    const gemm_exec *x = exec;
    const flat_gemm *g = &x->kernel->gemm;
    int64_t first = task * g->rows_per_task, last = MIN2(g->batches, first + g->rows_per_task);
    entry   e = entry_at(x->kernel, first);
    char   *at[OPERANDS] = { NULL };
    operands_at(x, task, scratch, at);
    for (int64_t i = first; i < last; i++, entry_next(&e, x->kernel)) run_call(x, at, x->whole, &e, 0, thread, scratch);
}

static void run_nothing(const void *exec, int64_t task, int thread, char *scratch) {
    (void)exec, (void)task, (void)thread, (void)scratch;
}

/* Rows of one product where a block has `block`. */
static int64_t rows_of_call(int64_t block) {
    return block > MOST_ROWS ? ceil_div(block, ceil_div(block, MOST_ROWS)) : block;
}

/* Where the left operand is turned and dense, oneDNN sums in another order than where it is a part of a larger one, as
 * it is in another cut: half of it is a part. */
static int64_t rows_of_part(const flat_kernel *k, int64_t rows) {
    enum { LEAST = 32 };  /* a cut has no parts below half of it */
    const int64_t *a = k->operands[0].stride + k->gemm.batch_ndim;
    return a[0] == 1 && a[1] == rows && rows >= LEAST ? ceil_div(rows, 2) : rows;
}

/* A row has the same bits however many others go with it, if the same library multiplies: the kernel's usual rows say
 * which, not those of this cut. */
static gemm_shape usual_shape(const flat_kernel *k, int64_t rows, int64_t cols) {
    int64_t usual = MIN2(k->gemm.usual_rows, k->gemm.m);
    return shape_of(k, usual ? rows_of_call(usual) : rows, cols);
}

/* A product of `rows` rows and `cols` columns of the kernel's; none of 0. */
static tide_status find_call(const cpu_build *b, const flat_kernel *k, int64_t rows, int64_t cols,
                             const gemm_call **call, cpu_kernel *out) {
    if (rows == 0 || cols == 0) return TIDE_OK;
    gemm_shape shape = shape_of(k, rows, cols), usual = usual_shape(k, rows, cols);
    tide_status status = gemm_find(b, &shape, &usual, k->operands[0].type, call);
    if (status != TIDE_OK) return status;
    int64_t end = gemm_ends(k) ? gemm_end_at(*call) + rows * cols * (int64_t)sizeof(float) : 0;
    out->scratch = MAX2(out->scratch, MAX2(end, (*call)->scratch));
    return status;
}

tide_status gemm_prepare(const cpu_build *b, const flat_kernel *k, cpu_kernel *out) {
    const flat_gemm *g = &k->gemm;
    tide_dtype type = k->operands[0].type, sum = type == TIDE_F64 ? TIDE_F64 : TIDE_F32;
    bool half = type == TIDE_F16 || type == TIDE_BF16;
    if (type > TIDE_BF16 || k->operands[1].type != type ||
        (k->operands[2].type != sum && !(half && k->operands[2].type == type)) ||
        (k->n_operands == 4 && (sum != TIDE_F32 || k->operands[3].type != TIDE_F32)))
        return fail(b->why, TIDE_ETYPE, "kernel '%s': matrix products are of two operands of one floating type",
                    k->name ? k->name : "");
    if (choose_libraries(b->why) != TIDE_OK) return b->why->status;
    bool    by_rows = g->split == FLAT_SPLIT_ROWS || g->split == FLAT_SPLIT_EACH;
    int64_t block = by_rows ? MIN2(g->rows_per_task, g->m) : g->m, blocks = block > 0 ? ceil_div(g->m, block) : 0;
    int64_t rows = by_rows ? rows_of_part(k, rows_of_call(block)) : block;
    gemm_exec *x = arena_new(b->keep, gemm_exec, 1);
    *x = (gemm_exec){ .kernel = k, .rows = rows, .blocks = blocks, .failed = &b->gemms->failed };
    for (int i = 0; i < k->n_operands; i++)
        x->at[i] = cpu_place_of(b, k, &k->operands[i]), x->size[i] = (int64_t)tide_dtype_size(k->operands[i].type);
    x->a_row = k->operands[0].stride[g->batch_ndim] * x->size[0];
    x->c_row = k->operands[2].stride[g->batch_ndim] * x->size[2];
    if (gemm_ends(k)) x->end = gemm_end_new(b, k);
    static void (*const runs[])(const void *, int64_t, int, char *) = {
        [FLAT_SPLIT_ROWS] = run_rows, [FLAT_SPLIT_BATCH] = run_batch, [FLAT_SPLIT_EACH] = run_each,
        [FLAT_SPLIT_COLS] = run_cols,
    };
    *out = (cpu_kernel){ .run = runs[g->split], .exec = x };
    if (rows == 0 || g->n == 0 || g->batches == 0) {
        out->run = run_nothing;
        return TIDE_OK;
    }
    bool    by_cols = g->split == FLAT_SPLIT_COLS;
    int64_t entries = g->split == FLAT_SPLIT_BATCH ? g->rows_per_task : g->batches,
            cols = by_cols ? MIN2(g->rows_per_task, g->n) : g->n;
    if (g->split == FLAT_SPLIT_ROWS) entries = 1;
    out->seconds = 2e-11 * (double)(block * cols * g->k * entries) + 100e-9 * (double)entries;
    tide_status status = find_call(b, k, rows, cols, &x->whole, out);
    if (by_cols) return status == TIDE_OK ? find_call(b, k, rows, g->n % cols, &x->tail, out) : status;
    if (status == TIDE_OK) status = find_call(b, k, block % rows, cols, &x->rest, out);
    return status == TIDE_OK ? find_call(b, k, (g->m - (blocks - 1) * block) % rows, cols, &x->tail, out) : status;
}
