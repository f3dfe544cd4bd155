/* The parts of which attention's texts for matrix units are put together (attention_mma.c). A warp has sixteen rows of
 * the group's tile; tiles of the columns come into memory of the group, each of two stages in turn. */
#ifndef TIDE_GPU_ATTENTION_MMA_H
#define TIDE_GPU_ATTENTION_MMA_H

#include "attention.h"

/* A matrix's columns, up to those that a product has; a row of it in memory of the group, so that eight of them meet
 * different banks. */
static inline int64_t mma_padded(const attention *r, int which) { return round_up(attention_width(r, which), 16); }
static inline int64_t mma_pitch(const attention *r, int which) {
    return mma_padded(r, which) + (attention_split(r) ? 4 : 8);
}
/* Bytes of a number in memory of the group, of which sixteen are copied at a time. */
static inline int64_t mma_size(const attention *r) { return attention_split(r) ? 4 : 2; }

enum { MMA_WORD = 32 /* bits */ };

/* Whether matrix units can do it at all: the greatest product must be the greatest score. */
bool mma_suits(const attention *r, const int *used, int count);
/* Sets the tile: `scores` are of how many products at a time, `width` the sums' columns, of one matrix or of two. */
bool mma_choose(attention *r, int scores, int64_t width, int64_t width2);
/* Registers of a lane: sums, scores, and what it has of its own rows. */
int64_t mma_registers(const attention *r, int cols, int scores, int64_t width, int64_t width2);

gpu_words mma_words(const attention *r, int which);
gpu_words mma_each_words(const attention *r);           /* of what is done to scores, one by one */

/* What a group has in its memory, and the text to BEGIN and the sizes; `cols` are the matrices that come by tiles. */
int64_t mma_bytes(const attention *r, const int *cols);
void mma_open(attention *r, const int *used, int count, const int *cols);
void mma_own(attention *r, int which);                  /* the lane's rows, as the first side of products */
/* Of the matrices that come by tiles, once it is known where these are. */
void mma_place(attention *r, int which, int rows);
/* Starts to copy a tile of so many rows of a matrix, `next` the first of its `extent`, into stage `into`. */
void mma_start(attention *r, int which, int rows, const char *extent);
void mma_scores(attention *r, const char *sums, int own, int which);  /* sums = own rows times columns' rows */
/* sums += weights times columns' rows; `drops`: weights of queries and keys that the mask drops are none. */
void mma_weigh(attention *r, const char *sums, const char *weights, int which, bool drops);
void mma_zero(attention *r, const char *sums, int columns);
void mma_store_words(const attention *r, gpu_words *w, int which, const char *sums, const char *times);  /* $write */
void mma_store(attention *r, int which, const char *sums, const char *times);
void mma_start_bits(attention *r);                      /* where they are: those of a tile of queries, for keys */
void mma_draw(attention *r);                            /* the masks of a tile, unless they are bits */
/* A loop over the columns: a tile is there, and the next one, by `starts`, is on its way. */
void mma_begin_loop(attention *r, const int *cols, void (*starts)(attention *r, const int *cols));
void mma_end_loop(attention *r);

/* attention_mma_grad.c: numbers, and what a tile of queries needs. */
void mma_grad_numbers(attention *r);
void mma_start_queries(attention *r, const int *cols);

#endif
