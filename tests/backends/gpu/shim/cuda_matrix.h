/* The words for matrix units (src/kernelgen/gpu/cuda.txt), lane by lane: each lane of a warp leaves what it brings in a
 * slot, waits for the others, and takes its own part of the result. A copy that was started is done when it is waited
 * for, not sooner, so that who reads it too early sees what was there before. */
#ifndef CUDA_MATRIX_H
#define CUDA_MATRIX_H

extern "C" {
extern void (*gpu_warp_sync)(int line);
extern unsigned (*gpu_thread)(void);
}

enum { SHIM_THREADS = 1024, SHIM_COPIES = 96 };

/* Texts are built in a hurry; what all lanes do again and again is not. */
#ifdef __clang__
#define SHIM_FAST
#else
#define SHIM_FAST __attribute__((optimize("O2")))
#endif

/* ---- what lanes bring ---- */

union shim_slot {
    unsigned word[4];
    float    number[12];
};
/* Two for each lane, by turns: who is at the second has seen all that others left in the first. */
static shim_slot shim_slots[2][SHIM_THREADS];
static unsigned char shim_turn[SHIM_THREADS];

/* Where the slots of the thread's warp begin, once all its lanes have brought theirs. */
static shim_slot *shim_bring(const shim_slot &mine, int line) {
    unsigned thread = gpu_thread(), turn = shim_turn[thread] ^= 1;
    shim_slots[turn][thread] = mine;
    gpu_warp_sync(line);
    return shim_slots[turn] + thread / 32 * 32;
}

/* ---- 16-bit floats ---- */

static SHIM_FAST float shim_of_bf16(unsigned h) { return shim_bits<float>(h << 16); }
static SHIM_FAST float shim_of_f16(unsigned h) {
    unsigned sign = (h & 0x8000u) << 16, rest = h & 0x7fffu;
    if (rest < 0x400u) return shim_bits<float>(shim_bits<unsigned>((float)rest * 5.9604644775390625e-8f) | sign);
    return shim_bits<float>(sign | ((rest << 13) + (rest < 0x7c00u ? 0x38000000u : 0x70000000u)));
}
static unsigned shim_to_bf16(float x) {
    unsigned u = shim_bits<unsigned>(x);
    return x != x ? 0x7fffu : (u + 0x7fffu + (u >> 16 & 1u)) >> 16;
}
/* Adding 1.5 * 2^(13 + the exponent) rounds at the place of the last bit that is kept. */
static unsigned shim_to_f16(float x) {
    unsigned sign = shim_bits<unsigned>(x) >> 16 & 0x8000u;
    float size = shim_bits<float>(shim_bits<unsigned>(x) & 0x7fffffffu);
    if (x != x) return 0x7fffu;
    if (size >= 65520.0f) return sign | 0x7c00u;
    if (size < 6.103515625e-5f) return sign | (shim_bits<unsigned>(size + 0.5f) - 0x3f000000u);
    float rounder = shim_bits<float>((shim_bits<unsigned>(size) & 0x7f800000u) + (13u << 23)) * 1.5f;
    return sign | ((shim_bits<unsigned>((size + rounder) - rounder) - 0x38000000u) >> 13);
}
#define PACK_BF16(low, high) (shim_to_bf16(low) | shim_to_bf16(high) << 16)
#define PACK_F16(low, high) (shim_to_f16(low) | shim_to_f16(high) << 16)


static unsigned shim_least_halves(unsigned a, unsigned b) {
    unsigned low = (a & 0xffffu) < (b & 0xffffu) ? a : b, high = a >> 16 < b >> 16 ? a : b;
    return (low & 0xffffu) | (high & 0xffff0000u);
}
static unsigned shim_permute(unsigned a, unsigned b, unsigned bytes) {
    unsigned all = 0;
    for (int i = 0; i < 4; i++) {
        unsigned digit = bytes >> 4 * i & 15u, byte = (digit & 4u ? b : a) >> 8 * (digit & 3u) & 255u;
        all |= (digit & 8u ? byte >> 7 ? 255u : 0u : byte) << 8 * i;
    }
    return all;
}
#define LEAST_HALVES(a, b) shim_least_halves(a, b)
#define PERMUTE(a, b, bytes) shim_permute(a, b, bytes)
#define PAIR_MASK(bits, i) PERMUTE((bits) << 7, (bits) << 6, 0xcc88u + 0x1111u * (i))

