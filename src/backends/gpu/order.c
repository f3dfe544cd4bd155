/* What waits for what: two launches of which one writes bytes that the other uses run in the program's order, all
 * others side by side, or as one launch where their text is the same. A launch has a level, more than those that it
 * waits for; between the lowest and the highest that it may have lie those where others of its text can be: so weights
 * are cast together at the beginning, and gradients of weights are made, summed and applied together at the end. */
#include "plan.h"

#include <stdlib.h>

/* With more launches than this each waits for the one before; launches of more groups fill a device alone. Those of
 * more than a few are not put off by more than so many levels for others of their text: what can be made beside what
 * others wait for is worth more there than a launch less. */
enum { MOST_LAUNCHES = 2048, MOST_GROUPS = 2048, FEW_GROUPS = 64, LATER = 2, NOWHERE = INT32_MAX };

typedef struct ordering {
    gpu_plan *plan;
    int32_t   n, words;
    uint64_t *above;           /* bits, `words` of each launch and of one more: those that it waits for, also by way
                                  of others */
    int32_t  *before, n_before, room;  /* pairs (launch, one that it waits for), by launch */
    int32_t  *from;            /* where a launch's pairs begin; n + 1 */
    int32_t  *low, *high;      /* levels */
    int32_t  *set;             /* the first launch of those that are one; else itself */
} ordering;

/* ---- what a launch must wait for ------------------------------------------------------------------------ */

static bool overlap(const gpu_use *a, const gpu_use *b) {
    return (a->written || b->written) && a->from < b->to && b->from < a->to && a->in.space == b->in.space &&
           a->in.block == b->in.block && a->in.space != GPU_CONSTANT;
}

static bool must_wait(const gpu_use *a, int32_t n_a, const gpu_use *b, int32_t n_b) {
    for (int32_t i = 0; i < n_a; i++)
        for (int32_t j = 0; j < n_b; j++)
            if (overlap(&a[i], &b[j])) return true;
    return false;
}

static uint64_t *above(const ordering *o, int32_t i) { return o->above + (size_t)i * (size_t)o->words; }
static void add_bit(uint64_t *bits, int32_t j) { bits[j / 64] |= (uint64_t)1 << (j % 64); }
static bool has_bit(const uint64_t *bits, int32_t j) { return bits[j / 64] >> (j % 64) & 1; }
static bool is_above(const ordering *o, int32_t i, int32_t j) { return has_bit(above(o, i), j); }
static void add_above(const ordering *o, int32_t i, int32_t j) {
    for (int32_t w = 0; w < o->words; w++) above(o, i)[w] |= above(o, j)[w];
    if (o->words) add_bit(above(o, i), j);
}

static bool add_pair(ordering *o, int32_t i, int32_t j) {
    if (o->n_before == o->room) {
        int32_t *more = realloc(o->before, sizeof *more * (size_t)(2 * o->room + 256));
        if (!more) return false;
        o->before = more, o->room = 2 * o->room + 256;
    }
    o->before[o->n_before++] = j;
    add_above(o, i, j);
    return true;
}

/* The latest first, as most of what is earlier is waited for by way of these. */
static bool find_pairs(ordering *o, const gpu_use *const *uses, const int32_t *n_uses) {
    bool all = o->n > MOST_LAUNCHES;
    for (int32_t i = 0; i < o->n; i++) {
        o->from[i] = o->n_before;
        if (all && i && !add_pair(o, i, i - 1)) return false;
        for (int32_t j = i - 1; j >= 0 && !all; j--)
            if (!is_above(o, i, j) && must_wait(uses[i], n_uses[i], uses[j], n_uses[j]) && !add_pair(o, i, j))
                return false;
    }
    o->from[o->n] = o->n_before;
    return true;
}

/* ---- levels --------------------------------------------------------------------------------------------- */

