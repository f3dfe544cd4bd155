/* A map that goes on with what another kernel has in registers, four neighbours of a row at a time: what is computed is
 * the same as in a launch of its own, but for the sums over rows, which that kernel joins. */
#include "map_gpu.h"

enum { MOST_OPERANDS = 24, MOST_INSTRUCTIONS = 64, NAMES = 1000 /* apart, of two maps */ };

/* ---- whether it can be --------------------------------------------------------------------------------- */

/* The domain's elements in order, and nothing else. */
static bool is_whole(const flat_map *m, const flat_operand *o) {
    int64_t dim[TIDE_MAX_DIMS], stride[TIDE_MAX_DIMS];
    int32_t n = study_merge(m, o, 0, m->ndim, dim, stride);
    return n == 1 && stride[0] == 1;
}

static bool instruction_fits(const map_print *p, const flat_instr *in) {
    if (in->type == TIDE_F64 || (in->operand >= 0 && map_operand(p, in)->type == TIDE_F64)) return false;
    if (is_row_reduction(in) || in->op == FLAT_ALL_SUM) return false;
    if (in->op == FLAT_COL_SUM) return in->type == TIDE_F32 && map_operand(p, in)->type == TIDE_F32;
    if (in->op == FLAT_STORE) return map_stores_each(p, in);
    if (is_draw(in)) return in->per_sample % 4 == 0;
    if (map_is_given(p, in)) return in->op == FLAT_LOAD && in->kind == FLAT_FULL && is_whole(p->m, map_operand(p, in));
    return true;
}

int gpu_end_sums(const gpu_end *end) {
    int n = 0;
    for (int32_t i = 0; i < end->map->map.count; i++) n += end->map->map.instrs[i].op == FLAT_COL_SUM;
    return n;
}

int gpu_end_loads(const gpu_end *end) {
    int bytes = 0;
    for (int32_t i = 0; i < end->map->map.count; i++) {
        const flat_instr *in = &end->map->map.instrs[i];
        if (in->op != FLAT_LOAD || in->operand == end->given || in->kind == FLAT_ONE || in->kind == FLAT_ROW) continue;
        bytes += 4 * (int)tide_dtype_size((tide_dtype)end->map->operands[in->operand].type);
    }
    return bytes / 4;
}

bool gpu_end_fits(const flat_program *program, const gpu_end *end, int64_t rows, int64_t cols, bool in_order) {
    const flat_map *m = &end->map->map;
    gpu_print g = { .program = program, .kernel = end->map };
    map_print p = { .g = &g, .m = m, .given = end->given + 1 };
    if (end->map->n_operands > MOST_OPERANDS || m->count > MOST_INSTRUCTIONS || cols % 4 != 0) return false;
    if (strcmp(gpu_index_type(program, end->map), "int")) return false;
    const int sums = gpu_end_sums(end);
    if (m->rows * m->cols != rows * cols || sums > GPU_END_SUMS / GPU_ENDS) return false;
    if (sums && (m->cols != cols || !in_order)) return false;
    for (int32_t i = 0; i < m->count; i++)
        if (!instruction_fits(&p, &m->instrs[i])) return false;
    return true;
}

bool gpu_end_pairs(const gpu_end *end) {
    bool any = false;
    for (int32_t i = 0; i < end->map->map.count; i++) {
        const flat_instr *in = &end->map->map.instrs[i];
        if (is_draw(in) && (in->op != FLAT_DROPMASK || in->per_sample % 8 != 0)) return false;
        any |= is_draw(in);
    }
    return any;
}

static bool draws(const flat_map *m) {
    for (int32_t i = 0; i < m->count; i++)
        if (is_draw(&m->instrs[i])) return true;
    return false;
}

bool gpu_end_draws(const gpu_end *end) { return draws(&end->map->map); }

/* ---- its text ------------------------------------------------------------------------------------------ */

