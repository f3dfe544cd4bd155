/* How a map is laid over threads, and what each of its loops must make. */
#include "map_gpu.h"

enum { MOST_THREADS = 256, FEWEST_THREADS = 64, ENOUGH_GROUPS = 264, MOST_TURNS = 8, MOST_UNROLLED = 2048,
       BLOCK = 32 /* columns of a group that sums them over rows: a line of memory */,
       ENOUGH_THREADS = 1 << 17, MOST_AHEAD = 64 /* registers of what is loaded before it is needed */ };

/* ---- stages -------------------------------------------------------------------------------------------- */

bool map_stores_each(const map_print *p, const flat_instr *in) {
    if (in->op != FLAT_STORE) return false;
    for (int32_t d = p->m->row_ndim; d < p->m->ndim; d++)
        if (p->m->dim[d] != 1 && map_operand(p, in)->stride[d] != 0) return true;
    return per_lane(in->kind);
}

bool map_overwrites_a_load(const map_print *p, const flat_instr *store) {
    for (int32_t i = 0; i < p->m->count; i++)
        if (p->m->instrs[i].op == FLAT_LOAD &&
            operands_share_memory(p->g->program, map_operand(p, store), map_operand(p, &p->m->instrs[i])))
            return true;
    return false;
}

/* A store over what the kernel loads waits for the last loop: until then it may be loaded again. */
void map_find_stages(map_print *p) {
    const flat_map *m = p->m;
    int32_t last = 0;
    for (int32_t i = 0; i < m->count; i++) {
        const flat_instr *in = &m->instrs[i];
        p->stage[i] = 0;
        for (int j = 0; j < 3; j++) {
            if (in->src[j] < 0 || in->src_kind[j] == FLAT_ONE) continue;
            int32_t def = p->def[in->src[j]];
            p->stage[i] = MAX2(p->stage[i], p->stage[def] + is_row_reduction(&m->instrs[def]));
        }
        if (in->dst >= 0) p->def[in->dst] = i;
        last = MAX2(last, p->stage[i] + is_row_reduction(in));
    }
    for (int32_t i = 0; i < m->count; i++)
        if (map_stores_each(p, &m->instrs[i]) && map_overwrites_a_load(p, &m->instrs[i])) p->stage[i] = last;
    p->shape.stages = last + 1;
}

bool map_consumes(const map_print *p, int32_t i, int32_t stage) {
    const flat_instr *in = &p->m->instrs[i];
    return p->stage[i] == stage && (is_row_reduction(in) || is_sink(in) || map_stores_each(p, in));
}

/* Made from nothing that varies along the row: not worth a register. */
static bool is_cheap(const flat_instr *in) {
    if (is_draw(in) || (in->op == FLAT_LOAD && in->kind == FLAT_FULL)) return false;
    for (int j = 0; j < 3; j++)
        if (in->src[j] >= 0 && per_lane(in->src_kind[j])) return false;
    return true;
}

/* What the stage's loop computes: all that it consumes comes from, but for what an earlier loop has kept. */
void map_find_needed(map_print *p, int32_t stage) {
    const flat_map *m = p->m;
    for (int32_t r = 0; r < m->regs; r++) p->state[r] &= (uint8_t)~WANTED;
    for (int32_t i = m->count - 1; i >= 0; i--) {
        const flat_instr *in = &m->instrs[i];
        p->needed[i] = map_consumes(p, i, stage) || (in->dst >= 0 && p->state[in->dst] & WANTED);
        for (int j = 0; j < 3 && p->needed[i]; j++) {
            if (in->src[j] < 0 || !per_lane(in->src_kind[j])) continue;
            uint8_t *from = &p->state[in->src[j]];
            bool stays = p->shape.kept && *from & MADE && !is_cheap(&m->instrs[p->def[in->src[j]]]);
            *from |= stays ? KEPT : WANTED;
        }
    }
    for (int32_t i = 0; i < m->count; i++)
        if (p->needed[i] && m->instrs[i].dst >= 0 && !is_row_reduction(&m->instrs[i]))
            p->state[m->instrs[i].dst] |= MADE;
}

void map_find_kept(map_print *p) {
    for (int32_t stage = 0; stage < p->shape.stages; stage++) map_find_needed(p, stage);
    for (int32_t r = 0; r < p->m->regs; r++) p->state[r] &= KEPT;
}

/* ---- threads ------------------------------------------------------------------------------------------- */

static bool has(const map_print *p, bool (*is)(const map_print *, const flat_instr *)) {
    for (int32_t i = 0; i < p->m->count; i++)
        if (is(p, &p->m->instrs[i])) return true;
    return false;
}
static bool reduces(const map_print *p, const flat_instr *in) { return (void)p, is_row_reduction(in); }
static bool sinks(const map_print *p, const flat_instr *in) { return (void)p, is_sink(in); }
static bool sums_all(const map_print *p, const flat_instr *in) { return (void)p, in->op == FLAT_ALL_SUM; }
static bool stores_row(const map_print *p, const flat_instr *in) {
    return in->op == FLAT_STORE && !map_stores_each(p, in);
}

static bool is_linear(const map_print *p) {
    for (int32_t i = 0; i < p->m->count; i++) {
        const flat_instr *in = &p->m->instrs[i];
        int64_t dim[TIDE_MAX_DIMS], stride[TIDE_MAX_DIMS];
        if (in->operand < 0 || (in->op == FLAT_LOAD && in->kind == FLAT_ONE)) continue;
        int32_t n = study_merge(p->m, map_operand(p, in), 0, p->m->ndim, dim, stride);
        if (n > 1 || (n == 1 && stride[0] != 1)) return false;
    }
    return true;
}

