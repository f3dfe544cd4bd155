/* A map as one launch on a GPU: an element a thread, or rows, each some threads'. */
#include "map_gpu.h"

#include <stdlib.h>

/* ---- what is the same in all maps ---------------------------------------------------------------------- */

static bool uses_type(const map_print *p, tide_dtype type) {
    for (int32_t i = 0; i < p->m->count; i++) {
        const flat_instr *in = &p->m->instrs[i];
        if (in->type == type || (in->operand >= 0 && map_operand(p, in)->type == type)) return true;
    }
    return false;
}

static bool is_written(const map_print *p, int32_t operand, bool *used) {
    bool written = false;
    *used = false;
    for (int32_t i = 0; i < p->m->count; i++) {
        if (p->m->instrs[i].operand != operand) continue;
        *used = true, written |= p->m->instrs[i].op != FLAT_LOAD;
    }
    return written;
}

void map_print_operands(map_print *p) {
    for (int32_t i = 0; i < p->g->kernel->n_operands; i++) {
        char q[16];
        bool used, written = is_written(p, i, &used);
        snprintf(q, sizeof q, "q%d", p->names + (int)i);
        if (used && i != p->given - 1) gpu_operand(p->g, q, &p->g->kernel->operands[i], written);
    }
}

void map_print_values(map_print *p, flat_kind kind, int32_t stage) {
    for (int32_t i = 0; i < p->m->count; i++) {
        const flat_instr *in = &p->m->instrs[i];
        bool here = in->dst >= 0 && in->kind == kind && !is_row_reduction(in);
        if (here && (kind == FLAT_ONE || p->stage[i] == stage)) map_print_definition(p, in);
    }
}

/* Whether the loop at hand has to know which element of the domain it is at. */
static bool counts_elements(const map_print *p) {
    for (int32_t i = 0; i < p->m->count; i++)
        if (p->needed[i] && map_counts_elements(&p->m->instrs[i])) return true;
    return false;
}

void map_print_count(map_print *p) {
    if (counts_elements(p))
        text_add(&p->out, "const %s e = row * %lld%s + c;\n", p->position, (long long)p->m->cols, p->unit);
}

/* All of an element, or of one column of a row, that the loop at hand needs. */
static void print_body(map_print *p) {
    for (int32_t i = 0; i < p->m->count; i++) {
        const flat_instr *in = &p->m->instrs[i];
        if (!p->needed[i]) continue;
        if (is_row_reduction(in) || is_sink(in)) map_print_accumulate(p, i);
        else if (in->dst >= 0) map_print_definition(p, in);
    }
    for (int32_t i = 0; i < p->m->count; i++)
        if (p->needed[i] && p->m->instrs[i].op == FLAT_STORE) map_print_store(p, &p->m->instrs[i]);
}

void map_print_fours(map_print *p, char position) {
    if (p->shape.by_rows) map_print_count(p);
    map_print_four_starts(p);
    text_add(&p->out, "const %s near = %c;\n#pragma unroll\nfor (uint u = 0; u < 4u; u++) {\n", p->position, position);
    text_add(&p->out, "const %s %c = near + u;\n", p->position, position);
    if (p->shape.by_rows) map_print_count(p);
    print_body(p);
    text_add(&p->out, "}\n");
    map_print_four_ends(p);
}

/* ---- an element a thread ------------------------------------------------------------------------------- */

static void print_elements(map_print *p) {
    const flat_map *m = p->m;
    const char *wide = p->narrow ? "" : "(i64)";
    map_print_values(p, FLAT_ONE, 0);
    for (int32_t i = 0; i < m->count; i++)
        p->needed[i] = m->instrs[i].op == FLAT_STORE || (m->instrs[i].dst >= 0 && m->instrs[i].kind != FLAT_ONE);
    text_add(&p->out, "const %s e = (%sgroup * %du + lane)%s;\n", p->position, wide, (int)p->g->threads,
             p->shape.quads ? " * 4u" : "");
    if (p->shape.linear)
        text_add(&p->out, "if (e < (%s)table[%d]) {\n", p->position, gpu_number(p->g, m->rows * m->cols));
    else text_add(&p->out, "if (e < %lld%s) {\n", (long long)(m->rows * m->cols), p->unit);
    if (p->shape.quads) map_print_fours(p, 'e');
    else print_body(p);
    text_add(&p->out, "}\n");
}

/* ---- rows ---------------------------------------------------------------------------------------------- */

