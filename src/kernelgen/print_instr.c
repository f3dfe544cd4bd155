/* One instruction of a map kernel as C: constants, draws and counts, arithmetic in the words of a language, loads and
 * stores with their casts. */
#include "printer.h"

#include <math.h>

/* ---- memory -------------------------------------------------------------------------------------------- */

static void print_cast(printer *p, int from, int to, const char *what) {
    spell(&p->out, p->words->cast[from][to], (const char *[]){ what, "", "" });
}

const char *position(reach r) { return r == GROUP ? "c + u * VF_LANES" : "c"; }

/* get_TAG...(q + position): without its cast. */
static void print_get(printer *p, const flat_instr *in, reach r) {
    const char *tag = p->words->tag[operand_of(p, in)->type];
    int64_t stride = p->s->operands[in->operand].inner_stride;
    if (!per_lane(in->kind) || stride == 0) text_add(&p->out, "get_%s_one(q%d)", tag, in->operand);
    else if (stride != 1)
        text_add(&p->out, "get_%s_strided(q%d + (%s) * %lld, %lld, %s)", tag, in->operand, position(r),
                 (long long)stride,
                 (long long)stride, r == PART ? "n" : "VF_LANES");
    else if (r == PART) text_add(&p->out, "get_%s_part(q%d + %s, n)", tag, in->operand, position(r));
    else text_add(&p->out, "get_%s(q%d + %s)", tag, in->operand, position(r));
}

static void print_load(printer *p, const flat_instr *in, reach r) {
    int from = register_type(operand_of(p, in)->type);
    text_add(&p->out, "const %s l%d = ", p->words->type[from], in->dst);
    print_get(p, in, r);
    text_add(&p->out, "; const %s r%d = ", p->words->type[in->type], in->dst);
    print_cast(p, from, in->type, name_of('l', in->dst).text);
    text_add(&p->out, ";\n");
}

void print_store(printer *p, const flat_instr *in, reach r) {
    const flat_operand *o = operand_of(p, in);
    const char *tag = p->words->tag[o->type];
    int64_t stride = p->s->operands[in->operand].inner_stride;
    int     to = register_type(o->type);
    text_add(&p->out, "{ const %s s = ", p->words->type[to]);
    print_cast(p, in->type, to, name_of('r', in->src[0]).text);
    if (!in_loop(p->s, in)) text_add(&p->out, "; put_%s_part(q%d, s, 1); }\n", tag, in->operand);
    else if (stride != 1)
        text_add(&p->out, "; put_%s_strided(q%d + (%s) * %lld, s, %lld, %s); }\n", tag, in->operand, position(r),
                 (long long)stride,
                 (long long)stride, r == PART ? "n" : "VF_LANES");
    else if (r == PART) text_add(&p->out, "; put_%s_part(q%d + %s, s, n); }\n", tag, in->operand, position(r));
    else text_add(&p->out, "; put_%s(q%d + %s, s); }\n", tag, in->operand, position(r));
}

/* Whether each row has a place of its own in the operand. */
static bool moves(const printer *p, const flat_instr *in) {
    if (in->op == FLAT_STORE) return !stored_once(p->s, in);
    return in->op == FLAT_LOAD && (in->kind == FLAT_ROW || in->kind == FLAT_FULL);
}

/* Each operand's pointer: q, or p where a row makes a q of it. */
void print_bases(printer *p) {
    const flat_map *m = p->s->map;
    for (int32_t i = 0; i < m->count; i++) {
        const flat_instr *in = &m->instrs[i];
        if (in->operand < 0) continue;
        const char *type = p->words->memory[operand_of(p, in)->type], *constant = in->op == FLAT_LOAD ? "const " : "";
        text_add(&p->out, "%s%s *%c%d = (%s%s *)operand[%d]", constant, type, moves(p, in) ? 'p' : 'q', in->operand,
                 constant, type,
                 in->operand);
        if (is_sink(in)) text_add(&p->out, " + task * %lld", in->op == FLAT_COL_SUM ? (long long)p->s->inner : 1);
        text_add(&p->out, ";\n");
    }
}