/* Rows of the domain are the kernel's, or elements are counted through. */
static void choose(map_print *p, int64_t cols) {
    p->shape = (map_shape){ .by_rows = p->m->cols == cols, .quads = true, .kept = true, .turns = 4, .width = 1,
                            .slots = 1, .per_task = 1, .blocks = 1 };
    map_find_stages(p);
    for (int32_t i = 0; i < p->m->count; i++) {
        const flat_instr *in = &p->m->instrs[i];
        bool before = in->kind == FLAT_ONE || (p->shape.by_rows && in->kind == FLAT_ROW);
        p->needed[i] = in->op == FLAT_STORE || is_sink(in) || (in->dst >= 0 && !before);
    }
}

static void print_sums(map_print *p, gpu_end_text *out) {
    for (int32_t i = 0; i < p->m->count; i++) {
        const flat_instr *in = &p->m->instrs[i];
        if (in->op != FLAT_COL_SUM) continue;
        out->sum[out->n_sums++] = (gpu_end_sum){ p->names + i, p->names + in->operand, p->g->kernel->tasks };
        text_add(&p->out, "float *const a%d = sums%d;\n", (int)i, p->names + (int)i);
    }
}

static void move(map_print *p, text *to) {
    if (p->out.data) text_add(to, "%s", p->out.data);
    to->failed |= p->out.failed;
    text_free(&p->out);
}

static void print_begin(map_print *p, const gpu_end_place *at) {
    if (p->shape.by_rows)
        text_add(&p->out, "{\nconst uint line = %s;\n{\nconst uint row = line, c = col;\n", at->row);
    else text_add(&p->out, "{\nconst uint e = %s;\n{\n", at->element);
}

static void print_rooms(map_print *p, int rows) {
    for (int32_t i = 0; i < p->m->count; i++) {
        const flat_instr *in = &p->m->instrs[i];
        if (p->needed[i] && in->op == FLAT_LOAD) map_print_four_room(p, in, rows);
        if (p->pairs && is_draw(in)) text_add(&p->out, "uint d%d[%d][2];\n", p->names + in->dst, rows);
    }
}

static void print_ahead(map_print *p, const gpu_end_place *at) {
    print_begin(p, at);
    map_print_four_loads(p);
    text_add(&p->out, "}\n}\n");
}

static void print_draws(map_print *p, const gpu_end_place *at) {
    print_begin(p, at);
    if (p->shape.by_rows) map_print_count(p);
    for (int32_t i = 0; i < p->m->count; i++)
        if (is_draw(&p->m->instrs[i])) map_print_pair_words(p, &p->m->instrs[i]);
    text_add(&p->out, "}\n}\n");
}

static void print_four(map_print *p, const gpu_end_place *at, gpu_end_text *out) {
    print_begin(p, at);
    if (p->shape.by_rows) print_sums(p, out), map_print_values(p, FLAT_ROW, 0);
    map_print_fours(p, p->shape.by_rows ? 'c' : 'e');
    text_add(&p->out, "}\n}\n");
}

static void print_end(map_print *p, const gpu_end_place *at, gpu_end_text *out) {
    choose(p, at->cols);
    p->ahead = true, p->pairs = at->pairs && draws(p->m);
    map_print_operands(p);
    map_print_seeds(p);
    map_print_values(p, FLAT_ONE, 0);
    move(p, &p->g->body);
    print_rooms(p, at->rows);
    move(p, &out->room);
    print_ahead(p, at);
    move(p, &out->ahead);
    if (p->pairs) print_draws(p, at), move(p, &out->draws);
    print_four(p, at, out);
    move(p, &out->four);
}

void gpu_print_ends(gpu_print *g, const gpu_end_place *at, gpu_end_text *out) {
    const flat_kernel *kernel = g->kernel;
    for (int32_t i = 0; i < g->n_ends; i++) {
        const gpu_end *end = &g->ends[i];
        g->kernel = end->map;
        map_print p = { .g = g, .m = &end->map->map, .position = "uint", .unit = "u", .narrow = true,
                        .names = NAMES * i, .given = end->given + 1 };
        if (map_make_room(&p)) print_end(&p, at, out);
        else g->body.failed = true;
        map_free(&p);
    }
    g->kernel = kernel;
}
