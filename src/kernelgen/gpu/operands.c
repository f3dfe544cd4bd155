/* What every printed kernel starts with: its numbers, its blocks of memory, its operands' first elements. */
#include "gpu.h"

static const struct { const char *memory, *reg, *load, *store, *load_four, *store_four; } words[TIDE_DTYPES] = {
    [TIDE_F32]  = { "float", "float", "%s", "%s = %s", "LOAD_FOUR(float4, %s, %s)",
                    "STORE_FOUR(float4, float, %s, %s)" },
    [TIDE_F64]  = { "double", "double", "%s", "%s = %s" },
    [TIDE_F16]  = { "ushort", "float", "f_from_f16(%s)", "%s = f_to_f16(%s)", "LOAD_FOUR(ushort4, %s, %s)",
                    "STORE_FOUR_F16(%s, %s)" },
    [TIDE_BF16] = { "ushort", "float", "f_from_bf16(%s)", "%s = f_to_bf16(%s)", "LOAD_FOUR(ushort4, %s, %s)",
                    "STORE_FOUR_BF16(%s, %s)" },
    [TIDE_I32]  = { "int", "int", "%s", "%s = %s", "LOAD_FOUR(int4, %s, %s)", "STORE_FOUR(int4, int, %s, %s)" },
    [TIDE_I64]  = { "i64", "i64", "%s", "%s = %s" },
    [TIDE_U8]   = { "uchar", "int", "(int)(%s)", "%s = (uchar)(%s)", "LOAD_FOUR(uchar4, %s, %s)",
                    "STORE_FOUR(uchar4, uchar, %s, %s)" },
    [TIDE_BOOL] = { "uchar", "int", "(int)(%s)", "%s = (uchar)(%s)", "LOAD_FOUR(uchar4, %s, %s)",
                    "STORE_FOUR(uchar4, uchar, %s, %s)" },
};

const char *gpu_memory_type(int type) { return words[type].memory; }
const char *gpu_register_type(int type) { return words[type].reg; }

/* The formats are the table's own, each with the arguments that its call has. */
static void put_words(text *out, const char *format, const char *first, const char *second) {
    for (const char *at = format; *at; at++) {
        if (at[0] != '%') text_add(out, "%c", *at);
        else at++, text_add(out, "%s", first), first = second;
    }
}

void gpu_load(text *out, int type, const char *place) { put_words(out, words[type].load, place, ""); }
void gpu_store(text *out, int type, const char *place, const char *value) {
    put_words(out, words[type].store, place, value);
}

void gpu_load_four(text *out, int type, const char *array, const char *place) {
    put_words(out, words[type].load_four, array, place);
}
void gpu_store_four(text *out, int type, const char *place, const char *array) {
    put_words(out, words[type].store_four, place, array);
}

int gpu_number(gpu_print *g, int64_t number) {
    if (g->n_numbers == GPU_NUMBERS) {
        g->lacks = "it has more operands and sizes than a launch can be told";
        return 0;
    }
    g->numbers[g->n_numbers] = number;
    return g->n_numbers++;
}

int gpu_block_of(gpu_print *g, gpu_space space, void *block) {
    for (int i = 0; i < g->n_blocks; i++)
        if (g->blocks[i].space == space && g->blocks[i].block == block) return i;
    if (g->n_blocks == GPU_BLOCKS) {
        g->lacks = "its operands are in more blocks of memory than a launch can be given";
        return 0;
    }
    g->blocks[g->n_blocks] = (gpu_block){ space, block };
    return g->n_blocks++;
}

/* Elements of a map's operand from its first on, or the whole buffer: what a sink writes, or a stride turns back over,
 * is not looked into. */
