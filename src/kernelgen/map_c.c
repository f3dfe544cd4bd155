/* A map kernel as a C function over vectors: one pass over the rows of a task, in each a loop along the row for every
 * stage. */
#include "printer.h"

/* What is added to a random number's sample. */
static name sample_offset(const flat_instr *in) {
    name n = { "0" };
    if (in->src[1] >= 0) snprintf(n.text, sizeof n.text, "r%d[0]", in->src[1]);
    return n;
}

/* ---- what can be printed ------------------------------------------------------------------------------- */

static bool has_words(const printer *p, const flat_instr *in) {
    const spelling *w = p->words;
    if (in->operand >= 0 && !w->tag[operand_of(p, in)->type]) return false;
    if (in->op == FLAT_LOAD) return w->cast[register_type(operand_of(p, in)->type)][in->type];
    if (in->op == FLAT_STORE) return w->cast[in->type][register_type(operand_of(p, in)->type)];
    if (in->op == FLAT_CONST || in->op == FLAT_IOTA) return w->type[in->type] && !is_half(in->type);
    if (is_draw(in)) return true;
    if (is_sink(in)) return w->reduce[0][in->type].start && in->type == in->src_type[0];
    if (is_row_reduction(in)) return in->op <= FLAT_ROW_MIN && w->reduce[in->op - FLAT_ROW_SUM][in->type].start;
    return spelling_of(w, in) && w->type[in->type];
}

static bool can_print(const printer *p) {
    for (int32_t i = 0; i < p->s->map->count; i++)
        if (!has_words(p, &p->s->map->instrs[i])) return false;
    return true;
}

/* ---- the loops of a stage ------------------------------------------------------------------------------ */

static const char *reduction_of(const printer *p, const flat_instr *in, int what) {
    int op = is_sink(in) ? 0 : in->op - FLAT_ROW_SUM;
    return what == 0 ? p->words->reduce[op][in->type].start : what == 1 ? p->words->reduce[op][in->type].combine
                                                                        : p->words->reduce[op][in->type].finish;
}

/* a[u] = combine(a[u], r), without the lanes beyond a part. */
static void print_accumulate(printer *p, int32_t i, reach r) {
    const flat_instr *in = &p->s->map->instrs[i];
    char sum[40], value[96];
    snprintf(sum, sizeof sum, r == GROUP ? "a%d[u]" : "a%d[0]", i);
    if (r == PART)
        snprintf(value, sizeof value, "%s_first(r%d, n, %s)", p->words->type[in->type], in->src[0],
                 reduction_of(p, in, 0));
    else snprintf(value, sizeof value, "r%d", in->src[0]);
    text_add(&p->out, "%s = ", sum);
    spell(&p->out, reduction_of(p, in, 1), (const char *[]){ sum, value, "" });
    text_add(&p->out, ";\n");
}

static void print_column_sum(printer *p, const flat_instr *in, reach r) {
    const char *tag = p->words->tag[operand_of(p, in)->type], *part = r == PART ? "_part" : "",
               *n = r == PART ? ", n" : "";
    text_add(&p->out, "put_%s%s(q%d + %s, get_%s%s(q%d + %s%s) + r%d%s);\n", tag, part, in->operand, position(r), tag,
             part, in->operand,
             position(r), n, in->src[0], n);
}

static bool reads(const flat_instr *in, int reg) { return in->src[0] == reg || in->src[1] == reg || in->src[2] == reg; }

static bool read_in_loop(const printer *p, int reg, int32_t stage) {
    const flat_map *m = p->s->map;
    for (int32_t i = 0; i < m->count; i++)
        if (p->s->stage[i] == stage && in_loop(p->s, &m->instrs[i]) && reads(&m->instrs[i], reg)) return true;
    return false;
}

static void print_body_instr(printer *p, int32_t i, int32_t stage, reach r) {
    const study *s = p->s;
    const flat_instr  *in = &s->map->instrs[i];
    const study_value *v = in->dst >= 0 ? &s->values[in->dst] : NULL;
    const char *at = r == GROUP ? "c / VF_LANES + u" : "c / VF_LANES";
    if (v && per_lane(in->kind) && ((v->again && s->stage[i] != stage) || in->op == FLAT_LOAD)) {
        bool here = v->again ? read_in_loop(p, in->dst, stage) : s->stage[i] == stage;
        if (here) print_definition(p, i, r);
        if (here && v->kept) text_add(&p->out, "k%d[%s] = r%d;\n", in->dst, at, in->dst);
        if (here || v->again) return;
    }
    if (v && v->kept && s->stage[i] < stage && read_in_loop(p, in->dst, stage))
        text_add(&p->out, "const %s r%d = k%d[%s];\n", p->words->type[in->type], in->dst, in->dst, at);
    if (s->stage[i] != stage || !in_loop(s, in)) return;
    if (in->op == FLAT_STORE) print_store(p, in, r);
    else if (in->op == FLAT_COL_SUM) print_column_sum(p, in, r);
    else if (in->op == FLAT_ALL_SUM || is_row_reduction(in)) print_accumulate(p, i, r);
    else {
        print_definition(p, i, r);
        if (v->kept) text_add(&p->out, "k%d[%s] = r%d;\n", in->dst, at, in->dst);
    }
}

