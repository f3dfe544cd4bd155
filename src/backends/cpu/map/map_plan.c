/* From a map kernel's instructions to steps over blocks, and which form of an operation fits its operands. */
#include "map_plan.h"

enum {
    BLOCK = 1024,     /* elements a strip: a handful of strips fit the first-level cache */
    BY_ROW_COLS = 32  /* rows shorter than this are not worth a call each: one-a-row operands are expanded instead */
};

/* ---- values and steps ---------------------------------------------------------------------------------- */

static int32_t value_new(plan *p, int kind, int type) {
    p->values[p->n_values] = (draft){ .kind = (uint8_t)kind, .type = (uint8_t)type, .full = -1, .last_use = -1 };
    return p->n_values++;
}

static map_step *emit(plan *p, step_what what, int32_t dst, int32_t src) {
    map_step *s = &p->steps[p->n_steps++];
    const draft *d = &p->values[dst];
    *s = (map_step){ .what = (uint8_t)what, .kind = d->kind, .type = d->type, .size = (int32_t)map_size(d->type),
                     .dst = dst, .src = { src, 0, 0 } };
    return s;
}

/* `v` with one element for each of `kind`. */
static int32_t as_kind(plan *p, int32_t v, int kind) {
    int from = p->values[v].kind;
    if (from == kind) return v;
    if (kind == FLAT_FULL && p->values[v].full >= 0) return p->values[v].full;
    int32_t dst = value_new(p, kind, p->values[v].type);
    step_what what = from == FLAT_COL ? STEP_TILE : from == FLAT_ROW ? STEP_BLOCK : STEP_FILL;
    map_step *s = emit(p, what, dst, v);
    if (what != STEP_TILE) s->rows = p->build->isa->rows->expand[map_strip_type(p->values[v].type)];
    p->values[dst].once = p->values[v].once && from != FLAT_ROW;
    if (kind == FLAT_FULL) p->values[v].full = dst;
    return dst;
}

/* ---- loads and stores -------------------------------------------------------------------------------- */

static map_value in_memory(cpu_place place, int kind, int64_t size) {
    return (map_value){ .place = place, .fixed = true, .per_element = kind == FLAT_FULL ? size : 0,
                        .per_row = kind == FLAT_ROW ? size : 0 };
}

static const map_view *keep_view(const plan *p, const map_view *v) {
    map_view *kept = arena_new(p->build->keep, map_view, 1);
    *kept = *v;
    return kept;
}

static int32_t cast_to(plan *p, int32_t v, int type) {
    int32_t dst = value_new(p, p->values[v].kind, type);
    map_step *s = emit(p, STEP_STRIP, dst, v);
    s->strip = p->build->isa->strips->cast[p->values[v].type][type];
    p->bad_type |= !s->strip;
    p->values[dst].once = p->values[v].once;
    return dst;
}

static void lower_load(plan *p, const flat_instr *in) {
    const flat_operand *o = map_operand(p, in);
    map_view v = map_view_of(p, o, in->kind);
    int32_t  dst = value_new(p, in->kind, o->type);
    p->values[dst].once = in->kind == FLAT_ONE || in->kind == FLAT_COL;
    if (map_contiguous(&v) && map_may_alias(p, in)) {
        p->values[dst].at = in_memory(v.place, in->kind, map_size(o->type));
    } else if (map_contiguous(&v)) {
        int32_t src = value_new(p, in->kind, o->type);
        p->values[src].at = in_memory(v.place, in->kind, map_size(o->type));
        emit(p, STEP_COPY, dst, src);
    } else {
        emit(p, STEP_GATHER, dst, 0)->view = keep_view(p, &v);
    }
    p->reg[in->dst] = map_same_storage(o->type, in->type) ? dst : cast_to(p, dst, in->type);
}

static void lower_store(plan *p, const flat_instr *in) {
    const flat_operand *o = map_operand(p, in);
    int32_t  src = p->reg[in->src[0]];
    if (p->direct[in->src[0]] >= 0 && &p->map->instrs[p->direct[in->src[0]]] == in) return;
    int kind = map_store_kind(p, in, o);
    map_view v = map_view_of(p, o, kind);
    src = as_kind(p, src, kind);
    bool once = kind == FLAT_ONE && p->values[src].once, cast = !map_same_storage(p->values[src].type, o->type);
    if (cast) src = cast_to(p, src, o->type);
    bool    in_place = cast && map_contiguous(&v);  /* the cast itself writes the memory */
    int32_t dst = in_place ? src : value_new(p, kind, o->type);
    p->values[dst].at = in_memory(v.place, kind, map_size(o->type));
    p->values[dst].once  = once;
    if (in_place) return;
    map_step *s = emit(p, map_contiguous(&v) ? STEP_COPY : STEP_SCATTER, dst, src);
    if (s->what == STEP_SCATTER) s->view = keep_view(p, &v);
}

/* ---- operations ---------------------------------------------------------------------------------------- */

