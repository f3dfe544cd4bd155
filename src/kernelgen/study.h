/* What an emitter has to know of a map kernel before it prints it: which dimensions its inner loop runs over, in which
 * loop over a row each instruction stands, what must be kept from one loop to the next. */
#ifndef TIDE_KERNELGEN_STUDY_H
#define TIDE_KERNELGEN_STUDY_H

#include "kernelgen.h"

enum { MOST_INSTRS = 192, CHUNK = 1024 /* elements: the blocks of the cpu backend's strips */ };

/* A register. A value of one kind FULL lives in one loop; where a later loop needs it too it is loaded again or
 * kept. */
typedef struct study_value {
    int32_t def;         /* the instruction that defines it */
    int32_t stage;       /* the loop in which it is computed; of a reduction's result: the first that may read it */
    int32_t last_stage;  /* that reads it */
    bool    again;       /* a load that may be repeated */
    bool    kept;        /* from its loop to later ones */
    int64_t at;          /* kept: bytes from the start of scratch, -1: in a local array */
} study_value;

/* A strided operand over the rows and along the inner loop. */
typedef struct study_operand {
    int64_t inner_stride;           /* elements; 0: one a row */
    int32_t ndim;                   /* of its rows, neighbours merged */
    int64_t dim[TIDE_MAX_DIMS], stride[TIDE_MAX_DIMS];
} study_operand;

/* The kernel is run as `rows` rows of `inner` elements, `per_task` of them a task. Linear: all operands are contiguous,
 * rows are of one element, and the loop is over all elements of a task, a CHUNK at a time. */
typedef struct study {
    const flat_program *program;
    const flat_kernel  *kernel;
    const flat_map     *map;
    int     lanes;
    bool    linear;
    int64_t rows, inner, per_task;
    int32_t stages;
    int32_t stage[MOST_INSTRS];       /* of each instruction but those of kind ONE */
    study_value   values[MOST_INSTRS];
    study_operand operands[KERNELGEN_OPERANDS];
    bool    draws_inline;             /* random numbers are drawn in the loop, else a block of rows ahead */
    int64_t block_rows;               /* rows that numbers are drawn ahead for; 0: none are */
    int64_t drawn_at[MOST_INSTRS];    /* scratch of numbers drawn ahead */
    int64_t scratch;
} study;

/* The operand's dimensions [first, end) with neighbours merged, outermost first; how many are left. */
int32_t study_merge(const flat_map *m, const flat_operand *o, int32_t first, int32_t end, int64_t *dim,
                    int64_t *stride);
/* False: something that a vector emitter does not do. */
bool study_map(study *s, const flat_program *p, const flat_kernel *k, int lanes);

static inline bool is_draw(const flat_instr *in) { return in->op == FLAT_RANDOM || in->op == FLAT_DROPMASK; }
static inline bool is_row_reduction(const flat_instr *in) {
    return in->op >= FLAT_ROW_SUM && in->op <= FLAT_ROW_ARGMIN;
}
static inline bool is_sink(const flat_instr *in) { return in->op == FLAT_COL_SUM || in->op == FLAT_ALL_SUM; }
static inline bool per_lane(int kind) { return kind == FLAT_FULL || kind == FLAT_COL; }
/* A store of one number, after all rows. */
static inline bool stored_once(const study *s, const flat_instr *in) {
    const study_operand *o = &s->operands[in->operand];
    if (in->op != FLAT_STORE || in->kind != FLAT_ONE || o->inner_stride != 0) return false;
    for (int32_t d = 0; d < o->ndim; d++)
        if (o->stride[d] != 0) return false;
    return true;
}
/* Whether the instruction stands in a loop along a row. */
static inline bool in_loop(const study *s, const flat_instr *in) {
    if (is_row_reduction(in) || is_sink(in)) return true;
    return per_lane(in->kind) || (in->op == FLAT_STORE && s->operands[in->operand].inner_stride != 0);
}

#endif
