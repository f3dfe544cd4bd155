/* A prepared map kernel: a list of steps over blocks of rows. */
#ifndef TIDE_CPU_MAP_H
#define TIDE_CPU_MAP_H

#include "backends/cpu/cpu.h"

/* A strided operand, neighbouring dimensions merged where they can be. */
typedef struct map_view {
    cpu_place place;
    int32_t ndim;
    int64_t dim[TIDE_MAX_DIMS], stride[TIDE_MAX_DIMS];  /* elements */
} map_view;

/* Elements start .. start + n of the view, whose first lies at `base`. */
void map_gather(void *dst, const map_view *v, const void *base, int64_t size, int64_t start, int64_t n);
void map_scatter(const map_view *v, void *base, const void *src, int64_t size, int64_t start, int64_t n);

/* Where a value lies: a slot of the thread's scratch, or an operand, moving with the block. */
typedef struct map_value {
    cpu_place place;
    int64_t per_element, per_row;  /* bytes */
    bool    fixed;                 /* not a slot */
} map_value;

typedef enum step_what {
    STEP_STRIP,    /* strip(dst, src...) over all elements of the kind */
    STEP_BY_ROW,   /* the same row by row, `advance` bytes on each time */
    STEP_BLOCK,    /* rows(dst, src, rows, cols) */
    STEP_FILL,     /* one number to all elements of the kind: rows(dst, src, 1, n) */
    STEP_TILE,     /* one row to all rows */
    STEP_COPY, STEP_ZERO, STEP_CONST, STEP_IOTA, STEP_RANDOM,
    STEP_GATHER,   /* dst from `view` */
    STEP_SCATTER   /* `view` from src */
} step_what;

typedef struct map_step {
    uint8_t what;
    uint8_t kind;    /* flat_kind: how many elements */
    uint8_t type;    /* tide_dtype of what is written */
    int32_t size;    /* bytes of an element written */
    int32_t dst, src[3];
    int64_t advance[4];  /* BY_ROW: of dst and src; ZERO: [0] is the bytes */
    union { strip_fn strip; rows_fn rows; random_fn random; };
    const flat_instr *instr;
    const map_view *view;
} map_step;

typedef struct map_exec {
    const flat_map *map;
    uint64_t seed;
    bool    linear;            /* blocks are runs of elements, without regard to rows */
    int64_t block_rows, block_cols;
    int32_t n_values, n_once, n_steps;  /* steps [0, n_once) run once a task, the others for each block */
    map_value *values;
    map_step  *steps;
} map_exec;

void map_run(const void *exec, int64_t task, int thread, char *scratch);

/* The steps of a kernel, values placed. Fails with TIDE_ETYPE if an operation has no meaning for its type. */
tide_status map_plan(const cpu_build *b, const flat_kernel *k, map_exec *x, int64_t *scratch);

#endif