/* Whether every slot has a row, and every lane of a block a column. */
static bool always_live(const map_print *p) {
    const flat_map *m = p->m;
    const map_shape *s = &p->shape;
    if (s->blocks > 1 && m->cols % (s->width * s->turns) != 0) return false;
    if (s->sinks) return m->rows % s->per_task == 0 && s->per_task % s->slots == 0;
    return m->rows % s->slots == 0;
}

static bool loops(const map_print *p, int32_t stage) {
    for (int32_t i = 0; i < p->m->count && p->m->cols > 0; i++)
        if (map_consumes(p, i, stage)) return true;
    return false;
}

/* Lanes all go round as often, with a guard inside: PoCL 3.1 lets those that should go round once more stop with the
 * rest. */
static void print_column_loop(map_print *p) {
    const flat_map *m = p->m;
    bool whole = m->cols % p->shape.width == 0, live = !always_live(p);
    text_add(&p->out, "for (%s first = 0; first < %lld%s; first += LANES) {\nconst %s c = first + l;\n", p->position,
             (long long)m->cols, p->unit, p->position);
    if (!whole) text_add(&p->out, "if (%sc < %lld%s) ", live ? "live && " : "", (long long)m->cols, p->unit);
    else if (live) text_add(&p->out, "if (live) ");
    text_add(&p->out, "{\n");
}

/* The head of a loop over a lane's columns; how many braces it opens. */
static int print_loop_head(map_print *p) {
    const flat_map *m = p->m;
    const map_shape *s = &p->shape;
    const char *live = always_live(p) ? "" : "if (live) ";
    if (s->blocks > 1) {
        text_add(&p->out, "%s{\n", live);
        return 1;
    }
    if (!s->kept) {
        print_column_loop(p);
        return 2;
    }
    const char *turn = s->quads ? "four" : "u";
    bool around = *live && s->warps;  /* where nobody waits for what a guard leaves out: all loads then come first */
    if (around) text_add(&p->out, "if (live) {\n");
    if (around) live = "";
    if (s->turns > 1)
        text_add(&p->out, "#pragma unroll\nfor (uint %s = 0; %s < %lldu; %s += %du) ", turn, turn, (long long)s->turns,
                 turn, s->quads ? 4 : 1);
    text_add(&p->out, "{\n");
    if (s->quads) text_add(&p->out, "const %s c = (four / 4u * LANES + l) * 4u;\n", p->position);
    else map_print_column(p);
    bool whole = m->cols == s->width * s->turns;
    if (whole) text_add(&p->out, "%s{\n", live);
    else text_add(&p->out, "if (%sc < %lld%s) {\n", *live ? "live && " : "", (long long)m->cols, p->unit);
    return 2 + around;
}

/* The columns of a lane's turn: one, or four neighbours. */
static void print_columns(map_print *p) {
    map_print_count(p);
    if (!p->shape.quads) {
        print_body(p);
        return;
    }
    map_print_four_starts(p);
    if (p->shape.blocks > 1) text_add(&p->out, "const uint four = 0;\n");
    if (p->ahead) text_add(&p->out, "const uint t = four / 4u;\n");
    text_add(&p->out, "const %s near = c;\n#pragma unroll\nfor (uint u = four; u < four + 4u; u++) {\n", p->position);
    text_add(&p->out, "const %s c = near + u %% 4u;\n", p->position);
    map_print_count(p);
    print_body(p);
    text_add(&p->out, "}\n");
    map_print_four_ends(p);
}

static void print_stage(map_print *p, int32_t stage) {
    map_print_values(p, FLAT_ROW, stage);
    map_find_needed(p, stage);
    map_print_accumulators(p, stage);
    if (loops(p, stage)) {
        int braces = print_loop_head(p);
        print_columns(p);
        while (braces--) text_add(&p->out, "}\n");
    }
    map_print_row_results(p, stage);
}

static void print_kept(map_print *p) {
    for (int32_t r = 0; r < p->m->regs; r++) {
        if (!(p->state[r] & KEPT)) continue;
        text_add(&p->out, "%s r%d", gpu_register_type(p->m->instrs[p->def[r]].type), (int)r);
        if (p->shape.turns > 1) text_add(&p->out, "[%d]", (int)p->shape.turns);
        text_add(&p->out, ";\n");
    }
}

