/* Which memory a map kernel's loads and stores touch, and what of it need not be copied: an operand may be used where
 * it lies, a result computed where it is to be stored. */
#include "map_plan.h"

strip_type map_strip_type(int type) {
    static const uint8_t types[TIDE_DTYPES] = { [TIDE_F32] = T_F32, [TIDE_F64] = T_F64, [TIDE_I32] = T_I32,
                                                [TIDE_I64] = T_I64, [TIDE_U8] = T_U8, [TIDE_BOOL] = T_U8 };
    return types[type];
}

int64_t map_size(int type) { return (int64_t)tide_dtype_size((tide_dtype)type); }

map_view map_view_of(const plan *p, const flat_operand *o, int kind) {
    const flat_map *m = p->map;
    int32_t first = kind == FLAT_COL ? m->row_ndim : 0;
    int32_t end = kind == FLAT_ONE ? 0 : kind == FLAT_ROW ? m->row_ndim : m->ndim;
    map_view v = { .place = cpu_place_of(p->build, p->kernel, o) };
    for (int32_t d = first; d < end; d++) {
        if (m->dim[d] == 1) continue;
        bool merges = v.ndim > 0 && v.stride[v.ndim - 1] == o->stride[d] * m->dim[d];
        if (!merges) v.dim[v.ndim++] = 1;
        v.dim[v.ndim - 1] *= m->dim[d];
        v.stride[v.ndim - 1] = o->stride[d];
    }
    return v;
}

bool map_contiguous(const map_view *v) { return v->ndim == 0 || (v->ndim == 1 && v->stride[0] == 1); }

static bool share_memory(const plan *p, const flat_operand *a, const flat_operand *b) {
    const char *at_a = p->build->data[a->buffer], *at_b = p->build->data[b->buffer];
    const flat_buffer *fa = &p->build->program->buffers[a->buffer], *fb = &p->build->program->buffers[b->buffer];
    /* no two live in one kernel share it */
    if (fa->space == FLAT_TASK || fb->space == FLAT_TASK) return a->buffer == b->buffer;
    return at_a < at_b + fb->bytes && at_b < at_a + fa->bytes;
}

static bool varies_in_columns(const plan *p, const flat_operand *o) {
    for (int32_t d = p->map->row_ndim; d < p->map->ndim; d++)
        if (o->stride[d] != 0 && p->map->dim[d] != 1) return true;
    return false;
}

int map_store_kind(const plan *p, const flat_instr *in, const flat_operand *o) {
    if (in->kind == FLAT_FULL || in->kind == FLAT_COL || varies_in_columns(p, o)) return FLAT_FULL;
    if (in->kind == FLAT_ROW) return FLAT_ROW;
    for (int32_t d = 0; d < p->map->row_ndim; d++)
        if (o->stride[d] != 0 && p->map->dim[d] != 1) return FLAT_ROW;
    return FLAT_ONE;
}

const flat_operand *map_operand(const plan *p, const flat_instr *in) { return &p->kernel->operands[in->operand]; }

bool map_same_storage(int a, int b) {
    if (a == b) return true;
    return map_strip_type(a) == T_U8 && map_strip_type(b) == T_U8 && map_size(a) == 1 && map_size(b) == 1;
}

/* Whether instruction `i` reads memory that `store` writes, at or after instruction `from`. */
static bool reads_after(const plan *p, int32_t i, const flat_operand *store, int32_t from) {
    const flat_instr *in = &p->map->instrs[i];
    if (in->op == FLAT_STORE || in->op == FLAT_COL_SUM || in->op == FLAT_ALL_SUM)
        return i >= from && share_memory(p, map_operand(p, in), store);
    bool later = i > from || (in->op == FLAT_LOAD && p->last_instr[in->dst] > from);
    return in->op == FLAT_LOAD && later && share_memory(p, map_operand(p, in), store);
}

/* A stored value may be computed in place of the store if nothing between the two needs the memory's old content. */
static bool may_be_direct(const plan *p, int32_t def, int32_t store) {
    const flat_instr *d = &p->map->instrs[def], *s = &p->map->instrs[store];
    const flat_operand *o = map_operand(p, s);
    map_view v = map_view_of(p, o, d->kind);
    if (d->op == FLAT_LOAD || d->kind == FLAT_ONE || d->kind != map_store_kind(p, s, o)) return false;
    if (!map_same_storage(d->type, o->type) || !map_contiguous(&v)) return false;
    for (int32_t i = 0; i < store; i++)
        if (reads_after(p, i, o, def)) return false;
    return true;
}

void map_study_registers(plan *p) {
    const flat_map *m = p->map;
    int32_t *def = arena_new(p->build->temp, int32_t, m->regs);
    for (int32_t r = 0; r < m->regs; r++) p->direct[r] = p->last_instr[r] = -1;
    for (int32_t i = 0; i < m->count; i++) {
        if (m->instrs[i].dst >= 0) def[m->instrs[i].dst] = i;
        for (int j = 0; j < 3; j++)
            if (m->instrs[i].src[j] >= 0) p->last_instr[m->instrs[i].src[j]] = i;
    }
    for (int32_t i = 0; i < m->count; i++) {
        int16_t r = m->instrs[i].src[0];
        if (m->instrs[i].op == FLAT_STORE && p->direct[r] < 0 && may_be_direct(p, def[r], i)) p->direct[r] = i;
    }
}

/* Loads use the operand where it lies, unless the kernel overwrites it before the last use. A step that reads and
 * writes the same place must do so element for element. */
bool map_may_alias(const plan *p, const flat_instr *load) {
    const flat_map *m = p->map;
    for (int32_t i = 0; i < m->count; i++) {
        const flat_instr *in = &m->instrs[i];
        int32_t written = in->dst >= 0 && p->direct[in->dst] >= 0 ? p->direct[in->dst] : in->op == FLAT_STORE ? i : -1;
        if (written < 0 || !share_memory(p, map_operand(p, load), map_operand(p, &m->instrs[written]))) continue;
        bool alike = map_size(map_operand(p, load)->type) == map_size(map_operand(p, &m->instrs[written])->type);
        if (p->last_instr[load->dst] > i || (p->last_instr[load->dst] == i && !alike)) return false;
    }
    return true;
}
