/* The map kernel of a fused group: its domain, its loads, one instruction per member, its stores and sinks. Also leaves
 * and plain copies, which are map kernels of one instruction. Long, because a kernel's parts are made in one order and
 * share one build. */
#include <stdio.h>

#include "lower.h"

/* MOST_COLS: the longest row that registers hold. */
enum { MOST_LOADS = 2 * 96, MOST_INSTRS = 4 * 96 + 64, MOST_COLS = 4096 };

typedef struct load {
    int32_t node;     /* seen through reshapes; the broadcast itself where one is loaded */
    bool    row;      /* one element a row of the domain */
    bool    target;   /* nothing is loaded: a member is stored there, if the domain can be cut for it */
    view    v;        /* merged */
    flat_operand operand;
    flat_kind kind;
    int16_t reg;      /* -1: not loaded yet */
} load;

typedef struct build {
    lowering  *l;
    int32_t    group;
    int64_t    elements, cols;  /* cols 0: free */
    int64_t    bound[TIDE_MAX_DIMS + 2];  /* products where the domain's dimensions may be cut, ascending */
    int32_t    bounds;
    load      *loads;
    int32_t    n_loads;
    flat_instr *instrs;
    uint8_t   *reg_type, *reg_kind;
    int32_t    n_instrs, n_regs;
    flat_map   map;
    int64_t    grains;
    flat_operand *operands;
    int32_t    n_operands;
    char       name[96];
} build;

/* 16-bit floats are storage: registers are F32. */
static tide_dtype compute_type(tide_dtype storage) {
    return storage == TIDE_F16 || storage == TIDE_BF16 ? TIDE_F32 : storage;
}

static const ir_node *node_of(const build *b, int32_t id) { return b->l->g->nodes[id]; }

/* ---- inputs that need no load ---- */

static const ir_node *fill_below(const build *b, int32_t in) {
    const ir_node *n = node_of(b, in);
    while (node_is_view(n)) n = node_of(b, n->in[0]);
    return n->op == OP_FILL ? n : NULL;
}

/* in = arange spread over the domain: element e is (e / inner) % size. */
static bool iota_below(const build *b, int32_t in, int64_t *inner, int64_t *size) {
    const ir_node *n = node_of(b, through_reshapes(b->l->g, in));
    *inner = 1;
    if (n->op == OP_ARANGE) return *size = n->shape.dim[0], true;
    if (n->op != OP_BROADCAST) return false;
    const ir_node *from = node_of(b, n->in[0]), *source = node_of(b, through_reshapes(b->l->g, n->in[0]));
    if (source->op != OP_ARANGE || source->shape.dim[0] < 2) return false;
    *size = source->shape.dim[0];
    for (int i = n->shape.ndim - 1, shift = n->shape.ndim - from->shape.ndim;
         i >= shift && from->shape.dim[i - shift] == 1; i--)
        *inner *= n->shape.dim[i];
    return true;
}

/* Fills, counts and random numbers cost less to make than to load, so each kernel makes its own. */
static bool made_here(const build *b, int32_t in, bool row) {
    int64_t inner, size;
    if (fill_below(b, in)) return true;
    if (row) return false;
    const ir_node *n = node_of(b, through_reshapes(b->l->g, in));
    return n->op == OP_RANDOM || n->op == OP_DROPMASK || iota_below(b, in, &inner, &size);
}

/* ---- loads and the domain ---- */

static load *find_load(build *b, int32_t node, bool row) {
    for (int32_t i = 0; i < b->n_loads; i++)
        if (b->loads[i].node == node && b->loads[i].row == row) return &b->loads[i];
    return NULL;
}

static void add_load(build *b, int32_t in, bool row) {
    int32_t node = through_reshapes(b->l->g, in);
    if (find_load(b, node, row)) return;
    const view *v = lower_view(b->l, node);
    b->loads[b->n_loads++] = (load){ .node = node, .row = row, .v = view_merged(v), .reg = -1 };
}

static bool node_draws(const ir_node *n) { return n->op == OP_RANDOM || n->op == OP_DROPMASK; }

/* First pass over the members: what must be loaded decides how the domain can be cut, and the domain decides
 * strides. */
static void collect_input(build *b, int32_t in, bool row) {
    if (b->group && fused_input(b->l->g, b->l->f, in, b->group)) return;
    if (made_here(b, in, row)) {
        const ir_node *n = node_of(b, through_reshapes(b->l->g, in));
        for (int32_t i = 0; !row && node_draws(n) && i < n->n_in; i++)
            if (!fill_below(b, n->in[i])) add_load(b, n->in[i], false);
        return;
    }
    add_load(b, in, row);
}

