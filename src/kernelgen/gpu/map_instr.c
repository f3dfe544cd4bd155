/* One instruction of a map for GPUs: loads and stores, constants, counts and draws, arithmetic. */
#include "map_gpu.h"

#include <math.h>

static name named(char prefix, int number) {
    name n;
    snprintf(n.text, sizeof n.text, "%c%d", prefix, number);
    return n;
}

name map_register(const map_print *p, int reg) {
    name n = named('r', p->names + reg);
    if (reg >= 0 && p->state[reg] & KEPT && p->shape.turns > 1) snprintf(n.text, sizeof n.text, "r%d[u]", reg);
    return n;
}

/* ---- places -------------------------------------------------------------------------------------------- */

/* v / below % dim, the index in a dimension of row-major number v. */
static void print_index(map_print *p, text *out, const char *v, int64_t below, int64_t dim, bool outermost) {
    text_add(out, "%s", v);
    if (below > 1) text_add(out, " / %lld%s", (long long)below, p->unit);
    if (!outermost) text_add(out, " %% %lld%s", (long long)dim, p->unit);
}

/* ` + index * stride` for the dimensions [first, end) along which the operand moves. */
static void print_steps(map_print *p, text *out, const flat_operand *o, int32_t first, int32_t end, const char *v) {
    int64_t dim[TIDE_MAX_DIMS], stride[TIDE_MAX_DIMS], below = 1;
    int32_t n = study_merge(p->m, o, first, end, dim, stride);
    for (int32_t d = n - 1; d >= 0; below *= dim[d--]) {
        if (stride[d] == 0) continue;
        text_add(out, "%s%s(", out->length ? " + " : "", p->narrow ? "(int)" : "");
        print_index(p, out, v, below, dim[d], d == 0);
        text_add(out, ")");
        if (stride[d] != 1) text_add(out, " * %lld", (long long)stride[d]);
    }
}

/* ` && index == 0` for the dimensions along which it does not: there the first stores. */
static void print_firsts(map_print *p, text *out, const flat_operand *o, int32_t first, int32_t end, const char *v) {
    int64_t dim[TIDE_MAX_DIMS], stride[TIDE_MAX_DIMS], below = 1;
    int32_t n = study_merge(p->m, o, first, end, dim, stride);
    for (int32_t d = n - 1; d >= 0; below *= dim[d--]) {
        if (stride[d] != 0) continue;
        text_add(out, out->length ? " && " : "");
        print_index(p, out, v, below, dim[d], d == 0);
        text_add(out, " == 0");
    }
}

/* Calls `print` for the dimensions that an operand of this kind has. */
static text over_dimensions(map_print *p, const flat_operand *o, int kind, void (*print)(map_print *, text *,
                            const flat_operand *, int32_t, int32_t, const char *)) {
    text out = { 0 };
    const flat_map *m = p->m;
    bool rows = kind == FLAT_ROW || kind == FLAT_FULL, cols = per_lane(kind);
    if (!p->shape.by_rows && (rows || cols)) print(p, &out, o, 0, m->ndim, "e");
    else {
        if (rows) print(p, &out, o, 0, m->row_ndim, "row");
        if (cols) print(p, &out, o, m->row_ndim, m->ndim, "c");
    }
    p->out.failed |= out.failed;
    return out;
}

/* Whether a load stands in a loop over four neighbours. */
static bool loads_in_fours(const map_print *p, const flat_instr *in) {
    return p->shape.quads && (p->shape.by_rows ? per_lane(in->kind) : in->kind != FLAT_ONE);
}

/* q3[...], as a new text. */
static text place(map_print *p, const flat_instr *in, int kind) {
    text steps = over_dimensions(p, map_operand(p, in), kind, print_steps), out = { 0 };
    text_add(&out, "q%d[%s]", p->names + in->operand, steps.length ? steps.data : "0");
    text_free(&steps);
    p->out.failed |= out.failed;
    return out;
}

static map_access access_in_fours(const map_print *p, const flat_instr *in) {
    return loads_in_fours(p, in) && !map_is_given(p, in) ? map_access_of(p, in) : MAP_EACH;
}

/* What four neighbours were loaded as. */
static name loaded(const map_print *p, const flat_instr *in) {
    name n = named('v', in->dst);
    if (p->ahead) snprintf(n.text, sizeof n.text, "%c%d[t]", p->next ? 'n' : 'l', p->names + in->dst);
    return n;
}

static void print_load(map_print *p, const flat_instr *in) {
    if (map_is_given(p, in)) {
        text_add(&p->out, "sum[u]");
        return;
    }
    const map_access access = access_in_fours(p, in);
    text from = { 0 };
    if (access == MAP_EACH) from = place(p, in, in->kind);
    else text_add(&from, access == MAP_FOUR ? "%s[u %% 4u]" : "%s", loaded(p, in).text);
    p->out.failed |= from.failed;
    if (!from.failed) gpu_load(&p->out, map_operand(p, in)->type, from.data);
    text_free(&from);
}

