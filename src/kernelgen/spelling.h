/* How a language writes the operations of a map kernel. */
#ifndef TIDE_SPELLING_H
#define TIDE_SPELLING_H

#include "kernelgen.h"

/* $0 $1 $2 stand for the operands; NULL: the language has no words for it. The type is that of the operands. */
typedef struct spelling {
    const char *type[TIDE_DTYPES];    /* of a register */
    const char *memory[TIDE_DTYPES];  /* of an element in memory */
    const char *tag[TIDE_DTYPES];     /* in the names of loads and stores */
    const char *set[TIDE_DTYPES];     /* a register whose lanes all are $0 */
    const char *zero[TIDE_DTYPES];
    const char *op[SCALAR_COUNT][TIDE_DTYPES];
    const char *cast[TIDE_DTYPES][TIDE_DTYPES];  /* [from][to] */
    /* [op - FLAT_ROW_SUM], the sum also for sinks */
    struct { const char *start, *combine, *finish; } reduce[3][TIDE_DTYPES];
} spelling;

extern const spelling spelling_c, spelling_gpu;  /* of GPUs: op, cast and reduce alone */

/* The words for an instruction other than loads, stores, sinks and what makes numbers; NULL: none. */
const char *spelling_of(const spelling *s, const flat_instr *in);
/* Adds `words` with the operands put in. */
void spell(text *out, const char *words, const char *const operand[3]);

#endif
