/* What the files that print a map for GPUs share. r3 is register 3, q3 operand 3's first element, a3 the sum (maximum,
 * ...) that instruction 3 is making, z3 what belongs to it; row, c and e are the row, the column and the element at
 * hand, l a thread's lane in its row, u which of its columns; LANES the lanes of a row. */
#ifndef TIDE_MAP_GPU_H
#define TIDE_MAP_GPU_H

#include <stdio.h>

#include "../spelling.h"
#include "../study.h"
#include "gpu.h"

/* How a map is laid over threads. Without rows a thread has one element. With rows `width` threads have one, each every
 * width-th column, and a group `slots` rows at a time; they pass over it in a loop for each stage, a row reduction's
 * result being there for the next. */
typedef struct map_shape {
    bool    by_rows, linear;  /* linear: all operands are contiguous or one number; the count is told, not printed */
    bool    sinks;            /* a group takes a task's rows, else one row a slot */
    int64_t per_task;         /* rows */
    bool    kept;             /* few turns: loops are unrolled, and what several need stays in registers */
    bool    quads;            /* a thread has fours of neighbours, which are loaded, drawn and stored together */
    int64_t width, slots;
    int64_t turns;            /* columns of a lane */
    bool    warps;            /* a warp's threads join by SHUFFLE_XOR */
    int64_t blocks;           /* of `width` columns, or fours, each a group's of its own, where rows may be cut */
    int32_t stages;
    bool    loads_first;      /* what a row needs is loaded before any of it is computed: one wait in place of one a
                                 stage */
    bool    next_row;         /* and what the slot's next row needs, before this one is computed */
} map_shape;

enum { WANTED = 1, MADE = 2, KEPT = 4 };

typedef struct map_print {
    gpu_print *g;
    const flat_map *m;
    map_shape  shape;
    text       out;        /* what comes after the operands */
    const char *position;  /* type of row, c and e ... */
    const char *unit;      /* ... and what ends its constants */
    bool       narrow;     /* operands are counted by int */
    bool       must_wait;  /* others may still read what the next tree overwrites */
    bool       odd_tree;
    int32_t   *stage;      /* of each instruction */
    int32_t   *def;        /* of each register */
    uint8_t   *state;      /* of each register */
    bool      *needed;     /* each instruction, in the loop at hand */
    uint64_t   arrays;     /* LOCAL_ARRAYs in use: a bit each */
    uint64_t   columns;    /* likewise those of sums over rows */
    int        names;      /* added to the numbers of r, q and site: two maps of one kernel have names of their own */
    int32_t    given;      /* the operand that sum[u] is, not memory, counted from 1; 0: none */
    bool       pairs;      /* masks were drawn before, of several rows, two lanes for each other: d3[t] are words */
    bool       ahead;      /* fours were loaded before, of several rows or turns: l3[t] is what v3 would be */
    bool       next;       /* they are being loaded for the slot's next row: to n3[t] */
} map_print;

typedef struct name { char text[48]; } name;

/* map_gpu.c */
bool map_make_room(map_print *p);  /* of stage, def, state and needed; the print is map_free'd in any case */
void map_free(map_print *p);
void map_print_operands(map_print *p);
void map_print_values(map_print *p, flat_kind kind, int32_t stage);  /* all of a kind that is no reduction */
void map_print_count(map_print *p);                                  /* const uint e = ...; if somebody asks for it */
void map_print_fours(map_print *p, char position);                   /* the body, of four neighbours from e or c on */

/* map_shape.c */
void map_choose_shape(map_print *p);
void map_find_stages(map_print *p);
bool map_stores_each(const map_print *p, const flat_instr *in);  /* a store in the loop over columns */
bool map_overwrites_a_load(const map_print *p, const flat_instr *store);
bool map_consumes(const map_print *p, int32_t i, int32_t stage); /* a reduction, sink or store of the stage's loop */
void map_find_needed(map_print *p, int32_t stage);
void map_find_kept(map_print *p);
void map_print_column(map_print *p);  /* const uint c = ...; of a lane's turn u */

/* map_instr.c */
name map_register(const map_print *p, int reg);
void map_print_definition(map_print *p, const flat_instr *in);
void map_print_store(map_print *p, const flat_instr *in);
bool map_counts_elements(const flat_instr *in);
void map_print_seeds(map_print *p);
/* Of four neighbours, where c and e are those of the first. */
void map_print_words(map_print *p, const flat_instr *in);       /* a draw's */
void map_print_pair_words(map_print *p, const flat_instr *in);  /* a mask's, of rows t and t + 1 */
void map_print_four_load(map_print *p, const flat_instr *in);
void map_print_four_room(map_print *p, const flat_instr *in, int rows);  /* for the load of so many rows, ahead */
void map_print_four_take(map_print *p, const flat_instr *in);  /* what was loaded of the next row is this one's */
int  map_four_load_registers(const map_print *p, const flat_instr *in);   /* that such a load takes a turn */
void map_print_four_store(map_print *p, const flat_instr *in);
static inline bool map_is_given(const map_print *p, const flat_instr *in) {
    return p->given && in->operand == p->given - 1;
}
static inline const flat_operand *map_operand(const map_print *p, const flat_instr *in) {
    return &p->g->kernel->operands[in->operand];
}

/* map_fours.c: how a load or a store in a loop has four neighbours. */
typedef enum map_access { MAP_EACH, MAP_SAME /* one number is theirs */, MAP_FOUR } map_access;
map_access map_access_of(const map_print *p, const flat_instr *in);
bool map_has_fours(const map_print *p);    /* whether a thread is best given four */
void map_print_four_loads(map_print *p);
void map_print_four_starts(map_print *p);  /* before the loop over the four */
void map_print_four_ends(map_print *p);

enum { WARP = 32 };

/* map_sums.c: sums, maxima, ... of a thread, and of the threads together. */
int64_t map_column_bytes(const map_print *p);  /* of the group's memory, for a sum over rows of each type there is */
void map_print_accumulators(map_print *p, int32_t stage);  /* of row reductions */
void map_print_sink_accumulators(map_print *p);
void map_print_accumulate(map_print *p, int32_t i);
void map_print_row_results(map_print *p, int32_t stage);
void map_print_sink_results(map_print *p);
void map_print_arrays(const map_print *p, text *out);

#endif
