/* How a program's work is cut, by timing whole programs: what one cut costs a kernel another may gain, so kernels alone
 * tell nothing. One property after the other; each of its values against the fastest so far. */
#include <inttypes.h>
#include <math.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>

#include "../compile/pass.h"
#include "runtime.h"

enum { VALUES = 4, PAIRS_LEAST = 3, PAIRS_MOST = 61 };

static const double worth_changing = 0.97, hopeless = 1.2, pairs_s = 0.2;

/* The first value is the fixed table's, which is written 0. */
typedef struct property {
    const char *name;
    size_t      offset;  /* in work_cut */
    int32_t     value[VALUES];
} property;

static const property properties[] = {
    { "common rows", offsetof(work_cut, common_rows), { 0, 48, 96, 384 } },
    { "product rows", offsetof(work_cut, product_rows), { 0, 64, 128, 256 } },
};
enum { PROPERTIES = sizeof properties / sizeof *properties };

static void set(work_cut *cut, const property *p, int32_t value) { *(int64_t *)((char *)cut + p->offset) = value; }

static bool has_value(const property *p, int32_t value) {
    for (int i = 0; i < VALUES; i++)
        if (p->value[i] == value) return true;
    return false;
}

/* ---- the question ---- */

/* The program as the fixed tables have it, as text: the same from one process to the next. 0: it does not compile. */
static uint64_t hash_of(tide_graph *g, const compile_request *request) {
    arena memory = { .allocator = &g->allocator };
    compiled c = { .memory = &memory };
    tide_failure ignored = { 0 };
    text out = { 0 };
    compile_request usual = *request;
    usual.cut.tasks = 0;
    if (runtime_lay_out(g, &ignored) == TIDE_OK && compile_graph(g, &usual, &c, &ignored) == TIDE_OK)
        flat_print(&out, &c.flat);
    uint64_t hash = out.data && !out.failed ? text_hash(out.data) : 0;
    text_free(&out);
    arena_free(&memory);
    return hash;
}

static void question(const property *p, uint64_t hash, int threads, char name[96]) {
    snprintf(name, 96, "%s of program %016" PRIx64 ", threads %d", p->name, hash, threads);
}

/* A run that goes on with its choices may have other threads than when it made them: its bits are theirs. */
static bool known_answer(tuning *t, const property *p, uint64_t hash, int threads, int32_t *value) {
    char name[96];
    question(p, hash, threads, name);
    if (tuning_known(t, name, value)) return true;
    *strchr(name, ',') = 0;
    return !t->clock && choices_find_like(&t->used, name, value);
}

/* ---- runs on made-up inputs ---- */

static tide_dtype input_type(const tide_graph *g, int32_t slot) {
    for (int32_t i = 1; i < g->count; i++)
        if (g->nodes[i]->op == OP_INPUT && g->nodes[i]->attr.slot == slot) return (tide_dtype)g->nodes[i]->type;
    return TIDE_U8;
}

/* Numbers are from -1 to 1; whole ones, which may be places in something, 0. Other buffers may have been there
 * since. */
static void make_up(float *numbers, int64_t bytes, tide_dtype type) {
    uint32_t state = 1;
    memset(numbers, 0, (size_t)bytes);
    for (int64_t j = 0; type == TIDE_F32 && j < bytes / (int64_t)sizeof(float); j++) {
        state = state * 1664525u + 1013904223u;
        numbers[j] = (float)(state >> 8) / (1 << 23) - 1;
    }
}

static bool fill_inputs(tide_program *p) {
    for (int32_t i = 0; i < p->c.n_inputs; i++) {
        if (p->c.input_buffer[i] < 0) continue;
        const flat_buffer *b = &p->c.flat.buffers[p->c.input_buffer[i]];
        float *numbers = p->place.memory ? mem_new(&p->graph->allocator, (size_t)b->bytes)
                                         : (float *)((char *)p->block + b->offset);
        if (!numbers) return false;
        make_up(numbers, b->bytes, input_type(p->graph, i));
        if (!p->place.memory) continue;
        tide_status status = place_put(&p->place, p->block, b->offset, numbers, b->bytes, NULL);
        mem_free(&p->graph->allocator, numbers, (size_t)b->bytes);
        if (status) return false;
    }
    return true;
}

/* One thread's processor time says more than a clock on a machine with other work to do. */
static bool run_once(tide_program *p, double *took) {
    tide_failure ignored = { 0 };
    double (*now)(void) = p->graph->runtime->threads == 1 && !p->place.memory ? os_thread_seconds : os_seconds;
    if (!fill_inputs(p)) return false;
    double began = now();
    tide_status status = p->backend->run(p->exec, &ignored);
    if (!status && p->place.memory) status = p->place.memory->wait(p->place.device, &ignored);
    *took = now() - began;
    return status == TIDE_OK;
}