void map_print_four_load(map_print *p, const flat_instr *in) {
    const map_access access = access_in_fours(p, in);
    const int  type = map_operand(p, in)->type;
    const name to = loaded(p, in);
    if (access == MAP_EACH) return;
    text from = place(p, in, in->kind);
    if (!p->ahead) text_add(&p->out, access == MAP_FOUR ? "%s %s[4];\n" : "%s %s;\n", gpu_memory_type(type), to.text);
    if (access == MAP_SAME) text_add(&p->out, "%s = %s;\n", to.text, from.data);
    else if (!from.failed) gpu_load_four(&p->out, type, to.text, from.data), text_add(&p->out, ";\n");
    text_free(&from);
}

void map_print_four_room(map_print *p, const flat_instr *in, int rows) {
    const map_access access = access_in_fours(p, in);
    if (access == MAP_EACH) return;
    text_add(&p->out, "%s %c%d[%d]%s;\n", gpu_memory_type(map_operand(p, in)->type), p->next ? 'n' : 'l',
             p->names + in->dst, rows, access == MAP_FOUR ? "[4]" : "");
}

/* n3 to l3. */
void map_print_four_take(map_print *p, const flat_instr *in) {
    const map_access access = access_in_fours(p, in);
    const int dst = p->names + in->dst;
    if (access == MAP_SAME) text_add(&p->out, "l%d[t] = n%d[t];\n", dst, dst);
    if (access == MAP_FOUR)
        for (int e = 0; e < 4; e++) text_add(&p->out, "l%d[t][%d] = n%d[t][%d];\n", dst, e, dst, e);
}

int map_four_load_registers(const map_print *p, const flat_instr *in) {
    const map_access access = access_in_fours(p, in);
    if (access != MAP_FOUR) return access == MAP_SAME;
    return (int)tide_dtype_size(map_operand(p, in)->type);
}

/* As a register of the memory's type. */
static void print_cast(map_print *p, int from, int to, const char *value) {
    if (to == TIDE_F16 || to == TIDE_BF16) to = TIDE_F32;
    spell(&p->out, spelling_gpu.cast[from][to], (const char *[]){ value, "", "" });
}

void map_print_store(map_print *p, const flat_instr *in) {
    const flat_operand *o = map_operand(p, in);
    int  kind = !p->shape.by_rows || map_stores_each(p, in) ? FLAT_FULL : FLAT_ROW;
    if (kind == FLAT_FULL && p->shape.quads && map_access_of(p, in) == MAP_FOUR) {
        text_add(&p->out, "s%d[u %% 4u] = ", in->operand);
        print_cast(p, in->type, o->type, map_register(p, in->src[0]).text);
        text_add(&p->out, ";\n");
        return;
    }
    text first = over_dimensions(p, o, kind, print_firsts), to = place(p, in, kind);
    if (first.length) text_add(&p->out, "if (%s) ", first.data);
    text_add(&p->out, "{ const %s s = ", gpu_register_type(o->type));
    print_cast(p, in->type, o->type, map_register(p, in->src[0]).text);
    text_add(&p->out, "; ");
    if (!to.failed) gpu_store(&p->out, o->type, to.data, "s");
    text_add(&p->out, "; }\n");
    text_free(&first), text_free(&to);
}

void map_print_four_store(map_print *p, const flat_instr *in) {
    if (map_access_of(p, in) != MAP_FOUR) return;
    text to = place(p, in, FLAT_FULL);
    if (!to.failed) gpu_store_four(&p->out, map_operand(p, in)->type, to.data, named('s', in->operand).text);
    text_add(&p->out, ";\n");
    text_free(&to);
}

/* ---- numbers ------------------------------------------------------------------------------------------- */

static void print_number(text *out, int type, double x) {
    char digits[32];
    if (type != TIDE_F32 && type != TIDE_F64) {
        if (x <= -0x1p63) text_add(out, "(i64)((u64)1 << 63)");
        else text_add(out, "%lld", (long long)x);
        return;
    }
    const char *wide = type == TIDE_F64 ? "(double)" : "", *f = type == TIDE_F64 ? "" : "f";
    num_format(digits, x, type == TIDE_F32);
    if (x != x) text_add(out, "%sNAN_F", wide);
    else if (isinf(type == TIDE_F32 ? (float)x : x)) text_add(out, "%s%sINF_F", x < 0 ? "-" : "", wide);
    else text_add(out, "%s%s%s", digits, strpbrk(digits, ".e") ? "" : ".0", f);
}

bool map_counts_elements(const flat_instr *in) { return in->op == FLAT_IOTA || is_draw(in); }