/* The value that instruction `in` defines: in the memory of its store if that may be. */
static int32_t define(plan *p, const flat_instr *in) {
    int32_t dst = value_new(p, in->kind, in->type);
    if (p->direct[in->dst] >= 0) {
        const flat_operand *o = map_operand(p, &p->map->instrs[p->direct[in->dst]]);
        p->values[dst].at = in_memory(cpu_place_of(p->build, p->kernel, o), in->kind, map_size(o->type));
    }
    return p->reg[in->dst] = dst;
}

static int arity(const flat_instr *in) { return (in->src[0] >= 0) + (in->src[1] >= 0) + (in->src[2] >= 0); }

/* One number where the step goes through many. */
static bool is_single(const plan *p, int32_t v, int dst_kind, bool by_row) {
    int kind = p->values[v].kind;
    return (kind == FLAT_ONE && dst_kind != FLAT_ONE) || (kind == FLAT_ROW && by_row);
}

/* Which operands stay single numbers; the rest is expanded to vectors. */
static int choose_form(plan *p, const flat_instr *in, int32_t src[3], bool by_row) {
    int n = arity(in), form = 0;
    bool single[3] = { false };
    for (int i = 0; i < n; i++) single[i] = is_single(p, src[i], in->kind, by_row);
    bool first_needed = n == 1 || n == 3 || (single[0] && single[1]);
    if (single[0] && first_needed) {
        src[0] = as_kind(p, src[0], in->kind);
        single[0] = false;
    }
    if (n == 2) form = single[0] ? FORM_FIRST_ONE : single[1] ? FORM_SECOND_ONE : FORM_VECTORS;
    if (n == 3) form = single[1] + 2 * single[2];
    return form;
}

/* Whether operands that vary by row or column alone are served by going row by row. If not they are expanded. */
static bool goes_by_row(plan *p, const flat_instr *in, int32_t src[3]) {
    bool mixed = false;
    for (int i = 0; i < arity(in); i++)
        mixed |= in->kind == FLAT_FULL && (p->values[src[i]].kind == FLAT_ROW || p->values[src[i]].kind == FLAT_COL);
    if (!mixed || p->map->cols >= BY_ROW_COLS) return mixed;
    for (int i = 0; i < arity(in); i++)
        if (p->values[src[i]].kind != FLAT_ONE) src[i] = as_kind(p, src[i], FLAT_FULL);
    return false;
}

static int64_t advance(const plan *p, int32_t v) {
    int64_t size = map_size(p->values[v].type);
    return p->values[v].kind == FLAT_FULL ? size * p->map->cols : p->values[v].kind == FLAT_ROW ? size : 0;
}

static void lower_scalar(plan *p, const flat_instr *in) {
    int32_t src[3] = { 0 };
    int     n = arity(in);
    bool    once = in->kind == FLAT_ONE || in->kind == FLAT_COL;
    for (int i = 0; i < n; i++) src[i] = p->reg[in->src[i]];
    bool by_row = goes_by_row(p, in, src);
    int  form = choose_form(p, in, src, by_row);
    int  type = (in->op >= S_EQ && in->op <= S_GE) || in->op == S_IS_FINITE ? in->src_type[0] : in->type;
    strip_fn fn = in->op == FLAT_CAST ? p->build->isa->strips->cast[in->src_type[0]][in->type]
                                      : p->build->isa->strips->op[in->op][map_strip_type(type)][form];
    p->bad_type |= !fn;
    for (int i = 0; i < n; i++) once = once && p->values[src[i]].once;
    int32_t dst = define(p, in);
    p->values[dst].once = once;
    map_step *s = emit(p, by_row ? STEP_BY_ROW : STEP_STRIP, dst, 0);
    s->strip = fn;
    s->advance[0] = advance(p, dst);
    for (int i = 0; i < n; i++) {
        s->src[i] = src[i];
        s->advance[i + 1] = advance(p, src[i]);
    }
}

static void lower_generated(plan *p, const flat_instr *in) {
    const random_ops *random = p->build->isa->random;
    int32_t step = in->src[0] >= 0 ? p->reg[in->src[0]] : 0, dst = define(p, in);
    p->values[dst].once = in->op == FLAT_CONST;
    map_step *s = emit(p, in->op == FLAT_CONST ? STEP_CONST : in->op == FLAT_IOTA ? STEP_IOTA : STEP_RANDOM, dst, step);
    s->instr = in;
    if (in->src[1] >= 0) s->src[1] = p->reg[in->src[1]];
    if (s->what == STEP_RANDOM) s->random = in->op == FLAT_RANDOM ? random->unit : random->mask;
}

static void lower_reduce(plan *p, const flat_instr *in) {
    int32_t src = as_kind(p, p->reg[in->src[0]], FLAT_FULL), dst = define(p, in);
    map_step *s = emit(p, STEP_BLOCK, dst, src);
    s->rows = p->build->isa->rows->reduce[in->op - FLAT_ROW_SUM][map_strip_type(in->src_type[0])];
}

