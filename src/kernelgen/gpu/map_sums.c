/* What the threads of a group make together: each adds (takes the maximum, ...) over its own elements in order, then
 * they join by a fixed tree in the group's memory. */
#include "map_gpu.h"

enum { TOGETHER = 4 /* that share the tree's SYNCs */, LONG_RUN = 1000 /* numbers that one float may add */ };

/* ---- the group's memory -------------------------------------------------------------------------------- */

/* An array for each of what is joined together and each type; of arguments' places the last. All are there twice: a
 * tree may begin while the results of the one before are still read. */
static const struct { char tag; int bytes; const char *type; } arrays[] = {
    { 'f', 4, "float" }, { 'd', 8, "double" }, { 'i', 4, "int" }, { 'l', 8, "i64" }, { 'x', 4, "int" },
};
enum { ARRAYS = sizeof arrays / sizeof *arrays, PLACES = ARRAYS - 1 };

static int array_for(int type) { return type == TIDE_F32 ? 0 : type == TIDE_F64 ? 1 : type == TIDE_I64 ? 3 : 2; }

static name array_name(map_print *p, int number, int which) {
    name n;
    number += p->odd_tree ? TOGETHER : 0;
    snprintf(n.text, sizeof n.text, "m%d%c", number, arrays[which].tag);
    p->arrays |= (uint64_t)1 << (number * ARRAYS + which);
    return n;
}

void map_print_arrays(const map_print *p, text *out) {
    for (int i = 0; i < 2 * TOGETHER * ARRAYS; i++)
        if (p->arrays >> i & 1)
            text_add(out, "LOCAL_ARRAY(%s, m%d%c, %d);\n", arrays[i % ARRAYS].type, i / ARRAYS, arrays[i % ARRAYS].tag,
                     (int)p->g->threads);
}

/* ---- one thread's -------------------------------------------------------------------------------------- */

static bool is_argument(const flat_instr *in) { return in->op == FLAT_ROW_ARGMAX || in->op == FLAT_ROW_ARGMIN; }
static bool is_sum(const flat_instr *in) { return is_sink(in) || in->op == FLAT_ROW_SUM; }
static int  type_of(const flat_instr *in) { return is_argument(in) ? in->src_type[0] : in->type; }

static const char *words_of(const flat_instr *in, int which) {
    int op = is_sink(in) ? 0 : is_argument(in) ? in->op - FLAT_ROW_ARGMAX + 1 : in->op - FLAT_ROW_SUM;
    return which == 0 ? spelling_gpu.reduce[op][type_of(in)].start
                      : which == 1 ? spelling_gpu.reduce[op][type_of(in)].combine
                                   : spelling_gpu.reduce[op][type_of(in)].finish;
}

/* Sums of so many floats that one alone would lose: the second holds what the first rounds off. */
static bool is_double_sum(const map_print *p, const flat_instr *in) {
    int64_t run = p->shape.turns;
    if (is_sink(in)) run = ceil_div(p->shape.per_task, p->shape.slots) * (in->op == FLAT_ALL_SUM ? run : 1);
    return is_sum(in) && in->type == TIDE_F32 && run > LONG_RUN;
}

/* Column sums of long rows, whose columns are no registers: they are made where they will be. */
static bool sums_in_place(const map_print *p, const flat_instr *in) {
    return in->op == FLAT_COL_SUM && !p->shape.kept && p->shape.turns > 1;
}

static name accumulator(const map_print *p, char prefix, int32_t i) {
    name n;
    bool each = p->m->instrs[i].op == FLAT_COL_SUM && p->shape.turns > 1;
    snprintf(n.text, sizeof n.text, each ? "%c%d[u]" : "%c%d", prefix, (int)i);
    return n;
}

/* One for each of a lane's columns. */
static void print_column_starts(map_print *p, int32_t i) {
    const flat_instr *in = &p->m->instrs[i];
    int turns = (int)p->shape.turns;
    bool second = is_double_sum(p, in);
    text_add(&p->out, "%s a%d[%d]", gpu_register_type(in->type), (int)i, turns);
    if (second) text_add(&p->out, ", z%d[%d]", (int)i, turns);
    text_add(&p->out, ";\n#pragma unroll\nfor (uint u = 0; u < %du; u++) {\na%d[u] = %s;\n", turns, (int)i,
             words_of(in, 0));
    if (second) text_add(&p->out, "z%d[u] = 0.0f;\n", (int)i);
    text_add(&p->out, "}\n");
}

static void print_start(map_print *p, int32_t i) {
    const flat_instr *in = &p->m->instrs[i];
    if (sums_in_place(p, in)) return;
    if (in->op == FLAT_COL_SUM && p->shape.turns > 1) {
        print_column_starts(p, i);
        return;
    }
    text_add(&p->out, "%s a%d = %s;\n", gpu_register_type(type_of(in)), (int)i, words_of(in, 0));
    if (is_double_sum(p, in)) text_add(&p->out, "float z%d = 0.0f;\n", (int)i);
    if (is_argument(in)) text_add(&p->out, "int z%d = %d;\n", (int)i, INT32_MAX);
}

