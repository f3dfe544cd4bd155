/* Flat programs built by hand and at random, for tests of kernels without a compiler. */
#include "flat_build.h"

#include <assert.h>
#include <math.h>
#include <stdlib.h>

/* xorshift64*: the same numbers in every run of a test. */
static uint64_t state = 0x9E3779B97F4A7C15u;
uint64_t random_bits(void) {
    state ^= state >> 12;
    state ^= state << 25;
    state ^= state >> 27;
    return state * 0x2545F4914F6CDD1Du;
}
double random_unit(void) { return (double)(random_bits() >> 11) * 0x1p-53; }

void build_begin(builder *b) {
    memset(b, 0, sizeof *b);
    b->p = (flat_program){ .buffers = b->buffers, .kernels = b->kernels, .chains = b->chains, .phases = b->phases,
                           .seed = 0x123456789abcdefu };
}

void build_free(builder *b) { free(b->initial); }

int add_buffer(builder *b, tide_dtype type, int64_t count, bool output) {
    int i = b->p.n_buffers++;
    assert(i < MAX_BUFFERS);
    int64_t bytes = count * (int64_t)tide_dtype_size(type);
    b->types[i] = type;
    b->is_output[i] = output, b->is_scratch[i] = false;
    b->buffers[i] = (flat_buffer){ .space = FLAT_ARENA, .bytes = bytes, .offset = b->p.arena_bytes, .first_phase = -1 };
    b->p.arena_bytes += round_up(bytes + 64, 64);
    return i;
}

flat_kernel *add_kernel(builder *b, flat_kernel_kind kind, const char *name, int64_t tasks) {
    int i = b->p.n_kernels++;
    assert(i < MAX_KERNELS);
    b->kernels[i] = (flat_kernel){ .kind = kind, .name = name, .tasks = tasks, .grains = 1,
                                   .operands = b->operands[i] };
    b->chains[i]  = (flat_chain){ i, 1, tasks };
    b->phases[i]  = (flat_phase){ i, 1 };
    b->p.n_chains = b->p.n_phases = b->p.n_kernels;
    return &b->kernels[i];
}

int add_operand(builder *b, flat_kernel *k, int buffer, const int64_t *strides) {
    flat_operand *o = &k->operands[k->n_operands];
    assert(k->n_operands < MAX_OPERANDS);
    *o = (flat_operand){ .buffer = buffer, .type = b->types[buffer] };
    if (strides) memcpy(o->stride, strides, sizeof o->stride);
    return k->n_operands++;
}

static double random_number(bool specials) {
    static const double special[] = {
        0, -0.0, 1, -1, NAN, INFINITY, -INFINITY, 1e30, -1e30, 1e-30, 0.5, 100, -100, 2.5
    };
    if (specials && random_bits() % 4 == 0) return special[random_bits() % (sizeof special / sizeof *special)];
    return 6 * (random_unit() + random_unit() + random_unit()) - 9;
}

static uint16_t random_half(tide_dtype type) {
    uint16_t h = (uint16_t)random_bits();
    uint16_t exponent = type == TIDE_F16 ? 0x7c00 : 0x7f80;
    return (h & exponent) == exponent ? (uint16_t)(h & ~0x4000) : h;
}

static void fill(void *data, tide_dtype type, int64_t n) {
    for (int64_t i = 0; i < n; i++) switch (type) {
        case TIDE_F32:  ((float *)data)[i] = (float)random_number(true); break;
        case TIDE_F64:  ((double *)data)[i] = random_number(true); break;
        case TIDE_F16:
        case TIDE_BF16: ((uint16_t *)data)[i] = random_half(type); break;
        case TIDE_I32:  ((int32_t *)data)[i] = (int32_t)(random_bits() % 21) - 10; break;
        case TIDE_I64:  ((int64_t *)data)[i] = (int64_t)(random_bits() % 21) - 10; break;
        case TIDE_BOOL: ((uint8_t *)data)[i] = random_bits() % 2; break;
        default:        ((uint8_t *)data)[i] = (uint8_t)random_bits(); break;
        }
}

void *initial_of(const builder *b, int buffer) { return (char *)b->initial + b->buffers[buffer].offset; }

