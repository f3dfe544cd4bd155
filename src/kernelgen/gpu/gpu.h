/* The kernels of a flat program as text for GPUs: one body in a small subset of C, and a preamble for each language
 * that says what the body's words mean there (opencl.txt, metal.txt, cuda.txt). Scalar functions are the same text for
 * all (scalars.txt), contraction is off, sums go by fixed trees, and nothing is atomic: two runs have the same bits.
 *
 * The words of a body, besides C's arithmetic, `for`, `if` and pointers:
 *   GLOBAL LOCAL CONSTANT  where a pointer leads; CONSTANT is for tables outside functions
 *   DEVICE                 before a function
 *   KERNEL(name, threads)  a kernel of groups of so many threads, a constant. Its arguments: GLOBAL char *b0 ... *b5,
 *                          the blocks; GLOBAL const i64 *table, the numbers of this launch from `first` on, or, with
 *                          GPU_MANY in it, for each group where its launch's are and, 32 bits higher, its number there
 *   BEGIN                  comes first in it: makes `uint group`, `uint lane`, and moves `table` to this launch
 *   LOCAL_ARRAY(T, name, n)  memory of the group, at the start of a kernel
 *   LOCAL_ROOM(T, name, n)   the same, once in a kernel, where gpu_limits.room_bytes is set: for more of it than the
 *                          arrays of a kernel may be together; gpu_print.room_bytes tells how much
 *   SYNC                   all threads of the group: what they wrote, to GLOBAL too, is seen by the group
 *   uint ushort uchar i64 u64 AS_FLOAT(uint) AS_UINT(float) FMA(a, b, c) MULHI(uint, uint) SQRT(x) FLOOR CEIL RINT
 *   EXP2(x) RCP(x)         2^x, 1 / x, the device's own: their bits are not another's
 *   NAN_F INF_F            and, where GPU_F64 is defined, double with FMA_D SQRT_D FLOOR_D CEIL_D RINT_D and the
 *                          language's own exp, log, ...
 *   float4 int4 ushort4 uchar4  vectors with .x .y .z .w, at addresses that they divide
 *   SHUFFLE_XOR MMA_BF16 LDMATRIX_X4 CP_ASYNC_16 ...  where gpu_limits.matrix is set: cuda.txt says what these are
 * A pointer to another type is a cast with its space: (GLOBAL const float *)(b0 + table[2]). */
#ifndef TIDE_KERNELGEN_GPU_H
#define TIDE_KERNELGEN_GPU_H

#include "../../backends/backend.h"

typedef enum gpu_language { GPU_OPENCL, GPU_METAL, GPU_CUDA, GPU_LANGUAGES } gpu_language;

/* A product that the device's library takes, by sizes with as few dimensions of the batch as can be: where its A, B, C,
 * bias and scratch are, of the launch's blocks and in bytes from their start. */
enum { GPU_PRODUCT_BIAS = 3, GPU_PRODUCT_WORK, GPU_PRODUCT_PLACES };
typedef struct gpu_product {
    flat_gemm    sizes;
    flat_operand operand[3];
    bool    has_bias;
    int     block[GPU_PRODUCT_PLACES];
    int64_t at[GPU_PRODUCT_PLACES], work_bytes;
} gpu_product;

/* What a device's groups may have, and its library's products. */
typedef struct gpu_limits {
    int32_t threads;      /* a group; a power of two, at least 32 */
    int64_t local_bytes;  /* a group's LOCAL_ARRAYs */
    bool    f64;          /* has double */
    bool    matrix;       /* has warps of 32 threads, and multiplies 16-bit numbers and TF32 on matrix units: mma.sync,
                             CUDA from compute capability 8.0 on */
    int64_t room_bytes;   /* a group's LOCAL_ARRAYs and LOCAL_ROOM; 0: there is no LOCAL_ROOM */
    /* Scratch that a product takes by the library; -1: it does not take it. NULL: there is no library. */
    int64_t (*asks)(void *device, const gpu_product *p);
    void    *device;
} gpu_limits;

/* Memory that a launch is given: the program's arena, the storage at `block`, all constants in one block, or scratch of
 * the launches of one kernel. */
typedef enum gpu_space { GPU_ARENA, GPU_STORAGE, GPU_CONSTANT, GPU_SCRATCH } gpu_space;
typedef struct gpu_block { gpu_space space; void *block; } gpu_block;

/* Bytes that a launch reads, or writes too. */
typedef struct gpu_use { gpu_block in; int64_t from, to; bool written; } gpu_use;
#define GPU_MANY 0x80000000u

enum { GPU_BLOCKS = 6, GPU_NUMBERS = 96, GPU_USES = 96, GPU_LAUNCHES = 3 /* at most, of a kernel */ };

/* A map that another kernel, with C of rows x cols in its registers, carries out: its operand `given` is C, and nowhere
 * in memory. */
enum { GPU_ENDS = 2 };
typedef struct gpu_end { const flat_kernel *map; int32_t given; } gpu_end;

/* A launch as it is being printed: its body, from the opening brace to the closing one, and what it will be told.
 * Numbers that the table tells are not in the text, so that kernels which differ in them alone share it. */
