/* What the make-believe CUDA does: streams, events, copies, kernels and graphs. */
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>

#include "fake_cuda_parts.h"

enum { INVALID_VALUE = 1, INVALID_IMAGE = 200, NO_BINARY = 209, NOT_FOUND = 500 };

/* ---- streams ----------------------------------------------------------------------------------------------------- */

typedef struct node { fake_object o; fake_work *work; void *what; int n_after; struct node **after; } node;
typedef struct graph { fake_object o; int count; node **nodes; } graph;
typedef struct job { fake_work *work; void *what; struct job *next; } job;
typedef struct stream {
    fake_object    o;
    fake_context  *of;
    job           *first, **last;
    graph         *captured;
    pthread_t      by;
    struct stream *next;       /* of the context's */
} stream;

static void *copied(const void *what, size_t bytes) {
    void *copy = malloc(bytes ? bytes : 1);
    if (!copy) fake_stop("out of memory");
    return memcpy(copy, what, bytes);
}

/* After an error of a kernel nothing more is done. */
static void do_next(stream *s) {
    job *j = s->first;
    s->first = j->next;
    if (!s->first) s->last = &s->first;
    if (!s->of->sticky) s->of->sticky = j->work(j->what);
    free(j->what);
    free(j);
}

static unsigned drain(stream *s) {
    while (s->first) do_next(s);
    return s->of->sticky;
}

void fake_drain(const fake_context *c) {
    for (stream *s = c->streams; s; s = s->next) drain(s);
}

static node *add_node(graph *g, fake_work *work, void *what, node *const *after, size_t n_after) {
    node *n = fake_new("a node", sizeof *n);
    n->work = work, n->what = what, n->n_after = (int)n_after;
    n->after = copied(after, sizeof *after * n_after);
    g->nodes = realloc(g->nodes, sizeof *g->nodes * (size_t)(g->count + 1));
    if (!g->nodes) fake_stop("out of memory");
    return g->nodes[g->count++] = n;
}

static stream *stream_of(cuda_stream handle) {
    stream *s = fake_known(handle, "a stream");
    if (s->of != fake_now()) fake_stop("a stream of another device's");
    return s;
}

unsigned fake_queue(cuda_stream handle, fake_work *work, const void *what, size_t bytes) {
    stream *s = stream_of(handle);
    void *copy = copied(what, bytes);
    if (s->captured) {
        graph *g = s->captured;
        if (!pthread_equal(s->by, pthread_self())) fake_stop("a captured stream is used by another thread");
        add_node(g, work, copy, g->nodes + g->count - !!g->count, (size_t)!!g->count);
        return CUDA_SUCCESS;
    }
    job *j = copied(&(job){ work, copy, NULL }, sizeof *j);
    *s->last = j, s->last = &j->next;
    return CUDA_SUCCESS;
}

unsigned fake_cuStreamCreate(cuda_stream *out, unsigned flags) {
    CONTEXT_CALL("cuStreamCreate")
    if (flags != CUDA_STREAM_NON_BLOCKING) fake_stop("a stream that waits for the default one");
    stream *s = fake_new("a stream", sizeof *s);
    s->of = fake_now(), s->last = &s->first;
    s->next = s->of->streams, s->of->streams = s;
    *out = (cuda_stream)s;
    return CUDA_SUCCESS;
}

unsigned fake_cuStreamDestroy(cuda_stream handle) {
    RELEASING_CALL("cuStreamDestroy")
    stream *s = stream_of(handle);
    stream **l = &s->of->streams;
    drain(s);
    while (*l != s) l = &(*l)->next;
    *l = s->next;
    fake_end(s);
    return code;
}

/* It has waited whatever it says. */
unsigned fake_cuStreamSynchronize(cuda_stream handle) {
    RELEASING_CALL("cuStreamSynchronize")
    unsigned kernel = drain(stream_of(handle));
    return code ? code : kernel;
}

unsigned fake_cuStreamQuery(cuda_stream handle) {
    CONTEXT_CALL("cuStreamQuery")
    return stream_of(handle)->first ? CUDA_ERROR_NOT_READY : CUDA_SUCCESS;
}

