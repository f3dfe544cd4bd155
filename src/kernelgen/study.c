/* Which of a map kernel's loads, results and draws live in registers, which in scratch, which are made again:
 * planned here, for whatever language prints it. */
#include "study.h"

enum { SHORTEST = 4 };  /* rows that are not worth a loop */

static const flat_operand *operand_of(const study *s, const flat_instr *in) {
    return &s->kernel->operands[in->operand];
}

/* ---- memory -------------------------------------------------------------------------------------------- */

/* A store may stand on what is loaded, lane by lane, if their elements are of one size. */
static bool overlaps_are_lanewise(const study *s) {
    const flat_map *m = s->map;
    for (int32_t i = 0; i < m->count; i++) {
        if (m->instrs[i].op != FLAT_STORE) continue;
        const flat_operand *to = operand_of(s, &m->instrs[i]);
        for (int32_t j = 0; j < m->count; j++) {
            if (m->instrs[j].op != FLAT_LOAD) continue;
            const flat_operand *from = operand_of(s, &m->instrs[j]);
            if (operands_share_memory(s->program, from, to) && tide_dtype_size(from->type) != tide_dtype_size(to->type))
                return false;
        }
    }
    return true;
}

/* ---- dimensions ---------------------------------------------------------------------------------------- */

int32_t study_merge(const flat_map *m, const flat_operand *o, int32_t first, int32_t end, int64_t *dim,
                    int64_t *stride) {
    int32_t n = 0;
    for (int32_t d = first; d < end; d++) {
        if (m->dim[d] == 1) continue;
        bool merges = n > 0 && stride[n - 1] == o->stride[d] * m->dim[d];
        if (!merges) dim[n++] = 1;
        dim[n - 1] *= m->dim[d];
        stride[n - 1] = o->stride[d];
    }
    return n;
}

/* A load of one number has no strides that count; partials are not strided at all. */
static bool has_view(const flat_instr *in) {
    return in->op == FLAT_STORE || (in->op == FLAT_LOAD && in->kind != FLAT_ONE);
}

static bool rows_may_end_at(const study *s, int32_t split) {
    const flat_map *m = s->map;
    int64_t dim[TIDE_MAX_DIMS], stride[TIDE_MAX_DIMS];
    for (int32_t i = 0; i < m->count; i++)
        if (has_view(&m->instrs[i]) && study_merge(m, operand_of(s, &m->instrs[i]), split, m->ndim, dim, stride) > 1)
            return false;
    return true;
}

static bool all_contiguous(const study *s) {
    const flat_map *m = s->map;
    int64_t dim[TIDE_MAX_DIMS], stride[TIDE_MAX_DIMS];
    for (int32_t i = 0; i < m->count; i++) {
        const flat_instr *in = &m->instrs[i];
        if (!has_view(in)) continue;
        int32_t n = study_merge(m, operand_of(s, in), 0, m->ndim, dim, stride);
        /* One number is stored once, not by each lane. */
        bool one = in->kind == FLAT_ONE && in->op == FLAT_STORE && (n == 0 || (n == 1 && stride[0] == 0));
        if (!one && !(n == 0 && m->rows * m->cols == 1) && !(n == 1 && stride[0] == 1)) return false;
    }
    return true;
}

static int64_t product(const flat_map *m, int32_t first) {
    int64_t n = 1;
    for (int32_t d = first; d < m->ndim; d++) n *= m->dim[d];
    return n;
}

/* In a linear kernel rows are no dimension, and what is not one number moves with the lanes. */
static void plan_operands(study *s, int32_t split) {
    const flat_map *m = s->map;
    if (s->linear) split = 0;
    for (int32_t i = 0; i < m->count; i++) {
        const flat_instr *in = &m->instrs[i];
        if (!has_view(in)) continue;
        int64_t dim[TIDE_MAX_DIMS], stride[TIDE_MAX_DIMS];
        study_operand *o = &s->operands[in->operand];
        int32_t n = study_merge(m, operand_of(s, in), split, m->ndim, dim, stride);
        o->inner_stride = n ? stride[0] : 0;
        o->ndim = in->kind == FLAT_COL && in->op == FLAT_LOAD
                      ? 0
                      : study_merge(m, operand_of(s, in), 0, split, o->dim, o->stride);
    }
}

/* The longest rows along which every operand moves by one stride, and that no task cuts. */
static bool choose_rows(study *s) {
    const flat_map *m = s->map;
    int64_t task = m->rows_per_task * m->cols;
    s->linear = !m->row_wise && all_contiguous(s);
    if (s->linear) {
        s->rows = m->rows * m->cols, s->inner = 1, s->per_task = task;
        plan_operands(s, 0);
        return true;
    }
    int32_t split = m->row_wise ? m->row_ndim : 0;
    for (; split < m->ndim; split++)
        if ((split >= m->row_ndim || task % product(m, split) == 0) && rows_may_end_at(s, split)) break;
    if (m->row_wise ? split != m->row_ndim : product(m, split) < SHORTEST) return false;
    s->inner = product(m, split);
    s->rows = m->rows * m->cols / s->inner, s->per_task = task / s->inner;
    plan_operands(s, split);
    return true;
}

/* ---- stages -------------------------------------------------------------------------------------------- */

static int32_t stage_of(const study *s, const flat_instr *in) {
    int32_t stage = 0;
    for (int i = 0; i < 3; i++)
        if (in->src[i] >= 0 && in->src_kind[i] != FLAT_ONE) stage = MAX2(stage, s->values[in->src[i]].stage);
    return stage;
}

