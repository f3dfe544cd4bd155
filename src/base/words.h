/* "Did you mean": how far words are from each other. */
#ifndef TIDE_BASE_WORDS_H
#define TIDE_BASE_WORDS_H

#include <stdbool.h>
#include <stddef.h>

/* Edits (insert, delete, replace, swap neighbours) from a to b; case does not count, and '_' equals '-'. */
int word_distance(const char *a, const char *b);

/* The nearest of the words that are tried one after the other: start with { .word = what was written }; `found` stays
 * NULL while none is near. A word is near that begins with three letters or more of what was written, or differs in a
 * third of the letters at most. The first of equals wins. */
typedef struct nearest {
    const char *word, *found;
    int         distance;
} nearest;
void nearest_try(nearest *n, const char *candidate);

/* Are they the same name? '_' equals '-'; `length` letters of a, all of b. */
bool same_name(const char *a, size_t length, const char *b);

#endif
