/* Values that are read without a program. Their programs are kept, a few, and found again by what they compute: the
 * part of the graph that the value needs, told as a row of words. Numbers and small constants are told to a run
 * instead, so that v + 1 and v + 2 are one program. */
#ifndef TIDE_LAZY_H
#define TIDE_LAZY_H

#include "runtime.h"

/* What a run is told: a number, in its type, or a constant's elements. */
typedef struct lazy_fed {
    tide_dtype  type;
    double      number;
    union { float f32; double f64; int32_t i32; } as;
    const void *data;    /* NULL: the number */
} lazy_fed;

/* A node on the way to the value. */
typedef struct lazy_step {
    int32_t node;
    bool    known;       /* a plain number, or folded into one */
    bool    reached;     /* read by something that is not known */
    bool    pinned;      /* the program is made for this number */
    double  number;
} lazy_step;

/* Of the part of the graph that was looked at last; the arrays grow and are used again. */
typedef struct lazy_key {
    lazy_step    *steps;  /* inputs before uses */
    int64_t      *words;
    compile_leaf *leaves;
    lazy_fed     *fed;
    int32_t      *stack;
    int32_t  n_steps, n_words, n_leaves, n_fed;
    int32_t  step_capacity, word_capacity, leaf_capacity, fed_capacity, stack_capacity;
    uint64_t hash;
    int32_t  newest;      /* of the nodes whose memory the program uses; 0: of none */
} lazy_key;

/* lazy_key.c: the key of v. TIDE_EINVAL: it needs a feed. */
tide_status lazy_key_of(lazy_key *key, tide_val v, tide_failure *why);
void        lazy_key_free(lazy_key *key, tide_graph *g);

/* lazy.c: computes the value; it lies there until the next that is computed so. */
tide_status lazy_value(tide_val v, location *where, tide_failure *why);
/* Forgets the programs that use the memory of nodes from `count` on. */
void        lazy_forget(tide_graph *g, int32_t count);
void        lazy_free(tide_graph *g);
/* Whether it is one of those programs. */
bool        lazy_owns(const tide_graph *g, const tide_program *p);

#endif