static bool rows_overwrite(const map_print *p) {
    for (int32_t i = 0; i < p->m->count; i++) {
        const flat_instr *in = &p->m->instrs[i];
        if (in->op == FLAT_STORE && !map_stores_each(p, in) && map_overwrites_a_load(p, in)) return true;
    }
    return false;
}

/* One number a row, when all lanes have read what it may overwrite. */
static void print_row_stores(map_print *p) {
    bool any = false, waits = p->shape.width > 1 && rows_overwrite(p);
    for (int32_t i = 0; i < p->m->count; i++) {
        const flat_instr *in = &p->m->instrs[i];
        if (in->op != FLAT_STORE || map_stores_each(p, in)) continue;
        if (!any) text_add(&p->out, "%sif (%sl == 0) {\n", waits ? "SYNC;\n" : "",
                           always_live(p) ? "" : "live && ");
        map_print_store(p, in);
        any = true;
    }
    if (any) text_add(&p->out, "}\n");
}

/* The row of a slot, counted from `from`; one that has none reads the last. */
static void print_row_of(map_print *p, const char *from, const char *end) {
    const flat_map *m = p->m;
    if (always_live(p)) {
        text_add(&p->out, "const %s row = %s + slot;\n", p->position, from);
        return;
    }
    text_add(&p->out, "const bool live = %s + slot < %s", from, end);
    if (p->shape.blocks > 1) text_add(&p->out, " && c < %lld%s", (long long)m->cols, p->unit);
    text_add(&p->out, ";\nconst %s row = %s + slot < %s ? %s + slot : %s - 1;\n", p->position, from, end, from, end);
}

/* ---- a row's loads, all at once ------------------------------------------------------------------------ */

static bool is_load_of(const flat_instr *in, flat_kind kind) {
    return in->op == FLAT_LOAD && in->kind == kind;
}

typedef void each_load(map_print *p, const flat_instr *in);
static void each_row_load(map_print *p, flat_kind kind, each_load *print) {
    for (int32_t i = 0; i < p->m->count; i++)
        if (is_load_of(&p->m->instrs[i], kind)) print(p, &p->m->instrs[i]);
}

static void print_room(map_print *p, const flat_instr *in) {
    map_print_four_room(p, in, (int)p->shape.turns / 4);
}

/* `each` of a lane's fours. */
static void each_turn(map_print *p, flat_kind kind, each_load *print) {
    const map_shape *s = &p->shape;
    text_add(&p->out, "#pragma unroll\nfor (uint t = 0; t < %du; t++) {\nconst %s c = (t * LANES + l) * 4u;\n",
             (int)s->turns / 4, p->position);
    if (p->m->cols != s->width * s->turns) text_add(&p->out, "if (c < %lld%s) ", (long long)p->m->cols, p->unit);
    text_add(&p->out, "{\n");
    each_row_load(p, kind, print);
    text_add(&p->out, "}\n}\n");
}

/* What is the same in all rows. */
static void print_column_loads(map_print *p) {
    if (!p->shape.loads_first) return;
    p->ahead = true;
    each_row_load(p, FLAT_COL, print_room);
    each_turn(p, FLAT_COL, map_print_four_load);
}

static void print_row_loads(map_print *p) {
    if (!p->shape.loads_first) return;
    each_row_load(p, FLAT_FULL, print_room);
    each_turn(p, FLAT_FULL, map_print_four_load);
}

/* Of the first row, before the loop over a slot's rows. */
static void print_first_row_loads(map_print *p) {
    if (!p->shape.next_row) return;
    p->next = true;
    each_row_load(p, FLAT_FULL, print_room);
    text_add(&p->out, "{\nconst %s row = begin + slot < end ? begin + slot : end - 1;\n", p->position);
    each_turn(p, FLAT_FULL, map_print_four_load);
    text_add(&p->out, "}\n");
    p->next = false;
}

static void print_next_row_loads(map_print *p) {
    const long long slots = (long long)p->shape.slots;
    each_row_load(p, FLAT_FULL, print_room);
    each_turn(p, FLAT_FULL, map_print_four_take);
    p->next = true;
    text_add(&p->out, "if (base + %lld%s < end) {\nconst %s next_row = base + %lld%s + slot;\n", slots, p->unit,
             p->position, slots, p->unit);
    text_add(&p->out, "const %s row = next_row < end ? next_row : end - 1;\n", p->position);
    each_turn(p, FLAT_FULL, map_print_four_load);
    text_add(&p->out, "}\n");
    p->next = false;
}

