/* The lowering's own state, shared by its files. */
#ifndef TIDE_LOWER_H
#define TIDE_LOWER_H

#include "readers.h"
#include "view.h"

/* One cut for all kernels that run along the samples, so that one task can carry its samples through many of them
 * (schedule.c). */
typedef struct common_cut {
    int64_t tasks;    /* 0: none, each kernel as it likes */
    int64_t usual;    /* tasks where nothing else is asked for */
    int64_t grains;   /* the finest cut, a multiple of both: sums over rows have so many partials */
    int64_t rows;     /* of the largest product: a multiple of them is taken for something along the samples */
    int64_t samples;  /* a task has whole samples, of so many in all; 0: only rows are known */
    int64_t elements; /* of the largest product: a task of a map may have as many */
} common_cut;

typedef struct lowering {
    const pass_graph *g;
    const fusion *f;
    lowered   *out;
    arena     *memory;
    common_cut cut;          /* of whatever runs along the samples */
    view      *loc;          /* of each node, once it has one */
    bool      *needed;       /* of each node: somebody outside its group wants it in memory */
    bool      *read;         /* of each node: needed by more than an assignment */
    int16_t   *reg;          /* scratch of lower_map.c: register + 1 of each node */
    int32_t   *only_permute; /* of each node: the permutation that is its only use; 0 */
    int32_t   *beside;       /* of each derivative of attention: the CONCAT that has it, permuted, as a part; 0 */
    int32_t   *second;       /* of a sort: the buffer of its indices; of attention: of L */
    int32_t   *third;        /* of attention: the buffer of what it leaves its derivative; -1: it leaves nothing */
    int32_t   *assigned_to;  /* of each node: slot + 1 of the variable that its group writes it to directly; 0 */
    readers    readers;
    int32_t   *variable_buffer;  /* of each slot; -1: none yet */
    int64_t   *variable_at;      /* of each slot: bytes into that buffer, which neighbours share where they are one
                                    matrix (pass_join) */
    struct map_scratch *scratch[8];  /* of lower_map.c */
    int32_t    depth;
    int32_t   *group_first, *group_next;  /* members of a group in order */
} lowering;

view    lower_new(lowering *l, tide_dtype type, tide_shape shape);  /* a contiguous arena buffer */
flat_kernel *lower_kernel(lowering *l, flat_kernel_kind kind, int32_t n_operands, const char *name);
flat_operand lower_operand(const view *v);       /* strides of the view's own dimensions */
view    lower_variable(lowering *l, int32_t slot, tide_dtype type, tide_shape shape);

/* Where a node's value is, as a view of the node's shape; copies are made where a view is not enough. */
const view *lower_view(lowering *l, int32_t node);
/* The same, contiguous. */
const view *lower_contiguous(lowering *l, int32_t node);
void lower_copy(lowering *l, const view *from, const view *to);  /* same shape */
void lower_fill(lowering *l, const view *to, double value);

/* lower_map.c: the map kernel of a group, or of one inlined leaf as if it were a group. */
void lower_group(lowering *l, int32_t group);
void lower_leaf(lowering *l, int32_t node);

/* lower_ops.c: one kernel for each of the other ops. */
void lower_op(lowering *l, int32_t node);
/* Where a product goes: a buffer in the order in which the product is read. */
view lower_product(lowering *l, int32_t node);

/* lower_parts.c: the section of a concatenation that alone reads the node's value, in the node's shape; false: there is
 * none, or strides cannot say it. */
bool lower_part(lowering *l, int32_t node, view *out);
view lower_section(const view *whole, int axis, int64_t start, int64_t size);
void lower_concat(lowering *l, int32_t node);

/* lower_attention.c: kernels of several results. */
void lower_attention(lowering *l, int32_t node);
void lower_attention_log(lowering *l, int32_t node);
void lower_attention_grad(lowering *l, int32_t node);

#endif
