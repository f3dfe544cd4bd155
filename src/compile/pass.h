/* What the passes share. A pass graph is a copy of the part of the graph that a program needs, in topological order,
 * which passes rewrite; everything lives in one arena that jumps to the compiler's exit when memory runs out. */
#ifndef TIDE_PASS_H
#define TIDE_PASS_H

#include "../backends/backend.h"
#include "../ops/table.h"

typedef struct pass_assign { int32_t slot, value; } pass_assign;  /* variable slot = node */

typedef struct pass_graph {
    arena        *memory;
    tide_graph   *source;
    ir_node     **nodes;  /* nodes[0] is unused */
    int32_t       count, capacity;
    int32_t      *wanted;  /* nodes whose values are asked for */
    int32_t       n_wanted;
    int32_t       n_inputs;  /* the source's, or the request's leaves */
    pass_assign  *assigns;
    int32_t       n_assigns;
    const backend_cut *numbers;
    work_cut      cut;
    int32_t       newest;  /* of the source's nodes whose memory or id the program keeps */
} pass_graph;

int32_t pass_add(pass_graph *g, const ir_node *node);  /* copies the node; its inputs array is kept */
/* Copies of the inputs array, too: a node of this, and one like n of other inputs. */
int32_t pass_make(pass_graph *g, ir_op op, int type, tide_shape shape, const int32_t *in, int32_t n_in, ir_attr attr);
int32_t pass_remake(pass_graph *g, const ir_node *n, const int32_t *in);
/* A view of `of`: of its type; and it in another shape, if that is another. */
int32_t pass_view(pass_graph *g, ir_op op, tide_shape shape, int32_t of, ir_attr attr);
int32_t pass_reshaped(pass_graph *g, int32_t of, tide_shape shape);
/* The node `id` of another graph, if the map does not have it yet, by what the map has its inputs. */
int32_t pass_copy(pass_graph *g, const pass_graph *from, int32_t *map, int32_t id);
/* g has the nodes of `by` from here on; map: what has become of each of its own. */
void    pass_replace(pass_graph *g, const pass_graph *by, const int32_t *map);

/* import.c: what the request wants. initial: random numbers take step 0 and no counter advances (a variable's first
 * value). */
struct compile_request;  /* compile.h */
bool pass_import(pass_graph *g, const struct compile_request *r, int32_t *wanted_node, tide_failure *why);
/* simplify.c. Legalise: what every backend needs (reduced axes last, nothing without elements). Simplify: common
 * subexpressions, constants, views of views, dead nodes. */
void pass_legalise(pass_graph *g);
void pass_simplify(pass_graph *g);

/* precision.c: large products get operands of the 16-bit type `half`. Leaves what nothing uses any more: legalise after
 * it. */
void pass_precision(pass_graph *g, tide_dtype half);

/* ---- attention.c: what is kept of it ---- */

bool node_is_product(const ir_node *n);         /* also the results of attention */
bool node_is_further_result(const ir_node *n);  /* of attention or its derivative */
bool reads_any_order(const ir_node *n, int32_t input);  /* the input's memory may have any order of its axes */
/* Of OP_ATTENTION or OP_ATTENTION_GRAD. */
flat_attention attention_of(ir_node *const *nodes, const ir_node *n);
/* By 16-bit operands. */
bool attention_gains(const backend_cut *least, const flat_attention *a);

/* ---- fuse.c: which nodes share a kernel ---- */

typedef enum member_kind { MEMBER_NONE, MEMBER_FULL, MEMBER_ROW, MEMBER_COL_SUM, MEMBER_ALL_SUM } member_kind;

typedef struct fusion {
    int32_t *group;     /* of each node; 0: in none (its own kernel, a view, a leaf, or made anew inside each user) */
    uint8_t *kind;      /* member_kind of each node */
    int32_t  groups;    /* ids 1 .. groups-1; a group may be empty */
    int64_t *elements;  /* of a FULL member */
    int64_t *cols;      /* columns of the domain; 0: free */
} fusion;