/* The task's partial is zeroed before its first block. */
static void lower_sink(plan *p, const flat_instr *in) {
    const row_ops *rows = p->build->isa->rows;
    bool    by_column = in->op == FLAT_COL_SUM;
    int32_t src = as_kind(p, p->reg[in->src[0]], FLAT_FULL);
    int64_t bytes = (by_column ? p->map->cols : 1) * map_size(in->type);
    int32_t dst = value_new(p, FLAT_COL, in->type), zeroed = value_new(p, FLAT_COL, in->type);
    p->values[dst].at = (map_value){ .place = cpu_place_of(p->build, p->kernel, map_operand(p, in)), .fixed = true };
    p->values[dst].at.place.step += bytes;
    p->values[zeroed] = p->values[dst];
    p->values[zeroed].once = true;
    emit(p, STEP_ZERO, zeroed, 0)->advance[0] = bytes;
    map_step *s = emit(p, STEP_BLOCK, dst, src);
    s->rows = (by_column ? rows->column_sum : rows->all_sum)[map_strip_type(in->type)];
}

static void lower(plan *p, const flat_instr *in) {
    if (in->op < SCALAR_COUNT || in->op == FLAT_CAST) lower_scalar(p, in);
    else if (in->op == FLAT_LOAD) lower_load(p, in);
    else if (in->op == FLAT_STORE) lower_store(p, in);
    else if (in->op == FLAT_COL_SUM || in->op == FLAT_ALL_SUM) lower_sink(p, in);
    else if (in->op >= FLAT_ROW_SUM) lower_reduce(p, in);
    else lower_generated(p, in);
}

/* ---- the whole ----------------------------------------------------------------------------------------- */

/* Steps that are the same for every block come first, each part in order. */
static void keep_steps(plan *p) {
    map_exec *x = p->x;
    x->steps = arena_new(p->build->keep, map_step, p->n_steps);
    for (int once = 1; once >= 0; once--) {
        for (int32_t i = 0; i < p->n_steps; i++)
            if (p->values[p->steps[i].dst].once == once) x->steps[x->n_steps++] = p->steps[i];
        if (once) x->n_once = x->n_steps;
    }
    x->n_values = p->n_values;
    x->values = arena_new(p->build->keep, map_value, p->n_values);
    for (int32_t i = 0; i < p->n_values; i++) x->values[i] = p->values[i].at;
}

static void choose_block(plan *p) {
    const flat_map *m = p->map;
    int64_t task_elements = m->rows_per_task * m->cols;
    p->x->linear = !m->row_wise;
    p->x->block_cols = m->row_wise ? m->cols : MAX2(MIN2(BLOCK, task_elements), 1);
    p->x->block_rows = m->row_wise ? MAX2(MIN2(BLOCK / MAX2(m->cols, 1), m->rows_per_task), 1) : 1;
}

tide_status map_plan(const cpu_build *b, const flat_kernel *k, map_exec *x, int64_t *scratch) {
    const flat_map *m = &k->map;
    plan p = { .build = b, .kernel = k, .map = m, .x = x };
    *x = (map_exec){ .map = m, .seed = b->program->seed };
    choose_block(&p);
    /* An instruction adds at most three expansions, a cast and two places of its own. */
    p.values = arena_new(b->temp, draft, 6 * (int64_t)m->count + 1);
    p.steps  = arena_new(b->temp, map_step, 6 * (int64_t)m->count + 1);
    p.reg    = arena_new(b->temp, int32_t, m->regs);
    p.direct = arena_new(b->temp, int32_t, m->regs);
    p.last_instr = arena_new(b->temp, int32_t, m->regs);
    /* Value 0 stands for the operands that a step does not have. */
    p.values[value_new(&p, FLAT_ONE, TIDE_F32)].at = (map_value){ .place = { .base = (char *)x }, .fixed = true };
    map_study_registers(&p);
    for (int32_t i = 0; i < m->count && !p.bad_type; i++) lower(&p, &m->instrs[i]);
    if (p.bad_type)
        return fail(b->why, TIDE_ETYPE, "kernel '%s' has an operation that its type does not have",
                    k->name ? k->name : "");
    int64_t pointers = round_up(p.n_values * (int64_t)sizeof(char *), 64);
    *scratch = map_place_slots(&p, pointers);
    keep_steps(&p);
    return TIDE_OK;
}

/* Rough costs on one core, only to decide whether threads are worth waking. */
static double seconds_of_task(const flat_map *m) {
    return (double)(m->rows_per_task * m->cols) * m->count * 0.1e-9 + 50e-9;
}

tide_status map_prepare(const cpu_build *b, const flat_kernel *k, cpu_kernel *out) {
    map_exec *x = arena_new(b->keep, map_exec, 1);
    out->run = map_run;
    out->exec = x;
    out->seconds = seconds_of_task(&k->map);
    return map_plan(b, k, x, &out->scratch);
}
