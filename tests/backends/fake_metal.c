/* A library in place of Apple's: an Objective-C runtime with just the classes that the driver's table knows, on which
 * texts run as they are, built for the processor and a group's threads as fibers (gpu/build.h, gpu/group.h). It is
 * stricter than Apple's: a message to nil, to an object of another class or to one that is gone, an object that nobody
 * would release, what Apple's validation layer warns of: all end the program. Command buffers run when they are waited
 * for, or one at each question whether one is done. One thread at a time. */
#include "fake_metal.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "backends/gpu/driver.h"
#include "backends/metal/metal.h"
#include "gpu/build.h"

#define SHOWN __attribute__((visibility("default")))
enum { MOST_ARGUMENTS = 31, MOST_RUNNING = 64, MOST_POOLED = 4096, MOST_DEVICES = 4, GUARD = 1024, GUARD_BYTE = 0xC3,
       FRESH_BYTE = 0xFF, MOST_BYTES = 4096 };

static int64_t live(void);
SHOWN extern fake_metal fake;
fake_metal fake = { .devices = 1, .threads = 1024, .local_bytes = 32768, .most_bytes = (uint64_t)1 << 33,
                    .most_block_bytes = (uint64_t)1 << 32, .live = live, .possible = build_possible };

static void stop(const char *format, ...) TIDE_PRINTF(1, 2);
static void stop(const char *format, ...) {
    va_list arguments;
    va_start(arguments, format);
    fputs("fake Metal: ", stderr);
    vfprintf(stderr, format, arguments);
    fputs("\n", stderr);
    va_end(arguments);
    abort();
}

/* Whether it is the one that is to fail. */
static bool fails(const char *name) {
    if (!fake.fail || strcmp(fake.fail, name) || fake.after-- > 0) return false;
    if (fake.more-- <= 0) fake.fail = NULL, fake.more = 0;
    fake.after = 0;
    return true;
}
#define FAILS fails(__func__ + sizeof "fake" /* and its _ */)

/* ---- objects: what is gone stays, and is known by it ----------------------------------------------------------- */

typedef struct launch {
    const built_entry *entry;  /* NULL: a copy of so many bytes from the first buffer into the second */
    uint64_t into_at, bytes;
    struct metal_object *buffers[GPU_BLOCKS + 1];
    uint32_t first;
    int64_t  groups;
    int32_t  threads;
} launch;

typedef struct metal_object object;
struct metal_object {
    uint64_t    magic;
    object     *next;                  /* of all */
    const char *of;                    /* its class */
    int         held;
    bool        is_class, is_ready;    /* ready: initialised */
    char       *words;                 /* string, error */
    object    **items;                 /* array */
    uint64_t    count;
    int         index;                 /* device */
    char       *data;                  /* buffer, between guards */
    uint64_t    bytes;
    const built *text;                 /* library */
    const built_entry *entry;          /* function, pipeline; encoder: what is set */
    uint64_t    status;                /* command buffer */
    object     *error, *encoder, *queue, *following;
    launch     *launches;
    int32_t     n_launches;
    double      began, ended;
    object     *buffer;                /* encoder: of which command buffer */
    object     *arguments[MOST_ARGUMENTS];
    uint32_t    first;
    bool        has_first, is_ended;
};

static const uint64_t magic = 0x6d6574616c66616b;
static object *all;
static object *waiting;                /* command buffers that were committed and have not run, the oldest first */
static object *pooled[MOST_POOLED];
static int     n_pooled, pools;

static object *made(const char *of) {
    object *o = calloc(1, sizeof *o);
    if (!o) stop("out of memory");
    o->magic = magic, o->of = of, o->held = 1, o->next = all, o->is_ready = true;
    return all = o;
}

static object *pool_it(object *o) {
    if (!pools) stop("an object of %s for a pool, and there is no pool", o->of);
    if (n_pooled == MOST_POOLED) stop("a pool that is never emptied");
    return pooled[n_pooled++] = o;
}

static object *string_of(const char *words) {
    object *o = made("NSString");
    o->words = strdup(words);
    return o;
}

