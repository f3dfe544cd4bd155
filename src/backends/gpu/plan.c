/* Kernels to launches. */
#include "plan.h"

#include <stdlib.h>

/* Kernels have scratch of their own, so that they need not wait for each other, until so much is used. */
enum { SCRATCH_BYTES = 64 << 20, SCRATCH_UNIT = 256 /* as cuBLASLt wants it */ };

typedef struct planner {
    gpu_plan *plan;
    const flat_program *program;
    const gpu_limits *limits;
    int32_t room_launches, room_table, room_uses, room_products;
    gpu_use **uses;    /* of each launch */
    int32_t  *n_uses;
    int64_t  scratch_at;
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

static bool add_uses(planner *r, const gpu_print *g) {
    int32_t i = r->plan->n_launches, room = r->room_uses;
    if (!grow((void **)&r->uses, &room, i, 1, sizeof *r->uses) ||
        !grow((void **)&r->n_uses, &r->room_uses, i, 1, sizeof *r->n_uses))
        return false;
    size_t bytes = sizeof *g->uses * (size_t)g->n_uses;
    r->n_uses[i] = g->n_uses;
    r->uses[i] = malloc(MAX2(bytes, 1));
    if (!r->uses[i]) return false;
    memcpy(r->uses[i], g->uses, bytes);
    for (int32_t j = 0; j < g->n_uses; j++) /* how much scratch it is, is known only now */
        if (g->uses[j].in.space == GPU_SCRATCH) r->uses[i][j].to = g->scratch_at + MAX2(g->scratch_bytes, 1);
    return true;
}

static bool add_launch(planner *r, const gpu_print *g) {
    gpu_plan *plan = r->plan;
    int32_t which = g->by_library ? -1 : gpu_source_add(&plan->source, g);
    int32_t product = g->by_library ? plan->n_products : -1;
    if ((which < 0 && product < 0) ||
        !grow((void **)&plan->products, &r->room_products, plan->n_products, 1, sizeof *plan->products) ||
        !grow((void **)&plan->launches, &r->room_launches, plan->n_launches, 1, sizeof *plan->launches) ||
        !grow((void **)&plan->table, &r->room_table, plan->n_table, g->n_numbers, sizeof *plan->table) ||
        !add_uses(r, g))
        return false;
    gpu_launch *l = &plan->launches[plan->n_launches++];
    if (g->by_library) plan->products[plan->n_products++] = g->product;
    *l = (gpu_launch){ .entry = which, .product = product, .kernel = (int32_t)(g->kernel - r->program->kernels),
                       .first = (uint32_t)plan->n_table, .threads = g->threads, .groups = g->groups,
                       .n_blocks = g->n_blocks };
    memcpy(l->blocks, g->blocks, sizeof l->blocks);
    memcpy(plan->table + plan->n_table, g->numbers, sizeof *g->numbers * (size_t)g->n_numbers);
    plan->n_table += g->n_numbers;
    return true;
}

static gpu_print printing(const flat_program *p, const flat_kernel *k, const gpu_limits *limits,
                          const int64_t *constant_at) {
    return (gpu_print){ .program = p, .kernel = k, .limits = limits, .constant_at = constant_at };
}

static tide_status plan_kernel(planner *r, const flat_kernel *k, const gpu_ending *ending, tide_failure *why) {
    bool more = true;
    int64_t scratch = 0;
    for (int launch = 0; more && launch < GPU_LAUNCHES; launch++) {
        gpu_print g = printing(r->program, k, r->limits, r->plan->constant_at);
        g.scratch_at = r->scratch_at, g.n_ends = ending->n_ends;
        memcpy(g.ends, ending->ends, sizeof g.ends);
        print_kernel(&g, launch);
        tide_status status = g.lacks ? fail(why, TIDE_EDEVICE, "the kernel '%s': %s", k->name, g.lacks) : TIDE_OK;
        if (!status && g.groups > INT32_MAX)
            status = fail(why, TIDE_EDEVICE, "the kernel '%s' has more groups than a launch can", k->name);
        bool printed = g.by_library || (g.body.data && !g.body.failed);
        if (!status && g.groups && (!printed || !add_launch(r, &g)))
            status = fail(why, TIDE_ENOMEM, "out of memory for the text of '%s'", k->name);
        scratch = MAX2(scratch, round_up(g.scratch_bytes, SCRATCH_UNIT)), more = g.more;
        text_free(&g.body);
        if (status) return status;
    }
    r->scratch_at += scratch;
    r->plan->scratch_bytes = MAX2(r->plan->scratch_bytes, r->scratch_at);
    if (r->scratch_at > SCRATCH_BYTES) r->scratch_at = 0;
    return TIDE_OK;
}

/* A product with maps that it carries out is launched where the first of them stands. */
static tide_status plan_kernels(planner *r, const gpu_ending *endings, tide_failure *why) {
    tide_status status = TIDE_OK;
    for (int32_t i = 0; i < r->program->n_kernels && !status; i++) {
        const gpu_ending *e = &endings[i];
        const int32_t kernel = e->product ? e->product - 1 : i;
        if (e->n_ends || (e->product && e->at != i + 1)) continue;
        status = plan_kernel(r, &r->program->kernels[kernel], &endings[kernel], why);
    }
    return status;
}

static void mark_entries(const gpu_plan *plan) {
    for (int32_t i = 0; i < plan->n_launches; i++) {
        const gpu_launch *l = &plan->launches[i];
        if (l->entry < 0) continue;
        gpu_entry *e = &plan->source.entries[l->entry];
        if (l->first & GPU_MANY) e->among = true;
        else e->alone = true;
    }
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

/* Whether the preamble must have double's functions. */
static bool uses_f64(const flat_program *p) {
    for (int32_t i = 0; i < p->n_kernels; i++) {
        const flat_kernel *k = &p->kernels[i];
        for (int32_t j = 0; j < k->n_operands; j++)
            if (k->operands[j].type == TIDE_F64) return true;
        for (int32_t j = 0; k->kind == FLAT_MAP && j < k->map.count; j++)
            if (k->map.instrs[j].type == TIDE_F64) return true;
    }
    return false;
}

tide_status gpu_plan_make(gpu_plan *out, const flat_program *p, gpu_language language, const gpu_limits *limits,
                          tide_failure *why) {
    planner r = { .plan = out, .program = p, .limits = limits };
    gpu_ending *endings = calloc((size_t)MAX2(p->n_kernels, 1), sizeof *endings);
    *out = (gpu_plan){ 0 };
    bool room = place_constants(out, p) && endings;
    tide_status status = room ? TIDE_OK : fail(why, TIDE_ENOMEM, "out of memory for the kernels");
    if (endings) gpu_find_endings(p, limits, endings);
    gpu_source_begin(&out->source, language, limits->f64 && uses_f64(p));
    if (!status) status = plan_kernels(&r, endings, why);
    free(endings);
    if (!status && (out->source.all.failed || !gpu_order(out, (const gpu_use *const *)r.uses, r.n_uses)))
        status = fail(why, TIDE_ENOMEM, "out of memory for %d launches", (int)out->n_launches);
    mark_entries(out);
    for (int32_t i = 0; i < r.room_uses && r.uses && i < r.plan->n_launches; i++) free(r.uses[i]);
    free(r.uses), free(r.n_uses);
    return status;
}

void gpu_plan_free(gpu_plan *plan) {
    gpu_source_free(&plan->source);
    free(plan->launches), free(plan->table), free(plan->after), free(plan->products);
    free(plan->constant_at);
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