unsigned fake_cuStreamBeginCapture(cuda_stream handle, unsigned mode) {
    CONTEXT_CALL("cuStreamBeginCapture")
    stream *s = stream_of(handle);
    if (mode != CUDA_STREAM_CAPTURE_MODE_THREAD_LOCAL) fake_stop("a capture that other threads take part in");
    s->captured = fake_new("a graph", sizeof(graph)), s->by = pthread_self();
    fake_capturing++;
    return CUDA_SUCCESS;
}

unsigned fake_cuStreamEndCapture(cuda_stream handle, cuda_graph *out) {
    CONTEXT_CALLED("cuStreamEndCapture")
    stream *s = stream_of(handle);
    if (!s->captured || !pthread_equal(s->by, pthread_self())) fake_stop("the end of a capture that did not begin");
    fake_capturing--;
    *out = code ? NULL : (cuda_graph)s->captured;
    if (code) fake_end(s->captured);
    s->captured = NULL;
    return code;
}

/* ---- events ------------------------------------------------------------------------------------------------------ */

/* Its time is how many kernels have run before it, as milliseconds. */
typedef struct event { fake_object o; fake_context *of; bool timed; int64_t pending, at; stream *in; } event;

static event *event_of(cuda_event handle) {
    event *e = fake_known(handle, "an event");
    if (e->of != fake_now()) fake_stop("an event of another device's");
    return e;
}

static unsigned pass(const void *what) {
    event *e = *(event *const *)what;
    e->pending--, e->at = fake.launches + fake.products;
    return CUDA_SUCCESS;
}

unsigned fake_cuEventCreate(cuda_event *out, unsigned flags) {
    CONTEXT_CALL("cuEventCreate")
    event *e = fake_new("an event", sizeof *e);
    e->of = fake_now(), e->timed = flags == CUDA_EVENT_DEFAULT;
    if (!e->timed && flags != CUDA_EVENT_DISABLE_TIMING) fake_stop("flags %u of an event", flags);
    *out = (cuda_event)e;
    return CUDA_SUCCESS;
}

unsigned fake_cuEventDestroy(cuda_event handle) {
    RELEASING_CALL("cuEventDestroy")
    fake_end(event_of(handle));
    return code;
}

unsigned fake_cuEventRecord(cuda_event handle, cuda_stream in) {
    CAPTURED_CALL("cuEventRecord")
    event *e = event_of(handle);
    if (stream_of(in)->captured) fake_stop("an event in a graph");
    e->pending++, e->in = stream_of(in);
    return fake_queue(in, pass, &e, sizeof e);
}

static unsigned wait_event(const event *e) {
    while (e->pending && e->in->first) do_next(e->in);
    return e->of->sticky;
}

unsigned fake_cuEventSynchronize(cuda_event handle) {
    RELEASING_CALL("cuEventSynchronize")
    unsigned kernel = wait_event(event_of(handle));
    return code ? code : kernel;
}

unsigned fake_cuEventElapsedTime(float *ms, cuda_event from, cuda_event to) {
    CONTEXT_CALL("cuEventElapsedTime")
    const event *a = event_of(from), *b = event_of(to);
    if (!a->timed || !b->timed || !a->in || !b->in || a->pending || b->pending) fake_stop("no time is known");
    *ms = (float)(b->at - a->at);
    return CUDA_SUCCESS;
}

/* ---- copies ------------------------------------------------------------------------------------------------------ */

typedef struct copy { void *to; const void *from; size_t bytes; } copy;

/* What the device reads or writes is there when it does. */
static unsigned do_copy(const void *what) {
    const copy *c = what;
    memcpy(c->to, c->from, c->bytes);
    return CUDA_SUCCESS;
}

unsigned fake_cuMemcpyHtoDAsync(cuda_address to, const void *from, size_t bytes, cuda_stream s) {
    CAPTURED_CALL("cuMemcpyHtoDAsync")
    copy c = { fake_device_memory(to, bytes), from, bytes };
    return fake_queue(s, do_copy, &c, sizeof c);
}

unsigned fake_cuMemcpyDtoHAsync(void *to, cuda_address from, size_t bytes, cuda_stream s) {
    CAPTURED_CALL("cuMemcpyDtoHAsync")
    copy c = { to, fake_device_memory(from, bytes), bytes };
    return fake_queue(s, do_copy, &c, sizeof c);
}

/* ---- modules and kernels ----------------------------------------------------------------------------------------- */