static object *error_of(const char *words) {
    object *o = made("NSError");
    o->words = strdup(words);
    return pool_it(o);
}

static void let_go(object *o);

static void check_guards(const object *o) {
    for (int64_t i = 1; i <= GUARD; i++)
        if ((uint8_t)o->data[-i] != GUARD_BYTE || (uint8_t)o->data[(int64_t)o->bytes + i - 1] != GUARD_BYTE)
            stop("something wrote %" PRId64 " bytes outside a buffer of %" PRIu64, i, o->bytes);
}

static bool is_encoder(const object *o) {
    return !strcmp(o->of, "MTLComputeCommandEncoder") || !strcmp(o->of, "MTLBlitCommandEncoder");
}

static void end_buffer(object *o) {
    if (o->status && o->status < METAL_COMPLETED) stop("a command buffer that was committed lost its last holder");
    if (o->encoder && !o->encoder->is_ended) stop("a command buffer is released with an open encoder");
    for (int32_t i = 0; i < o->n_launches; i++)
        for (int j = 0; j <= GPU_BLOCKS; j++) let_go(o->launches[i].buffers[j]);
    free(o->launches);
    let_go(o->encoder), let_go(o->error), let_go(o->queue);
}

static void let_go(object *o) {
    if (!o || --o->held) return;
    for (uint64_t i = 0; i < o->count; i++) let_go(o->items[i]);
    if (!strcmp(o->of, "MTLCommandBuffer")) end_buffer(o);
    if (is_encoder(o) && !o->is_ended) stop("an encoder is released before its end");
    if (o->data) check_guards(o), free(o->data - GUARD);
    free(o->words), free(o->items);
    o->words = NULL, o->items = NULL, o->data = NULL, o->count = 0;
}

static object *held(object *o) {
    if (o) o->held++;
    return o;
}

static object *devices[MOST_DEVICES];
static object *device_at(int index) {
    if (!devices[index]) devices[index] = made("MTLDevice"), devices[index]->index = index;
    return devices[index];
}

static int64_t live(void) {
    int64_t count = 0;
    for (const object *o = all; o; o = o->next) count += o->held > 0 && !o->is_class;
    for (int i = 0; i < MOST_DEVICES; i++) count -= devices[i] && devices[i]->held == 1;
    return count;
}

/* ---- the runtime: a message finds its method by class and selector, and jumps there ---------------------------- */

#define DECLARED(of, returns, name, words, takes) static returns fake_##name takes;
METAL_MESSAGES(DECLARED)
METAL_STRUCTURES(DECLARED)

struct metal_selector { const char *of, *words; void (*method)(void); };
#define ROW(of, returns, name, words, takes) { #of, words, (void (*)(void))fake_##name },
static struct metal_selector selectors[] = { METAL_MESSAGES(ROW) METAL_STRUCTURES(ROW) };
enum { SELECTORS = sizeof selectors / sizeof *selectors };

static bool is_a(const object *o, const char *of) {
    if (!strcmp(of, "NSObject") || !strcmp(o->of, of)) return true;
    return !strcmp(of, "MTLCommandEncoder") && is_encoder(o);
}

static object *known(object *o, const char *of) {
    if (!o) stop("nil in place of an object of %s", of);
    if (o->magic != magic || o->held < 1) stop("no object, or one that is gone, in place of one of %s", of);
    if (!is_a(o, of)) stop("an object of %s in place of one of %s", o->of, of);
    return o;
}

static bool of_class(const struct metal_selector *s) {
    return !strcmp(s->words, "alloc") || !strncmp(s->words, "stringWith", 10);
}

static bool newer(const struct metal_selector *s) {
    return !strcmp(s->words, "setMathMode:") || !strcmp(s->words, "setMathFloatingPointFunctions:");
}

__attribute__((used)) static void (*fake_find(object *to, metal_sel selector))(void) {
    if (selector < selectors || selector >= selectors + SELECTORS) stop("no selector of sel_registerName");
    known(to, selector->of);
    if (to->is_class != of_class(selector)) stop("%s: a class in place of an object, or vice versa", selector->words);
    if (fake.old && newer(selector)) stop("this system does not know %s", selector->words);
    return selector->method;
}