static void print_row(map_print *p) {
    if (p->shape.next_row) print_next_row_loads(p);
    else print_row_loads(p);
    print_kept(p);
    for (int32_t stage = 0; stage < p->shape.stages; stage++) print_stage(p, stage);
    print_row_stores(p);
}

static void print_task(map_print *p) {
    const flat_map *m = p->m;
    const map_shape *s = &p->shape;
    const char *wide = p->narrow ? "" : "(i64)", *t = p->position, *unit = p->unit;
    if (s->blocks > 1)
        text_add(&p->out, "const %s task = group / %lldu, block = %s(group %% %lldu), c = (block * LANES + l)%s;\n", t,
                 (long long)s->blocks, wide, (long long)s->blocks, s->quads ? " * 4u" : "");
    else text_add(&p->out, "const %s task = group;\n", t);
    text_add(&p->out, "const %s begin = task * %lld%s, end = ", t, (long long)s->per_task, unit);
    if (m->rows % s->per_task == 0) text_add(&p->out, "begin + %lld%s;\n", (long long)s->per_task, unit);
    else
        text_add(&p->out, "begin + %lld%s < %lld%s ? begin + %lld%s : %lld%s;\n", (long long)s->per_task, unit,
                 (long long)m->rows, unit, (long long)s->per_task, unit, (long long)m->rows, unit);
    map_print_sink_accumulators(p);
    print_column_loads(p);
    print_first_row_loads(p);
    p->must_wait = true;  /* for those who are still at the row before */
    text_add(&p->out, "for (%s base = begin; base < end; base += %lld%s) {\n", t, (long long)s->slots, unit);
    print_row_of(p, "base", "end");
    print_row(p);
    text_add(&p->out, "}\n");
    p->must_wait = false;
    map_print_sink_results(p);
}

static void print_rows(map_print *p) {
    const map_shape *s = &p->shape;
    char rows[32];
    text_add(&p->out, "enum { LANES = %lld };\nconst uint l = lane %% LANES, slot = lane / LANES;\n",
             (long long)s->width);
    map_find_kept(p);
    map_print_values(p, FLAT_ONE, 0);
    if (s->sinks) {
        print_task(p);
        return;
    }
    snprintf(rows, sizeof rows, "%lld%s", (long long)p->m->rows, p->unit);
    text_add(&p->out, "const %s base = %sgroup * %lldu;\n", p->position, p->narrow ? "" : "(i64)", (long long)s->slots);
    print_row_of(p, "base", rows);
    print_column_loads(p);
    print_row(p);
}

/* ---- the whole ----------------------------------------------------------------------------------------- */

bool map_make_room(map_print *p) {
    size_t count = (size_t)MAX2(p->m->count, 1), regs = (size_t)MAX2(p->m->regs, 1);
    p->stage = calloc(count, sizeof *p->stage), p->def = calloc(regs, sizeof *p->def);
    p->state = calloc(regs, sizeof *p->state), p->needed = calloc(count, sizeof *p->needed);
    return p->stage && p->def && p->state && p->needed;
}

void map_free(map_print *p) {
    text_free(&p->out);
    free(p->stage), free(p->def), free(p->state), free(p->needed);
}

static void print_all(map_print *p) {
    gpu_print *g = p->g;
    map_choose_shape(p);
    if (!g->groups) return;
    text_add(&g->body, "{\nBEGIN\n");
    map_print_operands(p);
    map_print_seeds(p);
    if (p->shape.by_rows) print_rows(p);
    else print_elements(p);
    text arrays = { 0 };
    map_print_arrays(p, &arrays);
    g->body.failed |= p->out.failed || arrays.failed;
    if (!g->body.failed) text_add(&g->body, "%s%s}\n", arrays.data ? arrays.data : "", p->out.data);
    text_free(&arrays);
}

void gpu_print_map(gpu_print *g) {
    bool narrow = !strcmp(gpu_index_type(g->program, g->kernel), "int");
    map_print p = { .g = g, .m = &g->kernel->map, .position = narrow ? "uint" : "i64", .unit = narrow ? "u" : "",
                    .narrow = narrow, .odd_tree = true };
    if (uses_type(&p, TIDE_F64) && !g->limits->f64) {
        g->lacks = "it computes in float64, which the device has not";
        return;
    }
    if (map_make_room(&p)) print_all(&p);
    else g->body.failed = true;
    map_free(&p);
}
