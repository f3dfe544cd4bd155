/* An allocator that refuses: the linker sends every allocation here (-Wl,--wrap). One test program includes this
 * once. */
#ifndef REFUSE_H
#define REFUSE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

static int64_t until_failure = -1;  /* allocations still granted; -1: all */
static int64_t allocations;         /* counted */

static bool refuse(void) {
    allocations++;
    return until_failure >= 0 && until_failure-- == 0;
}

void *__real_malloc(size_t bytes);
void *__real_calloc(size_t count, size_t bytes);
void *__real_realloc(void *memory, size_t bytes);
char *__real_strdup(const char *text);
char *__real_strndup(const char *text, size_t length);
void *__wrap_malloc(size_t bytes);
void *__wrap_calloc(size_t count, size_t bytes);
void *__wrap_realloc(void *memory, size_t bytes);
char *__wrap_strdup(const char *text);
char *__wrap_strndup(const char *text, size_t length);

void *__wrap_malloc(size_t bytes) { return refuse() ? NULL : __real_malloc(bytes); }
void *__wrap_calloc(size_t count, size_t bytes) { return refuse() ? NULL : __real_calloc(count, bytes); }
void *__wrap_realloc(void *memory, size_t bytes) { return refuse() ? NULL : __real_realloc(memory, bytes); }
char *__wrap_strdup(const char *text) { return refuse() ? NULL : __real_strdup(text); }
char *__wrap_strndup(const char *text, size_t length) { return refuse() ? NULL : __real_strndup(text, length); }

#endif
