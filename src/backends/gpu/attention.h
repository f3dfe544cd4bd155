/* What the texts of attention share. A group has a tile of `rows` of the result, queries or keys, and goes along the
 * others by tiles of `cols`: scores = rows times columns, over the head's size; what becomes of them, the weights, goes
 * through memory of the group; sums += weights times another matrix's rows, over the columns. */
#ifndef TIDE_GPU_ATTENTION_H
#define TIDE_GPU_ATTENTION_H

#include "fill.h"

/* A thread has tr x tc scores, and tr rows of the sums; threads go by warps of 32, eight across. */
typedef struct attention_tile {
    int rows, cols, tr, tc;
    double rate;  /* of the arithmetic's peak */
} attention_tile;

static inline int attention_across(const attention_tile *t) { return t->cols / t->tc; }
static inline int attention_threads(const attention_tile *t) { return t->rows / t->tr * attention_across(t); }
/* Columns of the sums that a thread has, where they are so wide: so that loads by fours are whole. */
static inline int attention_columns(const attention_tile *t, int64_t width) {
    int each = (int)ceil_div(width, attention_across(t));
    return each > 2 ? (int)round_up(each, 4) : each;
}

/* The operands by the names that texts have for them, in the order of FLAT_ATTENTION_GRAD's; 4, L, is no matrix. */
enum { ATT_Q, ATT_K, ATT_V, ATT_O, ATT_L, ATT_GO, ATT_DQ, ATT_DK, ATT_DV, ATT_OPERANDS };

typedef struct attention {
    gpu_print *g;
    const char *index;  /* counts elements of a matrix */
    flat_attention a;   /* its batch without dimensions that can go with their neighbour */
    flat_operand operand[ATT_OPERANDS];
    bool fours[ATT_OPERANDS];  /* of those declared: four neighbours can be loaded or stored at a time */
    bool by_keys;       /* rows are keys */
    const attention_tile *tile;
    int  bk;            /* of a product's common dimension at a time */
    int  slot, pitch;   /* floats: of such a piece of both sides, of a column of weights */
} attention;

/* attention_tiles.c: the tile and what follows from it. scores: how many a thread has at a time; `width` the sums'
 * columns, of one matrix or of two. False: none fits. */
bool attention_choose(attention *r, int scores, int64_t width, int64_t width2);

/* attention_text.c */
void attention_merge_batch(attention *r);
/* Declares operands, and moves those of matrices to the batch's `entry`. */
void attention_declare(attention *r, int which);
void attention_batch(attention *r, const int *which, int count);
void attention_float(gpu_print *g, const char *name, double value);
void attention_rooms(attention *r, bool rows);  /* the opening brace, the group's memory and BEGIN */
void attention_place(attention *r);             /* numbers, and which tile the group has */
void attention_masks(attention *r);             /* the bits of a tile's mask, if there is dropout */
void attention_words(const attention *r, gpu_words *w);  /* $bits, $drop, $firstquery, ... */
void attention_zero(attention *r, const char *sums, int columns);
/* sums = factor rows cols', matrices of one width */
void attention_scores(attention *r, const char *sums, int rows, int cols, const char *factor);
void attention_weights(attention *r, const char *from);          /* into memory of the group */
void attention_weigh(attention *r, const char *sums, int which); /* sums += weights times its rows */
void attention_store(attention *r, int which, const char *sums, const char *times);

/* attention_grad.c */
bool attention_choose_grad(attention *r, bool by_keys);
void attention_print_grad(attention *r, int launch);

#endif
