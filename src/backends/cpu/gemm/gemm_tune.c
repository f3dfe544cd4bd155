/* The provider of a product chosen by timing: one call at a time on one thread, as a task runs it, on made-up
 * operands. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "backends/cpu/cpu.h"

/* A choice is kept as a place in this list, which only ever grows. */
static const char *const names[] = { "onednn", "cblas", "widened", "own", "few rows" };
enum { NAMES = sizeof names / sizeof *names, ROUNDS_LEAST = 5, ROUNDS_MOST = 31, WORTH_TIMING = 1 << 10, SIDES = 3 };

static const double worth_changing = 0.97, hopeless = 2, enough_s = 4e-3, one_sample_s = 20e-6;

static int32_t place_of(const gemm_provider *p) {
    int32_t i = 0;
    while (i < NAMES - 1 && strcmp(names[i], p->name) != 0) i++;
    return i;
}

/* Everything that the time of a product depends on. */
static void question(const cpu_build *b, const gemm_call *c, char name[160]) {
    const gemm_shape *s = &c->shape;
    snprintf(name, 160, "product %lldx%lldx%lld %s a %lld %lld b %lld %lld c %lld %g %g %s", (long long)s->m,
             (long long)s->n,
             (long long)s->k, tide_dtype_name(c->type), (long long)s->a_row, (long long)s->a_col, (long long)s->b_row,
             (long long)s->b_col,
             (long long)s->c_row, s->alpha, s->beta, b->isa->name);
}

static bool takes(const cpu_build *b, const gemm_provider *p, const gemm_call *c) {
    return p->takes && p->takes(b->isa, &c->shape, c->type);
}

/* ---- timing ---- */

typedef struct rival {
    gemm_call call;
    double    took[ROUNDS_MOST];
    bool      out;
} rival;

typedef struct contest {
    rival rivals[NAMES];  /* the first is the usual one */
    int   count, rounds, repeats;
    char *operand[SIDES], *scratch;
} contest;

static int64_t extent(int64_t rows, int64_t cols, int64_t row, int64_t col) {
    return (rows - 1) * row + (cols - 1) * col + 1;
}

/* Numbers around zero of the operand's type; a bf16 is the first half of an f32. */
static void fill(char *to, int64_t count, tide_dtype type) {
    uint32_t state = 1;
    for (int64_t i = 0; i < count; i++) {
        state = state * 1664525u + 1013904223u;
        float value = (float)(state >> 8) / (1 << 23) - 1;
        uint32_t bits;
        memcpy(&bits, &value, sizeof bits);
        if (type == TIDE_F64) ((double *)to)[i] = (double)value;
        else if (type == TIDE_F32) ((float *)to)[i] = value;
        else ((uint16_t *)to)[i] = (uint16_t)(bits >> 16);
    }
}

static void make_operands(contest *x, arena *room, const gemm_call *c) {
    const gemm_shape *s = &c->shape;
    tide_dtype result = c->type == TIDE_F64 ? TIDE_F64 : TIDE_F32;
    const int64_t counts[SIDES] = { extent(s->m, s->k, s->a_row, s->a_col), extent(s->k, s->n, s->b_row, s->b_col),
                                    extent(s->m, s->n, s->c_row, 1) };
    for (int i = 0; i < SIDES; i++) {
        tide_dtype type = i == 2 ? result : c->type;
        x->operand[i] = arena_alloc(room, (size_t)counts[i] * tide_dtype_size(type));
        if (i < 2) fill(x->operand[i], counts[i], type);
    }
}

static double sample(const contest *x, const rival *r) {
    double began = os_thread_seconds();
    bool fine = true;
    for (int i = 0; i < x->repeats; i++)
        fine &= r->call.provider->run(&r->call, x->operand[0], x->operand[1], x->operand[2], 0, x->scratch) == TIDE_OK;
    double took = (os_thread_seconds() - began) / x->repeats;
    return fine ? took : INFINITY;
}