typedef struct gpu_print {
    const flat_program *program;
    const flat_kernel  *kernel;
    int32_t   n_ends;
    gpu_end   ends[GPU_ENDS];    /* that a product carries out */
    const gpu_limits   *limits;
    const int64_t *constant_at;  /* of each buffer that is FLAT_CONSTANT: where it is in the block of constants */
    text      body;
    int32_t   threads;           /* of a group */
    int32_t   at_once;           /* groups that a multiprocessor must have registers for; 0: as it comes */
    int64_t   groups;            /* 0: nothing to launch */
    int64_t   room_bytes;        /* of a group's LOCAL_ROOM; 0: it has none */
    int32_t   n_blocks, n_numbers;
    gpu_block blocks[GPU_BLOCKS];
    int64_t   numbers[GPU_NUMBERS];
    int64_t   scratch_at;        /* where the kernel's scratch begins */
    int64_t   scratch_bytes;     /* that the kernel's launches share */
    int32_t   n_uses;
    gpu_use   uses[GPU_USES];
    bool      by_library;        /* there is no text, but: */
    gpu_product product;
    bool      more;              /* the kernel has another launch after this one */
    const char *lacks;           /* why this kernel cannot be printed, a clause that names the operation; NULL: it
                                    can */
} gpu_print;

/* operands.c: what every printer starts with. */
int  gpu_number(gpu_print *g, int64_t number);             /* where the table has it: prints as table[...] */
int  gpu_block_of(gpu_print *g, gpu_space space, void *block);
/* An operand's first element, in bytes from the start of a block of the launch; notes that it is used. */
int64_t gpu_place(gpu_print *g, const flat_operand *o, bool written, int *block);
int64_t gpu_place_scratch(gpu_print *g, int64_t at_bytes, int *block);
/* Declares `GLOBAL [const] T *NAME = ...;`, an operand's first element, as memory of `type` */
void gpu_operand(gpu_print *g, const char *name, const flat_operand *o, bool written);
void gpu_scratch(gpu_print *g, const char *name, const char *type, int64_t at_bytes);  /* the same in scratch */
const char *gpu_memory_type(int type);                     /* "float", "ushort" for 16-bit floats, "uchar", ... */
const char *gpu_register_type(int type);                   /* "float" for 16-bit floats, "int" for BOOL and U8, ... */
/* "int" if elements of all the kernel's operands and of its domain can be counted so, else "i64". */
const char *gpu_index_type(const flat_program *p, const flat_kernel *k);
/* An element of an operand as a register, and the assignment of one: `words` is an expression for the place, as q[i].
 * Casts between a memory's and its register's type alone (16-bit floats, BOOL). */
void gpu_load(text *out, int type, const char *words);
void gpu_store(text *out, int type, const char *words, const char *value);
/* Four neighbours at a time, where gpu_fours tells that the operand's first has such an address: from a place to an
 * array of the memory's type, from an array of the register's type to a place. */
bool gpu_fours(const gpu_print *g, const flat_operand *o);
void gpu_load_four(text *out, int type, const char *array, const char *place);
void gpu_store_four(text *out, int type, const char *place, const char *array);

/* map_gpu.c: a map, one launch. lacks is set if it cannot be: F64 without limits.f64, too many blocks or numbers. */
void gpu_print_map(gpu_print *g);

/* map_end.c. Whether a kernel can carry the map out, four neighbours of a row of C at a time: lane by lane, or, where
 * C's rows lie in order, with sums over rows. Several ends need all but the first to draw nothing. */
bool gpu_end_fits(const flat_program *program, const gpu_end *end, int64_t rows, int64_t cols, bool in_order);
bool gpu_end_draws(const gpu_end *end);
bool gpu_end_pairs(const gpu_end *end);  /* draws masks alone, by whole eights */
int  gpu_end_sums(const gpu_end *end);   /* over rows */
int  gpu_end_loads(const gpu_end *end);  /* registers of what it loads of four neighbours */
/* What the kernel's text has of them: their operands and single numbers at once, and to be put in: `room`, and then for
 * each t below place.rows `ahead`, which loads what a row's four neighbours from `col` on need; for every second t, if
 * place.pairs, `draws`, by all lanes, the even ones at row t and the odd ones at row t + 1; and where sum[0] ... sum[3]
 * are C's of row t, `four`, which adds to sums{of}[u], of each thread its own. The kernel zeroes these, joins them, and
 * has the sum of each of its groups of rows at q{to}[task * cols + column], tasks without any 0. */
enum { GPU_END_SUMS = 8 };
typedef struct gpu_end_sum { int of, to; int64_t tasks; } gpu_end_sum;
typedef struct gpu_end_text { text room, ahead, draws, four; int n_sums; gpu_end_sum sum[GPU_END_SUMS]; } gpu_end_text;
/* Columns of C, 0 if its rows are not in order; expressions for the row and for the element at hand; rows that are made
 * together; whether lanes 2 i and 2 i + 1 have the fours of one eight. */
typedef struct gpu_end_place { int64_t cols; const char *row, *element; int rows; bool pairs; } gpu_end_place;
void gpu_print_ends(gpu_print *g, const gpu_end_place *at, gpu_end_text *out);  /* out: zeroed */

/* preamble.c: what comes before all bodies. */
void gpu_print_preamble(text *out, gpu_language language, bool f64);

#endif