static int by_value(const void *a, const void *b) {
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

/* By the median of ratios of neighbouring runs, so that a machine that gets slower or faster meanwhile favours neither,
 * and by the best of both, which other work disturbs least. */
static bool beats(tide_program *challenger, tide_program *champion) {
    double ratio[PAIRS_MOST], one, other, began = 0, best_one = INFINITY, best_other = INFINITY;
    int pairs = 0;
    for (int i = -1; i < PAIRS_MOST && (i < PAIRS_LEAST || os_seconds() - began < pairs_s); i++) {
        bool first = i % 2 == 0;
        bool fine = run_once(first ? challenger : champion, first ? &one : &other) &&
                    run_once(first ? champion : challenger, first ? &other : &one);
        if (!fine || (i < 0 && one > hopeless * other)) return false;
        if (i < 0) began = os_seconds(); /* they have warmed up */
        else ratio[pairs++] = one / other;
        best_one = MIN2(best_one, one), best_other = MIN2(best_other, other);
    }
    qsort(ratio, (size_t)pairs, sizeof *ratio, by_value);
    return ratio[pairs / 2] < worth_changing && best_one < worth_changing * best_other;
}

/* ---- what runs must not change ---- */

static bool writes(const flat_program *p, int32_t buffer) {
    for (int32_t k = 0; k < p->n_kernels; k++)
        for (int32_t i = 0; i < p->kernels[k].n_operands; i++)
            if (p->kernels[k].operands[i].buffer == buffer && operand_written(&p->kernels[k], i)) return true;
    return false;
}

/* The variables that the program assigns, to `copy` or back; NULL: only counts. Returns their bytes; -1: the device
 * failed. */
static int64_t move_variables(const tide_program *p, char *copy, bool back) {
    const flat_program *flat = &p->c.flat;
    int64_t at = 0;
    for (int32_t i = 0; i < flat->n_buffers; i++) {
        const flat_buffer *b = &flat->buffers[i];
        if (b->space != FLAT_VARIABLE || !writes(flat, i)) continue;
        tide_status status = !copy ? TIDE_OK
                             : back ? place_put(&p->place, b->block, b->at, copy + at, b->bytes, NULL)
                                    : place_get(&p->place, copy + at, b->block, b->at, b->bytes, NULL);
        if (status) return -1;
        at += b->bytes;
    }
    return at;
}

/* A function of the caller's own may do anything: it is not for us to call. */
static bool may_run(const tide_program *p) {
    if (!p || !p->exec) return false;
    for (int32_t i = 0; i < p->c.flat.n_kernels; i++)
        if (p->c.flat.kernels[i].kind == FLAT_CUSTOM) return false;
    return true;
}

/* ---- choosing ---- */

typedef struct search {
    tide_graph      *graph;
    compile_request  request;  /* without a dump */
    program_how      how;
    tide_compile_options options;
    work_cut         cut;      /* of the champion */
    tide_program    *champion;
} search;

static tide_program *make_with(search *s, const work_cut *cut) {
    s->request.cut = *cut;
    return program_make(s->graph, &s->request, &s->how);
}

static bool same_work(const tide_program *a, const tide_program *b) {
    text x = { 0 }, y = { 0 };
    flat_print(&x, &a->c.flat), flat_print(&y, &b->c.flat);
    bool same = x.failed || y.failed || !strcmp(x.data, y.data);
    text_free(&x), text_free(&y);
    return same;
}

static void challenge(search *s, const property *p, int32_t value) {
    work_cut cut = s->cut;
    set(&cut, p, value);
    tide_program *challenger = make_with(s, &cut), *loser = challenger;
    bool differs = challenger && challenger->exec && !same_work(challenger, s->champion);
    /* Twice: a machine with other work to do lets one of many win by chance. */
    if (differs && beats(challenger, s->champion) && beats(challenger, s->champion)) {
        loser = s->champion;
        s->champion = challenger;
        s->cut = cut;
    }
    tide_program_free(loser);
}

static void choose(search *s, uint64_t hash) {
    tuning *t = s->how.tuning;
    for (const property *p = properties; p < properties + PROPERTIES; p++) {
        char name[96];
        int32_t known;
        question(p, hash, s->graph->runtime->threads, name);
        if (tuning_known(t, name, &known) || !tuning_begin(t, name, 0)) continue;
        double began = os_seconds(), others = t->seconds;
        for (int i = 1; i < VALUES; i++) challenge(s, p, p->value[i]);
        const int64_t *chosen = (const int64_t *)((const char *)&s->cut + p->offset);
        tuning_found(t, name, (int32_t)*chosen, os_seconds() - began - (t->seconds - others));
    }
}

static void search_cut(search *s, uint64_t hash) {
    const tide_allocator *allocator = &s->graph->allocator;
    s->champion = make_with(s, &s->cut);
    int64_t bytes = may_run(s->champion) ? move_variables(s->champion, NULL, false) : 0;
    char *copy = may_run(s->champion) ? mem_new(allocator, (size_t)bytes) : NULL;
    if (copy && move_variables(s->champion, copy, false) == bytes) {
        choose(s, hash);
        move_variables(s->champion, copy, true);
    }
    mem_free(allocator, copy, (size_t)bytes);
    tide_program_free(s->champion);
}

void program_tune(tide_graph *g, compile_request *request, const program_how *how) {
    search s = { .graph = g,
                 .request = *request,
                 .how = *how,
                 .cut = request->cut,
                 .options = request->options ? *request->options : (tide_compile_options){ 0 } };
    bool all_known = true;
    runtime_wait(g, &(tide_failure){ 0 }); /* what fails now is the fault of earlier runs, and stays with them */
    s.options.dump = NULL;
    s.how.autotune = false;
    s.request.options = &s.options;
    uint64_t hash = hash_of(g, &s.request);
    for (const property *p = properties; hash && p < properties + PROPERTIES; p++) {
        int32_t value;
        bool known = known_answer(how->tuning, p, hash, g->runtime->threads, &value);
        if (known && has_value(p, value)) set(&s.cut, p, value);
        all_known &= known;
    }
    if (hash && !all_known && how->tuning->clock) search_cut(&s, hash);
    request->cut = s.cut;
}