/* A launch whose low and high are one level keeps it. */
static void spread_levels(ordering *o) {
    for (int32_t i = 0; i < o->n; i++)
        for (int32_t k = o->from[i]; k < o->from[i + 1]; k++) o->low[i] = MAX2(o->low[i], o->low[o->before[k]] + 1);
    for (int32_t i = o->n - 1; i >= 0; i--)
        for (int32_t k = o->from[i]; k < o->from[i + 1]; k++)
            o->high[o->before[k]] = MIN2(o->high[o->before[k]], o->high[i] - 1);
}

static void begin_levels(ordering *o) {
    int32_t last = 0;
    for (int32_t i = 0; i < o->n; i++) o->low[i] = 0, o->set[i] = NOWHERE;
    for (int32_t i = 0; i < o->n; i++) o->high[i] = NOWHERE;
    spread_levels(o);
    for (int32_t i = 0; i < o->n; i++) last = MAX2(last, o->low[i]);
    for (int32_t i = 0; i < o->n; i++) o->high[i] = last;
    spread_levels(o);
    for (int32_t i = 0; i < o->n; i++) {
        gpu_launch *l = &o->plan->launches[i];
        l->slack = o->high[i] - o->low[i];
        if (l->groups > FEW_GROUPS) o->high[i] = MIN2(o->high[i], o->low[i] + LATER);
    }
}

/* ---- launches that are one ------------------------------------------------------------------------------ */

static bool same_launch(const gpu_launch *a, const gpu_launch *b) {
    if (a->entry < 0 || a->entry != b->entry || a->n_blocks != b->n_blocks || b->groups > MOST_GROUPS) return false;
    for (int32_t i = 0; i < a->n_blocks; i++)
        if (a->blocks[i].space != b->blocks[i].space || a->blocks[i].block != b->blocks[i].block) return false;
    return true;
}

static bool apart(const ordering *o, int32_t first, int32_t i) {
    for (int32_t j = first; j < i; j++)
        if (o->set[j] == first && is_above(o, i, j)) return false;
    return true;
}

/* All of first's text that can be on the level where one of them must be. */
static void join(ordering *o, int32_t first) {
    const gpu_launch *l = o->plan->launches;
    int32_t level = o->high[first];
    for (int32_t i = first; i < o->n; i++)
        if (o->set[i] == NOWHERE && o->high[i] >= o->low[first] && same_launch(&l[first], &l[i]))
            level = MIN2(level, o->high[i]);
    for (int32_t i = first; i < o->n; i++)
        if (o->set[i] == NOWHERE && o->low[i] <= level && level <= o->high[i] && same_launch(&l[first], &l[i]) &&
            apart(o, first, i))
            o->set[i] = first, o->low[i] = o->high[i] = level;
    spread_levels(o);
}

/* ---- the launches anew ---------------------------------------------------------------------------------- */

typedef struct place { int32_t level, set, launch; } place;

static int by_place(const void *a, const void *b) {
    const place *x = a, *y = b;
    if (x->level != y->level) return x->level < y->level ? -1 : 1;
    if (x->set != y->set) return x->set < y->set ? -1 : 1;
    return x->launch < y->launch ? -1 : x->launch > y->launch;
}

/* The numbers of each group's launch, and which group it is there. */
static bool add_table(gpu_plan *plan, gpu_launch *all, const place *of, int32_t count, int64_t groups) {
    int64_t *table = realloc(plan->table, sizeof *table * (size_t)(plan->n_table + groups));
    if (!table) return false;
    plan->table = table;
    all->first = (uint32_t)plan->n_table | GPU_MANY, all->groups = groups;
    for (int32_t i = 0; i < count; i++) {
        const gpu_launch *l = &plan->launches[of[i].launch];
        for (int64_t g = 0; g < l->groups; g++)
            plan->table[plan->n_table++] = (int64_t)((uint64_t)g << 32 | l->first);
    }
    return true;
}

static void wait_for(gpu_plan *plan, gpu_launch *all, int32_t launch) {
    plan->after[plan->n_after++] = launch;
    all->n_after++;
}