/* Adds a cut, keeping every product a multiple of the one before. */
static bool cut(build *b, int64_t product) {
    int32_t at = 0;
    while (at < b->bounds && b->bound[at] < product) at++;
    if (at < b->bounds && b->bound[at] == product) return true;
    if (b->bounds > TIDE_MAX_DIMS || (at > 0 && product % b->bound[at - 1]) ||
        (at < b->bounds && b->bound[at] % product))
        return false;
    memmove(b->bound + at + 1, b->bound + at, (size_t)(b->bounds - at) * sizeof *b->bound);
    b->bound[at] = product;
    b->bounds++;
    return true;
}

/* Makes the domain's dimensions fine enough for the strides of x. If its cuts do not fit those of others, nothing is
 * changed and the value is copied to be contiguous. */
static bool cut_for(build *b, const load *x) {
    if (x->v.ndim == 0 || (x->v.ndim == 1 && (!x->row || b->bounds == 0))) return true;
    int64_t product = x->row ? b->cols : 1, before[TIDE_MAX_DIMS + 2];
    int32_t count = b->bounds;
    memcpy(before, b->bound, sizeof before);
    for (int i = x->v.ndim - 1; i > 0; i--) {
        product *= x->v.dim[i];
        if (cut(b, product)) continue;
        memcpy(b->bound, before, sizeof before);
        b->bounds = count;
        return false;
    }
    return true;
}

/* A free domain with long rows is cut into shorter ones: registers hold whole rows. */
static void shorten_rows(build *b) {
    int64_t inner = b->bounds > 1 ? b->bound[1] : 1;
    if (inner <= MOST_COLS) return;
    for (int64_t d = 2048; d >= 128; d--)
        if (inner % d == 0 && cut(b, d)) return;
}

static bool one_stride(const view *v) {
    return v->ndim == 0 || (v->ndim == 1 && (v->stride[0] == 1 || v->stride[0] == 0));
}

/* ---- the cut ---- */

static bool has_sinks(const build *b) {
    const lowering *l = b->l;
    for (int32_t m = b->group ? l->group_first[b->group] : 0; m; m = l->group_next[m])
        if (l->needed[m] && (l->f->kind[m] == MEMBER_COL_SUM || l->f->kind[m] == MEMBER_ALL_SUM)) return true;
    return false;
}

/* Whether the common cut gains anything here. For every cut the same answer. */
static bool worth_common(const build *b) {
    const common_cut *common = &b->l->cut;
    const backend_cut *n = b->l->g->numbers;
    int64_t tasks = b->l->g->cut.sums_by_task ? common->tasks : n->fewest_tasks;
    return common->tasks && (b->elements >= tasks * n->least_lanes ||
                             (b->elements % common->rows == 0 && b->elements >= tasks * n->least_sample_lanes));
}

static bool divides(const build *b, int64_t tasks) {
    int64_t most = MAX2(b->l->g->numbers->most_lanes, b->l->cut.elements / MAX2(tasks, 1));
    return tasks && b->map.rows % tasks == 0 && b->elements / tasks <= most;
}

/* Sums have the grains of the common cut, or of the usual tasks, or those of the map alone: never those of the tasks
 * asked for. */
static void cut_rows(build *b) {
    flat_map *m = &b->map;
    const common_cut *common = &b->l->cut;
    const backend_cut *n = b->l->g->numbers;
    bool rows = m->row_wise && m->cols >= n->row_map_least && m->cols <= n->row_map_most;
    m->rows_per_task = rows ? n->row_map_rows : MAX2(1, n->map_lanes / m->cols);
    b->grains = 1;
    if (!worth_common(b)) return;
    int64_t tasks = common->tasks;
    if (has_sinks(b)) tasks = divides(b, common->grains) ? common->grains : common->usual;
    if (!divides(b, tasks)) return;
    m->rows_per_task = m->rows / tasks;
    if (tasks % common->tasks == 0 && divides(b, common->tasks)) b->grains = tasks / common->tasks;
}