/* The seed and the sites are told: where they alone differ the text is one. */
void map_print_seeds(map_print *p) {
    bool any = false;
    for (int32_t i = 0; i < p->m->count; i++) {
        const flat_instr *in = &p->m->instrs[i];
        if (!is_draw(in)) continue;
        uint64_t seed = p->g->program->seed;
        if (!any) {
            int low = gpu_number(p->g, (int64_t)(seed & UINT32_MAX)), high = gpu_number(p->g, (int64_t)(seed >> 32));
            text_add(&p->out, "const uint seed_low = (uint)table[%d], seed_high = (uint)table[%d];\n", low, high);
        }
        text_add(&p->out, "const uint site%d = (uint)table[%d];\n", p->names + in->dst, gpu_number(p->g, in->site));
        any = true;
    }
}

static void print_sample(map_print *p, const flat_instr *in) {
    text_add(&p->out, "seed_low, seed_high, (uint)r%d, site%d, (uint)(e / %lld%s)", p->names + in->src[0],
             p->names + in->dst, (long long)in->per_sample, p->unit);
    if (in->src[1] >= 0) text_add(&p->out, " + (uint)r%d", p->names + in->src[1]);
    text_add(&p->out, ", (uint)(e %% %lld%s)", (long long)in->per_sample, p->unit);
}

/* A mask's halves are eight in four words: two words have those of four neighbours. */
void map_print_words(map_print *p, const flat_instr *in) {
    bool mask = in->op == FLAT_DROPMASK;
    int  w = in->dst;
    text_add(&p->out, "uint w%d[4];\nPHILOX_FOUR(w%d[0], w%d[1], w%d[2], w%d[3], ", w, w, w, w, w);
    print_sample(p, in);
    text_add(&p->out, " / %du);\n", mask ? 8 : 4);
    if (mask)
        text_add(&p->out, "if (e %% %lld%s & 4u) { w%d[0] = w%d[2]; w%d[1] = w%d[3]; }\n", (long long)in->per_sample,
                 p->unit, w, w, w, w);
}

/* A lane asks for the eight of its row that it shares with its neighbour, and gives it the half that is the other's. */
void map_print_pair_words(map_print *p, const flat_instr *in) {
    text_add(&p->out, "PHILOX_PAIR(d%d, t, ", p->names + in->dst);
    print_sample(p, in);
    text_add(&p->out, " / 8u);\n");
}

static void print_word(map_print *p, const flat_instr *in) {
    bool mask = in->op == FLAT_DROPMASK;
    if (p->pairs) {
        text_add(&p->out, "(d%d[t][u %% 4u / 2u] >> u %% 2u * 16u & 65535u)", p->names + in->dst);
        return;
    }
    if (p->shape.quads) {
        text_add(&p->out, mask ? "(w%d[u %% 4u / 2u] >> u %% 2u * 16u & 65535u)" : "w%d[u %% 4u]", in->dst);
        return;
    }
    text_add(&p->out, mask ? "philox_half(" : "philox_word(");
    print_sample(p, in);
    text_add(&p->out, ")");
}

static void print_draw(map_print *p, const flat_instr *in) {
    bool mask = in->op == FLAT_DROPMASK;
    text_add(&p->out, mask ? "" : "philox_unit(");
    print_word(p, in);
    if (!mask) {
        text_add(&p->out, ")");
        return;
    }
    text_add(&p->out, " >= %uu ? ", (unsigned)ceil(65536 * (double)(float)in->number));
    print_number(&p->out, TIDE_F32, (float)in->scale);
    text_add(&p->out, " : 0.0f");
}

static void print_iota(map_print *p, const flat_instr *in) {
    char what[96];
    snprintf(what, sizeof what, "(i64)(e / %lld%s %% %lld%s)", (long long)in->inner, p->unit, (long long)in->size,
             p->unit);
    print_cast(p, TIDE_I64, in->type, what);
}

/* ---- the whole ----------------------------------------------------------------------------------------- */

static void print_value(map_print *p, const flat_instr *in) {
    name src[3];
    for (int j = 0; j < 3; j++) src[j] = map_register(p, in->src[j]);
    if (in->op == FLAT_LOAD) print_load(p, in);
    else if (in->op == FLAT_CONST) print_number(&p->out, in->type, in->number);
    else if (in->op == FLAT_IOTA) print_iota(p, in);
    else if (is_draw(in)) print_draw(p, in);
    else spell(&p->out, spelling_of(&spelling_gpu, in), (const char *[]){ src[0].text, src[1].text, src[2].text });
}

/* What several loops need is declared before them. */
void map_print_definition(map_print *p, const flat_instr *in) {
    if (!(p->state[in->dst] & KEPT)) text_add(&p->out, "const %s ", gpu_register_type(in->type));
    text_add(&p->out, "%s = ", map_register(p, in->dst).text);
    print_value(p, in);
    text_add(&p->out, ";\n");
}
