/* Phases and chains. A kernel runs one phase after the last that wrote what it touches or read what it writes, unless
 * all it waits for in that phase belongs to one chain, cut into the same tasks, and task by task stays within the same
 * part of each buffer: then it joins the chain, and a task carries its part through all the chain's kernels while it is
 * in cache.
 *
 * The published ETTh1 step has some two hundred kernels in eight phases: gather, forward with loss and backward of each
 * block of samples, weight gradients, norm, update. What the long chain needs from elsewhere is put before all of it
 * (find_after, last_before), since a chain that had to wait in its middle would be two. A phase ends when its tasks are
 * done, not when all threads have arrived: a thread that the system keeps from running delays nobody. */
#include "pass.h"

/* next: the previous access of its kind to the same buffer; 0: none. Bytes [from, to) of it. */
typedef struct access { int32_t kernel, operand, next; int64_t from, to; } access;

typedef struct scheduler {
    flat_program *p;
    int32_t *phase, *chain;      /* of each kernel */
    int32_t *last;               /* kernel of each chain */
    int32_t  chains;
    int32_t *writes, *reads;     /* of each buffer: access ids, since it was last written as a whole */
    access  *accesses;
    int32_t  count;
} scheduler;

typedef struct placing { int32_t phase, chain; bool joins; } placing;

/* Kernel k must wait for access a of the same buffer: one phase later, or in the same chain if each of its tasks
 * touches no more than what the same task of that kernel has touched. */
static void wait_for(const scheduler *s, placing *at, int32_t k, int32_t operand, const access *a) {
    int32_t phase = s->phase[a->kernel], chain = s->chain[a->kernel];
    const flat_kernel *mine = &s->p->kernels[k], *other = &s->p->kernels[a->kernel];
    if (phase < at->phase) return;
    if (phase > at->phase) *at = (placing){ phase, chain, true };
    if (chain != at->chain || flat_chain_tasks(mine) != flat_chain_tasks(other)) at->joins = false;
    else if (flat_chain_tasks(mine) != 1) {
        part x = part_of(mine, operand), y = part_of(other, a->operand);
        at->joins &= x.known && y.known && x.base == y.base && x.step == y.step;
    }
}

static access access_of(const scheduler *s, int32_t k, int32_t operand) {
    const flat_kernel *kernel = &s->p->kernels[k];
    access a = { .kernel = k, .operand = operand };
    if (!operand_range(kernel, operand, &a.from, &a.to)) a.from = 0, a.to = INT64_MAX;
    return a;
}

/* Parts of a buffer that are made apart, as by a concatenation, do not wait for each other. */
static void wait_for_all(const scheduler *s, placing *at, const access *mine, int32_t first) {
    for (int32_t i = first; i; i = s->accesses[i].next)
        if (s->accesses[i].from < mine->to && mine->from < s->accesses[i].to)
            wait_for(s, at, mine->kernel, mine->operand, &s->accesses[i]);
}

static bool reads_of(const scheduler *s, int32_t k, int32_t maker) {
    const flat_kernel *kernel = &s->p->kernels[k];
    for (int32_t i = 0; i < kernel->n_operands; i++)
        for (int32_t w = s->writes[kernel->operands[i].buffer]; w; w = s->accesses[w].next)
            if (s->accesses[w].kernel == maker) return true;
    return false;
}

/* After phase `not_before` at least. A kernel of one task follows in a chain only what the chain did last: else all
 * that wait for one number, such as updates of small parameters, would be done one after the other. */
static placing find_place(const scheduler *s, int32_t k, int32_t not_before) {
    const flat_kernel *kernel = &s->p->kernels[k];
    placing at = { .phase = not_before, .chain = -1 };
    for (int32_t i = 0; i < kernel->n_operands; i++) {
        int32_t buffer = kernel->operands[i].buffer;
        access mine = access_of(s, k, i);
        wait_for_all(s, &at, &mine, s->writes[buffer]);
        if (operand_written(kernel, i)) wait_for_all(s, &at, &mine, s->reads[buffer]);
    }
    if (at.joins && flat_chain_tasks(kernel) == 1) at.joins = reads_of(s, k, s->last[at.chain]);
    return at;
}

static void note_accesses(scheduler *s, int32_t k) {
    const flat_kernel *kernel = &s->p->kernels[k];
    for (int pass = 0; pass < 2; pass++)
        for (int32_t i = 0; i < kernel->n_operands; i++) {
            bool written = operand_written(kernel, i);
            if (written != pass) continue;
            int32_t buffer = kernel->operands[i].buffer, id = ++s->count;
            access a = access_of(s, k, i);
            bool whole = written && a.from <= 0 && a.to >= s->p->buffers[buffer].bytes;
            if (whole) s->writes[buffer] = s->reads[buffer] = 0;
            int32_t *list = written ? &s->writes[buffer] : &s->reads[buffer];
            a.next = *list;
            s->accesses[id] = a, *list = id;
        }
}

/* ---- kernels in the order of phases and chains ---- */