/* The coarsest domain in which every load has one stride per dimension. Linear: no rows at all, one run of lanes. */
static void make_domain(build *b) {
    cut(b, 1);
    cut(b, b->elements);
    if (b->cols) cut(b, b->cols);
    bool linear = !b->cols;
    for (int32_t i = 0; i < b->n_loads; i++) {
        load *x = &b->loads[i];
        bool single = view_count(&x->v) == 1;
        if (single) x->v.ndim = 0;
        const bool fits = cut_for(b, x);
        if (!fits && x->target) x->v.ndim = 0;
        else if (!fits) {
            const view *whole = lower_contiguous(b->l, x->node);
            x->v = view_merged(whole);
        }
        linear &= one_stride(&x->v);
    }
    flat_map *m = &b->map;
    if (!b->cols && !linear) {
        shorten_rows(b);
        b->cols = b->bounds > 1 ? b->bound[1] : 1;
    }
    for (int32_t i = b->bounds - 1; i > 0; i--) {
        m->dim[m->ndim++] = b->bound[i] / b->bound[i - 1];
        if (linear || b->bound[i - 1] >= b->cols) m->row_ndim = m->ndim;
    }
    if (m->ndim == 0) m->dim[m->ndim++] = 1, m->row_ndim = 1;
    m->row_wise = !linear;
    m->cols = linear ? 1 : b->cols;
    m->rows = b->elements / m->cols;
    cut_rows(b);
}

static tide_shape domain_shape(const flat_map *m, bool rows_only) {
    tide_shape s = { .ndim = rows_only ? m->row_ndim : m->ndim };
    for (int i = 0; i < s.ndim; i++) s.dim[i] = m->dim[i];
    return s;
}

/* What a register that holds this operand needs: one number, one per row, one per column, or one per lane. */
static flat_kind kind_of(const flat_map *m, const flat_operand *o) {
    bool rows = false, cols = false;
    for (int i = 0; i < m->ndim; i++)
        if (m->dim[i] != 1 && o->stride[i]) *(i < m->row_ndim ? &rows : &cols) = true;
    if (!rows && !cols) return FLAT_ONE;
    if (!m->row_wise || (rows && cols)) return FLAT_FULL;
    bool vector = m->ndim == m->row_ndim + 1 && o->stride[m->ndim - 1] == 1;
    return rows ? FLAT_ROW : vector ? FLAT_COL : FLAT_FULL;
}

static flat_operand operand_over(const build *b, const view *v, bool row) {
    flat_operand o = { .buffer = v->buffer, .type = v->type, .offset = v->offset };
    view spread;
    if (view_count(v) == 1) return o;
    if (!view_reshaped(v, domain_shape(&b->map, row), &spread)) return o;
    for (int i = 0; i < spread.ndim; i++) o.stride[i] = spread.dim[i] == 1 ? 0 : spread.stride[i];
    return o;
}

/* ---- instructions ---- */

/* Registers are numbered in the order of definition, each written once: who runs the program needs no other
 * analysis. */
static int16_t emit(build *b, flat_instr in, tide_dtype type, flat_kind kind) {
    in.type = (uint8_t)type;
    in.kind = (uint8_t)kind;
    for (int i = 0; i < 3; i++) {
        if (in.src[i] < 0) continue;
        in.src_type[i] = b->reg_type[in.src[i]];
        in.src_kind[i] = b->reg_kind[in.src[i]];
    }
    bool sink = in.op == FLAT_STORE || in.op == FLAT_COL_SUM || in.op == FLAT_ALL_SUM;
    in.dst = sink ? -1 : (int16_t)b->n_regs;
    if (!sink) b->reg_type[b->n_regs] = in.type, b->reg_kind[b->n_regs] = in.kind, b->n_regs++;
    b->instrs[b->n_instrs++] = in;
    return in.dst;
}

#define INSTR(...) ((flat_instr){ .src = { -1, -1, -1 }, .operand = -1, __VA_ARGS__ })

static int16_t add_operand(build *b, flat_operand o) {
    b->operands[b->n_operands] = o;
    return (int16_t)b->n_operands++;
}

static int16_t use_load(build *b, int32_t node, bool row) {
    load *x = find_load(b, node, row);
    if (x->reg >= 0) return x->reg;
    flat_operand o = operand_over(b, &x->v, row);
    flat_instr in = INSTR(.op = FLAT_LOAD);
    in.operand = add_operand(b, o);
    return x->reg = emit(b, in, compute_type(o.type), kind_of(&b->map, &o));
}

/* A number that random ones are a function of: the step or the offset of the samples. */
static int16_t use_counter(build *b, int32_t in) {
    const ir_node *fill = fill_below(b, in);
    if (fill) return emit(b, INSTR(.op = FLAT_CONST, .number = fill->attr.number), TIDE_I32, FLAT_ONE);
    return use_load(b, through_reshapes(b->l->g, in), false);
}