static void note_uses(study *s, int32_t i) {
    const flat_instr *in = &s->map->instrs[i];
    for (int j = 0; j < 3; j++)
        if (in->src[j] >= 0) s->values[in->src[j]].last_stage = MAX2(s->values[in->src[j]].last_stage, s->stage[i]);
}

static void find_stages(study *s) {
    const flat_map *m = s->map;
    for (int32_t i = 0; i < m->count; i++) {
        const flat_instr *in = &m->instrs[i];
        s->stage[i] = in->kind == FLAT_ONE && in->dst >= 0 ? 0 : stage_of(s, in);
        if (in->dst >= 0)
            s->values[in->dst] = (study_value){ .def = i, .stage = s->stage[i] + is_row_reduction(in), .at = -1 };
        note_uses(s, i);
        s->stages = MAX2(s->stages, s->stage[i] + 1 + is_row_reduction(in));
    }
}

/* Numbers that do not depend on the row are drawn in the first loop that reads them, not kept for it. */
static void delay_draws(study *s) {
    const flat_map *m = s->map;
    for (int32_t i = 0; i < m->count; i++) {
        if (!is_draw(&m->instrs[i])) continue;
        study_value *v = &s->values[m->instrs[i].dst];
        int32_t first = v->last_stage;
        for (int32_t j = 0; j < m->count; j++)
            for (int n = 0; n < 3; n++)
                if (m->instrs[j].src[n] == m->instrs[i].dst) first = MIN2(first, s->stage[j]);
        v->stage = s->stage[i] = first;
    }
}

/* A load may be repeated in a later loop if no earlier one, nor the start of that one, has stored over it. */
static bool may_load_again(const study *s, const flat_instr *load) {
    const flat_map *m = s->map;
    for (int32_t i = 0; i < m->count; i++) {
        const flat_instr *in = &m->instrs[i];
        if (in->op != FLAT_STORE || !operands_share_memory(s->program, operand_of(s, load), operand_of(s, in)))
            continue;
        if (s->stage[i] < s->values[load->dst].last_stage + !in_loop(s, in) && !stored_once(s, in)) return false;
    }
    return true;
}

static int64_t take_scratch(study *s, int64_t elements) {
    int64_t at = s->scratch;
    s->scratch += round_up(elements * 4, 64);
    return at;
}

/* Short rows are kept in registers. */
static void keep_values(study *s) {
    const flat_map *m = s->map;
    for (int32_t r = 0; r < m->regs; r++) {
        study_value *v = &s->values[r];
        const flat_instr *in = &m->instrs[v->def];
        if (in->op == FLAT_LOAD && per_lane(in->kind)) v->again = in->kind == FLAT_COL || may_load_again(s, in);
        v->kept = in->kind == FLAT_FULL && !v->again && v->last_stage > v->stage;
        if (v->kept && s->inner > 4 * s->lanes) v->at = take_scratch(s, round_up(s->inner, s->lanes));
    }
}

/* ---- random numbers ------------------------------------------------------------------------------------ */

/* Whether numbers come for four vectors at a time. */
static bool draws_fours(const study *s) {
    const flat_map *m = s->map;
    for (int32_t i = 0; i < m->count; i++)
        if (is_draw(&m->instrs[i]) && m->instrs[i].per_sample % (4 * s->lanes) == 0) return true;
    return false;
}

/* In the loop, numbers come for two or four vectors at a time, which must lie in one sample and begin at a multiple of
 * four. */
static bool draws_fit_loop(const study *s) {
    const flat_map *m = s->map;
    int64_t pair = 2 * s->lanes;
    for (int32_t i = 0; i < m->count; i++)
        if (is_draw(&m->instrs[i]) && m->instrs[i].per_sample % pair != 0) return false;
    int64_t row = s->linear ? s->per_task : s->inner;
    return row % pair == 0 && (row % (2 * pair) == 0 || !draws_fours(s));
}

static void plan_draws(study *s) {
    const flat_map *m = s->map;
    bool any = false;
    for (int32_t i = 0; i < m->count; i++) any |= is_draw(&m->instrs[i]);
    s->draws_inline = any && draws_fit_loop(s);
    if (!any || s->draws_inline) return;
    s->block_rows = s->linear ? CHUNK : MAX2(CHUNK / s->inner, 1);
    for (int32_t i = 0; i < m->count; i++)
        if (is_draw(&m->instrs[i])) s->drawn_at[i] = take_scratch(s, s->block_rows * s->inner + s->lanes);
}

/* ---- the whole ----------------------------------------------------------------------------------------- */

static bool fits(const study *s) {
    const flat_map *m = s->map;
    if (s->kernel->kind != FLAT_MAP || m->count > MOST_INSTRS || s->kernel->n_operands > KERNELGEN_OPERANDS)
        return false;
    return m->rows > 0 && m->cols > 0 && m->rows * m->cols >= s->lanes;
}

bool study_map(study *s, const flat_program *p, const flat_kernel *k, int lanes) {
    memset(s, 0, sizeof *s);
    s->program = p, s->kernel = k, s->map = &k->map, s->lanes = lanes;
    if (!fits(s) || !overlaps_are_lanewise(s) || !choose_rows(s)) return false;
    find_stages(s);
    delay_draws(s);
    keep_values(s);
    plan_draws(s);
    return true;
}