void finish(builder *b) {
    for (int i = 0; i < b->p.n_buffers; i++) b->buffers[i].last_phase = b->is_scratch[i] ? 0 : b->p.n_phases;
    b->initial = aligned_alloc(64, (size_t)round_up(MAX2(b->p.arena_bytes, 1), 64));
    assert(b->initial);
    memset(b->initial, 0x5A, (size_t)b->p.arena_bytes);
    for (int i = 0; i < b->p.n_buffers; i++)
        if (!b->is_output[i])
            fill(initial_of(b, i), b->types[i], b->buffers[i].bytes / (int64_t)tide_dtype_size(b->types[i]));
}

flat_kernel *add_map(builder *b, int32_t ndim, int32_t row_ndim, const int64_t *dim, int64_t rows_per_task,
                     bool row_wise) {
    int64_t rows = 1, cols = 1;
    for (int32_t d = 0; d < ndim; d++) *(d < row_ndim ? &rows : &cols) *= dim[d];
    flat_kernel *k = add_kernel(b, FLAT_MAP, "map", ceil_div(rows, rows_per_task));
    k->map = (flat_map){ .ndim = ndim, .row_ndim = row_ndim, .rows = rows, .cols = cols, .rows_per_task = rows_per_task,
                         .row_wise = row_wise, .instrs = b->instrs[b->p.n_kernels - 1] };
    memcpy(k->map.dim, dim, (size_t)ndim * sizeof *dim);
    return k;
}

static flat_instr *instr_of(const flat_kernel *k, int reg) {
    int32_t i = 0;
    while (k->map.instrs[i].dst != reg) i++;
    return (flat_instr *)&k->map.instrs[i];
}

static flat_instr *new_instr(flat_kernel *k, int op, int type, int kind, bool defines) {
    assert(k->map.count < MAX_INSTRS);
    flat_instr *in = (flat_instr *)&k->map.instrs[k->map.count++];
    *in = (flat_instr){
        .op = (uint8_t)op, .type = (uint8_t)type, .kind = (uint8_t)kind, .src = { -1, -1, -1 }, .operand = -1
    };
    in->dst = defines ? (int16_t)k->map.regs++ : -1;
    return in;
}

static void set_source(const flat_kernel *k, flat_instr *in, int i, int reg) {
    if (reg < 0) return;
    in->src[i] = (int16_t)reg;
    in->src_type[i] = instr_of(k, reg)->type;
    in->src_kind[i] = instr_of(k, reg)->kind;
}

flat_instr *map_instr(flat_kernel *k, int op, int type, int kind, int src) {
    flat_instr *in = new_instr(k, op, type, kind, true);
    set_source(k, in, 0, src);
    return in;
}

int map_load(builder *b, flat_kernel *k, int buffer, int kind, const int64_t *strides) {
    tide_dtype type = b->types[buffer];
    flat_instr *in = new_instr(k, FLAT_LOAD, type == TIDE_F16 || type == TIDE_BF16 ? TIDE_F32 : type, kind, true);
    in->operand = (int16_t)add_operand(b, k, buffer, strides);
    return in->dst;
}

int map_op(builder *b, flat_kernel *k, int op, int type, int kind, int a, int c, int d) {
    (void)b;
    flat_instr *in = map_instr(k, op, type, kind, a);
    set_source(k, in, 1, c);
    set_source(k, in, 2, d);
    return in->dst;
}

static void add_end(builder *b, flat_kernel *k, int op, int reg, int buffer, const int64_t *strides) {
    const flat_instr *from = instr_of(k, reg);
    flat_instr *in = new_instr(k, op, from->type, from->kind, false);
    set_source(k, in, 0, reg);
    in->operand = (int16_t)add_operand(b, k, buffer, strides);
}

void map_store(builder *b, flat_kernel *k, int reg, int buffer, const int64_t *strides) {
    add_end(b, k, FLAT_STORE, reg, buffer, strides);
}

void map_sink(builder *b, flat_kernel *k, int op, int reg, int buffer) { add_end(b, k, op, reg, buffer, NULL); }

void dense(int64_t *strides, int32_t ndim, const int64_t *dim, int32_t first, int32_t end) {
    int64_t stride = 1;
    memset(strides, 0, TIDE_MAX_DIMS * sizeof *strides);
    for (int32_t d = MIN2(end, ndim) - 1; d >= first; d--) {
        strides[d] = stride;
        stride *= dim[d];
    }
}