static void print_body(printer *p, int32_t stage, reach r) {
    for (int32_t i = 0; i < p->s->map->count; i++) print_body_instr(p, i, stage, r);
}

/* Words for the vectors ahead: four at a time where they are of one sample, else two. */
static void print_draws(printer *p, int32_t stage, int vectors, const char *from) {
    const flat_map *m = p->s->map;
    for (int32_t i = 0; i < m->count && p->s->draws_inline; i++) {
        const flat_instr *in = &m->instrs[i];
        if (!is_draw(in) || p->s->stage[i] != stage) continue;
        int together = in->per_sample % (4 * p->s->lanes) == 0 ? vectors : 2;
        bool mask = in->op == FLAT_DROPMASK;
        text_add(&p->out, "%s d%d[%d];\n", mask ? "vu2" : "vu4", in->dst, vectors);
        for (int v = 0; v < vectors; v += together)
            text_add(&p->out, "draw_%s(d%d + %d, %d, host->seed, (uint32_t)r%d[0], %uu, %s, row%s + %s + %d, "
                              "%lld);\n", mask ? "halves" : "words", in->dst, v, together, in->src[0],
                     (unsigned)in->site, sample_offset(in).text, p->s->linear ? "" : " * COLS", from, v * p->s->lanes,
                     (long long)in->per_sample);
    }
}

static bool stage_has(const printer *p, int32_t stage, bool (*is)(const flat_instr *)) {
    const flat_map *m = p->s->map;
    for (int32_t i = 0; i < m->count; i++)
        if (p->s->stage[i] == stage && is(&m->instrs[i])) return true;
    return false;
}
static bool is_any(const flat_instr *in) {
    return in->op == FLAT_STORE || is_sink(in) || is_row_reduction(in) || in->kind == FLAT_FULL;
}
static bool is_accumulated(const flat_instr *in) { return is_row_reduction(in) || in->op == FLAT_ALL_SUM; }

static bool keeps_sum(const printer *p, int32_t i, int32_t stage) {
    const flat_instr *in = &p->s->map->instrs[i];
    return p->s->stage[i] == stage && (is_row_reduction(in) || (in->op == FLAT_ALL_SUM && p->s->linear));
}

static void print_accumulator(printer *p, int32_t i) {
    const flat_instr *in = &p->s->map->instrs[i];
    const char *start = reduction_of(p, in, 0);
    text_add(&p->out, "%s a%d[4] = { %s, %s, %s, %s };\n", p->words->type[in->type], i, start, start, start, start);
}

/* a[0] = (a[0] a[1]) (a[2] a[3]) */
static void print_join(printer *p, int32_t i) {
    const flat_instr *in = &p->s->map->instrs[i];
    const char *combine = reduction_of(p, in, 1), *type = p->words->type[in->type];
    name a = name_of('a', i);
    char item[4][48];
    for (int j = 0; j < 4; j++) snprintf(item[j], sizeof item[j], "%s[%d]", a.text, j);
    text_add(&p->out, "{ const %s x = ", type);
    spell(&p->out, combine, (const char *[]){ item[0], item[1], "" });
    text_add(&p->out, ", y = ");
    spell(&p->out, combine, (const char *[]){ item[2], item[3], "" });
    text_add(&p->out, "; %s = ", item[0]);
    spell(&p->out, combine, (const char *[]){ "x", "y", "" });
    text_add(&p->out, "; }\n");
}

static void print_group_loop(printer *p, int32_t stage) {
    text_add(&p->out, "for (; c + 4 * VF_LANES <= cols; c += 4 * VF_LANES) {\n");
    print_draws(p, stage, 4, "c");
    text_add(&p->out, "UNROLL for (int u = 0; u < 4; u++) {\n");
    print_body(p, stage, GROUP);
    text_add(&p->out, "}\n}\n");
}

