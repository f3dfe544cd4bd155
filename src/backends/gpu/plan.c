/* Kernels to launches. Bodies that are the same text are one entry, whatever their numbers. */
#include "plan.h"

#include <stdlib.h>

/* A kernel of the text: where its body is among all. */
typedef struct entry { uint64_t hash; size_t start, length; int32_t threads; } entry;

typedef struct planner {
    gpu_plan *plan;
    const flat_program *program;
    const gpu_limits *limits;
    text    bodies;  /* of all entries, with their heads */
    entry  *entries;
    int32_t room_entries, room_launches, room_table;
    bool    f64;
} planner;

/* Makes room for `count` more of size bytes each; false: out of memory. */
static bool grow(void **items, int32_t *room, int32_t used, int32_t count, size_t size) {
    if (used + count <= *room) return true;
    int32_t more = MAX2(2 * *room, used + count + 64);
    void *bigger = realloc(*items, size * (size_t)more);
    if (!bigger) return false;
    *items = bigger, *room = more;
    return true;
}

/* ---- entries ------------------------------------------------------------------------------------------- */

static bool same_body(const planner *r, const entry *e, const gpu_print *g, uint64_t hash) {
    return e->hash == hash && e->threads == g->threads && e->length == g->body.length &&
           !memcmp(r->bodies.data + e->start, g->body.data, e->length);
}

/* -1: out of memory. */
static int32_t entry_of(planner *r, const gpu_print *g) {
    uint64_t hash = text_hash(g->body.data);
    for (int32_t i = 0; i < r->plan->n_entries; i++)
        if (same_body(r, &r->entries[i], g, hash)) return i;
    if (!grow((void **)&r->entries, &r->room_entries, r->plan->n_entries, 1, sizeof *r->entries)) return -1;
    int32_t i = r->plan->n_entries++;
    text_add(&r->bodies, "KERNEL(k%d, %d) ", (int)i, (int)g->threads);
    r->entries[i] = (entry){ hash, r->bodies.length, g->body.length, g->threads };
    text_add(&r->bodies, "%s\n", g->body.data);
    return r->bodies.failed ? -1 : i;
}

/* ---- launches ------------------------------------------------------------------------------------------ */

static void print_kernel(gpu_print *g, int launch) {
    switch (g->kernel->kind) {
    case FLAT_MAP:    gpu_print_map(g); break;
    case FLAT_GEMM:   gpu_print_product(g, launch); break;
    case FLAT_FOLD:   gpu_print_fold(g, launch); break;
    case FLAT_SORT:   gpu_print_sort(g, launch); break;
    case FLAT_ATTENTION:
    case FLAT_ATTENTION_GRAD: gpu_print_attention(g, launch); break;
    case FLAT_CUSTOM: g->lacks = "a function of the caller's computes in the host's memory"; break;
    default:          gpu_print_index(g, launch); break;
    }
}

static bool add_launch(planner *r, const gpu_print *g) {
    gpu_plan *plan = r->plan;
    int32_t which = entry_of(r, g);
    if (which < 0 || !grow((void **)&plan->launches, &r->room_launches, plan->n_launches, 1, sizeof *plan->launches) ||
        !grow((void **)&plan->table, &r->room_table, plan->n_table, g->n_numbers, sizeof *plan->table))
        return false;
    gpu_launch *l = &plan->launches[plan->n_launches++];
    *l = (gpu_launch){ which, (int32_t)(g->kernel - r->program->kernels), plan->n_table, g->threads, g->groups,
                       g->n_blocks, { { GPU_ARENA, NULL } } };
    memcpy(l->blocks, g->blocks, sizeof l->blocks);
    memcpy(plan->table + plan->n_table, g->numbers, sizeof *g->numbers * (size_t)g->n_numbers);
    plan->n_table += g->n_numbers;
    return true;
}

static gpu_print printing(const flat_program *p, const flat_kernel *k, const gpu_limits *limits,
                          const int64_t *constant_at) {
    return (gpu_print){ .program = p, .kernel = k, .limits = limits, .constant_at = constant_at };
}

static tide_status plan_kernel(planner *r, const flat_kernel *k, tide_failure *why) {
    bool more = true;
    for (int launch = 0; more && launch < GPU_LAUNCHES; launch++) {
        gpu_print g = printing(r->program, k, r->limits, r->plan->constant_at);
        print_kernel(&g, launch);
        tide_status status = g.lacks ? fail(why, TIDE_EDEVICE, "the kernel '%s': %s", k->name, g.lacks) : TIDE_OK;
        if (!status && g.groups > INT32_MAX)
            status = fail(why, TIDE_EDEVICE, "the kernel '%s' has more groups than a launch can", k->name);
        if (!status && g.groups && (g.body.failed || !g.body.data || !add_launch(r, &g)))
            status = fail(why, TIDE_ENOMEM, "out of memory for the text of '%s'", k->name);
        r->plan->scratch_bytes = MAX2(r->plan->scratch_bytes, g.scratch_bytes);
        r->f64 |= g.uses_f64, more = g.more;
        text_free(&g.body);
        if (status) return status;
    }
    return TIDE_OK;
}

/* ---- the whole ----------------------------------------------------------------------------------------- */

static bool place_constants(gpu_plan *plan, const flat_program *p) {
    plan->constant_at = malloc(sizeof *plan->constant_at * (size_t)MAX2(p->n_buffers, 1));
    for (int32_t i = 0; plan->constant_at && i < p->n_buffers; i++) {
        bool constant = p->buffers[i].space == FLAT_CONSTANT;
        plan->constant_at[i] = constant ? plan->constant_bytes : -1;
        plan->constant_bytes += constant ? round_up(p->buffers[i].bytes, 64) : 0;
    }
    return plan->constant_at;
}

tide_status gpu_plan_make(gpu_plan *out, const flat_program *p, gpu_language language, const gpu_limits *limits,
                          tide_failure *why) {
    planner r = { .plan = out, .program = p, .limits = limits };
    *out = (gpu_plan){ 0 };
    tide_status status = place_constants(out, p) ? TIDE_OK : fail(why, TIDE_ENOMEM, "out of memory for the kernels");
    for (int32_t i = 0; i < p->n_kernels && !status; i++) status = plan_kernel(&r, &p->kernels[i], why);
    gpu_print_preamble(&out->source, language, r.f64);
    if (out->n_entries) text_add(&out->source, "%s", r.bodies.data);
    if (!status && out->source.failed) status = fail(why, TIDE_ENOMEM, "out of memory for the kernels' text");
    text_free(&r.bodies);
    free(r.entries);
    return status;
}

void gpu_plan_free(gpu_plan *plan) {
    text_free(&plan->source);
    free(plan->launches), free(plan->table), free(plan->constant_at);
    *plan = (gpu_plan){ 0 };
}

const char *gpu_lacks(const flat_program *p, const flat_kernel *k, const gpu_limits *limits) {
    int64_t *nowhere = calloc((size_t)MAX2(p->n_buffers, 1), sizeof *nowhere);
    if (!nowhere) return NULL; /* gpu_plan_make tells */
    gpu_print g = printing(p, k, limits, nowhere);
    print_kernel(&g, 0);
    text_free(&g.body);
    free(nowhere);
    return g.lacks;
}
