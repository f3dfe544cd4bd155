#include <stdlib.h>

#include "base.h"

static void *system_alloc(void *user, size_t bytes) {
    (void)user;
    size_t whole = (MAX2(bytes, 1) + 63) / 64 * 64;
    return bytes > SIZE_MAX - 64 ? NULL : aligned_alloc(64, whole);
}

static void system_free(void *user, void *memory, size_t bytes) {
    (void)user, (void)bytes;
    free(memory);
}

tide_allocator mem_system(void) { return (tide_allocator){ system_alloc, system_free, NULL }; }

void *mem_new(const tide_allocator *a, size_t bytes) {
    void *memory = a->alloc(a->user, bytes);
    return memory ? memset(memory, 0, bytes) : NULL;
}

void mem_free(const tide_allocator *a, void *memory, size_t bytes) {
    if (memory) a->free(a->user, memory, bytes);
}

struct arena_chunk {
    arena_chunk *next;
    size_t used, capacity;  /* bytes of data, which starts 64 bytes after the chunk */
};
enum { ARENA_CHUNK = 1 << 16, ARENA_HEADER = 64 };

static arena_chunk *arena_grow(arena *a, size_t bytes) {
    size_t capacity = MAX2(bytes, (size_t)ARENA_CHUNK - ARENA_HEADER);
    if (bytes > SIZE_MAX / 2) return NULL;
    arena_chunk *c = mem_new(a->allocator, capacity + ARENA_HEADER);
    if (!c) return NULL;
    *c = (arena_chunk){ a->chunks, 0, capacity };
    return a->chunks = c;
}

void *arena_alloc(arena *a, size_t bytes) {
    size_t whole = (bytes + 15) & ~(size_t)15;
    arena_chunk *c = a->chunks;
    if (!c || c->capacity - c->used < whole) c = arena_grow(a, whole);
    if (!c) {
        if (a->oom) longjmp(*a->oom, 1);
        return NULL;
    }
    void *memory = (char *)c + ARENA_HEADER + c->used;
    c->used += whole;
    return memory;
}

void arena_free(arena *a) {
    for (arena_chunk *c = a->chunks, *next; c; c = next) {
        next = c->next;
        mem_free(a->allocator, c, c->capacity + ARENA_HEADER);
    }
    a->chunks = NULL;
}

arena_mark arena_here(const arena *a) { return (arena_mark){ a->chunks, a->chunks ? a->chunks->used : 0 }; }

void arena_rewind(arena *a, arena_mark to) {
    while (a->chunks != to.chunk) {
        arena_chunk *c = a->chunks;
        a->chunks = c->next;
        mem_free(a->allocator, c, c->capacity + ARENA_HEADER);
    }
    if (!to.chunk) return;
    memset((char *)to.chunk + ARENA_HEADER + to.used, 0, to.chunk->used - to.used);  /* memory that is lent is zero */
    to.chunk->used = to.used;
}
