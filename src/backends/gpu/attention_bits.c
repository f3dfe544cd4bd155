/* Masks drawn by a launch of their own, for texts on matrix units, as bits in memory: there they are drawn once for all
 * that read them, by threads that do nothing else. Word (entry, w, query) has a bit a key from 32 w on. */
#include "attention.h"

#include "attention_draws_text.h"

enum { DRAW_THREADS = 256, WORDS_A_THREAD = 4, LINE_KEYS = 128, LINE_QUERIES = 64 };

/* By what forward and backward both know. */
bool attention_has_bits(const attention *r) {
    const flat_attention *a = &r->a;
    return a->bits && r->g->limits->matrix && flat_attention_many_bits(a);
}

void attention_declare_bits(attention *r, bool written) {
    gpu_print *g = r->g;
    gpu_operand(g, "draws", &g->kernel->operands[g->kernel->n_operands - 1], written);
    gpu_declare(g, "uint", "words", ceil_div(r->a.n, LINE_KEYS) * WORDS_A_THREAD);
    gpu_declare(g, "uint", "pitch", round_up(r->a.m, LINE_QUERIES));
}

/* A half that is dropped is below `least`; where that would be more than a half can have without its highest bit, one
 * that is kept has less to what all ones are than `least` has. */
static const char *const below[][2] = { { "least", "least" }, { "of", "$1" }, { "kept", "~$1" } };
static const char *const above[][2] = { { "least", "(65536u - least)" }, { "of", "~$1" }, { "kept", "$1" } };

void attention_print_draws(attention *r) {
    gpu_print *g = r->g;
    const int64_t parts = ceil_div(r->a.n, LINE_KEYS), total = r->a.batches * r->a.m * parts;
    const char *const (*words)[2] = r->a.threshold <= 0.5 ? below : above;
    gpu_words w = { 0 };
    for (int i = 0; i < 3; i++) gpu_word(&w, words[i][0], words[i][1]);
    g->threads = MIN2(DRAW_THREADS, g->limits->threads);
    g->groups = ceil_div(total, g->threads);
    gpu_word_printed(&w, "threads", "%d", (int)g->threads);
    gpu_word(&w, "firstquery", "0");
    gpu_word(&w, "firstkey", "first_word * 32");
    attention_where(r, &w);
    text_add(&g->body, "{\nBEGIN\n");
    attention_declare_bits(r, true);
    gpu_declare(g, "uint", "m", r->a.m);
    gpu_declare(g, "uint", "n", r->a.n);
    gpu_declare(g, "uint", "parts", parts);
    gpu_declare(g, "uint", "total", total);
    attention_draws(r);
    gpu_fill_in(g, &w, attention_draws_text);
}