/* Whatever was passed in registers is passed on. */
#ifdef __APPLE__
#define BEGINS(name) ".globl _" name "\n_" name ":\n"
#define FIND "_fake_find\n"
#else
#define BEGINS(name) ".globl " name "\n.type " name ", %function\n" name ":\n"
#define FIND "fake_find\n"
#endif
#if defined __x86_64__
#define SENDS(name, moves)                                                                                             \
    BEGINS(name)                                                                                                       \
    "push %rdi\npush %rsi\npush %rdx\npush %rcx\npush %r8\npush %r9\nsub $8, %rsp\n" moves                             \
    "call " FIND "add $8, %rsp\npop %r9\npop %r8\npop %rcx\npop %rdx\npop %rsi\npop %rdi\njmp *%rax\n"
__asm__(".text\n" SENDS("objc_msgSend", "") SENDS("objc_msgSend_stret", "mov %rsi, %rdi\nmov %rdx, %rsi\n"));
#elif defined __aarch64__
__asm__(".text\n" BEGINS("objc_msgSend") "stp x29, x30, [sp, #-96]!\nstp x0, x1, [sp, #16]\nstp x2, x3, [sp, #32]\n"
        "stp x4, x5, [sp, #48]\nstp x6, x7, [sp, #64]\nstr x8, [sp, #80]\nbl " FIND "mov x16, x0\n"
        "ldr x8, [sp, #80]\nldp x6, x7, [sp, #64]\nldp x4, x5, [sp, #48]\nldp x2, x3, [sp, #32]\n"
        "ldp x0, x1, [sp, #16]\nldp x29, x30, [sp], #96\nbr x16\n");
#endif

#define FUNCTION(returns, name, takes) SHOWN extern returns name takes;
METAL_FUNCTIONS(FUNCTION)

metal_sel sel_registerName(const char *name) {
    for (int i = 0; i < SELECTORS; i++)
        if (!strcmp(selectors[i].words, name)) return &selectors[i];
    stop("the table has no selector %s", name);
    return NULL;
}

metal_id objc_getClass(const char *name) {
    static object *classes[2];
    static const char *const names[] = { "NSString", "MTLCompileOptions" };
    if (fails(__func__)) return NULL;
    for (int i = 0; i < 2; i++) {
        if (strcmp(name, names[i])) continue;
        if (!classes[i]) classes[i] = made(names[i]), classes[i]->is_class = true;
        return classes[i];
    }
    stop("there is no class %s", name);
    return NULL;
}

void *objc_autoreleasePoolPush(void) {
    pools++;
    return &pooled[n_pooled];
}

void objc_autoreleasePoolPop(void *pool) {
    if (!pools-- || (object **)pool > pooled + n_pooled) stop("a pool that was emptied before");
    while (pooled + n_pooled > (object **)pool) let_go(pooled[--n_pooled]);
}

metal_id MTLCopyAllDevices(void) {
    object *list = made("NSArray");
    list->items = calloc(MOST_DEVICES, sizeof *list->items);
    list->count = fake.unlisted ? 0 : (uint64_t)fake.devices;
    for (uint64_t i = 0; i < list->count; i++) list->items[i] = held(device_at((int)i));
    return list;
}

metal_id MTLCreateSystemDefaultDevice(void) {
    return fake.devices && !fails(__func__) ? held(device_at(0)) : NULL;
}


/* ---- methods: a message's type is the table's ------------------------------------------------------------------ */

/* No method asks what it is called by. */
#pragma GCC diagnostic ignored "-Wunused-parameter"

static metal_id fake_alloc(METAL_TO) {
    if (FAILS) return NULL;
    object *o = made(to->of);
    o->is_ready = false;
    return o;
}

static metal_id fake_init(METAL_TO) {
    if (to->is_ready) stop("an object is initialised twice");
    if (FAILS) {
        let_go(to);
        return NULL;
    }
    fake.language = 0, fake.math = fake.functions = -1, fake.fast = true;
    to->is_ready = true;
    return to;
}