static void print_loops(printer *p, int32_t stage) {
    const study *s = p->s;
    bool group = (s->linear || s->inner >= 4 * s->lanes) && (stage_has(p, stage, is_accumulated) || s->draws_inline);
    text_add(&p->out, "{\nint64_t c = 0;\n");
    if (group) print_group_loop(p, stage);
    for (int32_t i = 0; i < s->map->count && group; i++)
        if (keeps_sum(p, i, stage)) print_join(p, i);
    text_add(&p->out, "for (; c + VF_LANES <= cols; c += VF_LANES) {\n");
    print_draws(p, stage, 2, "(c & ~(2 * VF_LANES - 1))");
    print_body(p, stage, WHOLE);
    text_add(&p->out, "}\n");
    if (s->linear || s->inner % s->lanes != 0) {
        text_add(&p->out, "if (c < cols) {\nconst int64_t n = cols - c;\n");
        print_draws(p, stage, 2, "(c & ~(2 * VF_LANES - 1))");
        print_body(p, stage, PART);
        text_add(&p->out, "}\n");
    }
    text_add(&p->out, "}\n");
}

/* ---- a row --------------------------------------------------------------------------------------------- */

/* What a row computes once before the loop of a stage: its own registers, and their stores. */
static void print_row_values(printer *p, int32_t stage) {
    const study *s = p->s;
    for (int32_t i = 0; i < s->map->count; i++) {
        const flat_instr *in = &s->map->instrs[i];
        bool stored = in->op == FLAT_STORE && !in_loop(s, in) && !stored_once(s, in);
        bool defined = in->kind == FLAT_ROW && in->dst >= 0 && !is_row_reduction(in);
        if (s->stage[i] != stage) continue;
        if (stored) print_store(p, in, WHOLE);
        if (defined) print_definition(p, i, WHOLE);
    }
}

static void print_finish(printer *p, int32_t i) {
    const flat_instr *in = &p->s->map->instrs[i];
    char sum[40];
    snprintf(sum, sizeof sum, "a%d[0]", i);
    if (in->op == FLAT_ALL_SUM) text_add(&p->out, "t%d += ", i);
    else text_add(&p->out, "const %s r%d = ", p->words->type[in->type], in->dst);
    spell(&p->out, reduction_of(p, in, 2), (const char *[]){ sum, "", "" });
    text_add(&p->out, ";\n");
}

static void print_stage(printer *p, int32_t stage) {
    const flat_map *m = p->s->map;
    bool loops = false;
    print_row_values(p, stage);
    for (int32_t i = 0; i < m->count; i++) {
        loops |= p->s->stage[i] == stage && in_loop(p->s, &m->instrs[i]) && is_any(&m->instrs[i]);
        if (keeps_sum(p, i, stage)) print_accumulator(p, i);
    }
    if (loops) print_loops(p, stage);
    for (int32_t i = 0; i < m->count; i++)
        if (keeps_sum(p, i, stage)) print_finish(p, i);
}

static void print_kept(printer *p) {
    const study *s = p->s;
    for (int32_t r = 0; r < s->map->regs; r++) {
        const study_value *v = &s->values[r];
        const char *type = p->words->type[s->map->instrs[v->def].type];
        if (!v->kept) continue;
        if (v->at < 0) text_add(&p->out, "%s k%d[%lld];\n", type, (int)r, (long long)ceil_div(s->inner, s->lanes));
        else text_add(&p->out, "%s *k%d = (%s *)(scratch + %lld);\n", type, (int)r, type, (long long)v->at);
    }
}

static void print_row(printer *p) {
    print_row_pointers(p);
    print_kept(p);
    for (int32_t stage = 0; stage < p->s->stages; stage++) print_stage(p, stage);
}

/* ---- the function -------------------------------------------------------------------------------------- */

/* Numbers of a block of rows, for kernels whose rows do not fit the generator's steps. */
static void print_draws_ahead(printer *p) {
    const study *s = p->s;
    for (int32_t i = 0; i < s->map->count && s->block_rows; i++) {
        const flat_instr *in = &s->map->instrs[i];
        char digits[2][32];
        if (!is_draw(in)) continue;
        num_format(digits[0], (double)(float)in->number, true);
        num_format(digits[1], (double)(float)in->scale, true);
        text_add(&p->out, "float *const b%d = (float *)(scratch + %lld);\n", in->dst, (long long)s->drawn_at[i]);
        text_add(&p->out,
                 "draw_ahead(host->%s, b%d, &(host_site){ host->seed, (uint32_t)r%d[0], %uu, (float)%s, "
                 "(float)%s }, ",
                 in->op == FLAT_RANDOM ? "unit" : "mask", in->dst, in->src[0], (unsigned)in->site, digits[0],
                 digits[1]);
        text_add(&p->out, "%s, block * %lld, %lld, ahead * %lld);\n", sample_offset(in).text, (long long)s->inner,
                 (long long)in->per_sample, (long long)s->inner);
    }
}

