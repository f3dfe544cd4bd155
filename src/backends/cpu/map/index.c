/* The kernels that are neither maps nor products. Sums and moves of whole rows are done here; the rest is left to the
 * reference. */
#include <math.h>

#include "backends/ref/ref.h"
#include "backends/cpu/cpu.h"

typedef struct index_exec {
    ref_run run;
    const flat_kernel *kernel;
    char   *at[4];
    int64_t size;      /* bytes of an element */
    strip_fn add;
    const void **arguments;  /* of a custom kernel */
} index_exec;

/* These kernels have no operands in task memory. */
static char *address(const cpu_build *b, const flat_operand *o) {
    return (char *)b->data[o->buffer] + o->offset * (int64_t)tide_dtype_size(o->type);
}

static int64_t task_end(const flat_index *ix, int64_t size, int64_t task) {
    return MIN2(size, (task + 1) * ix->per_task);
}

static void fold(const void *exec, int64_t task, int thread, char *scratch) {
    const index_exec *x = exec;
    const flat_index *ix = &x->kernel->index;
    int64_t first = task * ix->per_task, width = task_end(ix, ix->inner, task) - first;
    char   *out = x->at[1] + first * x->size;
    const char *from = x->at[0] + first * x->size;
    (void)thread, (void)scratch;
    memset(out, 0, (size_t)(width * x->size));
    for (int64_t j = 0; j < ix->n && width > 0; j++) x->add(out, out, from + j * ix->inner * x->size, out, width);
}

/* NaN, or 0 for integers. */
static void blank(char *to, tide_dtype type, int64_t n) {
    bool real = type == TIDE_F32 || type == TIDE_F64 || type == TIDE_F16 || type == TIDE_BF16;
    for (int64_t i = 0; i < n; i++) ref_store(type, to, i, real ? (ref_value){ .f = NAN } : (ref_value){ .i = 0 });
}

static void gather(const void *exec, int64_t task, int thread, char *scratch) {
    const index_exec *x = exec;
    const flat_index *ix = &x->kernel->index;
    const int32_t *index = (const int32_t *)x->at[1];
    int64_t bytes = ix->inner * x->size;
    (void)thread, (void)scratch;
    for (int64_t o = task * ix->per_task; o < task_end(ix, ix->outer, task); o++)
        for (int64_t j = 0; j < ix->count; j++) {
            char *to = x->at[2] + (o * ix->count + j) * bytes;
            if (index[j] < 0 || index[j] >= ix->n) blank(to, x->kernel->operands[0].type, ix->inner);
            else memcpy(to, x->at[0] + (o * ix->n + index[j]) * bytes, (size_t)bytes);
        }
}

static void scatter_add(const void *exec, int64_t task, int thread, char *scratch) {
    const index_exec *x = exec;
    const flat_index *ix = &x->kernel->index;
    const int32_t *index = (const int32_t *)x->at[1];
    int64_t bytes = ix->inner * x->size, first = task * ix->per_task, last = task_end(ix, ix->outer, task);
    (void)thread, (void)scratch;
    if (x->at[3] != x->at[0])
        memcpy(x->at[3] + first * ix->n * bytes, x->at[0] + first * ix->n * bytes,
               (size_t)((last - first) * ix->n * bytes));
    for (int64_t o = first; o < last; o++)
        for (int64_t j = 0; j < ix->count && ix->inner > 0; j++) {
            if (index[j] < 0 || index[j] >= ix->n) continue;
            char *to = x->at[3] + (o * ix->n + index[j]) * bytes;
            x->add(to, to, x->at[2] + (o * ix->count + j) * bytes, to, ix->inner);
        }
}

static void by_reference(const void *exec, int64_t task, int thread, char *scratch) {
    const index_exec *x = exec;
    (void)thread, (void)scratch;
    ref_kernel(&x->run, x->kernel, task);
}

static void custom(const void *exec, int64_t task, int thread, char *scratch) {
    const index_exec *x = exec;
    const flat_kernel *k = x->kernel;
    (void)task, (void)thread, (void)scratch;
    k->custom.run(k->custom.user, x->arguments, (void *)x->arguments[k->n_operands - 1]);
}

static strip_fn adder(const cpu_build *b, tide_dtype type) {
    static const int8_t types[TIDE_DTYPES] = { [TIDE_F32] = T_F32, [TIDE_F64] = T_F64, [TIDE_F16] = -1,
                                               [TIDE_BF16] = -1,
                                               [TIDE_I32] = T_I32, [TIDE_I64] = T_I64, [TIDE_U8] = T_U8,
                                               [TIDE_BOOL] = -1 };
    return types[type] < 0 ? NULL : b->isa->strips->op[S_ADD][types[type]][FORM_VECTORS];
}

tide_status index_prepare(const cpu_build *b, const flat_kernel *k, cpu_kernel *out) {
    index_exec *x = arena_new(b->keep, index_exec, 1);
    *x = (index_exec){ .run = { b->program, b->data, NULL }, .kernel = k };
    tide_dtype type = k->operands[0].type;
    x->size = (int64_t)tide_dtype_size(type);
    x->add = adder(b, type);
    for (int i = 0; i < k->n_operands && i < 4; i++) x->at[i] = address(b, &k->operands[i]);
    *out = (cpu_kernel){ .run = by_reference, .exec = x, .seconds = 1e-6 };
    if (k->kind == FLAT_FOLD && x->add && k->operands[1].type == type) out->run = fold;
    if (k->kind == FLAT_GATHER) out->run = gather;
    if (k->kind == FLAT_SCATTER_ADD && x->add) out->run = scatter_add;
    if (k->kind == FLAT_CUSTOM) {
        x->arguments = arena_new(b->keep, const void *, k->n_operands);
        for (int32_t i = 0; i < k->n_operands; i++) x->arguments[i] = address(b, &k->operands[i]);
        out->run = custom;
    }
    return TIDE_OK;
}