static metal_id fake_retain(METAL_TO) { return held(to); }
static void fake_release(METAL_TO) { let_go(to); }
static bool fake_responds(METAL_TO, metal_sel asked) { return is_a(to, asked->of) && !(fake.old && newer(asked)); }

static metal_id fake_string(METAL_TO, const char *words, uint64_t encoding) {
    if (encoding != METAL_UTF8) stop("a string that is not UTF-8");
    return FAILS ? NULL : pool_it(string_of(words));
}

static const char *fake_utf8(METAL_TO) { return to->words; }
static uint64_t fake_count(METAL_TO) { return to->count; }

static metal_id fake_at(METAL_TO, uint64_t index) {
    if (index >= to->count) stop("beyond the end of an array");
    return to->items[index];
}

static metal_id fake_description(METAL_TO) { return pool_it(string_of(to->words)); }

/* ---- devices ---- */

static metal_id fake_name(METAL_TO) { return pool_it(string_of(to->index ? "Fake M1" : "Fake M9")); }
static metal_size fake_group_size(METAL_TO) { return (metal_size){ fake.threads, fake.threads, 64 }; }
static uint64_t fake_local_bytes(METAL_TO) { return fake.local_bytes; }
static uint64_t fake_most_bytes(METAL_TO) { return fake.most_bytes; }
static uint64_t fake_most_block_bytes(METAL_TO) { return fake.most_block_bytes; }

static uint64_t fake_used_bytes(METAL_TO) {
    uint64_t bytes = 0;
    for (const object *o = all; o; o = o->next) bytes += o->data ? o->bytes : 0;
    return bytes;
}

static metal_id fake_new_queue(METAL_TO) { return FAILS ? NULL : made("MTLCommandQueue"); }

static metal_id fake_new_buffer(METAL_TO, uint64_t bytes, uint64_t options) {
    if (options != METAL_STORAGE_SHARED) stop("a buffer that is not shared");
    if (!bytes || bytes > fake.most_block_bytes) stop("a buffer of %" PRIu64 " bytes", bytes);
    if (FAILS) return NULL;
    char *whole = aligned_alloc(64, (size_t)round_up((int64_t)bytes, 64) + 2 * GUARD);
    if (!whole) return NULL;
    object *o = made("MTLBuffer");
    o->data = whole + GUARD, o->bytes = bytes;
    memset(whole, GUARD_BYTE, (size_t)bytes + 2 * GUARD);
    memset(o->data, FRESH_BYTE, (size_t)bytes);
    return o;
}

static void *fake_contents(METAL_TO) { return FAILS ? NULL : to->data; }

/* ---- programs ---- */

static void fake_set_fast_math(METAL_TO, bool fast) { fake.fast = fast; }
static void fake_set_math_mode(METAL_TO, int64_t mode) { fake.math = mode; }
static void fake_set_functions(METAL_TO, int64_t which) { fake.functions = which; }
static void fake_set_language(METAL_TO, uint64_t version) { fake.language = version; }

static object *told(metal_id *error, const char *format, const char *words) {
    char whole[800];
    snprintf(whole, sizeof whole, format, words);
    if (error) *error = error_of(whole);
    return NULL;
}

static metal_id fake_new_library(METAL_TO, metal_id source, metal_id options, metal_id *error) {
    tide_failure why = { 0 };
    const built *text;
    int32_t entries = 0;
    if (!known(options, "MTLCompileOptions")->is_ready) stop("compile options without init");
    for (const char *at = known(source, "NSString")->words; (at = strstr(at, "\nKERNEL(k")); at++) entries++;
    if (FAILS) return told(error, "Compilation failed: \n\n%s\nthe text\n", "source:1:1: error: it was told to");
    if (build_text(GPU_METAL, source->words, entries, &text, &why))
        return told(error, "Compilation failed: \n\n%s\n", why.message);
    object *o = made("MTLLibrary");
    o->text = text;
    return o;
}

static metal_id fake_new_function(METAL_TO, metal_id name) {
    int entry;
    if (sscanf(known(name, "NSString")->words, "k%d", &entry) != 1 || entry >= to->text->n_entries) return NULL;
    if (FAILS) return NULL;
    object *o = made("MTLFunction");
    o->entry = &to->text->entries[entry];
    return o;
}

