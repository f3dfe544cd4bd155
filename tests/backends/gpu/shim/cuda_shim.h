/* The words of CUDA that the GPU texts use (src/kernelgen/gpu/cuda.txt), for a C++ compiler on a processor. One thread
 * runs at a time: who runs a group sets blockIdx and threadIdx before each and switches threads in gpu_barrier(). As
 * no two groups run at once, memory of a group is static. */
#ifndef CUDA_SHIM_H
#define CUDA_SHIM_H

#include <cmath>
#include <cstdint>
#include <cstring>

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
    std::memcpy(&y, &x, sizeof y);
    return y;
}
static inline float     __fmaf_rn(float a, float b, float c) { return std::fma(a, b, c); }
static inline double    __fma_rn(double a, double b, double c) { return std::fma(a, b, c); }
static inline float     __fsqrt_rn(float x) { return std::sqrt(x); }
static inline double    __dsqrt_rn(double x) { return std::sqrt(x); }
static inline unsigned  __umulhi(unsigned a, unsigned b) { return (unsigned)((uint64_t)a * b >> 32); }
static inline float     __uint_as_float(unsigned x) { return shim_bits<float>(x); }
static inline unsigned  __float_as_uint(float x) { return shim_bits<unsigned>(x); }
static inline double    __longlong_as_double(long long x) { return shim_bits<double>(x); }
static inline long long __double_as_longlong(double x) { return shim_bits<long long>(x); }

#endif