static void lay_out(arena *memory, scheduler *s) {
    flat_program *p = s->p;
    int32_t *chain_phase = arena_new(memory, int32_t, MAX2(s->chains, 1)),
            *at = arena_new(memory, int32_t, MAX2(s->chains, 1));
    int32_t *place = arena_new(memory, int32_t, MAX2(s->chains, 1));
    flat_kernel *sorted = arena_new(memory, flat_kernel, MAX2(p->n_kernels, 1));
    p->phases = arena_new(memory, flat_phase, MAX2(p->n_phases, 1));
    p->chains = arena_new(memory, flat_chain, MAX2(s->chains, 1));
    p->n_chains = s->chains;
    for (int32_t i = 0; i < p->n_kernels; i++) chain_phase[s->chain[i]] = s->phase[i];
    for (int32_t c = 0; c < s->chains; c++) p->phases[chain_phase[c]].chains++;
    for (int32_t i = 1; i < p->n_phases; i++)
        p->phases[i].first_chain = p->phases[i - 1].first_chain + p->phases[i - 1].chains;
    for (int32_t c = 0; c < s->chains; c++) {
        const flat_phase *phase = &p->phases[chain_phase[c]];
        place[c] = phase->first_chain + at[chain_phase[c]]++;
    }
    for (int32_t i = 0; i < p->n_kernels; i++) {
        flat_chain *c = &p->chains[place[s->chain[i]]];
        c->kernels++, c->tasks = flat_chain_tasks(&p->kernels[i]);
    }
    for (int32_t c = 1; c < s->chains; c++)
        p->chains[c].first_kernel = p->chains[c - 1].first_kernel + p->chains[c - 1].kernels;
    memset(at, 0, sizeof *at * (size_t)s->chains);
    for (int32_t i = 0; i < p->n_kernels; i++) {
        int32_t c = place[s->chain[i]];
        sorted[p->chains[c].first_kernel + at[c]++] = p->kernels[i];
    }
    p->kernels = sorted;
}

/* ---- what comes first ---- */

static bool along_samples(const flat_kernel *k, int64_t tasks) {
    return tasks > 1 && k->kind == FLAT_GEMM && k->tasks == tasks && k->gemm.split == FLAT_SPLIT_ROWS;
}

/* The kernels along the samples and all that depends on them, by a value or by memory that is written again. */
static bool *find_after(arena *memory, const flat_program *p, int64_t tasks) {
    bool *after = arena_new(memory, bool, MAX2(p->n_kernels, 1));
    bool *written = arena_new(memory, bool, MAX2(p->n_buffers, 1)),
         *read = arena_new(memory, bool, MAX2(p->n_buffers, 1));
    for (int32_t k = 0; k < p->n_kernels; k++) {
        const flat_kernel *kernel = &p->kernels[k];
        after[k] = along_samples(kernel, tasks);
        for (int32_t i = 0; i < kernel->n_operands; i++) {
            int32_t buffer = kernel->operands[i].buffer;
            after[k] |= written[buffer] || (read[buffer] && operand_written(kernel, i));
        }
        for (int32_t i = 0; after[k] && i < kernel->n_operands; i++)
            (operand_written(kernel, i) ? written : read)[kernel->operands[i].buffer] = true;
    }
    return after;
}

/* The last phase of anything else that those kernels wait for; -1: they wait for nothing. */
static int32_t last_before(const scheduler *s, const bool *after) {
    int32_t last = -1;
    for (int32_t k = 0; k < s->p->n_kernels; k++)
        for (int32_t i = 0; after[k] && i < s->p->kernels[k].n_operands; i++) {
            int32_t write = s->writes[s->p->kernels[k].operands[i].buffer];
            for (; write; write = s->accesses[write].next) last = MAX2(last, s->phase[s->accesses[write].kernel]);
        }
    return last;
}

static void place(scheduler *s, int32_t k, int32_t not_before) {
    placing at = find_place(s, k, not_before);
    s->phase[k] = at.joins ? at.phase : at.phase + 1;
    s->chain[k] = at.joins ? at.chain : s->chains++;
    s->last[s->chain[k]] = k;
    s->p->n_phases = MAX2(s->p->n_phases, s->phase[k] + 1);
    note_accesses(s, k);
}

/* What the kernels along the samples need from elsewhere (indices, counts, weights put together) comes before all of
 * them, so that their chain need not end to wait for it. */
void pass_schedule(arena *memory, flat_program *p, int64_t tasks) {
    int32_t operands = 1;
    for (int32_t i = 0; i < p->n_kernels; i++) operands += p->kernels[i].n_operands;
    scheduler s = { .p = p };
    s.phase = arena_new(memory, int32_t, MAX2(p->n_kernels, 1)),
    s.chain = arena_new(memory, int32_t, MAX2(p->n_kernels, 1));
    s.last = arena_new(memory, int32_t, MAX2(p->n_kernels, 1));
    s.writes = arena_new(memory, int32_t, MAX2(p->n_buffers, 1)),
    s.reads = arena_new(memory, int32_t, MAX2(p->n_buffers, 1));
    s.accesses = arena_new(memory, access, operands);
    bool *after = find_after(memory, p, tasks);
    for (int32_t k = 0; k < p->n_kernels; k++)
        if (!after[k]) place(&s, k, -1);
    int32_t not_before = last_before(&s, after);
    for (int32_t k = 0; k < p->n_kernels; k++)
        if (after[k]) place(&s, k, not_before);
    lay_out(memory, &s);
}
