/* Whether a compiled map kernel is faster than strips: the first task of both, in turns, on operands of their own that
 * are made up. Nothing of the program's is touched. */
#include "native.h"

enum { ROUNDS = 15, MOST_REPEATS = 1000 };

static const double worth_changing = 0.98, one_sample_s = 30e-6;
static const int64_t most_bytes = (int64_t)1 << 30;

typedef struct trial {
    cpu_build    build;     /* with buffers of its own: one an operand */
    flat_program program;
    flat_kernel  kernel;
    cpu_kernel   strips;
    char        *scratch;
} trial;

/* Elements that the first task touches, [low, high) from the operand's element 0. */
static void extent(const flat_map *m, const flat_operand *o, bool sink, int64_t *low, int64_t *high) {
    int64_t row = MIN2(m->rows, m->rows_per_task) - 1;
    *low = 0, *high = sink ? m->cols : 1;
    for (int32_t d = m->ndim - 1; d >= 0 && !sink; d--) {
        int64_t most = m->dim[d] - 1;
        if (d < m->row_ndim) {
            most = MIN2(row, most);
            row /= m->dim[d];
        }
        if (o->stride[d] < 0) *low += most * o->stride[d]; else *high += most * o->stride[d];
    }
}

static bool is_sink(const flat_map *m, int32_t operand) {
    for (int32_t i = 0; i < m->count; i++)
        if (m->instrs[i].operand == operand && (m->instrs[i].op == FLAT_COL_SUM || m->instrs[i].op == FLAT_ALL_SUM))
            return true;
    return false;
}

static void fill(void *to, tide_dtype type, int64_t count) {
    for (int64_t i = 0; i < count; i++) switch (type) {
        case TIDE_F32:  ((float *)to)[i] = 0.5f; break;
        case TIDE_BF16: ((uint16_t *)to)[i] = 0x3f00; break;
        case TIDE_F16:  ((uint16_t *)to)[i] = 0x3800; break;
        case TIDE_I32:  ((int32_t *)to)[i] = 1; break;
        default:        ((uint8_t *)to)[i] = 1; break;
        }
}

/* Memory that lies as `like` does within its page: loads wait for stores to the same place in another page. */
static char *alloc_like(arena *room, int64_t bytes, uintptr_t like) {
    enum { PAGE = 4096 };
    char *memory = arena_alloc(room, (size_t)bytes + PAGE);
    return memory + ((like - (uintptr_t)memory) & (PAGE - 1));
}

static bool at_once(cpu_place a, cpu_place b) {
    return a.base == b.base && a.offset == b.offset && a.step == b.step && a.tasks == b.tasks;
}

/* An operand that lies where an earlier one does shares its memory: a kernel that works in place does so here. */
static void place(trial *t, arena *room, const cpu_build *b, const flat_kernel *k, void **data, flat_buffer *buffers) {
    for (int32_t i = 0; i < k->n_operands; i++) {
        flat_operand *o = &t->kernel.operands[i];
        int64_t low, high, size = (int64_t)tide_dtype_size(o->type);
        int32_t same = 0;
        cpu_place here = cpu_place_of(b, k, &k->operands[i]);
        while (same < i && !at_once(cpu_place_of(b, k, &k->operands[same]), here)) same++;
        extent(&k->map, o, is_sink(&k->map, i), &low, &high);
        bool shares = same < i && t->kernel.operands[same].offset == -low &&
                      buffers[t->kernel.operands[same].buffer].bytes >= (high - low) * size;
        o->buffer = shares ? t->kernel.operands[same].buffer : i, o->offset = -low;
        if (shares) continue;
        buffers[i].bytes = (high - low) * size;
        data[i] = alloc_like(room, buffers[i].bytes, (uintptr_t)here.base + (uintptr_t)(here.offset + low * size));
        fill(data[i], o->type, high - low);
    }
}

static int64_t bytes_needed(const flat_kernel *k) {
    int64_t bytes = 0;
    for (int32_t i = 0; i < k->n_operands; i++) {
        int64_t low, high;
        extent(&k->map, &k->operands[i], is_sink(&k->map, i), &low, &high);
        bytes += (high - low) * (int64_t)tide_dtype_size(k->operands[i].type);
    }
    return bytes;
}

static bool set_up(trial *t, arena *room, const cpu_build *b, const flat_kernel *k, native_exec *x) {
    kernelgen_needs needs;
    flat_buffer *buffers = arena_new(room, flat_buffer, k->n_operands);
    void **data = arena_new(room, void *, k->n_operands);
    t->kernel = *k;
    t->kernel.operands = arena_new(room, flat_operand, k->n_operands);
    memcpy(t->kernel.operands, k->operands, sizeof *k->operands * (size_t)k->n_operands);
    place(t, room, b, k, data, buffers);
    t->program = *b->program;
    t->program.buffers = buffers, t->program.n_buffers = k->n_operands;
    t->build = *b;
    t->build.program = &t->program, t->build.data = data, t->build.keep = t->build.temp = room;
    x->operands = k->n_operands;
    x->place = arena_new(room, cpu_place, MAX2(k->n_operands, 1));
    for (int32_t i = 0; i < k->n_operands; i++)
        x->place[i] = cpu_place_of(&t->build, &t->kernel, &t->kernel.operands[i]);
    if (!kernelgen_map_needs(b->program, k, (int)b->isa->gemm->lanes_f32, &needs)) return false;
    if (map_prepare(&t->build, &t->kernel, &t->strips) != TIDE_OK) return false;
    t->scratch = alloc_like(room, MAX2(t->strips.scratch, needs.scratch), 0);
    return true;
}

static double sample(const trial *t, const native_exec *x, bool compiled, int repeats) {
    double began = os_seconds();
    for (int i = 0; i < repeats; i++) {
        if (compiled) native_run(x, 0, t->scratch);
        else t->strips.run(t->strips.exec, 0, 0, t->scratch);
    }
    return (os_seconds() - began) / repeats;
}

/* The best of rounds in which both have their turn. */
static bool wins(const trial *t, const native_exec *x) {
    double best[2];
    sample(t, x, true, 1);
    best[0] = sample(t, x, false, 1);
    best[0] = sample(t, x, false, 1);
    best[1] = sample(t, x, true, 1);
    int repeats = (int)MAX2(1, MIN2(MOST_REPEATS, one_sample_s / MAX2(best[0], 1e-8)));
    for (int i = 0; i < ROUNDS; i++)
        for (int j = 0; j < 2; j++) {
            double took = sample(t, x, j == 1, repeats);
            best[j] = MIN2(best[j], took);
        }
    return best[1] < worth_changing * best[0];
}

bool native_faster(const cpu_build *b, const flat_kernel *k, const native_exec *x) {
    jmp_buf oom;
    tide_failure ignored = { 0 };
    arena room = { .allocator = b->keep->allocator, .oom = &oom };
    volatile bool faster = false;
    if (bytes_needed(k) > most_bytes) return false;
    if (!setjmp(oom)) {
        trial *t = arena_new(&room, trial, 1);
        native_exec here = *x;
        cpu_build build = *b;
        build.why = &ignored;
        faster = set_up(t, &room, &build, k, &here) && wins(t, &here);
    }
    arena_free(&room);
    return faster;
}