void map_print_accumulators(map_print *p, int32_t stage) {
    for (int32_t i = 0; i < p->m->count; i++)
        if (is_row_reduction(&p->m->instrs[i]) && p->stage[i] == stage) print_start(p, i);
}

void map_print_sink_accumulators(map_print *p) {
    for (int32_t i = 0; i < p->m->count; i++)
        if (is_sink(&p->m->instrs[i])) print_start(p, i);
}

/* if (b at place y comes before a at place x) a = b, x = y: NaN before all numbers, of equals the first. */
static void print_choice(map_print *p, const flat_instr *in, const char *const names[4]) {
    const char *a = names[0], *x = names[1], *b = names[2], *y = names[3];
    const char *more = in->op == FLAT_ROW_ARGMAX ? ">" : "<";
    bool real = type_of(in) == TIDE_F32 || type_of(in) == TIDE_F64;
    text_add(&p->out, "if (%s %s %s || (%s == %s && %s < %s)", b, more, a, b, a, y, x);
    if (real) text_add(&p->out, " || (%s != %s && (%s == %s || %s < %s))", b, b, a, a, y, x);
    text_add(&p->out, ") { %s = %s; %s = %s; }\n", a, b, x, y);
}

static void print_sum_in_place(map_print *p, const flat_instr *in, const char *value) {
    char at[96];
    snprintf(at, sizeof at, "q%d[task * %lld%s + c]", in->operand, (long long)p->m->cols, p->unit);
    text_add(&p->out, "%s = row == begin ? %s : ", at, value);
    spell(&p->out, words_of(in, 1), (const char *[]){ at, value, "" });
    text_add(&p->out, ";\n");
}

void map_print_accumulate(map_print *p, int32_t i) {
    const flat_instr *in = &p->m->instrs[i];
    name value = map_register(p, in->src[0]), a = accumulator(p, 'a', i), z = accumulator(p, 'z', i);
    if (is_argument(in)) print_choice(p, in, (const char *[]){ a.text, z.text, value.text, "(int)c" });
    else if (sums_in_place(p, in)) print_sum_in_place(p, in, value.text);
    else if (is_double_sum(p, in)) text_add(&p->out, "TWO_SUM(%s, %s, %s);\n", a.text, z.text, value.text);
    else {
        text_add(&p->out, "%s = ", a.text);
        spell(&p->out, words_of(in, 1), (const char *[]){ a.text, value.text, "" });
        text_add(&p->out, ";\n");
    }
}

/* Both halves of a sum in one. */
static void print_whole(map_print *p, int32_t i) {
    name a = accumulator(p, 'a', i), z = accumulator(p, 'z', i);
    if (is_double_sum(p, &p->m->instrs[i])) text_add(&p->out, "%s = TWO_VALUE(%s, %s);\n", a.text, a.text, z.text);
}

/* ---- the group's --------------------------------------------------------------------------------------- */

/* Which threads join: of `from` neighbours by their numbers `at`, until `to` are left. */
typedef struct tree { const char *at; int64_t from, to; } tree;

/* a = a with what the thread `far` further has. */
static void print_join(map_print *p, int32_t i, int number, int64_t far) {
    const flat_instr *in = &p->m->instrs[i];
    char item[2][64];
    name a = accumulator(p, 'a', i), z = accumulator(p, 'z', i);
    snprintf(item[0], sizeof item[0], "%s[lane + %lldu]", array_name(p, number, array_for(type_of(in))).text,
             (long long)far);
    if (is_argument(in)) {
        snprintf(item[1], sizeof item[1], "%s[lane + %lldu]", array_name(p, number, PLACES).text, (long long)far);
        print_choice(p, in, (const char *[]){ a.text, z.text, item[0], item[1] });
        return;
    }
    text_add(&p->out, "%s = ", a.text);
    spell(&p->out, words_of(in, 1), (const char *[]){ a.text, item[0], "" });
    text_add(&p->out, ";\n");
}

/* Shows the others what the thread has. */
static void print_show(map_print *p, int32_t i, int number) {
    const flat_instr *in = &p->m->instrs[i];
    text_add(&p->out, "%s[lane] = %s;\n", array_name(p, number, array_for(type_of(in))).text,
             accumulator(p, 'a', i).text);
    if (is_argument(in)) text_add(&p->out, "%s[lane] = z%d;\n", array_name(p, number, PLACES).text, (int)i);
}

/* Four become one at a time, and the first thread of all has the result: the others see it after a SYNC. */
static void print_tree(map_print *p, const int32_t *which, int n, tree t) {
    if (p->must_wait) text_add(&p->out, "SYNC;\n");
    p->must_wait = false, p->odd_tree = !p->odd_tree;
    for (int j = 0; j < n; j++) print_show(p, which[j], j);
    while (t.from > t.to) {
        int64_t by = t.from / t.to >= 4 ? 4 : 2;
        t.from /= by;
        text_add(&p->out, "SYNC;\nif (%s < %lldu) {\n", t.at, (long long)t.from);
        for (int j = 0; j < n; j++) {
            for (int64_t k = 1; k < by; k++) print_join(p, which[j], j, k * t.from);
            print_show(p, which[j], j);
        }
        text_add(&p->out, "}\n");
    }
}

