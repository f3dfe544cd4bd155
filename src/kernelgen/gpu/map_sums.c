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

/* Of an array's numbers: one of each thread, or of each warp. */
static int shown(const map_print *p) { return p->g->threads / (p->shape.warps ? WARP : 1); }

void map_print_arrays(const map_print *p, text *out) {
    for (int i = 0; i < 2 * TOGETHER * ARRAYS; i++)
        if (p->arrays >> i & 1)
            text_add(out, "LOCAL_ARRAY(%s, m%d%c, %d);\n", arrays[i % ARRAYS].type, i / ARRAYS, arrays[i % ARRAYS].tag,
                     shown(p));
    for (int i = 0; i < TOGETHER * ARRAYS; i++)
        if (p->columns >> i & 1)
            text_add(out, "LOCAL_ARRAY(%s, s%d%c, %d);\n", arrays[i % ARRAYS].type, i / ARRAYS, arrays[i % ARRAYS].tag,
                     (int)(p->g->threads * p->shape.turns));
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

/* a = a with what another has shown there. */
static void print_join(map_print *p, int32_t i, int number, const char *at) {
    const flat_instr *in = &p->m->instrs[i];
    char item[2][96];
    name a = accumulator(p, 'a', i), z = accumulator(p, 'z', i);
    snprintf(item[0], sizeof item[0], "%s[%s]", array_name(p, number, array_for(type_of(in))).text, at);
    if (is_argument(in)) {
        snprintf(item[1], sizeof item[1], "%s[%s]", array_name(p, number, PLACES).text, at);
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
    char at[32] = "lane";
    if (p->shape.warps) snprintf(at, sizeof at, "lane / %du", WARP);
    text_add(&p->out, "%s[%s] = %s;\n", array_name(p, number, array_for(type_of(in))).text, at,
             accumulator(p, 'a', i).text);
    if (is_argument(in)) text_add(&p->out, "%s[%s] = z%d;\n", array_name(p, number, PLACES).text, at, (int)i);
}

/* a = a with what the thread has whose number differs in this bit. Extremes of floats take the lower thread's first, so
 * that both have the same zero. */
static void print_exchange(map_print *p, int32_t i, int64_t bit) {
    const flat_instr *in = &p->m->instrs[i];
    name a = accumulator(p, 'a', i), z = accumulator(p, 'z', i);
    text_add(&p->out, "{ const %s b = SHUFFLE_XOR(%s, %d);\n", gpu_register_type(type_of(in)), a.text, (int)bit);
    if (is_argument(in)) {
        text_add(&p->out, "const int y = SHUFFLE_XOR(%s, %d);\n", z.text, (int)bit);
        print_choice(p, in, (const char *[]){ a.text, z.text, "b", "y" });
    } else {
        char lower[96], upper[96];
        snprintf(lower, sizeof lower, "(lane & %du ? b : %s)", (int)bit, a.text);
        snprintf(upper, sizeof upper, "(lane & %du ? %s : b)", (int)bit, a.text);
        text_add(&p->out, "%s = ", a.text);
        spell(&p->out, words_of(in, 1), is_sum(in) ? (const char *[]){ a.text, "b", "" }
                                                   : (const char *[]){ lower, upper, "" });
        text_add(&p->out, ";\n");
    }
    text_add(&p->out, "}\n");
}

/* What warps have, from the group's memory, in order. */
static void print_warps_join(map_print *p, int32_t i, int number, const char *at, int64_t warps) {
    const flat_instr *in = &p->m->instrs[i];
    char place[64];
    snprintf(place, sizeof place, "(lane - %s) / %du", at, WARP);
    text_add(&p->out, "%s = %s[%s];\n", accumulator(p, 'a', i).text,
             array_name(p, number, array_for(type_of(in))).text, place);
    if (is_argument(in)) text_add(&p->out, "z%d = %s[%s];\n", (int)i, array_name(p, number, PLACES).text, place);
    for (int64_t k = 1; k < warps; k++) {
        snprintf(place, sizeof place, "(lane - %s) / %du + %du", at, WARP, (int)k);
        print_join(p, i, number, place);
    }
}

/* Each warp by itself, then all warps of `from` threads: each of the threads has the result. */
static void print_warps(map_print *p, const int32_t *which, int n, const char *at, int64_t from) {
    for (int64_t bit = MIN2(from, WARP) / 2; bit; bit /= 2)
        for (int j = 0; j < n; j++) print_exchange(p, which[j], bit);
    if (from <= WARP) return;
    if (p->must_wait) text_add(&p->out, "SYNC;\n");
    p->must_wait = false, p->odd_tree = !p->odd_tree;
    text_add(&p->out, "if (lane %% %du == 0) {\n", WARP);
    for (int j = 0; j < n; j++) print_show(p, which[j], j);
    text_add(&p->out, "}\nSYNC;\n");
    for (int j = 0; j < n; j++) print_warps_join(p, which[j], j, at, from / WARP);
}

/* Four become one at a time, and the first thread of all has the result: the others see it after a SYNC. */
static void print_tree(map_print *p, const int32_t *which, int n, const char *at, int64_t from) {
    if (p->must_wait) text_add(&p->out, "SYNC;\n");
    p->must_wait = false, p->odd_tree = !p->odd_tree;
    for (int j = 0; j < n; j++) print_show(p, which[j], j);
    while (from > 1) {
        int64_t by = from >= 4 ? 4 : 2;
        from /= by;
        text_add(&p->out, "SYNC;\nif (%s < %lldu) {\n", at, (long long)from);
        for (int j = 0; j < n; j++) {
            for (int64_t k = 1; k < by; k++) {
                char other[48];
                snprintf(other, sizeof other, "lane + %lldu", (long long)(k * from));
                print_join(p, which[j], j, other);
            }
            print_show(p, which[j], j);
        }
        text_add(&p->out, "}\n");
    }
}

/* `from` neighbours, which count themselves by `at`: the first of them has what they have together. */
static void print_together(map_print *p, const int32_t *which, int n, const char *at, int64_t from) {
    if (p->shape.warps) print_warps(p, which, n, at, from);
    else print_tree(p, which, n, at, from);
}

/* How many a tree has, at most: as many as the arrays of all types that the map joins leave room for. */
static int most_together(const map_print *p) {
    bool used[ARRAYS] = { false };
    int64_t bytes = 0;
    for (int32_t i = 0; i < p->m->count; i++) {
        const flat_instr *in = &p->m->instrs[i];
        if (!is_row_reduction(in) && in->op != FLAT_ALL_SUM) continue;
        used[array_for(type_of(in))] = true, used[PLACES] |= is_argument(in);
    }
    for (int i = 0; i < ARRAYS; i++) bytes += used[i] ? 2 * shown(p) * arrays[i].bytes : 0;
    return (int)MAX2(MIN2((p->g->limits->local_bytes - map_column_bytes(p)) / MAX2(bytes, 1), TOGETHER), 1);
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
    print_together(p, which, n, "l", p->shape.width);
    if (!p->shape.warps) text_add(&p->out, "SYNC;\n");
    for (int j = 0; j < n; j++) {
        const flat_instr *in = &p->m->instrs[which[j]];
        char from[64];
        if (p->shape.warps) snprintf(from, sizeof from, "%c%d", is_argument(in) ? 'z' : 'a', (int)which[j]);
        else
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

static void print_sum_of_all(map_print *p, int32_t i) {
    print_whole(p, i);
    print_together(p, &i, 1, "lane", p->g->threads);
    text_add(&p->out, "if (lane == 0) ");
    print_sink_store(p, i, accumulator(p, 'a', i).text);
}

/* ---- sums over rows ------------------------------------------------------------------------------------ */

/* A thread has a part of each sum of its columns; the parts of all slots are shown at once, then a thread adds up those
 * of a column. */
enum { PARTS = 16 /* that it adds */ };

static bool is_column_sum(const map_print *p, const flat_instr *in) {
    return in->op == FLAT_COL_SUM && !sums_in_place(p, in) && p->m->cols > 0;
}

int64_t map_column_bytes(const map_print *p) {
    bool used[ARRAYS] = { false };
    int64_t bytes = 0;
    for (int32_t i = 0; i < p->m->count && p->shape.slots > 1; i++)
        if (is_column_sum(p, &p->m->instrs[i])) used[array_for(type_of(&p->m->instrs[i]))] = true;
    for (int i = 0; i < ARRAYS; i++) bytes += used[i] ? p->g->threads * p->shape.turns * arrays[i].bytes : 0;
    return bytes;
}

/* How many are made together. */
static int columns_together(const map_print *p) {
    int64_t left = p->g->limits->local_bytes;
    for (int i = 0; i < 2 * TOGETHER * ARRAYS; i++)
        if (p->arrays >> i & 1) left -= shown(p) * arrays[i % ARRAYS].bytes;
    return (int)MAX2(MIN2(left / MAX2(map_column_bytes(p), 1), TOGETHER), 1);
}

static name column_array(map_print *p, int number, int32_t i) {
    name n;
    int which = array_for(type_of(&p->m->instrs[i]));
    snprintf(n.text, sizeof n.text, "s%d%c", number, arrays[which].tag);
    p->columns |= (uint64_t)1 << (number * ARRAYS + which);
    return n;
}

static void print_turns(map_print *p) {
    int turns = (int)p->shape.turns;
    if (turns > 1) text_add(&p->out, "#pragma unroll\nfor (uint u = 0; u < %du; u++) ", turns);
    text_add(&p->out, "{\n");
}

static void print_column_guard(map_print *p) {
    if (p->shape.blocks == 1 || p->shape.turns > 1) map_print_column(p);
    text_add(&p->out, "if (c < %lld%s) ", (long long)p->m->cols, p->unit);
}

/* An expression for the sum by halves of `count` parts, each `far` slots from the last. */
static text sum_of_parts(map_print *p, int32_t i, const char *array, int64_t first, int64_t count, int64_t far) {
    text all = { 0 };
    if (count == 1) {
        text_add(&all, "%s[at + %lldu]", array, (long long)(first * far * p->shape.width));
        return all;
    }
    text low = sum_of_parts(p, i, array, first, count / 2, far);
    text high = sum_of_parts(p, i, array, first + count / 2, count / 2, far), sides[2] = { { 0 }, { 0 } };
    text_add(&sides[0], "(%s)", low.data ? low.data : ""), text_add(&sides[1], "(%s)", high.data ? high.data : "");
    all.failed |= low.failed || high.failed || sides[0].failed || sides[1].failed;
    if (!all.failed) spell(&all, words_of(&p->m->instrs[i], 1), (const char *[]){ sides[0].data, sides[1].data, "" });
    text_free(&low), text_free(&high), text_free(&sides[0]), text_free(&sides[1]);
    p->out.failed |= all.failed;
    return all;
}

/* Until few parts are left, four slots become one. */
static int64_t print_fewer_parts(map_print *p, const int32_t *which, int n) {
    int64_t slots = p->shape.slots;
    while (slots > PARTS) {
        slots /= 4;
        text_add(&p->out, "if (slot < %lldu) {\n", (long long)slots);
        print_turns(p);
        text_add(&p->out, "const uint at = %slane;\n", p->shape.turns > 1 ? "u * THREADS + " : "");
        for (int j = 0; j < n; j++) {
            name array = column_array(p, j, which[j]);
            text sum = sum_of_parts(p, which[j], array.text, 0, 4, slots);
            text_add(&p->out, "%s[at] = %s;\n", array.text, sum.data ? sum.data : "");
            text_free(&sum);
        }
        text_add(&p->out, "}\n}\nSYNC;\n");
    }
    return slots;
}

/* All threads take columns in turn: here l is not the thread's own. */
static void print_cells(map_print *p) {
    int64_t cells = p->shape.width * p->shape.turns, threads = p->g->threads;
    if (p->shape.turns == 1) {
        text_add(&p->out, "if (slot == 0) {\nconst uint at = l;\n{\n");
        return;
    }
    text_add(&p->out, "for (uint first = 0; first < %lldu; first += THREADS) {\n"
             "const uint u = (first + lane) / LANES, l = (first + lane) %% LANES, at = u * THREADS + l;\n",
             (long long)cells);
    if (cells % threads) text_add(&p->out, "if (first + lane < %lldu) ", (long long)cells);
    text_add(&p->out, "{\n");
}

static void print_columns_together(map_print *p, const int32_t *which, int n) {
    if (p->must_wait) text_add(&p->out, "SYNC;\n");
    p->must_wait = true;
    print_turns(p);
    for (int j = 0; j < n; j++) {
        print_whole(p, which[j]);
        text_add(&p->out, "%s[%slane] = %s;\n", column_array(p, j, which[j]).text,
                 p->shape.turns > 1 ? "u * THREADS + " : "", accumulator(p, 'a', which[j]).text);
    }
    text_add(&p->out, "}\nSYNC;\n");
    int64_t slots = print_fewer_parts(p, which, n);
    print_cells(p);
    print_column_guard(p);
    text_add(&p->out, "{\n");
    for (int j = 0; j < n; j++) {
        text sum = sum_of_parts(p, which[j], column_array(p, j, which[j]).text, 0, slots, 1);
        text_add(&p->out, "const %s t%d = %s;\n", gpu_register_type(p->m->instrs[which[j]].type), j,
                 sum.data ? sum.data : "");
        text_free(&sum);
    }
    for (int j = 0; j < n; j++) print_sink_store(p, which[j], (const char *[]){ "t0", "t1", "t2", "t3" }[j]);
    text_add(&p->out, "}\n}\n}\n");
}

/* Where a row has all threads of the group there is nothing to join. */
static void print_columns_alone(map_print *p, int32_t i) {
    print_turns(p);
    print_whole(p, i);
    print_column_guard(p);
    print_sink_store(p, i, accumulator(p, 'a', i).text);
    text_add(&p->out, "}\n");
}

static void print_column_sums(map_print *p) {
    int32_t which[TOGETHER];
    int n = 0, most = columns_together(p);
    if (p->shape.slots > 1) text_add(&p->out, "enum { THREADS = %d };\n", (int)p->g->threads);
    for (int32_t i = 0; i < p->m->count; i++) {
        if (!is_column_sum(p, &p->m->instrs[i])) continue;
        if (p->shape.slots == 1) {
            print_columns_alone(p, i);
            continue;
        }
        which[n++] = i;
        if (n == most) print_columns_together(p, which, n), n = 0;
    }
    if (n) print_columns_together(p, which, n);
}

void map_print_sink_results(map_print *p) {
    for (int32_t i = 0; i < p->m->count; i++)
        if (p->m->instrs[i].op == FLAT_ALL_SUM) print_sum_of_all(p, i);
    print_column_sums(p);
}