/* The launches that these, now one of number `me`, wait for, by their new numbers, the latest first: those that are
 * waited for by way of others are not named. One that waits for a single other may start early. */
static void add_after(ordering *o, gpu_launch *all, const place *of, int32_t count, const int32_t *number,
                      int32_t me) {
    const uint64_t *wanted = above(o, o->n);
    all->after = o->plan->n_after, all->n_after = 0;
    memset(above(o, o->n), 0, sizeof *wanted * (size_t)o->words);
    for (int32_t i = 0; i < count; i++)
        for (int32_t k = o->from[of[i].launch]; k < o->from[of[i].launch + 1]; k++) {
            if (o->words) add_bit(above(o, o->n), number[o->before[k]]);
            else wait_for(o->plan, all, number[o->before[k]]);
        }
    for (int32_t j = o->words ? me - 1 : -1; j >= 0; j--)
        if (has_bit(wanted, j) && !is_above(o, me, j)) {
            add_above(o, me, j);
            wait_for(o->plan, all, j);
        }
}

static bool rewrite(ordering *o, const place *places, gpu_launch *out, int32_t *number) {
    gpu_plan *plan = o->plan;
    int32_t n = 0;
    plan->after = malloc(sizeof *plan->after * (size_t)MAX2(o->n_before, 1));
    if (!plan->after) return false;
    memset(o->above, 0, sizeof *o->above * (size_t)o->n * (size_t)o->words); /* from here on of the new launches */
    for (int32_t i = 0, count; i < o->n; i += count, n++) {
        int64_t groups = 0;
        gpu_launch *first = &plan->launches[places[i].launch];
        for (count = 0; i + count < o->n && places[i + count].set == places[i].set; count++) {
            groups += plan->launches[places[i + count].launch].groups;
            number[places[i + count].launch] = n;
            first->slack = MIN2(first->slack, plan->launches[places[i + count].launch].slack);
        }
        out[n] = *first;
        if (count > 1 && !add_table(plan, &out[n], &places[i], count, groups)) return false;
        add_after(o, &out[n], &places[i], count, number, n);
    }
    memcpy(plan->launches, out, sizeof *out * (size_t)n);
    plan->n_launches = n;
    return true;
}

static bool arrange(ordering *o) {
    const gpu_launch *l = o->plan->launches;
    begin_levels(o);
    for (int32_t i = 0; i < o->n; i++) {
        if (o->set[i] == NOWHERE && l[i].groups <= MOST_GROUPS && o->n <= MOST_LAUNCHES) join(o, i);
        if (o->set[i] == NOWHERE) o->set[i] = i;
    }
    place      *places = malloc(sizeof *places * (size_t)o->n);
    gpu_launch *out = malloc(sizeof *out * (size_t)o->n);
    int32_t    *number = malloc(sizeof *number * (size_t)o->n);
    bool        done = places && out && number;
    for (int32_t i = 0; i < o->n && done; i++) places[i] = (place){ o->low[i], o->set[i], i };
    if (done) qsort(places, (size_t)o->n, sizeof *places, by_place);
    done = done && rewrite(o, places, out, number);
    free(places), free(out), free(number);
    return done;
}

bool gpu_order(gpu_plan *plan, const gpu_use *const *uses, const int32_t *n_uses) {
    ordering o = { .plan = plan, .n = plan->n_launches };
    if (o.n <= 0) return true;
    const size_t n = (size_t)o.n;
    o.words = o.n > MOST_LAUNCHES ? 0 : (o.n + 63) / 64;
    o.above = calloc((n + 1) * (size_t)o.words + 1, sizeof *o.above);
    o.from = calloc(n + 1, sizeof *o.from), o.set = calloc(n, sizeof *o.set);
    o.low = calloc(n, sizeof *o.low), o.high = calloc(n, sizeof *o.high);
    bool done = o.above && o.from && o.set && o.low && o.high && find_pairs(&o, uses, n_uses) && arrange(&o);
    free(o.above), free(o.before), free(o.from), free(o.low), free(o.high), free(o.set);
    return done;
}
