/* Bodies from embedded texts: in them $word or $word(argument, ...) stands for what a table says, which may hold $1,
 * $2, ... for the arguments and words of its own. */
#ifndef TIDE_GPU_FILL_H
#define TIDE_GPU_FILL_H

#include "../../kernelgen/gpu/gpu.h"

enum { GPU_WORDS = 48, GPU_WORD_ROOM = 96 };

typedef struct gpu_words {
    int32_t     count;
    const char *name[GPU_WORDS], *means[GPU_WORDS];
    char        made[GPU_WORDS][GPU_WORD_ROOM];  /* what is meant where `means` is NULL */
} gpu_words;

void gpu_word(gpu_words *w, const char *name, const char *means);  /* both live as long as the words */
void gpu_word_printed(gpu_words *w, const char *name, const char *format, ...) TIDE_PRINTF(3, 4);
void gpu_word_count(gpu_words *w, const char *name, int64_t count);
void gpu_word_table(gpu_words *w, const char *const words[][2], size_t count);  /* names, and what they mean */
#define GPU_WORD_TABLE(w, words) gpu_word_table(w, words, sizeof words / sizeof *words)
/* "load(place)" and "store(place, value)": elements of memory of the type. */
void gpu_word_load(gpu_words *w, int type);
void gpu_word_store(gpu_words *w, int type);
/* Sums of many numbers of the type, which lose nothing: floats are two, of which the first is the sum rounded.
 *   pair(s)  add(s, value)  copy(s, t)  and in LOCAL  pairs(array, size)  keep(array, at, s)  join(s, array, at)
 * and plus(a, b), one addition as memory of the type would keep it. The sum is s. */
void gpu_word_sums(gpu_words *w, int type);

/* A number of the table under a name, of the type "int" or "i64". */
void gpu_declare(gpu_print *g, const char *type, const char *name, int64_t number);
void gpu_fill_in(gpu_print *g, const gpu_words *w, const char *body);

#endif
