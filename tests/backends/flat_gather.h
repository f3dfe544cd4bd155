/* Cases put together to one program, for devices whose compiler takes a while. */
#ifndef TEST_FLAT_GATHER_H
#define TEST_FLAT_GATHER_H

#include "flat_check.h"

typedef struct flat_case {
    builder b;
    double  rtol, atol;
    char    what[128];
    int64_t at;  /* where its arena is in the whole's */
} flat_case;

/* A copy, with the content of its arena; free it. */
flat_case *case_keep(const builder *b, double rtol, double atol, const char *what);
void       case_free(flat_case *c);

/* All kernels in order, each a phase, the arenas one after the other. Kernels have the names of their cases. */
typedef struct flat_whole { flat_program p; flat_operand *operands; void *initial; } flat_whole;
flat_whole whole_of(flat_case *const *cases, int n_cases);
void       whole_free(flat_whole *w);

#endif
