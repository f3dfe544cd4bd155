/* oneDNN, versions 2 and 3, as far as it is called. Its headers are not needed to build, and the library is looked for
 * when the first product asks. The two versions share names, but not every type; tests/backends/test_onednn.c compares
 * all that is said here with the library's own header. */
#ifndef TIDE_ONEDNN_H
#define TIDE_ONEDNN_H

#include <stddef.h>
#include <stdint.h>

#include "base/base.h"

/* Handles have the library's own tags. */
typedef struct dnnl_engine         *onednn_engine;
typedef struct dnnl_stream         *onednn_stream;
typedef struct dnnl_memory         *onednn_memory;
typedef struct dnnl_primitive      *onednn_primitive;
typedef struct dnnl_primitive_desc *onednn_primitive_desc;
typedef struct dnnl_primitive_attr *onednn_attr;
typedef struct dnnl_post_ops       *onednn_post_ops;

typedef const struct dnnl_primitive      *onednn_primitive_in;
typedef const struct dnnl_primitive_desc *onednn_primitive_desc_in;
typedef const struct dnnl_primitive_attr *onednn_attr_in;
typedef const struct dnnl_post_ops       *onednn_post_ops_in;

/* Of version 3 a handle, of version 2 the address of an onednn2_layout. */
typedef struct dnnl_memory_desc       *onednn3_layout;
typedef const struct dnnl_memory_desc *onednn_layout_in;
typedef struct onednn2_layout { _Alignas(8) char opaque[696]; } onednn2_layout;
typedef struct onednn2_matmul { _Alignas(8) char opaque[2800]; } onednn2_matmul;

typedef int64_t onednn_dims[12];
typedef struct onednn_arg { int arg; onednn_memory memory; } onednn_arg;
typedef struct onednn_version {
    int major, minor, patch;
    const char *hash;
    unsigned cpu_runtime, gpu_runtime;
} onednn_version;

/* Its enumerations are unsigned here. */
enum {
    ONEDNN_SUCCESS = 0, ONEDNN_OUT_OF_MEMORY = 1, ONEDNN_CPU = 1, ONEDNN_UNDEF = 0, ONEDNN_BF16 = 2, ONEDNN_F32 = 3,
    ONEDNN_IN_ORDER = 1, ONEDNN_SCRATCHPAD_USER = 1, ONEDNN_QUERY_SCRATCHPAD = 136, ONEDNN2_LINEAR = 0x7f,
    ONEDNN3_LINEAR = 0x26, ONEDNN_ISA_AVX512 = 0x27, ONEDNN_ISA_AVX512_BF16 = 0xe7, ONEDNN_RUNTIME_SYCL = 512,
    ONEDNN_ARG_SRC = 1, ONEDNN_ARG_DST = 17, ONEDNN_ARG_WEIGHTS = 33, ONEDNN_ARG_SCRATCHPAD = 80
};

/* F(what it returns, its name without dnnl_, what it takes) */
#define ONEDNN_BOTH(F)                                                                                                 \
    F(const onednn_version *, version, (void))                                                                         \
    F(unsigned, get_effective_cpu_isa, (void))                                                                         \
    F(unsigned, engine_create, (onednn_engine *, unsigned kind, size_t index))                                         \
    F(unsigned, engine_destroy, (onednn_engine))                                                                       \
    F(unsigned, stream_create, (onednn_stream *, onednn_engine, unsigned flags))                                       \
    F(unsigned, stream_destroy, (onednn_stream))                                                                       \
    F(unsigned, memory_create, (onednn_memory *, onednn_layout_in, onednn_engine, void *data))                         \
    F(unsigned, memory_destroy, (onednn_memory))                                                                       \
    F(unsigned, memory_set_data_handle, (onednn_memory, void *data))                                                   \
    F(size_t, memory_desc_get_size, (onednn_layout_in))                                                                \
    F(unsigned, primitive_attr_create, (onednn_attr *))                                                                \
    F(unsigned, primitive_attr_destroy, (onednn_attr))                                                                 \
    F(unsigned, primitive_attr_set_scratchpad_mode, (onednn_attr, unsigned mode))                                      \
    F(unsigned, primitive_attr_set_post_ops, (onednn_attr, onednn_post_ops_in))                                        \
    F(unsigned, post_ops_create, (onednn_post_ops *))                                                                  \
    F(unsigned, post_ops_destroy, (onednn_post_ops))                                                                   \
    F(onednn_layout_in, primitive_desc_query_md, (onednn_primitive_desc_in, unsigned what, int index))                 \
    F(unsigned, primitive_desc_destroy, (onednn_primitive_desc))                                                       \
    F(unsigned, primitive_create, (onednn_primitive *, onednn_primitive_desc_in))                                      \
    F(unsigned, primitive_execute, (onednn_primitive_in, onednn_stream, int count, const onednn_arg *))                \
    F(unsigned, primitive_destroy, (onednn_primitive))
#define ONEDNN_2(F)                                                                                                    \
    F(unsigned, memory_desc_init_by_strides,                                                                           \
      (onednn2_layout *, int ndims, const onednn_dims, unsigned type, const onednn_dims strides))                      \
    F(unsigned, post_ops_append_eltwise, (onednn_post_ops, float scale, unsigned what, float alpha, float beta))       \
    F(unsigned, post_ops_append_sum, (onednn_post_ops, float scale))                                                   \
    F(unsigned, matmul_desc_init, (onednn2_matmul *, const onednn2_layout *a, const onednn2_layout *b,                 \
                                   const onednn2_layout *bias, const onednn2_layout *c))                               \
    F(unsigned, primitive_desc_create,                                                                                 \
      (onednn_primitive_desc *, const void *matmul, onednn_attr_in, onednn_engine, onednn_primitive_desc_in hint))
#define ONEDNN_3(F)                                                                                                    \
    F(unsigned, memory_desc_create_with_strides,                                                                       \
      (onednn3_layout *, int ndims, const onednn_dims, unsigned type, const onednn_dims strides))                      \
    F(unsigned, memory_desc_destroy, (onednn3_layout))                                                                 \
    F(unsigned, post_ops_append_eltwise, (onednn_post_ops, unsigned what, float alpha, float beta))                    \
    F(unsigned, post_ops_append_sum, (onednn_post_ops, float scale, int32_t zero, unsigned type))                      \
    F(unsigned, matmul_primitive_desc_create,                                                                          \
      (onednn_primitive_desc *, onednn_engine, onednn_layout_in a, onednn_layout_in b, onednn_layout_in bias,          \
       onednn_layout_in c, onednn_attr_in))

#define ONEDNN_MEMBER(returns, name, takes) returns (*name) takes;
typedef struct onednn {
    ONEDNN_BOTH(ONEDNN_MEMBER)
    struct { ONEDNN_2(ONEDNN_MEMBER) } v2;  /* NULL in version 3 */
    struct { ONEDNN_3(ONEDNN_MEMBER) } v3;  /* NULL in version 2 */
    int  major;
    char number[32], path[512];
} onednn;

/* The library, loaded by the first who asks and kept as long as the process lives: TIDEMILL_ONEDNN names it ("none":
 * none), else it has one of its usual names. NULL: there is none. Any thread may ask. */
const onednn *onednn_here(void);
/* Why there is none, as the end of a sentence; NULL: there is one. was_named (may be NULL): by TIDEMILL_ONEDNN. */
const char *onednn_missing(bool *was_named);

#endif