typedef struct module {
    fake_object o;
    fake_context *of;
    const built_entry *entry;
    struct function *function;
    int told;
} module;
typedef struct function { fake_object o; module *of; int room_bytes; } function;
/* `told`: numbers that are arguments of the kernel, in place of a table on the device. */
typedef struct launch {
    function    *kernel;
    cuda_address at[GPU_BLOCKS + 1];
    int          told;
    int64_t      numbers[GPU_NUMBERS];
    uint32_t     first, groups;
    int32_t      threads;
} launch;

unsigned fake_cuModuleLoadData(cuda_module *out, const void *cubin) {
    int capability = 0;
    const built *text;
    tide_failure why = { 0 };
    CONTEXT_CALL("cuModuleLoadData")
    const char *words = fake_text_of(cubin, &capability);
    if (!words) return INVALID_IMAGE;
    if (capability != fake.capability) return NO_BINARY;
    if (build_text(GPU_CUDA, words, 1, &text, &why)) return INVALID_IMAGE;
    module *m = fake_new("a module", sizeof *m);
    m->of = fake_now(), m->entry = &text->entries[0];
    sscanf(words, "#define GPU_TOLD %d", &m->told);
    if (m->told < 0 || m->told > GPU_NUMBERS) fake_stop("a kernel that is told %d numbers", m->told);
    m->function = fake_new("a function", sizeof *m->function);
    m->function->of = m;
    *out = (cuda_module)m;
    return CUDA_SUCCESS;
}

unsigned fake_cuModuleUnload(cuda_module handle) {
    RELEASING_CALL("cuModuleUnload")
    module *m = fake_known(handle, "a module");
    if (m->of != fake_now()) fake_stop("a module of another device's");
    fake_end(m);
    return code;
}

unsigned fake_cuModuleGetFunction(cuda_function *out, cuda_module handle, const char *name) {
    CONTEXT_CALL("cuModuleGetFunction")
    const module *m = fake_known(handle, "a module");
    if (strcmp(name, "k")) return NOT_FOUND;
    *out = (cuda_function)m->function;
    return CUDA_SUCCESS;
}

static function *function_of(cuda_function handle) {
    function *f = fake_known(handle, "a function");
    fake_known(f->of, "a module");
    return f;
}

static int most_threads(const built_entry *e) {
    return MIN2(e->threads, fake.kernel_threads ? fake.kernel_threads : fake.threads);
}

unsigned fake_cuFuncGetAttribute(int *out, unsigned what, cuda_function handle) {
    CONTEXT_CALL("cuFuncGetAttribute")
    if (what != CUDA_FUNC_ATTRIBUTE_MAX_THREADS_PER_BLOCK) return INVALID_VALUE;
    *out = most_threads(function_of(handle)->of->entry);
    return CUDA_SUCCESS;
}

unsigned fake_cuFuncSetAttribute(cuda_function handle, unsigned what, int value) {
    CONTEXT_CALL("cuFuncSetAttribute")
    if (what != CUDA_FUNC_ATTRIBUTE_MAX_DYNAMIC_SHARED_SIZE_BYTES || value < 0 || value > fake.room_bytes)
        return INVALID_VALUE;
    function_of(handle)->room_bytes = value;
    return CUDA_SUCCESS;
}

/* Arrays alone are of the usual size. */
static void expect_memory(const built_entry *e, const function *kernel, const cuda_node_params *p) {
    const int64_t all = (int64_t)e->local_bytes, room = p->sharedMemBytes;
    if (room > kernel->room_bytes || all - room > fake.local_bytes || all > (room ? fake.room_bytes : fake.local_bytes))
        fake_stop("groups with more memory than is said");
}

/* What a launch is, once and for all: arguments are copied. */
static launch launch_of(const cuda_node_params *p) {
    launch l = { .kernel = function_of(p->func), .groups = p->gridDimX, .threads = (int32_t)p->blockDimX };
    const built_entry *e = l.kernel->of->entry;
    if (l.kernel->of->of != fake_now()) fake_stop("a kernel of another device's");
    if (p->gridDimY != 1 || p->gridDimZ != 1 || p->blockDimY != 1 || p->blockDimZ != 1)
        fake_stop("a launch of more than one dimension");
    if (!l.groups || l.groups > INT32_MAX) fake_stop("a launch of %u groups", l.groups);
    if (l.threads != e->threads || l.threads > most_threads(e))
        fake_stop("groups of %d threads where %d are to be", (int)l.threads, (int)e->threads);
    if (p->extra) fake_stop("a launch with something extra");
    expect_memory(e, l.kernel, p);
    l.told = l.kernel->of->told;
    for (int i = 0; i < GPU_BLOCKS + !l.told; i++) {
        l.at[i] = *(const cuda_address *)p->kernelParams[i];
        fake_device_memory(l.at[i], 1);
    }
    if (l.told) memcpy(l.numbers, p->kernelParams[GPU_BLOCKS], sizeof *l.numbers * (size_t)l.told);
    else l.first = *(const uint32_t *)p->kernelParams[GPU_BLOCKS + 1];
    return l;
}

