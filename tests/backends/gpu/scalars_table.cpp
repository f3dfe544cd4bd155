/* The text for CUDA (with TEXT_CUDA) or Metal, compiled for the processor. */
#include "scalars_table.h"

#ifdef TEXT_CUDA
#define GPU_F64
#include "shim/cuda_shim.h"

#include "../../../src/kernelgen/gpu/cuda.txt"
#define LANGUAGE "cuda"
#define TABLE cuda_scalars
#else
#include "../../../src/kernelgen/gpu/metal.txt"
#define LANGUAGE "metal"
#define TABLE metal_scalars
#endif
#include "../../../src/kernelgen/gpu/scalars.txt"

static float inf_f() { return INF_F; }
static float nan_f() { return NAN_F; }

static float two_sum(const float *x, int n) {
    float hi = 0, lo = 0;
    for (int i = 0; i < n; i++) TWO_SUM(hi, lo, x[i]);
    return TWO_VALUE(hi, lo);
}

static float two_sum_halves(const float *x, int n) {
    float hi = 0, lo = 0, second_hi = 0, second_lo = 0;
    for (int i = 0; i < n / 2; i++) TWO_SUM(hi, lo, x[i]);
    for (int i = n / 2; i < n; i++) TWO_SUM(second_hi, second_lo, x[i]);
    TWO_SUM_JOIN(hi, lo, second_hi, second_lo);
    return TWO_VALUE(hi, lo);
}

static void philox_four_into(uint32_t *out, uint32_t seed_low, uint32_t seed_high, uint32_t step, uint32_t site,
                             uint32_t sample, uint32_t block) {
    PHILOX_FOUR(out[0], out[1], out[2], out[3], seed_low, seed_high, step, site, sample, block);
}

#ifdef GPU_F64
static double inf_d() { return INF_D; }
static double nan_d() { return NAN_D; }
#define DOUBLE(result, name, operands) OF_TABLE(result, name, operands)
#else
#define DOUBLE(result, name, operands) nullptr,
#endif

/* i64 and int64_t may be two types of the same form. */
#define OF_TABLE(result, name, operands) (result (*) operands)name,
const gpu_scalars TABLE = { LANGUAGE, SCALAR_FUNCTIONS(OF_TABLE) DOUBLE_FUNCTIONS(DOUBLE) MACRO_FUNCTIONS(OF_TABLE) };
