/* Which map kernels of a program become compiled C: prints the candidates into one source, has it compiled and
 * loaded, times each against its strips, and runs those that won. */
#include "native.h"

#include <dlfcn.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "begin.h"
#include "native_headers.h"

/* ---- running ------------------------------------------------------------------------------------------- */

void native_run(const native_exec *x, int64_t task, char *scratch) {
    char *operand[x->operands + 1];
    for (int32_t i = 0; i < x->operands; i++) operand[i] = cpu_at(&x->place[i], task, scratch);
    operand[x->operands] = (char *)&x->host;
    x->run(operand, task, scratch);
}

static void run_compiled(const void *exec, int64_t task, int thread, char *scratch) {
    (void)thread;
    native_run(exec, task, scratch);
}

/* ---- the source ---------------------------------------------------------------------------------------- */

/* A kernel that can be printed. Those with the same text share a function. */
typedef struct candidate {
    int32_t  kernel, function;
    uint64_t hash;         /* of its text */
    int64_t  per_task;
    int32_t  chosen;       /* 1: compiled, 0: strips, -1: not known */
    native_exec *exec;
} candidate;

typedef struct source {
    const cpu_build *build;
    candidate *items;
    int32_t    count, functions;
    text       out;
} source;

static int lanes_of(const isa_table *isa) { return (int)isa->gemm->lanes_f32; }

/* A header's text without what it includes of ours: that stands before it. */
static void add_header(text *out, const char *header) {
    for (const char *end; *header; header = end) {
        end = header + strcspn(header, "\n");
        end += *end == '\n';
        if (strncmp(header, "#include \"", 10) != 0) text_add(out, "%.*s", (int)(end - header), header);
    }
}

static void begin(source *s) {
    text_add(&s->out, "#include <float.h>\n#include <math.h>\n#include <stdint.h>\n#include <string.h>\n");
    for (const native_header *h = native_headers; h->text; h++)
        if (!h->isa || strcmp(h->isa, s->build->isa->name) == 0) add_header(&s->out, h->text);
    native_begin(&s->out);
}

/* Every function is printed under one name, so that its text tells whether it is there already. */
static void add_kernel(source *s, candidate *c) {
    const flat_program *p = s->build->program;
    text body = { 0 };
    c->function = -1;
    if (!kernelgen_map_c(&body, p, &p->kernels[c->kernel], "KERNEL", lanes_of(s->build->isa)) || body.failed) {
        text_free(&body);
        return;
    }
    c->hash = text_hash(body.data);
    for (const candidate *same = s->items; same < c; same++)
        if (same->hash == c->hash) c->function = same->function;
    if (c->function < 0) {
        c->function = s->functions++;
        text_add(&s->out, "#define KERNEL kernel_%d\n%s#undef KERNEL\n", (int)c->function, body.data);
    }
    text_free(&body);
}

/* ---- preparing ----------------------------------------------------------------------------------------- */

static kernel_host host_of(const cpu_build *b, const kernelgen_needs *needs) {
    const strip_ops *strips = b->isa->strips;
    kernel_host h = { .unit = (host_draw)(void *)b->isa->random->unit, .mask = (host_draw)(void *)b->isa->random->mask,
                      .seed = b->program->seed, .per_task = needs->per_task, .rows = needs->rows };
    _Static_assert((int)SCALAR_COUNT <= (int)HOST_OPS, "host.h has room for every operation");
    _Static_assert(sizeof(host_site) == sizeof(random_site), "host.h says what isa.h says");
    for (int op = 0; op < SCALAR_COUNT; op++) h.f32[op] = strips->op[op][T_F32][FORM_VECTORS];
    return h;
}

/* What a kernel needs to run compiled is there whether it will or not: preparing allocates the same at any choice. */
static void plan(source *s, cpu_kernel *kernels) {
    const cpu_build *b = s->build;
    const flat_program *p = b->program;
    s->items = arena_new(b->temp, candidate, p->n_kernels);
    for (int32_t i = 0; i < p->n_kernels; i++) {
        const flat_kernel *k = &p->kernels[i];
        kernelgen_needs needs;
        if (!kernelgen_map_needs(p, k, lanes_of(b->isa), &needs)) continue;
        native_exec *x = arena_new(b->keep, native_exec, 1);
        x->operands = k->n_operands;
        x->place = arena_new(b->keep, cpu_place, MAX2(k->n_operands, 1));
        for (int32_t o = 0; o < k->n_operands; o++) x->place[o] = cpu_place_of(b, k, &k->operands[o]);
        x->host = host_of(b, &needs);
        kernels[i].scratch = MAX2(kernels[i].scratch, needs.scratch);
        s->items[s->count++] = (candidate){ .kernel = i, .per_task = needs.per_task, .chosen = -1, .exec = x };
    }
}

/* ---- choosing ------------------------------------------------------------------------------------------ */

static void question(const source *s, const candidate *c, char name[96]) {
    snprintf(name, 96, "compiled map %016" PRIx64 " rows %" PRId64 " %s", c->hash, c->per_task, s->build->isa->name);
}

/* Whether any kernel needs the library: to run, or to be timed. */
static bool ask(source *s) {
    bool needed = false;
    for (candidate *c = s->items; c < s->items + s->count; c++) {
        char    name[96];
        int32_t known;
        question(s, c, name);
        if (tuning_known(s->build->tuning, name, &known)) c->chosen = known == 1;
        needed |= c->chosen == 1 || (c->chosen < 0 && s->build->tuning->clock);
    }
    return needed;
}

static void choose(source *s, candidate *c) {
    char name[96];
    question(s, c, name);
    /* the same kernel was asked about before */
    if (c->chosen < 0 && tuning_known(s->build->tuning, name, &c->chosen)) return;
    if (c->chosen >= 0 || !tuning_begin(s->build->tuning, name, 0)) return;
    double began = os_seconds();
    c->chosen = native_faster(s->build, &s->build->program->kernels[c->kernel], c->exec);
    tuning_found(s->build->tuning, name, c->chosen, os_seconds() - began);
}

static void take(source *s, cpu_kernel *kernels, native_set *set) {
    for (candidate *c = s->items; c < s->items + s->count; c++) {
        char symbol[32];
        snprintf(symbol, sizeof symbol, "kernel_%d", (int)c->function);
        *(void **)&c->exec->run = dlsym(set->code.library, symbol);
        if (!c->exec->run) continue;
        choose(s, c);
        if (c->chosen != 1) continue;
        kernels[c->kernel].run = run_compiled;
        kernels[c->kernel].exec = c->exec;
        set->taken++;
    }
}

void native_prepare(const cpu_build *b, cpu_kernel *kernels, native_set *set) {
    source s = { .build = b };
    *set = (native_set){ 0 };
    if (!b->tuning || (b->tuning->clock && !b->autotune)) return;
    plan(&s, kernels);
    set->maps = s.count;
    begin(&s);
    for (int32_t i = 0; i < s.count; i++) add_kernel(&s, &s.items[i]);
    if (s.count && !s.out.failed && ask(&s))
        set->code = native_library(s.out.data, b->isa->name, set->reason, sizeof set->reason);
    text_free(&s.out);
    if (set->code.library) take(&s, kernels, set);
    else if (*set->reason) snprintf(b->tuning->note, sizeof b->tuning->note, "maps are not compiled: %s", set->reason);
}

void native_release(native_set *set) {
    native_unload(set->code);
    *set = (native_set){ 0 };
}