static void touched(const gpu_print *g, const flat_operand *o, int64_t begin, int64_t *from, int64_t *to) {
    const flat_kernel *k = g->kernel;
    const flat_map    *m = &k->map;
    int64_t size = (int64_t)tide_dtype_size(o->type), last = 0;
    *from = begin, *to = begin + g->program->buffers[o->buffer].bytes;
    if (k->kind != FLAT_MAP) return;
    for (int32_t i = 0; i < m->count; i++)
        if (m->instrs[i].operand == (int16_t)(o - k->operands) && m->instrs[i].op != FLAT_LOAD &&
            m->instrs[i].op != FLAT_STORE)
            return;
    for (int32_t d = 0; d < m->ndim; d++) {
        if (o->stride[d] < 0) return;
        last += (m->dim[d] - 1) * o->stride[d];
    }
    *from = begin + o->offset * size, *to = *from + (last + 1) * size;
}

static void add_use(gpu_print *g, int block, int64_t from, int64_t to, bool written) {
    if (g->n_uses == GPU_USES) g->lacks = "it has more operands than a launch can be told";
    else g->uses[g->n_uses++] = (gpu_use){ g->blocks[block], from, to, written };
}

static void declare(gpu_print *g, const char *constant, const char *type, const char *name, int block, int64_t at) {
    int number = gpu_number(g, at);
    text_add(&g->body, "GLOBAL %s%s *%s = (GLOBAL %s%s *)(b%d + table[%d]);\n", constant, type, name, constant, type,
             block, number);
}

/* Of the operand's buffer in its block, in bytes. */
static int64_t begin_of(const gpu_print *g, const flat_operand *o) {
    const flat_buffer *b = &g->program->buffers[o->buffer];
    return b->space == FLAT_VARIABLE   ? b->at
           : b->space == FLAT_CONSTANT ? g->constant_at[o->buffer]
                                       : b->offset;
}

bool gpu_fours(const gpu_print *g, const flat_operand *o) {
    int64_t size = (int64_t)tide_dtype_size(o->type);
    return words[o->type].load_four && (begin_of(g, o) + o->offset * size) % (4 * size) == 0;
}

int64_t gpu_place(gpu_print *g, const flat_operand *o, bool written, int *block) {
    const flat_buffer *b = &g->program->buffers[o->buffer];
    int64_t begin = begin_of(g, o), from, to;
    switch (b->space) {
    case FLAT_VARIABLE: *block = gpu_block_of(g, GPU_STORAGE, b->block); break;
    case FLAT_CONSTANT: *block = gpu_block_of(g, GPU_CONSTANT, NULL); break;
    default:            *block = gpu_block_of(g, GPU_ARENA, NULL); break;
    }
    touched(g, o, begin, &from, &to);
    add_use(g, *block, from, to, written);
    return begin + o->offset * (int64_t)tide_dtype_size(o->type);
}

int64_t gpu_place_scratch(gpu_print *g, int64_t at_bytes, int *block) {
    *block = gpu_block_of(g, GPU_SCRATCH, NULL);
    add_use(g, *block, g->scratch_at, g->scratch_at + 1, true);
    return g->scratch_at + at_bytes;
}

void gpu_operand(gpu_print *g, const char *name, const flat_operand *o, bool written) {
    int block;
    int64_t at = gpu_place(g, o, written, &block);
    declare(g, written ? "" : "const ", words[o->type].memory, name, block, at);
}

void gpu_scratch(gpu_print *g, const char *name, const char *type, int64_t at_bytes) {
    int block;
    int64_t at = gpu_place_scratch(g, at_bytes, &block);
    declare(g, "", type, name, block, at);
}

const char *gpu_index_type(const flat_program *p, const flat_kernel *k) {
    int64_t most = k->kind == FLAT_MAP    ? k->map.rows * k->map.cols
                   : k->kind == FLAT_GEMM ? MAX2(k->gemm.m, MAX2(k->gemm.n, k->gemm.k))
                                          : 0;
    for (int32_t i = 0; i < k->n_operands; i++)
        most = MAX2(most, p->buffers[k->operands[i].buffer].bytes / (int64_t)tide_dtype_size(k->operands[i].type));
    /* with room for the lanes that reach beyond the end */
    return most < INT32_MAX - 65536 ? "int" : "i64";
}
