/* One instruction set's tables under one name. */
#include "isa.h"

#define TEXT_OF(x) #x
#define TEXT(x) TEXT_OF(x)

extern const strip_ops  ISA(strips);
extern const row_ops    ISA(rows);
extern const random_ops ISA(random);
extern const gemm_ops   ISA(gemm);
void ISA(gemm_dot)(const gemm_shape *s, const void *a, const void *b, void *c);
extern const isa_table  ISA(isa);

const isa_table ISA(isa) = { TEXT(TIDE_ISA), &ISA(strips), &ISA(rows), &ISA(random), &ISA(gemm), ISA(gemm_dot) };