/* The first call of each warms up and shows who has no chance. */
static void warm_up(contest *x) {
    double usual = 0;
    x->repeats = 1;
    for (int i = 0; i < x->count; i++) {
        double first = sample(x, &x->rivals[i]), second = first > 0.1 ? first : sample(x, &x->rivals[i]);
        if (i == 0) usual = second;
        x->rivals[i].out = second > hopeless * usual;
    }
    x->repeats = (int)MAX2(1, MIN2(1000, one_sample_s / MAX2(usual, 1e-8)));
}

static int by_value(const void *a, const void *b) {
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

/* Medians of rounds in which each has its turn. */
static int fastest(contest *x) {
    int best = 0;
    double median[NAMES], began = os_seconds();
    warm_up(x);
    for (x->rounds = 0; x->rounds < ROUNDS_MOST && (x->rounds < ROUNDS_LEAST || os_seconds() - began < enough_s);
         x->rounds++)
        for (int i = 0; i < x->count; i++)
            x->rivals[i].took[x->rounds] = x->rivals[i].out ? INFINITY : sample(x, &x->rivals[i]);
    for (int i = 0; i < x->count; i++) {
        qsort(x->rivals[i].took, (size_t)x->rounds, sizeof(double), by_value);
        median[i] = x->rivals[i].took[x->rounds / 2];
        if (median[i] < (best ? median[best] : worth_changing * median[0])) best = i;
    }
    return best;
}

/* What cannot be prepared does not take part. */
static void enter(contest *x, const cpu_build *trial, const gemm_provider *p, const gemm_call *c) {
    rival *r = &x->rivals[x->count];
    r->call = (gemm_call){ .provider = p, .shape = c->shape, .type = c->type };
    if (p->prepare(trial, &r->call) == TIDE_OK) x->count++;
}

static void leave(contest *x) {
    for (int i = 0; i < x->count; i++)
        if (x->rivals[i].call.provider->release) x->rivals[i].call.provider->release(&x->rivals[i].call);
}

/* In memory of its own, which is given back: preparing with the answer known allocates what it does here. */
static const gemm_provider *time_rivals(const cpu_build *b, const gemm_call *c, const gemm_provider *const *all,
                                        int count) {
    jmp_buf oom;
    tide_failure ignored = { 0 };
    arena room = { .allocator = b->keep->allocator, .oom = &oom };
    contest *volatile kept = NULL;
    const gemm_provider *volatile winner = c->provider;
    if (!setjmp(oom)) {
        contest *x = kept = arena_new(&room, contest, 1);
        cpu_build trial = *b;
        int64_t scratch = 1;
        trial.keep = &room, trial.why = &ignored;
        enter(x, &trial, c->provider, c);
        for (int i = 0; x->count && i < count; i++)
            if (all[i] != c->provider && takes(b, all[i], c)) enter(x, &trial, all[i], c);
        for (int i = 0; i < x->count; i++) scratch = MAX2(scratch, x->rivals[i].call.scratch);
        make_operands(x, &room, c);
        x->scratch = arena_alloc(&room, (size_t)scratch);
        if (x->count > 1) winner = x->rivals[fastest(x)].call.provider;
    }
    if (kept) leave(kept);
    arena_free(&room);
    return winner;
}

static bool has_rival(const cpu_build *b, const gemm_call *c, const gemm_provider *const *all, int count) {
    if (c->shape.m * c->shape.n * c->shape.k < WORTH_TIMING || !takes(b, c->provider, c)) return false;
    for (int i = 0; i < count; i++)
        if (all[i] != c->provider && takes(b, all[i], c)) return true;
    return false;
}

const gemm_provider *gemm_chosen(const cpu_build *b, const gemm_call *c, const gemm_provider *const *all, int count) {
    char name[160];
    int32_t place;
    if (!b->tuning || !has_rival(b, c, all, count)) return c->provider;
    question(b, c, name);
    if (tuning_known(b->tuning, name, &place)) {
        for (int i = 0; i < count; i++)
            if (place_of(all[i]) == place && takes(b, all[i], c)) return all[i];
    } else if (tuning_begin(b->tuning, name, place_of(c->provider))) {
        double began = os_seconds();
        library_limit before = library_threads_one();
        const gemm_provider *winner = time_rivals(b, c, all, count);
        library_threads_back(&before);
        tuning_found(b->tuning, name, place_of(winner), os_seconds() - began);
        return winner;
    }
    return c->provider;
}