static int16_t use_random(build *b, const ir_node *n) {
    flat_instr in = INSTR(.op = n->op == OP_RANDOM ? FLAT_RANDOM : FLAT_DROPMASK, .number = n->attr.number,
                          .scale = n->attr.scale, .site = n->attr.site);
    in.per_sample = n->shape.ndim && n->shape.dim[0] ? b->elements / n->shape.dim[0] : 1;
    for (int32_t i = 0; i < n->n_in; i++) in.src[i] = use_counter(b, n->in[i]);
    return emit(b, in, TIDE_F32, FLAT_FULL);
}

/* The register of an input that is made here: each kind of leaf once a kernel, by its own node. */
static int16_t use_leaf(build *b, int32_t in) {
    const ir_node *fill = fill_below(b, in);
    if (fill)
        return emit(b, INSTR(.op = FLAT_CONST, .number = fill->attr.number), compute_type((tide_dtype)fill->type),
                    FLAT_ONE);
    int32_t direct = through_reshapes(b->l->g, in);
    if (b->l->reg[direct]) return (int16_t)(b->l->reg[direct] - 1);
    const ir_node *n = node_of(b, direct);
    flat_instr iota = INSTR(.op = FLAT_IOTA);
    int16_t reg = node_draws(n) ? use_random(b, n)
                  : iota_below(b, in, &iota.inner, &iota.size)
                      ? emit(b, iota, compute_type((tide_dtype)n->type), FLAT_FULL)
                      : (int16_t)-1;
    b->l->reg[direct] = (int16_t)(reg + 1);
    return reg;
}

static int16_t use_input(build *b, int32_t in, bool row) {
    int32_t member = b->group ? fused_input(b->l->g, b->l->f, in, b->group) : 0;
    if (member) return (int16_t)(b->l->reg[member] - 1);
    return made_here(b, in, row) ? use_leaf(b, in) : use_load(b, through_reshapes(b->l->g, in), row);
}

/* Stores and reductions read a number per lane. */
static int16_t expanded(build *b, int16_t reg) {
    if (b->reg_kind[reg] == FLAT_FULL) return reg;
    flat_instr in = INSTR(.op = FLAT_CAST);
    in.src[0] = reg;
    return emit(b, in, (tide_dtype)b->reg_type[reg], FLAT_FULL);
}

static const uint8_t reduce_ops[OP_COUNT] = {
    [OP_SUM] = FLAT_ROW_SUM, [OP_MAX] = FLAT_ROW_MAX, [OP_MIN] = FLAT_ROW_MIN, [OP_ARGMAX] = FLAT_ROW_ARGMAX,
    [OP_ARGMIN] = FLAT_ROW_ARGMIN,
};

static int16_t emit_reduction(build *b, const ir_node *n, member_kind kind) {
    int16_t x = expanded(b, use_input(b, n->in[0], false));
    if (kind != MEMBER_ROW) return x;  /* the sink is emitted with the stores */
    flat_instr in = INSTR(.op = reduce_ops[n->op]);
    in.src[0] = x;
    return emit(b, in, compute_type((tide_dtype)n->type), FLAT_ROW);
}

static int16_t emit_lane(build *b, const ir_node *n, bool row) {
    flat_instr in = INSTR(.op = n->op == OP_CAST ? FLAT_CAST : (uint8_t)n->attr.scalar);
    flat_kind kind = FLAT_ONE;
    for (int32_t i = 0; i < n->n_in; i++) {
        in.src[i] = use_input(b, n->in[i], row);
        flat_kind k = (flat_kind)b->reg_kind[in.src[i]];
        kind = k == FLAT_COL || kind == FLAT_FULL || k == FLAT_FULL ? FLAT_FULL : MAX2(k, kind);
    }
    return emit(b, in, compute_type((tide_dtype)n->type), kind);
}

static void emit_member(build *b, int32_t id) {
    const ir_node *n = node_of(b, id);
    member_kind kind = (member_kind)b->l->f->kind[id];
    bool lane = n->op == OP_SCALAR || n->op == OP_CAST;
    int16_t reg = lane ? emit_lane(b, n, kind == MEMBER_ROW) : emit_reduction(b, n, kind);
    b->l->reg[id] = (int16_t)(reg + 1);
    size_t used = strlen(b->name);
    snprintf(b->name + used, sizeof b->name - used, " %s",
             lane && n->op == OP_SCALAR ? scalar_names[n->attr.scalar] : ir_op_names[n->op]);
}

