/* A program that runs whole on cpu because its graph's device lacks an operation. Where the device has memory of its
 * own the variables are not the host's: the program computes on a copy, taken before each run and put back after it. */
#include "runtime.h"

typedef struct mirrored {
    flat_buffer *buffer;  /* of the program: in the copy */
    void   *block;        /* where the variable is */
    int64_t at;
} mirrored;

struct mirror {
    int64_t  bytes;
    void    *memory;
    int32_t  count;
    mirrored of[];
};

static int32_t count_variables(const flat_program *p) {
    int32_t count = 0;
    for (int32_t i = 0; i < p->n_buffers; i++) count += p->buffers[i].space == FLAT_VARIABLE;
    return count;
}

static size_t mirror_size(int32_t count) { return sizeof(struct mirror) + sizeof(mirrored) * (size_t)count; }

static void redirect(struct mirror *m, flat_program *p) {
    for (int32_t i = 0; i < p->n_buffers; i++) {
        flat_buffer *b = &p->buffers[i];
        if (b->space != FLAT_VARIABLE) continue;
        m->of[m->count++] = (mirrored){ b, b->block, b->at };
        b->at = m->bytes;
        m->bytes += round_up(b->bytes, 64);
    }
}

tide_status mirror_new(tide_program *p, tide_failure *why) {
    const runtime *rt = p->graph->runtime;
    int32_t count = count_variables(&p->c.flat);
    if (!rt->place.memory || p->place.memory || !count) return TIDE_OK;
    struct mirror *m = p->mirror = mem_new(&p->graph->allocator, mirror_size(count));
    if (!m) return fail(why, TIDE_ENOMEM, "out of memory for the program");
    redirect(m, &p->c.flat);
    m->memory = mem_new(&p->graph->allocator, (size_t)m->bytes);
    if (!m->memory) return fail(why, TIDE_ENOMEM, "not enough memory for a copy of the variables: %lld bytes",
                                (long long)m->bytes);
    for (int32_t i = 0; i < m->count; i++) m->of[i].buffer->block = m->memory;
    return TIDE_OK;
}

/* All of them: what a program assigns may be assigned in part. */
tide_status mirror_read(const tide_program *p, tide_failure *why) {
    const struct mirror *m = p->mirror;
    tide_status status = TIDE_OK;
    for (int32_t i = 0; m && !status && i < m->count; i++)
        status = place_get(&p->graph->runtime->place, flat_address(m->of[i].buffer), m->of[i].block, m->of[i].at,
                           m->of[i].buffer->bytes, why);
    return status;
}

static bool is_at(const ir_variable *v, const void *block, int64_t at) { return v->block == block && v->at == at; }

static bool assigned(const tide_program *p, const mirrored *m) {
    for (int32_t i = 0; i < p->c.n_assigned; i++)
        if (is_at(p->graph->variables[p->c.assigned[i]], m->block, m->at)) return true;
    return false;
}

tide_status mirror_write(const tide_program *p, tide_failure *why) {
    const struct mirror *m = p->mirror;
    tide_status status = TIDE_OK;
    for (int32_t i = 0; m && !status && i < m->count; i++)
        if (assigned(p, &m->of[i]))
            status = place_put(&p->graph->runtime->place, m->of[i].block, m->of[i].at, flat_address(m->of[i].buffer),
                               m->of[i].buffer->bytes, why);
    return status;
}

int64_t mirror_bytes(const tide_program *p) { return p->mirror ? p->mirror->bytes : 0; }

bool mirror_is(const tide_program *p, const flat_buffer *b, const ir_variable *v) {
    const struct mirror *m = p->mirror;
    for (int32_t i = 0; m && i < m->count; i++)
        if (m->of[i].buffer == b) return is_at(v, m->of[i].block, m->of[i].at);
    return is_at(v, b->block, b->at);
}

void mirror_free(tide_program *p) {
    struct mirror *m = p->mirror;
    if (!m) return;
    mem_free(&p->graph->allocator, m->memory, (size_t)m->bytes);
    mem_free(&p->graph->allocator, m, mirror_size(m->count));
    p->mirror = NULL;
}
