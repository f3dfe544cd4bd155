/* Small and oddly strided matrix products, for one instruction set. */
#include "isa.h"
#include LANES_HEADER

enum { ROWS = 12 };

#define T float
#define V vf
#define VF(x) vf_##x
#define LANES VF_LANES
#define NAME(x) x##_f32
#include "gemm_small.h"
#undef T
#undef V
#undef VF
#undef LANES
#undef NAME
#define T double
#define V vd
#define VF(x) vd_##x
#define LANES VD_LANES
#define NAME(x) x##_f64
#include "gemm_small.h"

const gemm_ops ISA(gemm) = { gemm_f32, gemm_f64, VF_LANES, VD_LANES };