/* Every other goes from its last group and thread to the first. */
static unsigned do_launch(const void *what) {
    const launch *l = what;
    char *at[GPU_BLOCKS], why[300];
    unsigned code = fake_fault("run");
    if (code) return code;
    if (l->kernel->of->o.gone) fake_stop("a kernel runs whose module is gone");
    for (int i = 0; i < GPU_BLOCKS + !l->told; i++) {
        void *address = fake_device_memory(l->at[i], 1);
        if (i < GPU_BLOCKS) at[i] = address;
    }
    const built_entry *e = l->kernel->of->entry;
    group_launch g = { .entry = e->run, .blocks = at, .first = l->first, .threads = l->threads, .groups = l->groups,
                       .table = l->told ? l->numbers : (const int64_t *)(uintptr_t)l->at[GPU_BLOCKS], .local = e->local,
                       .local_bytes = e->local_bytes, .backwards = __builtin_parityll((uint64_t)fake.launches) };
    if (!group_run(&g, why, sizeof why)) fake_stop("%s", why);
    for (int i = 0; i < GPU_BLOCKS + !l->told; i++) fake_check_guards(l->at[i]);
    fake.launches++;
    return CUDA_SUCCESS;
}

unsigned fake_cuLaunchKernel(cuda_function handle, unsigned groups_x, unsigned groups_y, unsigned groups_z,
                             unsigned threads_x, unsigned threads_y, unsigned threads_z, unsigned local_bytes,
                             cuda_stream s, void **arguments, void **extra) {
    CAPTURED_CALL("cuLaunchKernel")
    cuda_node_params p = { handle, groups_x, groups_y, groups_z, threads_x, threads_y, threads_z, local_bytes,
                           arguments, extra, NULL, NULL };
    launch l = launch_of(&p);
    return fake_queue(s, do_launch, &l, sizeof l);
}

/* ---- graphs ------------------------------------------------------------------------------------------------------ */

typedef struct executable { fake_object o; fake_context *of; int count; node **nodes; } executable;

unsigned fake_cuGraphCreate(cuda_graph *out, unsigned flags) {
    CONTEXT_CALL("cuGraphCreate")
    if (flags) return INVALID_VALUE;
    *out = fake_new("a graph", sizeof(graph));
    return CUDA_SUCCESS;
}

unsigned fake_cuGraphDestroy(cuda_graph handle) {
    RELEASING_CALL("cuGraphDestroy")
    fake_end(fake_known(handle, "a graph"));
    return code;
}

static bool is_of(const graph *g, const node *n) {
    for (int i = 0; i < g->count; i++)
        if (g->nodes[i] == n) return true;
    return false;
}

/* Edges come from the graph's own nodes, each from another. */
static cuda_node new_node(graph *g, fake_work *work, void *what, const cuda_node *after, size_t n) {
    node **from = calloc(n + 1, sizeof *from);
    if (!from) fake_stop("out of memory");
    for (size_t i = 0; i < n; i++) {
        from[i] = fake_known(after[i], "a node");
        if (!is_of(g, from[i])) fake_stop("an edge from another graph");
        for (size_t j = 0; j < i; j++)
            if (from[j] == from[i]) fake_stop("two edges from one node");
    }
    cuda_node made = (cuda_node)add_node(g, work, what, from, n);
    free(from);
    return made;
}

unsigned fake_cuGraphAddKernelNode(cuda_node *out, cuda_graph handle, const cuda_node *after, size_t n,
                                   const cuda_node_params *p) {
    CONTEXT_CALL("cuGraphAddKernelNode")
    launch l = launch_of(p);
    *out = new_node(fake_known(handle, "a graph"), do_launch, copied(&l, sizeof l), after, n);
    return CUDA_SUCCESS;
}

