/* Text that others wrote, character by character. */
#ifndef PLOT_WORDS_H
#define PLOT_WORDS_H

#include <stdbool.h>
#include <stdint.h>

/* The character at s and its length in bytes; length 0 if it is no UTF-8. */
int word_character(const unsigned char *s, uint32_t *code);
/* XML 1.0 section 2.2 without control characters, and without those that Unicode keeps from being exchanged. */
bool word_is_text(uint32_t code);

#endif