/* ---- stores and sinks ---- */

static void emit_store(build *b, int16_t reg, const view *to, bool row) {
    flat_instr in = INSTR(.op = FLAT_STORE);
    in.src[0] = row ? reg : expanded(b, reg);
    in.operand = add_operand(b, operand_over(b, to, row));
    emit(b, in, (tide_dtype)b->reg_type[in.src[0]], (flat_kind)b->reg_kind[in.src[0]]);
}

/* A sum over tasks: partials, added up in task order by a second kernel, or straight into `out` if there is one
 * task. */
static void emit_sink(build *b, int32_t id, int16_t reg, const view *out, flat_operand *fold) {
    bool columns = b->l->f->kind[id] == MEMBER_COL_SUM;
    int64_t width = columns ? b->map.cols : 1, tasks = ceil_div(b->map.rows, b->map.rows_per_task);
    view to = *out;
    bool whole = tasks == 1 && compute_type(out->type) == out->type;
    /* 16-bit sums stay F32 to the end */
    if (!whole) to = lower_new(b->l, compute_type(out->type), TIDE_SHAPE(tasks, width));
    flat_instr in = INSTR(.op = columns ? FLAT_COL_SUM : FLAT_ALL_SUM);
    in.src[0] = reg;
    flat_operand o = { .buffer = to.buffer, .type = to.type, .offset = to.offset };
    in.operand = add_operand(b, o);
    emit(b, in, (tide_dtype)b->reg_type[reg], FLAT_FULL);
    *fold = (flat_operand){ .buffer = whole ? -1 : to.buffer, .type = to.type, .offset = to.offset };
}

static void emit_fold(lowering *l, const flat_operand *partials, const view *out, int64_t tasks) {
    flat_kernel *k = lower_kernel(l, FLAT_FOLD, 2, "fold partial sums");
    int64_t width = view_count(out);
    k->operands[0] = *partials;
    k->operands[1] = (flat_operand){ .buffer = out->buffer, .type = out->type, .offset = out->offset };
    int64_t lanes = l->g->numbers->map_lanes / MAX2(tasks, 1);
    k->index = (flat_index){ .outer = 1, .n = tasks, .inner = width, .per_task = MAX2(1, MIN2(width, lanes)) };
    k->tasks = ceil_div(width, k->index.per_task);
}

/* Where the member could be stored that is part of a concatenation. */
static bool member_part(lowering *l, int32_t id, view *out) {
    return l->needed[id] && l->f->kind[id] == MEMBER_FULL && !l->assigned_to[id] && lower_part(l, id, out);
}

/* A value that is only assigned is written where it goes: into the variable (choose_direct in lower.c saw to the
 * order). */
static view destination(const build *b, int32_t id) {
    lowering *l = b->l;
    const ir_node *n = l->g->nodes[id];
    view part, spread;
    if (member_part(l, id, &part) && view_reshaped(&part, domain_shape(&b->map, false), &spread)) return part;
    if (!l->assigned_to[id]) return lower_new(l, (tide_dtype)n->type, n->shape);
    return lower_variable(l, l->assigned_to[id] - 1, (tide_dtype)n->type, n->shape);
}

static void finish(build *b) {
    b->l->depth--;
    flat_kernel *k = lower_kernel(b->l, FLAT_MAP, b->n_operands, b->name);
    memcpy(k->operands, b->operands, (size_t)b->n_operands * sizeof *b->operands);
    flat_instr *instrs = arena_new(b->l->memory, flat_instr, MAX2(b->n_instrs, 1));
    memcpy(instrs, b->instrs, (size_t)b->n_instrs * sizeof *instrs);
    b->map.instrs = instrs, b->map.count = b->n_instrs, b->map.regs = b->n_regs;
    k->map = b->map;
    k->group = b->group;
    k->tasks = ceil_div(b->map.rows, b->map.rows_per_task);
    k->grains = k->tasks ? b->grains : 1;
}

/* What a build needs while it runs. A load may need a copy, whose own map is built meanwhile: one for each depth. */
struct map_scratch {
    load         loads[MOST_LOADS];
    flat_instr   instrs[MOST_INSTRS];
    flat_operand operands[MOST_INSTRS];
    uint8_t      reg_type[MOST_INSTRS], reg_kind[MOST_INSTRS];
};