/* An edge that lets a kernel start early is one of these, for it waits by itself. */
FAKE_SYMBOL(cu, GraphAddDependencies, "_v2",
            (cuda_graph, const cuda_node *from, const cuda_node *to, const cuda_edge *, size_t))
unsigned fake_cuGraphAddDependencies(cuda_graph handle, const cuda_node *from, const cuda_node *to,
                                     const cuda_edge *edge, size_t n) {
    CONTEXT_CALL("cuGraphAddDependencies")
    const graph *g = fake_known(handle, "a graph");
    for (size_t i = 0; i < n; i++) {
        node *a = fake_known(from[i], "a node"), *b = fake_known(to[i], "a node");
        if (!is_of(g, a) || !is_of(g, b) || a == b) fake_stop("an edge from another graph");
        if (edge[i].from_port != CUDA_PORT_PROGRAMMATIC || edge[i].type != CUDA_EDGE_PROGRAMMATIC)
            return INVALID_VALUE;
        if (a->work != do_launch || b->work != do_launch) fake_stop("an early start of what is no kernel");
        node **more = realloc(b->after, sizeof *more * (size_t)(b->n_after + 1));
        if (!more) fake_stop("out of memory");
        b->after = more, b->after[b->n_after++] = a;
    }
    return CUDA_SUCCESS;
}

static uint64_t drawn(void) {
    fake.seed = fake.seed * 6364136223846793005u + 1442695040888963407u;
    return fake.seed >> 33;
}

/* Any of the nodes that may run next. */
static int draw_ready(const executable *e, const bool *done) {
    int chosen = -1;
    uint64_t ready = 0;
    for (int i = 0; i < e->count; i++) {
        bool may = !done[i];
        for (int j = 0; may && j < e->nodes[i]->n_after; j++)
            for (int k = 0; may && k < e->count; k++)
                if (e->nodes[k] == e->nodes[i]->after[j]) may = done[k];
        if (may && drawn() % ++ready == 0) chosen = i;
    }
    return chosen;
}

static unsigned do_graph(const void *what) {
    const executable *e = *(executable *const *)what;
    bool *done = calloc((size_t)e->count + 1, sizeof *done);
    if (!done) fake_stop("out of memory");
    unsigned code = CUDA_SUCCESS;
    for (int i = 0; i < e->count && !code; i++) {
        int next = draw_ready(e, done);
        if (next < 0) fake_stop("nodes that wait for each other");
        fake.out_of_order += next != i;
        code = e->nodes[next]->work(e->nodes[next]->what);
        done[next] = true;
    }
    free(done);
    return code;
}

static executable *snapshot(const graph *g, const char *kind) {
    executable *e = fake_new(kind, sizeof *e);
    e->of = fake_now(), e->count = g->count;
    e->nodes = copied(g->nodes, sizeof *g->nodes * (size_t)g->count);
    return e;
}

unsigned fake_cuGraphAddChildGraphNode(cuda_node *out, cuda_graph handle, const cuda_node *after, size_t n,
                                       cuda_graph child) {
    CONTEXT_CALL("cuGraphAddChildGraphNode")
    executable *copy = snapshot(fake_known(child, "a graph"), "a copied graph");
    *out = new_node(fake_known(handle, "a graph"), do_graph, copied(&copy, sizeof copy), after, n);
    return CUDA_SUCCESS;
}

unsigned fake_cuGraphInstantiate(cuda_graph_exec *out, cuda_graph handle, unsigned long long flags) {
    CONTEXT_CALL("cuGraphInstantiate")
    if (flags) return INVALID_VALUE;
    *out = (cuda_graph_exec)snapshot(fake_known(handle, "a graph"), "an executable graph");
    return CUDA_SUCCESS;
}

/* What is queued of it runs. */
unsigned fake_cuGraphExecDestroy(cuda_graph_exec handle) {
    RELEASING_CALL("cuGraphExecDestroy")
    fake_end(fake_known(handle, "an executable graph"));
    return code;
}

unsigned fake_cuGraphLaunch(cuda_graph_exec handle, cuda_stream s) {
    CONTEXT_CALL("cuGraphLaunch")
    executable *e = fake_known(handle, "an executable graph");
    if (e->of != fake_now()) fake_stop("a graph of another device's");
    fake.graphs++;
    return fake_queue(s, do_graph, &e, sizeof e);
}