static metal_id fake_new_pipeline(METAL_TO, metal_id function, metal_id *error) {
    const built_entry *entry = known(function, "MTLFunction")->entry;
    if (FAILS) return told(error, "%s", "Compute function exceeds available registers\nand so on");
    object *o = made("MTLComputePipelineState");
    o->entry = entry;
    return o;
}

static uint64_t most_of(const built_entry *e) {
    return MIN2((uint64_t)e->threads, fake.pipeline_threads ? fake.pipeline_threads : fake.threads);
}
static uint64_t fake_most_threads(METAL_TO) { return most_of(to->entry); }

/* ---- command buffers and what they hold ---- */

static metal_id fake_command_buffer(METAL_TO) {
    int running = 0;
    for (const object *o = waiting; o; o = o->following) running++;
    if (running >= MOST_RUNNING) stop("a queue of %d command buffers, none of them waited for", running);
    if (FAILS) return NULL;
    object *o = pool_it(made("MTLCommandBuffer"));
    o->queue = held(to);
    return o;
}

static object *new_encoder(object *buffer, const char *of) {
    object *o = pool_it(made(of));
    let_go(buffer->encoder);
    buffer->encoder = held(o);
    o->buffer = buffer; /* which outlives it */
    return o;
}

static void check_free(const object *buffer) {
    bool open = buffer->encoder && !buffer->encoder->is_ended;
    if (buffer->status || open) stop("a second encoder, or one after commit");
}

static metal_id fake_encoder(METAL_TO) {
    check_free(to);
    return FAILS ? NULL : new_encoder(to, "MTLComputeCommandEncoder");
}

static metal_id fake_copier(METAL_TO) {
    check_free(to);
    return FAILS ? NULL : new_encoder(to, "MTLBlitCommandEncoder");
}

static launch *add_launch(object *encoder) {
    object *b = encoder->buffer;
    b->launches = realloc(b->launches, sizeof *b->launches * (size_t)(b->n_launches + 1));
    if (!b->launches) stop("out of memory");
    launch *l = &b->launches[b->n_launches++];
    *l = (launch){ 0 };
    return l;
}

static void fake_set_label(METAL_TO, metal_id label) {
    snprintf(fake.label, sizeof fake.label, "%s", known(label, "NSString")->words);
}

static void open_encoder(const object *o) {
    if (o->is_ended) stop("an encoder is used after its end");
}

static void fake_set_pipeline(METAL_TO, metal_id pipeline) {
    open_encoder(to);
    to->entry = known(pipeline, "MTLComputePipelineState")->entry;
}

static void fake_set_buffer(METAL_TO, metal_id buffer, uint64_t offset, uint64_t index) {
    open_encoder(to);
    if (index >= MOST_ARGUMENTS || offset) stop("argument %" PRIu64 " at %" PRIu64, index, offset);
    to->arguments[index] = buffer ? known(buffer, "MTLBuffer") : NULL;
}

static void fake_set_bytes(METAL_TO, const void *bytes, uint64_t length, uint64_t index) {
    open_encoder(to);
    if (index != GPU_BLOCKS + 1 || length != sizeof to->first) stop("bytes that no kernel takes");
    memcpy(&to->first, bytes, sizeof to->first);
    to->has_first = true;
}

static void fake_dispatch(METAL_TO, metal_size groups, metal_size threads) {
    open_encoder(to);
    if (!to->entry || !to->has_first) stop("a launch without its pipeline or its numbers");
    if (groups.height != 1 || groups.depth != 1 || threads.height != 1 || threads.depth != 1 || !groups.width)
        stop("groups of more than one dimension, or none");
    if (threads.width > most_of(to->entry) || threads.width != (uint64_t)to->entry->threads)
        stop("groups of %" PRIu64 " threads where %d are to be", threads.width, (int)to->entry->threads);
    if (to->entry->local_bytes > fake.local_bytes) stop("groups with more memory than there is");
    launch *l = add_launch(to);
    l->entry = to->entry, l->first = to->first;
    l->groups = (int64_t)groups.width, l->threads = (int32_t)threads.width;
    for (int i = 0; i <= GPU_BLOCKS; i++) l->buffers[i] = held(to->arguments[i]);
}