static void build_init(build *b) {
    lowering *l = b->l;
    struct map_scratch *s = l->scratch[l->depth];
    if (!s) s = l->scratch[l->depth] = arena_new(l->memory, struct map_scratch, 1);
    l->depth++;
    b->loads = s->loads, b->instrs = s->instrs, b->operands = s->operands;
    b->reg_type = s->reg_type, b->reg_kind = s->reg_kind;
    snprintf(b->name, sizeof b->name, "map:");
}

static void emit_outputs(build *b, int32_t first) {
    lowering *l = b->l;
    flat_operand folds[96];
    int32_t members[96], count = 0;
    for (int32_t m = first; m; m = l->group_next[m]) {
        if (!l->needed[m]) continue;
        member_kind kind = (member_kind)l->f->kind[m];
        int16_t reg = (int16_t)(l->reg[m] - 1);
        l->loc[m] = destination(b, m);
        if (kind == MEMBER_FULL || kind == MEMBER_ROW) emit_store(b, reg, &l->loc[m], kind == MEMBER_ROW);
        else {
            emit_sink(b, m, reg, &l->loc[m], &folds[count]);
            members[count++] = m;
        }
    }
    finish(b);
    for (int32_t i = 0; i < count; i++)
        if (folds[i].buffer >= 0)
            emit_fold(l, &folds[i], &l->loc[members[i]], ceil_div(b->map.rows, b->map.rows_per_task));
}

/* `reg` belongs to the nodes, for all groups: the next one starts without. */
static void clear_registers(build *b, int32_t first) {
    lowering *l = b->l;
    for (int32_t m = first; m; m = l->group_next[m]) {
        l->reg[m] = 0;
        for (int32_t i = 0; i < l->g->nodes[m]->n_in; i++) l->reg[through_reshapes(l->g, l->g->nodes[m]->in[i])] = 0;
    }
}

void lower_group(lowering *l, int32_t group) {
    int32_t first = l->group_first[group];
    build b = { .l = l, .group = group, .elements = l->f->elements[group], .cols = l->f->cols[group] };
    build_init(&b);
    for (int32_t m = first; m; m = l->group_next[m]) {
        const ir_node *n = l->g->nodes[m];
        bool row = l->f->kind[m] == MEMBER_ROW && (n->op == OP_SCALAR || n->op == OP_CAST);
        for (int32_t i = 0; i < n->n_in; i++) collect_input(&b, n->in[i], row);
    }
    for (int32_t m = first; m; m = l->group_next[m]) {
        load *x = &b.loads[b.n_loads];
        *x = (load){ .node = -1, .target = true, .reg = -1 };
        if (!member_part(l, m, &x->v)) continue;
        x->v = view_merged(&x->v), b.n_loads++;
    }
    make_domain(&b);
    for (int32_t m = first; m; m = l->group_next[m]) emit_member(&b, m);
    emit_outputs(&b, first);
    clear_registers(&b, first);
}

void lower_leaf(lowering *l, int32_t node) {
    const ir_node *n = l->g->nodes[node];
    build b = { .l = l, .elements = tide_shape_count(n->shape) };
    l->loc[node] = lower_new(l, (tide_dtype)n->type, n->shape);
    if (b.elements == 0) return;
    build_init(&b);
    if (node_draws(n)) collect_input(&b, node, false);
    make_domain(&b);
    emit_store(&b, use_leaf(&b, node), &l->loc[node], false);
    l->reg[node] = 0;
    finish(&b);
}

/* ---- plain copies, for the other ops ---- */

static void move(lowering *l, const view *from, double value, const view *to) {
    build b = { .l = l, .elements = view_count(to) };
    if (b.elements == 0) return;
    build_init(&b);
    snprintf(b.name, sizeof b.name, from ? "copy" : "fill");
    if (from) b.loads[b.n_loads++] = (load){ .node = -1, .v = view_merged(from), .reg = -1 };
    b.loads[b.n_loads++] = (load){ .node = -2, .v = view_merged(to), .reg = -1 };  /* the target cuts the domain too */
    make_domain(&b);
    int16_t reg = from ? use_load(&b, -1, false)
                       : emit(&b, INSTR(.op = FLAT_CONST, .number = value), compute_type(to->type), FLAT_ONE);
    view target = view_merged(to);
    emit_store(&b, reg, &target, false);
    finish(&b);
}

void lower_copy(lowering *l, const view *from, const view *to) { move(l, from, 0, to); }
void lower_fill(lowering *l, const view *to, double value) { move(l, NULL, value, to); }