static int64_t lanes_for(int64_t cols, int64_t most) {
    int64_t width = 1;
    while (width < cols && width < most) width *= 2;
    return width;
}

/* Fewer threads a group where there would be few groups, or where a task's rows are fewer than its slots. */
static int64_t threads_for(const map_print *p, int64_t most) {
    const flat_map *m = p->m;
    int64_t least = MAX2(p->shape.width, MIN2(most, FEWEST_THREADS)), threads = most;
    while (threads > least && (p->shape.sinks ? threads / p->shape.width / 2 >= p->shape.per_task
                                              : m->rows * p->shape.width / threads < ENOUGH_GROUPS))
        threads /= 2;
    return threads;
}

/* Columns of a lane. Where a warp joins without waiting a row is a warp's, if its lanes can have all columns in
 * registers. Elsewhere lanes that have one each have little between two SYNCs: worth it where they would else be too
 * few to fill the device. */
static int64_t columns_each(const map_print *p, int64_t most) {
    const flat_map *m = p->m;
    if (p->shape.warps) return MAX2(1, MIN2(ceil_div(m->cols, WARP), MOST_TURNS));
    if (!p->shape.sinks && m->rows * lanes_for(m->cols, most) < ENOUGH_THREADS) return 1;
    return MAX2(1, MIN2(m->cols / 8, m->cols < 4 * most ? 4 : MOST_TURNS));
}

static void choose_threads(map_print *p, int64_t most) {
    gpu_print *g = p->g;
    map_shape *s = &p->shape;
    g->threads = (int32_t)threads_for(p, most), s->slots = g->threads / s->width;
    while (s->slots > 1 && map_column_bytes(p) > g->limits->local_bytes / 2) g->threads /= 2, s->slots /= 2;
    s->warps &= g->threads >= WARP;
}

/* Registers that the loads of one kind need, of all turns. */
static int64_t load_registers(const map_print *p, flat_kind kind) {
    int64_t count = 0;
    for (int32_t i = 0; i < p->m->count; i++) {
        const flat_instr *in = &p->m->instrs[i];
        if (in->op == FLAT_LOAD && in->kind == kind) count += map_four_load_registers(p, in);
    }
    return count * p->shape.turns / 4;
}

static void choose_loads(map_print *p) {
    map_shape *s = &p->shape;
    const int64_t columns = load_registers(p, FLAT_COL), row = load_registers(p, FLAT_FULL);
    s->loads_first = s->quads && s->blocks == 1 && (s->stages > 1 || s->sinks) && columns + row <= MOST_AHEAD;
    s->next_row = s->loads_first && s->sinks && s->per_task > s->slots && columns + 2 * row <= MOST_AHEAD;
}

static void choose_rows(map_print *p, int64_t most) {
    const flat_map *m = p->m;
    map_shape *s = &p->shape;
    bool    blocks = s->sinks && !has(p, reduces) && !has(p, sums_all) && !has(p, stores_row);
    bool    quads = map_has_fours(p) && m->cols % 4 == 0 && (blocks || m->cols <= most * MOST_TURNS);
    s->warps = p->g->limits->matrix && most >= WARP;
    int64_t each = blocks ? 1 : columns_each(p, most);
    if (quads) each = s->warps ? round_up(each, 4) : 4;
    if (each * m->count > MOST_UNROLLED) each = 1, quads = false;
    int64_t step = quads ? 4 : 1;
    s->width = lanes_for(ceil_div(m->cols, each), blocks ? MIN2(most, BLOCK / step) : most);
    s->blocks = blocks ? MAX2(ceil_div(m->cols, s->width * step), 1) : 1;
    s->turns  = s->blocks > 1 ? step : ceil_div(m->cols, s->width * step) * step;
    /* If it is not, a row has all of a group's threads: column sums in place rely on that. */
    s->kept   = s->turns <= MOST_TURNS && s->turns * m->count <= MOST_UNROLLED;
    s->quads  = s->kept && quads;
    choose_threads(p, most);
    choose_loads(p);
    p->g->groups = s->sinks ? ceil_div(m->rows, s->per_task) * s->blocks : ceil_div(m->rows, s->slots);
}

void map_print_column(map_print *p) {
    const map_shape *s = &p->shape;
    const char *c = s->blocks > 1 ? "(block * LANES + l) * 4u + u"
                    : s->quads    ? "(u / 4u * LANES + l) * 4u + u % 4u"
                    : s->turns > 1 ? "u * LANES + l" : "l";
    text_add(&p->out, "const %s c = %s;\n", p->position, c);
}

void map_choose_shape(map_print *p) {
    const flat_map *m = p->m;
    int64_t most = MIN2(p->g->limits->threads, MOST_THREADS);
    map_find_stages(p);
    p->shape.sinks    = has(p, sinks);
    p->shape.per_task = MIN2(m->rows_per_task, MAX2(m->rows, 1));
    p->shape.by_rows  = p->shape.sinks || has(p, reduces) || (has(p, stores_row) && m->cols != 1);
    if (p->shape.by_rows) {
        choose_rows(p, most);
        return;
    }
    p->shape.linear = is_linear(p);
    p->shape.quads  = m->rows * m->cols % 4 == 0 && map_has_fours(p);
    p->g->threads   = (int32_t)most;
    p->g->groups    = ceil_div(m->rows * m->cols, most * (p->shape.quads ? 4 : 1));
}
