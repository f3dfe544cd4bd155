/* The plain kernels: one task of one kernel, serial, element by element. `ref` and `check` share them. */
#ifndef TIDE_REF_H
#define TIDE_REF_H

#include "../backend.h"

/* One number on its way through a kernel: `f` for F32 and F64, `i` for the rest. F32 arithmetic is done in double
 * and rounded to float. */
typedef union ref_value {
    double  f;
    int64_t i;
} ref_value;

static inline bool ref_is_float(int type) { return type == TIDE_F32 || type == TIDE_F64; }

ref_value ref_load(int type, const void *base, int64_t element);              /* 16-bit floats come as F32 */
void      ref_store(int type, void *base, int64_t element, ref_value value);  /* `value` has the type ref_load gives */
ref_value ref_cast(int to, int from, ref_value value);
ref_value ref_scalar(scalar_op op, int type, int src_type, const ref_value *src);  /* src_type: of the last operand */

/* What one kernel needs to run: where each buffer lies, and scratch of ref_scratch_bytes(program). */
typedef struct ref_run {
    const flat_program *program;
    void *const *data;
    void *scratch;
} ref_run;

int64_t ref_scratch_bytes(const flat_program *p);
void    ref_kernel(const ref_run *r, const flat_kernel *k, int64_t task);

static inline void *ref_data(const ref_run *r, const flat_operand *o) {
    return (char *)r->data[o->buffer] + o->offset * (int64_t)tide_dtype_size(o->type);
}

int64_t ref_map_scratch(const flat_map *m);
void    ref_map(const ref_run *r, const flat_kernel *k, int64_t task);
void    ref_gemm(const ref_run *r, const flat_kernel *k, int64_t task);
void    ref_index(const ref_run *r, const flat_kernel *k, int64_t task);  /* FOLD, GATHER ... CUMSUM */
void    ref_sort(const ref_run *r, const flat_kernel *k, int64_t task);
int64_t ref_attention_scratch(const flat_attention *a);
void    ref_attention(const ref_run *r, const flat_kernel *k);  /* and its derivative */

const char *ref_lacks_products(tide_dtype half);

/* Fills data[0..n_buffers). */
void ref_locate(const flat_program *p, void *arena, void **data);

#endif