static void fake_copy(METAL_TO, metal_id from, uint64_t from_at, metal_id into, uint64_t into_at, uint64_t bytes) {
    open_encoder(to);
    if (from_at || into_at % 4 || bytes % 4 || !bytes) stop("a copy of %" PRIu64 " bytes to %" PRIu64, bytes, into_at);
    if (bytes > known(from, "MTLBuffer")->bytes || into_at + bytes > known(into, "MTLBuffer")->bytes)
        stop("a copy beyond the end of a buffer");
    launch *l = add_launch(to);
    l->buffers[0] = held(from), l->buffers[1] = held(into), l->into_at = into_at, l->bytes = bytes;
    fake.copies++;
}

static void fake_end_encoding(METAL_TO) {
    open_encoder(to);
    to->is_ended = true;
}

/* The queue holds it until it has run. */
static void fake_commit(METAL_TO) {
    object **last = &waiting;
    if (to->status) stop("a command buffer is committed twice");
    if (to->encoder && !to->encoder->is_ended) stop("a command buffer is committed before its encoder's end");
    to->status = 2;
    while (*last) last = &(*last)->following;
    *last = held(to);
}

/* ---- running ---- */

static bool run_launch(const launch *l, bool backwards, char *why, size_t size) {
    if (!l->entry) {
        memcpy(l->buffers[1]->data + l->into_at, l->buffers[0]->data, (size_t)l->bytes);
        return true;
    }
    char *blocks[GPU_BLOCKS];
    for (int i = 0; i < GPU_BLOCKS; i++) blocks[i] = l->buffers[i] ? l->buffers[i]->data : NULL;
    group_launch g = { .entry = l->entry->run, .blocks = blocks, .first = l->first, .threads = l->threads,
                       .groups = l->groups, .local = l->entry->local, .local_bytes = l->entry->local_bytes,
                       .backwards = backwards };
    if (l->buffers[GPU_BLOCKS]) g.table = (const int64_t *)(const void *)l->buffers[GPU_BLOCKS]->data;
    fake.launches++;
    bool done = group_run(&g, why, size);
    for (int i = 0; i <= GPU_BLOCKS; i++)
        if (l->buffers[i]) check_guards(l->buffers[i]);
    return done;
}

/* After a failure nothing of a command buffer runs. In some, groups and threads go from the last to the first, in no
 * period that two runs of a program could share. */
static void run_next(void) {
    object *o = waiting;
    bool backwards = __builtin_parityll((unsigned long long)fake.command_buffers);
    char why[300] = "Caused GPU Timeout Error (00000002:kIOGPUCommandBufferCallbackErrorTimeout)";
    bool good = !fails("run");
    waiting = o->following, o->following = NULL;
    o->began = os_seconds();
    for (int32_t i = 0; i < o->n_launches && good; i++)
        good = run_launch(&o->launches[i], backwards, why, sizeof why);
    o->ended = os_seconds();
    fake.command_buffers++;
    o->status = good ? METAL_COMPLETED : METAL_ERROR;
    if (!good) {
        o->error = made("NSError");
        o->error->words = strdup(why);
    }
    let_go(o);
}

static void fake_wait(METAL_TO) {
    if (!to->status) stop("waiting for a command buffer that was not committed");
    while (to->status < METAL_COMPLETED) run_next();
}

static uint64_t fake_status(METAL_TO) {
    uint64_t now = to->status;
    if (now && now < METAL_COMPLETED) run_next();
    return now;
}

static metal_id fake_error(METAL_TO) { return to->error; }

static double done_at(const object *o, double when) {
    if (o->status < METAL_COMPLETED) stop("the times of a command buffer that has not run");
    return when;
}
static double fake_began(METAL_TO) { return done_at(to, to->began); }
static double fake_ended(METAL_TO) { return done_at(to, to->ended); }
