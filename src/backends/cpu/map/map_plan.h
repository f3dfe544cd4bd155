/* A map kernel while its steps are planned (map_plan.c). */
#ifndef TIDE_CPU_MAP_PLAN_H
#define TIDE_CPU_MAP_PLAN_H

#include "map.h"

/* A value while planning. */
typedef struct draft {
    uint8_t kind, type;
    bool    once;            /* the same for all blocks of a task */
    map_value at;            /* not fixed: needs a slot */
    int32_t full;            /* the same value expanded to FLAT_FULL, or -1 */
    int32_t last_use;        /* step */
} draft;

typedef struct plan {
    const cpu_build   *build;
    const flat_kernel *kernel;
    const flat_map    *map;
    map_exec *x;
    draft    *values;
    map_step *steps;
    int32_t   n_values, n_steps;
    int32_t  *reg;           /* value of each register */
    int32_t  *last_instr;    /* that reads each register */
    int32_t  *direct;        /* the store whose memory a register's definition may write itself, or -1 */
    bool      bad_type;
} plan;

strip_type map_strip_type(int type);
int64_t    map_size(int type);  /* bytes of an element */
bool       map_same_storage(int type_a, int type_b);

/* ---- memory operands (map_memory.c) ---- */

const flat_operand *map_operand(const plan *p, const flat_instr *in);
/* The operand's elements, one for each of `kind`. */
map_view map_view_of(const plan *p, const flat_operand *o, int kind);
bool     map_contiguous(const map_view *v);
/* How many elements a store writes: what it is given, or more. */
int      map_store_kind(const plan *p, const flat_instr *in, const flat_operand *o);
/* Fills p->last_instr and p->direct. */
void     map_study_registers(plan *p);
/* Whether a load needs no copy. */
bool     map_may_alias(const plan *p, const flat_instr *load);

/* ---- slots (map_slots.c) ---- */

/* Gives every value that is not fixed its place from `used` bytes on in the thread's scratch; returns how many bytes
 * are used then. Values whose lives do not overlap share a place. */
int64_t map_place_slots(plan *p, int64_t used);

#endif