/* ---- products ---- */

/* Rows g and g + 8 of a, columns 2t and 2t + 1 of b: a[i] of lane 4 g + j has columns 2j, 2j + 1, b[i] of lane
 * 4 column + j rows 2j, 2j + 1. */
static SHIM_FAST float shim_dot(const shim_slot *all, int row, int column) {
    double sum = 0;
    for (int part = 0; part < 2; part++)
        for (int j = 0; j < 4; j++) {
            const float *a = &all[row % 8 * 4 + j].number[2 * (row / 8 + 2 * part)];
            const float *b = &all[column * 4 + j].number[8 + 2 * part];
            sum += (double)a[0] * (double)b[0] + (double)a[1] * (double)b[1];
        }
    return (float)sum;
}

static SHIM_FAST shim_slot shim_widened(const unsigned *a, const unsigned *b, float (*of)(unsigned)) {
    shim_slot s;
    for (int i = 0; i < 12; i++) s.number[i] = of((i < 8 ? a[i / 2] : b[i / 2 - 4]) >> i % 2 * 16 & 0xffffu);
    return s;
}

static void shim_mma(float *d, const unsigned *a, const unsigned *b, float (*of)(unsigned), int line) {
    const shim_slot *all = shim_bring(shim_widened(a, b, of), line);
    int g = gpu_thread() % 32 / 4, t = gpu_thread() % 4;
    for (int i = 0; i < 4; i++) d[i] += shim_dot(all, g + i / 2 * 8, 2 * t + i % 2);
}
#define MMA_BF16(d, a, b) shim_mma(d, a, b, shim_of_bf16, __LINE__)
#define MMA_F16(d, a, b) shim_mma(d, a, b, shim_of_f16, __LINE__)

/* Of TF32: a[i] of lane 4 g + t is row g + i % 2 * 8, column t + i / 2 * 4, b[i] of lane 4 column + t row t + 4 i. What
 * is no bit of TF32 is not looked at, and a sum is cut off, not rounded. */
static SHIM_FAST float shim_dot_tf32(const shim_slot *all, int row, int column, float before) {
    double sum = (double)before;
    for (int k = 0; k < 8; k++)
        sum += (double)all[row % 8 * 4 + k % 4].number[row / 8 + k / 4 * 2] *
               (double)all[column * 4 + k % 4].number[4 + k / 4];
    float nearest = (float)sum;
    if (nearest - nearest == 0.0f && __builtin_fabs((double)nearest) > __builtin_fabs(sum))
        nearest = shim_bits<float>(shim_bits<unsigned>(nearest) - 1u);
    return nearest;
}

static void shim_mma_tf32(float *d, const unsigned *a, const unsigned *b, int line) {
    shim_slot s = {};
    for (int i = 0; i < 6; i++) s.number[i] = shim_bits<float>((i < 4 ? a[i] : b[i - 4]) & 0xffffe000u);
    const shim_slot *all = shim_bring(s, line);
    int g = gpu_thread() % 32 / 4, t = gpu_thread() % 4;
    for (int i = 0; i < 4; i++) d[i] = shim_dot_tf32(all, g + i / 2 * 8, 2 * t + i % 2, d[i]);
}
#define MMA_TF32(d, a, b) shim_mma_tf32(d, a, b, __LINE__)

/* ---- moves ---- */