/* How many a tree has, at most: as many as the arrays of all types that the map joins leave room for. */
static int most_together(const map_print *p) {
    bool used[ARRAYS] = { false };
    int64_t bytes = 0;
    for (int32_t i = 0; i < p->m->count; i++) {
        const flat_instr *in = &p->m->instrs[i];
        if (!is_row_reduction(in) && !is_sink(in)) continue;
        used[array_for(type_of(in))] = true, used[PLACES] |= is_argument(in);
    }
    for (int i = 0; i < ARRAYS; i++) bytes += used[i] ? 2 * p->g->threads * arrays[i].bytes : 0;
    return (int)MAX2(MIN2(p->g->limits->local_bytes / MAX2(bytes, 1), TOGETHER), 1);
}

/* ---- results ------------------------------------------------------------------------------------------- */

static void print_row_result(map_print *p, int32_t i, const char *from) {
    const flat_instr *in = &p->m->instrs[i];
    text_add(&p->out, "const %s r%d = ", gpu_register_type(in->type), in->dst);
    if (is_argument(in) && p->m->cols == 0) text_add(&p->out, "0");
    else spell(&p->out, is_argument(in) ? "$0" : words_of(in, 2), (const char *[]){ from, "", "" });
    text_add(&p->out, ";\n");
}

static void print_rows_together(map_print *p, const int32_t *which, int n) {
    print_tree(p, which, n, (tree){ "l", p->shape.width, 1 });
    text_add(&p->out, "SYNC;\n");
    for (int j = 0; j < n; j++) {
        const flat_instr *in = &p->m->instrs[which[j]];
        char from[64];
        snprintf(from, sizeof from, "%s[lane - l]",
                 array_name(p, j, is_argument(in) ? PLACES : array_for(type_of(in))).text);
        print_row_result(p, which[j], from);
    }
}

void map_print_row_results(map_print *p, int32_t stage) {
    int32_t which[TOGETHER];
    int n = 0, most = most_together(p);
    for (int32_t i = 0; i < p->m->count; i++) {
        const flat_instr *in = &p->m->instrs[i];
        if (!is_row_reduction(in) || p->stage[i] != stage) continue;
        print_whole(p, i);
        if (p->shape.width == 1) {
            print_row_result(p, i, accumulator(p, is_argument(in) ? 'z' : 'a', i).text);
            continue;
        }
        which[n++] = i;
        if (n == most) print_rows_together(p, which, n), n = 0;
    }
    if (n) print_rows_together(p, which, n);
}

static void print_sink_store(map_print *p, int32_t i, const char *from) {
    const flat_instr *in = &p->m->instrs[i];
    char to[96];
    if (in->op == FLAT_ALL_SUM) snprintf(to, sizeof to, "q%d[task]", in->operand);
    else snprintf(to, sizeof to, "q%d[task * %lld%s + c]", in->operand, (long long)p->m->cols, p->unit);
    text_add(&p->out, "{ const %s s = ", gpu_register_type(in->type));
    spell(&p->out, words_of(in, 2), (const char *[]){ from, "", "" });
    text_add(&p->out, "; ");
    gpu_store(&p->out, map_operand(p, in)->type, to, "s");
    text_add(&p->out, "; }\n");
}

/* Each thread's columns in turn, or all of the group. A loop with a SYNC is not told to be unrolled: PoCL then gives
 * wrong sums. */
static void print_sink_result(map_print *p, int32_t i) {
    const map_shape *s = &p->shape;
    bool columns = p->m->instrs[i].op == FLAT_COL_SUM, many = columns && s->turns > 1;
    bool joined = !columns || s->slots > 1;
    if (many && !joined) text_add(&p->out, "#pragma unroll\n");
    if (many) text_add(&p->out, "for (uint u = 0; u < %lldu; u++) ", (long long)s->turns);
    text_add(&p->out, "{\n");
    print_whole(p, i);
    p->must_wait |= many && joined;
    if (joined) print_tree(p, &i, 1, (tree){ "lane", p->g->threads, columns ? s->width : 1 });
    if (columns && s->blocks == 1) map_print_column(p);
    if (!columns) text_add(&p->out, "if (lane == 0) ");
    else text_add(&p->out, "if (%sc < %lld%s) ", joined ? "slot == 0 && " : "", (long long)p->m->cols, p->unit);
    print_sink_store(p, i, accumulator(p, 'a', i).text);
    text_add(&p->out, "}\n");
}

void map_print_sink_results(map_print *p) {
    for (int32_t i = 0; i < p->m->count; i++) {
        const flat_instr *in = &p->m->instrs[i];
        if (!is_sink(in) || sums_in_place(p, in) || (in->op == FLAT_COL_SUM && p->m->cols == 0)) continue;
        print_sink_result(p, i);
    }
}
