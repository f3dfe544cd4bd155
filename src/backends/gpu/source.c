#include "source.h"

#include <stdlib.h>

void gpu_source_begin(gpu_source *s, gpu_language language, bool f64) {
    gpu_print_preamble(&s->all, language, f64);
    s->preamble = s->all.length;
}

static bool same_body(const gpu_source *s, const gpu_entry *e, const gpu_entry *of, const char *body) {
    return e->hash == of->hash && e->threads == of->threads && e->length == of->length &&
           e->numbers == of->numbers && e->at_once == of->at_once && !memcmp(s->all.data + e->start, body, of->length);
}

static bool room_for_one(gpu_source *s) {
    if (s->n_entries < s->room) return true;
    gpu_entry *more = realloc(s->entries, sizeof *more * (size_t)(2 * s->room + 64));
    if (!more) return false;
    s->entries = more, s->room = 2 * s->room + 64;
    return true;
}

int32_t gpu_source_add(gpu_source *s, const gpu_print *g) {
    const char *body = g->body.data;
    gpu_entry e = { .hash = text_hash(body), .length = g->body.length, .threads = g->threads,
                    .numbers = g->n_numbers, .at_once = g->at_once, .room_bytes = g->room_bytes };
    for (int32_t i = 0; i < s->n_entries; i++)
        if (same_body(s, &s->entries[i], &e, body)) return i;
    if (!room_for_one(s)) return -1;
    text_add(&s->all, "KERNEL(k%d, %d) ", (int)s->n_entries, (int)g->threads);
    e.start = s->all.length;
    text_add(&s->all, "%s\n", body);
    if (s->all.failed) return -1;
    s->entries[s->n_entries] = e;
    return s->n_entries++;
}

void gpu_source_entry(text *out, const gpu_source *s, int32_t entry) {
    const gpu_entry *e = &s->entries[entry];
    if (e->at_once) text_add(out, "#define GPU_AT_ONCE %d\n", (int)e->at_once);
    text_add(out, "%.*sKERNEL(k, %d) %.*s\n", (int)s->preamble, s->all.data, (int)e->threads, (int)e->length,
             s->all.data + e->start);
}

void gpu_source_free(gpu_source *s) {
    text_free(&s->all);
    free(s->entries);
    *s = (gpu_source){ 0 };
}
