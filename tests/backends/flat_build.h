/* Building flat programs by hand. */
#ifndef TEST_FLAT_BUILD_H
#define TEST_FLAT_BUILD_H

#include "backends/backend.h"

enum { MAX_BUFFERS = 24, MAX_KERNELS = 8, MAX_INSTRS = 64, MAX_OPERANDS = 24 };

/* Each kernel is a chain and a phase of its own; all buffers lie apart in the arena and live throughout. */
typedef struct builder {
    flat_program p;
    flat_buffer  buffers[MAX_BUFFERS];
    tide_dtype   types[MAX_BUFFERS];
    bool         is_output[MAX_BUFFERS], is_scratch[MAX_BUFFERS];  /* an output that nobody looks at */
    flat_kernel  kernels[MAX_KERNELS];
    flat_operand operands[MAX_KERNELS][MAX_OPERANDS];
    flat_instr   instrs[MAX_KERNELS][MAX_INSTRS];
    flat_chain   chains[MAX_KERNELS];
    flat_phase   phases[MAX_KERNELS];
    void        *initial;  /* the arena before a run */
} builder;

void build_begin(builder *b);
void build_free(builder *b);
int  add_buffer(builder *b, tide_dtype type, int64_t count, bool output);
flat_kernel *add_kernel(builder *b, flat_kernel_kind kind, const char *name, int64_t tasks);
int  add_operand(builder *b, flat_kernel *k, int buffer, const int64_t *strides);  /* strides may be NULL: none */
void finish(builder *b);  /* makes `initial`: inputs filled at random, with special numbers; outputs with 0x5A */
void *initial_of(const builder *b, int buffer);

/* Map kernels. Registers are returned as instruction destinations. */
flat_kernel *add_map(builder *b, int32_t ndim, int32_t row_ndim, const int64_t *dim, int64_t rows_per_task,
                     bool row_wise);
int  map_load(builder *b, flat_kernel *k, int buffer, int kind, const int64_t *strides);
int  map_op(builder *b, flat_kernel *k, int op, int type, int kind, int a, int c, int d);
flat_instr *map_instr(flat_kernel *k, int op, int type, int kind, int src);  /* new, for what map_op does not set */
void map_store(builder *b, flat_kernel *k, int reg, int buffer, const int64_t *strides);
void map_sink(builder *b, flat_kernel *k, int op, int reg, int buffer);
/* Row-major strides of `dim`, those of dimensions outside [first, end) zero. */
void dense(int64_t *strides, int32_t ndim, const int64_t *dim, int32_t first, int32_t end);

double   random_unit(void);
uint64_t random_bits(void);

#endif