/* A vector's address is looked at by what the text was built with. */
static void shim_ldmatrix(unsigned *r0, unsigned *r1, unsigned *r2, unsigned *r3, const void *from, bool trans,
                          int line) {
    unsigned *const r[] = { r0, r1, r2, r3 };
    const uint4 row = *(const uint4 *)from;
    const shim_slot *all = shim_bring(shim_slot{ .word = { row.x, row.y, row.z, row.w } }, line);
    int g = gpu_thread() % 32 / 4, t = gpu_thread() % 4;
    for (int i = 0; i < 4; i++) {
        const shim_slot *matrix = all + 8 * i;
        if (!trans) *r[i] = matrix[g].word[t];
        else
            *r[i] = (matrix[2 * t].word[g / 2] >> g % 2 * 16 & 0xffffu) |
                    (matrix[2 * t + 1].word[g / 2] >> g % 2 * 16 & 0xffffu) << 16;
    }
}
#define LDMATRIX_X4(r0, r1, r2, r3, from) shim_ldmatrix(&(r0), &(r1), &(r2), &(r3), from, false, __LINE__)
#define LDMATRIX_X4_TRANS(r0, r1, r2, r3, from) shim_ldmatrix(&(r0), &(r1), &(r2), &(r3), from, true, __LINE__)

template <class T> static T shim_shuffle(T x, unsigned mask, int line) {
    shim_slot mine = {};
    __builtin_memcpy(&mine, &x, sizeof x);
    const shim_slot *all = shim_bring(mine, line);
    __builtin_memcpy(&x, &all[gpu_thread() % 32 ^ mask], sizeof x);
    return x;
}
#define SHUFFLE_XOR(x, mask) shim_shuffle(x, mask, __LINE__)

static int shim_any;
static int shim_sync_any(int x) {
    gpu_barrier();
    shim_any = 0;
    gpu_barrier();
    shim_any |= x != 0;
    gpu_barrier();
    return shim_any;
}
#define SYNC_ANY(x) shim_sync_any(x)
#define AFRESH(x) (void)(x)

/* ---- copies ---- */

struct shim_copy { char *to; const char *from; int bytes, valid; };
/* Of a thread: the copies that were started, and how many of them each whole set ends with. */
struct shim_queue {
    int       copies, sets, end[SHIM_COPIES];
    shim_copy copy[SHIM_COPIES];
};
static shim_queue shim_queues[SHIM_THREADS];

static shim_queue *shim_queue_of_thread() { return &shim_queues[gpu_thread()]; }

/* What is still read there is lost at once. */
template <class vector> static void shim_start(void *to, const void *from, int valid) {
    shim_queue *q = shim_queue_of_thread();
    unsigned long long at[] = { (unsigned long long)to, valid ? (unsigned long long)from : 0 };
    if (at[0] % sizeof(vector) || at[1] % sizeof(vector)) __builtin_trap();
    if (valid < 0 || valid > (int)sizeof(vector) || q->copies == SHIM_COPIES) __builtin_trap();
    __builtin_memset(to, 0xFF, sizeof(vector));
    q->copy[q->copies++] = shim_copy{ (char *)to, (const char *)from, (int)sizeof(vector), valid };
}
#define CP_ASYNC_16(to, from, valid) shim_start<uint4>(to, from, valid)
#define CP_ASYNC_8(to, from, valid) shim_start<ushort4>(to, from, valid)
#define CP_ASYNC_4(to, from, valid) shim_start<unsigned>(to, from, valid)

static void shim_commit() {
    shim_queue *q = shim_queue_of_thread();
    if (q->sets == SHIM_COPIES) __builtin_trap();
    q->end[q->sets++] = q->copies;
}
#define CP_ASYNC_COMMIT shim_commit()

static void shim_wait(int last) {
    shim_queue *q = shim_queue_of_thread();
    int sets = q->sets - last, done = sets > 0 ? q->end[sets - 1] : 0;
    if (sets <= 0) return;
    for (int i = 0; i < done; i++) {
        const shim_copy *c = &q->copy[i];
        for (int j = 0; j < c->bytes; j++) c->to[j] = j < c->valid ? c->from[j] : 0;
    }
    for (int i = done; i < q->copies; i++) q->copy[i - done] = q->copy[i];
    for (int i = sets; i < q->sets; i++) q->end[i - sets] = q->end[i] - done;
    q->copies -= done, q->sets -= sets;
}
#define CP_ASYNC_WAIT(n) shim_wait(n)

/* Before a thread begins. */
static void shim_begin(unsigned thread) {
    shim_turn[thread] = 0;
    shim_queues[thread].copies = shim_queues[thread].sets = 0;
}

#endif