static void print_row_offset(printer *p, const study_operand *o) {
    int64_t below = 1;
    if (p->s->linear) text_add(&p->out, o->inner_stride ? " + row" : "");
    for (int32_t d = o->ndim - 1; d >= 0 && !p->s->linear; d--) {
        if (o->stride[d] != 0) {
            text_add(&p->out, " + row");
            if (below > 1) text_add(&p->out, " / %lld", (long long)below);
            if (d > 0) text_add(&p->out, " %% %lld", (long long)o->dim[d]);
            text_add(&p->out, " * %lld", (long long)o->stride[d]);
        }
        below *= o->dim[d];
    }
}

void print_row_pointers(printer *p) {
    const flat_map *m = p->s->map;
    for (int32_t i = 0; i < m->count; i++) {
        const flat_instr *in = &m->instrs[i];
        if (!moves(p, in)) continue;
        text_add(&p->out, "%s%s *q%d = p%d", in->op == FLAT_STORE ? "" : "const ",
                 p->words->memory[operand_of(p, in)->type],
                 in->operand, in->operand);
        print_row_offset(p, &p->s->operands[in->operand]);
        text_add(&p->out, ";\n");
    }
}

/* ---- instructions -------------------------------------------------------------------------------------- */

static void print_const(printer *p, const flat_instr *in) {
    char number[40], digits[32];
    num_format(digits, in->number, in->type == TIDE_F32);
    if (in->type != TIDE_F32) snprintf(number, sizeof number, "%lld", (long long)in->number);
    else if (in->number != in->number) snprintf(number, sizeof number, "NAN");
    else if (in->number - in->number != 0) snprintf(number, sizeof number, in->number < 0 ? "-INFINITY" : "INFINITY");
    else snprintf(number, sizeof number, "%s%sf", digits, strpbrk(digits, ".e") ? "" : ".0");
    spell(&p->out, p->words->set[in->type], (const char *[]){ number, "", "" });
}

static void print_mask(printer *p, const flat_instr *in, const char *half) {
    char digits[32];
    num_format(digits, (double)(float)in->scale, true);
    text_add(&p->out, "vf_mask(%s, %d, (float)%s)", half, (int)ceil(65536 * (double)(float)in->number), digits);
}

static void print_draw(printer *p, int32_t i, reach r) {
    const flat_instr *in = &p->s->map->instrs[i];
    char word[48];
    if (!p->s->draws_inline) {
        text_add(&p->out, r == PART ? "get_f32_part(d%d + c, n)" : "get_f32(d%d + %s)", in->dst, position(r));
        return;
    }
    snprintf(word, sizeof word, r == GROUP ? "d%d[u]" : "d%d[c / VF_LANES & 1]", in->dst);
    if (in->op == FLAT_DROPMASK) print_mask(p, in, word);
    else text_add(&p->out, "vf_unit(%s)", word);
}

static void print_iota(printer *p, const flat_instr *in, reach r) {
    char what[96];
    snprintf(what, sizeof what, "vi_iota(row%s + %s, %lld, %lld)", p->s->linear ? "" : " * COLS", position(r),
             (long long)in->inner,
             (long long)in->size);
    print_cast(p, TIDE_I32, in->type, what);
}

/* The right-hand side of a register's definition. */
static void print_value(printer *p, int32_t i, reach r) {
    const flat_instr *in = &p->s->map->instrs[i];
    name src[3];
    for (int j = 0; j < 3; j++) src[j] = name_of('r', in->src[j]);
    if (in->op == FLAT_CONST) print_const(p, in);
    else if (is_draw(in)) print_draw(p, i, r);
    else if (in->op == FLAT_IOTA) print_iota(p, in, r);
    else spell(&p->out, spelling_of(p->words, in), (const char *[]){ src[0].text, src[1].text, src[2].text });
}

void print_definition(printer *p, int32_t i, reach r) {
    const flat_instr *in = &p->s->map->instrs[i];
    if (in->op == FLAT_LOAD) {
        print_load(p, in, r);
        return;
    }
    text_add(&p->out, "const %s r%d = ", p->words->type[in->type], in->dst);
    print_value(p, i, r);
    text_add(&p->out, ";\n");
}