static void print_drawn_rows(printer *p) {
    const study *s = p->s;
    for (int32_t i = 0; i < s->map->count && s->block_rows; i++)
        if (is_draw(&s->map->instrs[i]))
            text_add(&p->out, "const float *d%d = b%d + (row - block) * %lld;\n", s->map->instrs[i].dst,
                     s->map->instrs[i].dst,
                     (long long)s->inner);
}

/* A linear kernel's rows are its elements; it takes a CHUNK at a time. */
static void print_rows(printer *p) {
    const study *s = p->s;
    int64_t block = s->linear ? CHUNK : s->block_rows;
    if (block) {
        text_add(&p->out, "for (int64_t block = first; block < last; block += %lld) {\n", (long long)block);
        text_add(&p->out, "const int64_t ahead = last - block < %lld ? last - block : %lld;\n", (long long)block,
                 (long long)block);
        print_draws_ahead(p);
    }
    if (s->linear) text_add(&p->out, "const int64_t row = block, cols = ahead;\n");
    else {
        const char *from = block ? "block" : "first", *to = block ? "block + ahead" : "last";
        text_add(&p->out, "for (int64_t row = %s; row < %s; row++) {\n", from, to);
        text_add(&p->out, "enum { COLS = %lld };\nconst int64_t cols = COLS;\n", (long long)s->inner);
    }
    print_drawn_rows(p);
    print_row(p);
    text_add(&p->out, s->linear || !block ? "}\n" : "}\n}\n");
}

static void print_sinks_begin(printer *p) {
    const study *s = p->s;
    for (int32_t i = 0; i < s->map->count; i++) {
        const flat_instr *in = &s->map->instrs[i];
        if (in->op == FLAT_COL_SUM)
            text_add(&p->out, "memset(q%d, 0, %lld * sizeof *q%d);\n", in->operand, (long long)s->inner, in->operand);
        if (in->op != FLAT_ALL_SUM) continue;
        text_add(&p->out, "%s t%d = %s;\n", p->words->type[in->type], (int)i, p->words->zero[in->type]);
        if (!s->linear) print_accumulator(p, i);
    }
}

static void print_sinks_end(printer *p) {
    const study *s = p->s;
    for (int32_t i = 0; i < s->map->count; i++) {
        const flat_instr *in = &s->map->instrs[i];
        if (in->op != FLAT_ALL_SUM) continue;
        if (!s->linear) print_join(p, i);
        if (!s->linear) print_finish(p, i);
        text_add(&p->out, "put_%s_part(q%d, t%d, 1);\n", p->words->tag[operand_of(p, in)->type], in->operand, (int)i);
    }
}

static void print_function(printer *p, const char *symbol) {
    const study *s = p->s;
    const flat_map *m = s->map;
    text_add(&p->out, "/* %s */\n", s->kernel->name && !strstr(s->kernel->name, "*/") ? s->kernel->name : "map");
    text_add(&p->out, "void %s(char *const *operand, int64_t task, char *scratch) {\n", symbol);
    text_add(&p->out, "const kernel_host *host = (const kernel_host *)operand[%d];\n", (int)s->kernel->n_operands);
    print_bases(p);
    for (int32_t i = 0; i < m->count; i++)
        if (m->instrs[i].kind == FLAT_ONE && m->instrs[i].dst >= 0) print_definition(p, i, WHOLE);
    print_sinks_begin(p);
    text_add(&p->out, "const int64_t first = task * host->per_task, rest = host->rows - first;\n"
                      "const int64_t last = first + (rest < host->per_task ? rest : host->per_task);\n");
    print_rows(p);
    for (int32_t i = 0; i < m->count; i++)
        if (m->instrs[i].op == FLAT_STORE && stored_once(s, &m->instrs[i])) print_store(p, &m->instrs[i], WHOLE);
    print_sinks_end(p);
    text_add(&p->out, "}\n\n");
}

bool kernelgen_map_c(text *out, const flat_program *program, const flat_kernel *k, const char *symbol, int lanes) {
    study   s;
    printer p = { .s = &s, .words = &spelling_c };
    if (!study_map(&s, program, k, lanes) || !can_print(&p)) return false;
    print_function(&p, symbol);
    bool done = !p.out.failed;
    if (done) text_add(out, "%s", p.out.data);
    text_free(&p.out);
    return done;
}

bool kernelgen_map_needs(const flat_program *program, const flat_kernel *k, int lanes, kernelgen_needs *out) {
    study   s;
    printer p = { .s = &s, .words = &spelling_c };
    if (!study_map(&s, program, k, lanes) || !can_print(&p)) return false;
    *out = (kernelgen_needs){ s.per_task, s.rows, s.scratch };
    return true;
}
