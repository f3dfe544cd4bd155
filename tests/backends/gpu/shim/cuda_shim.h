/* The words of CUDA that the GPU texts use (src/kernelgen/gpu/cuda.txt), for a C++ compiler on a processor. One thread
 * runs at a time: who runs a group sets blockIdx and threadIdx before each and switches threads in gpu_barrier(). As
 * no two groups run at once, memory of a group is static. No header of the system's: a text is read sooner than one. */
#ifndef CUDA_SHIM_H
#define CUDA_SHIM_H

#define __device__
#define __global__
#define __constant__
#define __shared__ static
#define __forceinline__ inline
#define __launch_bounds__(...)

struct cuda_dim { unsigned x, y, z; };
extern cuda_dim blockIdx, threadIdx;
extern "C" void gpu_barrier(void);
#define __syncthreads() gpu_barrier()

template <class T, class U> static inline T shim_bits(U x) {
    T y;
    static_assert(sizeof y == sizeof x, "of one size");
    __builtin_memcpy(&y, &x, sizeof y);
    return y;
}
static inline float     __fmaf_rn(float a, float b, float c) { return __builtin_fmaf(a, b, c); }
static inline double    __fma_rn(double a, double b, double c) { return __builtin_fma(a, b, c); }
static inline float     __fsqrt_rn(float x) { return __builtin_sqrtf(x); }
static inline double    __dsqrt_rn(double x) { return __builtin_sqrt(x); }
static inline unsigned  __umulhi(unsigned a, unsigned b) { return (unsigned)((unsigned long long)a * b >> 32); }
static inline float     __uint_as_float(unsigned x) { return shim_bits<float>(x); }
static inline unsigned  __float_as_uint(float x) { return shim_bits<unsigned>(x); }
static inline double    __longlong_as_double(long long x) { return shim_bits<double>(x); }
static inline long long __double_as_longlong(double x) { return shim_bits<long long>(x); }

struct alignas(8) uint2 { unsigned x, y; };
struct alignas(4) uchar4 { unsigned char x, y, z, w; };
struct alignas(8) ushort4 { unsigned short x, y, z, w; };
struct alignas(16) int4 { int x, y, z, w; };
struct alignas(16) uint4 { unsigned x, y, z, w; };
struct alignas(8) float2 { float x, y; };
struct alignas(16) float4 { float x, y, z, w; };

extern "C" { /* double's functions, and those of the preamble's words */
float  floorf(float);
float  ceilf(float);
float  rintf(float);
float  exp2f(float);
float  fmaxf(float, float);
double floor(double);
double ceil(double);
double rint(double);
double exp(double);
double expm1(double);
double log(double);
double log1p(double);
double sin(double);
double cos(double);
double tanh(double);
double erf(double);
double pow(double, double);
}

#include "cuda_matrix.h"

#endif
