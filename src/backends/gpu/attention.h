/* What the texts of attention share. A group has a tile of `rows` of the result, queries or keys, and goes along the
 * others by tiles of `cols`: scores = rows times columns, over the head's size; what becomes of them, the weights, goes
 * through memory of the group; sums += weights times another matrix's rows, over the columns. */
#ifndef TIDE_GPU_ATTENTION_H
#define TIDE_GPU_ATTENTION_H

#include "fill.h"

/* A thread has tr x tc scores, and tr rows of the sums; threads go by warps of 32, eight across. Of more than four
 * columns each four are apart, so that a warp's threads read neighbours. */
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
    bool parts_here;    /* backward: groups make do o themselves */
    bool bits;          /* on matrix units: masks have been drawn by another launch */
    bool whole;         /* on matrix units, backward: a group has all keys of an entry, and all its queries */
    int  rows, cols, threads;  /* of a group's tile */
    /* Without matrix units: */
    const attention_tile *tile;
    int  bk;            /* of a product's common dimension at a time, at most */
    bool early;         /* tiles are so small that all of one is fetched at once */
    int  slot;          /* floats: of such a piece of both sides */
} attention;

/* attention_tiles.c: the tile and what follows from it. scores: how many of them there are at a time, of q and k, or of
 * do and v too; `width` the sums' columns, of one matrix or of two. False: none fits. */
bool attention_choose(attention *r, int scores, int64_t width, int64_t width2);
/* What is done by tiles, padded, in rounds of a group a multiprocessor. */
double attention_cost(const attention *r, int rows, int cols, double rate);

/* attention_text.c */
void attention_merge_batch(attention *r);
/* Declares operands, and moves those of matrices to the batch's `entry`. */
void attention_declare(attention *r, int which);
void attention_batch(attention *r, const int *which, int count);
void attention_float(gpu_print *g, const char *name, double value);
/* The opening brace, the group's memory, with an array of so many floats if it has a name, and BEGIN. */
void attention_rooms(attention *r, const char *floats, int count);
void attention_numbers(attention *r);           /* sizes, and what masks are drawn by, unless they are bits */
void attention_draws(attention *r);             /* what masks are drawn by */
void attention_where(const attention *r, gpu_words *w);  /* $where: the `sample`, and `from` where in it */
void attention_place(attention *r);             /* which tile the group has */
void attention_begin_loop(attention *r);        /* `first_col` goes along the columns, `rest` are left */
void attention_masks(attention *r);             /* the bits of a tile's mask, if there is dropout */
void attention_mask_words(const attention *r, gpu_words *w);  /* where they are: $firstquery, $maskpitch, ... */
int  attention_mask_bytes(const attention *r);
void attention_words(const attention *r, gpu_words *w);  /* these too, and $bits, $drop, ... */
void attention_zero(attention *r, const char *sums, int columns);
/* A product as it is printed. What it fetches first can be on its way long before it is multiplied. */
typedef struct attention_product {
    gpu_words sides[2], multiply;
    int  n_sides, bk;
    const char *id, *depth;  /* `id` makes its names its own */
    bool zero, fetched;
} attention_product;
/* sums = factor rows cols', matrices of one width */
attention_product attention_scores(const attention *r, const char *sums, int rows, int cols, const char *factor,
                                   const char *id);
/* sums += weights times a matrix's rows */
attention_product attention_weigh(const attention *r, const char *sums, int which, const char *id);
void attention_fetch(attention *r, attention_product *p);     /* unless it was */
void attention_multiply(attention *r, attention_product *p);
void attention_weights(attention *r, const char *from);       /* into memory of the group */
void attention_store(attention *r, int which, const char *sums, const char *times);

/* On matrix units numbers of F32 are two of TF32 (product_mma.c). */
static inline bool attention_split(const attention *r) { return r->operand[ATT_Q].type == TIDE_F32; }

const char *attention_name(int which);
int64_t attention_width(const attention *r, int which);
const char *attention_width_name(int which);

/* attention_mma_forward.c, attention_mma_grad.c, attention_mma_whole.c (16-bit numbers alone): on matrix units. False:
 * operands do not lie so that sixteen bytes are copied at a time, groups have too little room, or there are so few
 * numbers of F32 that plain arithmetic is as fast; then nothing was printed. What is not finite in an operand of F32
 * makes NaN of all that it is multiplied with. */
bool attention_mma_forward(attention *r);
bool attention_mma_grad(attention *r);
bool attention_mma_whole(attention *r, int launch);

/* attention_bits.c: masks as bits, drawn by a launch of their own, forward's first, if they are so many. */
bool attention_has_bits(const attention *r);
void attention_declare_bits(attention *r, bool written);
void attention_print_draws(attention *r);

/* attention_grad.c */
void attention_part_loads(const attention *r, gpu_words *w);  /* $loado and $loadgo */
void attention_declare_parts(attention *r);                   /* do o in scratch, if it is there */
bool attention_choose_grad(attention *r, bool by_keys);
void attention_print_grad(attention *r, int launch);
/* The launch that leaves each query's do o; with `pairs` what mma_across takes, in units of the scores. */
void attention_print_parts(attention *r, bool pairs);

#endif