struct apart_notes;  /* compile.h */
/* notes (may be NULL) and their texts go to note_memory. */
void pass_fuse(const pass_graph *g, bool merge, fusion *out, arena *note_memory, struct apart_notes *notes);
/* Cheap leaves that every user makes for itself: fill, arange, random, dropmask. */
bool node_inlined(const ir_node *n);
/* Shows another node's elements: no kernel computes it. */
bool node_is_view(const ir_node *n);
/* x seen through reshapes. */
int32_t through_reshapes(const pass_graph *g, int32_t node);
/* A cast to 16 bits: rounds where it is stored. */
bool node_rounds(const ir_node *n);
/* node is a variable, or several put together, seen through views and casts: the same for all samples. */
bool node_of_variable(const pass_graph *g, int32_t node);
/* The member of `group` that input `in` of another member reads in place, as FULL or as ROW spread over columns; 0:
 * none. */
int32_t fused_input(const pass_graph *g, const fusion *f, int32_t in, int32_t group);
/* Trailing or leading run of reduced axes: product of the trailing (leading) axes in `axes` if they are exactly a
 * suffix (prefix) of the shape, sizes of 1 aside; else 0. */
int64_t reduced_suffix(tide_shape s, uint32_t axes);
bool    reduced_prefix(tide_shape s, uint32_t axes, int64_t *kept);

/* join.c: products of one left operand by weights that are neighbours in storage become one, by a CONCAT of them of
 * flag 1: it is a view. Where backend_cut.product_joins. False: there are none. Leaves what nothing uses any more:
 * legalise after it. */
bool pass_join(pass_graph *g);
/* join_grads.c: after it, the same for what comes back through them. Parts of its CONCATs of flag 2 lie side by side,
 * where attention's derivative can write them so. */
bool pass_join_grads(pass_graph *g);
/* masks.c: a choice and a mask of dropout as one choice. Where backend_cut.joins_masks. False: there are none. Leaves
 * what nothing uses any more: legalise after it. */
bool pass_masks(pass_graph *g);
/* products.c: what products write in place of another kernel, a bias added to each row (a MATMUL's third input, F32 of
 * as many numbers as it has columns), or the 16-bit type of the operands. Where backend_cut.product_ends. */
void pass_products(pass_graph *g, fusion *f);

/* ---- lower.c: kernels and buffers ---- */

typedef struct lowered {
    flat_program flat;
    int32_t  kernel_capacity, buffer_capacity;
    int32_t *output_buffer;   /* buffer of each wanted value, contiguous from offset 0 */
    int32_t *input_buffer;    /* of each input of the graph; -1: not used here */
    double   flops;
    int64_t  tasks;           /* of the kernels that run along the samples; 0: no common cut */
} lowered;

/* merge: kernels along the samples are cut alike, for chains. */
void pass_lower(const pass_graph *g, const fusion *f, bool merge, lowered *out);
/* last_sums.c: maps of one number take partial sums in place of what folds of them would make, and those go. Where
 * backend_cut.sums_apart. */
void pass_last_sums(arena *memory, const lowered *l, int32_t n_outputs, flat_program *p);
/* parts.c: task t of a kernel's chain touches the operand's buffer within bytes [base + t step, base + (t + 1) step),
 * if known. */
typedef struct part { bool known; int64_t base, step; } part;
part part_of(const flat_kernel *k, int32_t operand);
/* All that a kernel touches of the operand's buffer lies within bytes [from, to); false: not known. */
bool operand_range(const flat_kernel *k, int32_t operand, int64_t *from, int64_t *to);
/* schedule.c: phases and chains from the kernels' reads and writes. tasks: as lowered. */
void pass_schedule(arena *memory, flat_program *p, int64_t tasks);
/* task_memory.c: buffers of one chain alone go to the running thread's own memory. */
void pass_task_memory(arena *memory, const lowered *l, int32_t n_inputs, int32_t n_outputs, flat_program *p);
/* place_memory.c: lifetimes and arena offsets. Inputs live from before the program, outputs to its end. */
void pass_place(arena *memory, const lowered *l, int32_t n_inputs, int32_t n_outputs, flat_program *p, int64_t guard,
                bool apart);

#endif
