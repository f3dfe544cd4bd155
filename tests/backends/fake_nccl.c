/* NCCL's part of the make-believe CUDA: ranks are threads of this process. A call is under way for a while, and a
 * gather waits on its stream for those of the others. */
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "backends/cuda/nccl.h"
#include "fake_cuda_parts.h"

enum { MOST_RANKS = 4, MOST_GATHERS = 1 << 14, ASKED = 3 /* times, until a call is done */, PATIENCE_S = 60 };

typedef struct group { int count, joined; struct comm *of[MOST_RANKS]; } group;
typedef struct comm {
    fake_object   o;
    group        *group;
    fake_context *of;
    int           rank, asked;
    int           queued;              /* gathers */
    void         *sent[MOST_GATHERS];  /* of each that its stream came to */
    bool          aborted, finalized;
} comm;

static group groups[64];
static int   n_groups;

#define DECLARED_NCCL(name, version, takes) FAKE_SYMBOL(nccl, name, version, takes)
NCCL_FUNCTIONS(DECLARED_NCCL)

__attribute__((visibility("default"))) const char *fake_ncclGetErrorString(unsigned) __asm__("ncclGetErrorString");
__attribute__((visibility("default"))) const char *fake_ncclGetLastError(nccl_comm) __asm__("ncclGetLastError");

const char *fake_ncclGetErrorString(unsigned code) {
    return code == NCCL_InvalidUsage ? "invalid usage" : "unhandled system error";
}

const char *fake_ncclGetLastError(nccl_comm handle) {
    FAKE_ENTER
    return handle && fake_known(handle, "a communicator") ? "Duplicate GPU detected" : "";
}

static comm *comm_of(nccl_comm handle) { return fake_known(handle, "a communicator"); }

unsigned fake_ncclGetVersion(int *version) {
    CALL("ncclGetVersion")
    *version = fake.nccl_version;
    return NCCL_Success;
}

unsigned fake_ncclGetUniqueId(nccl_id *id) {
    CALL("ncclGetUniqueId")
    memset(id, 0x5a, sizeof *id);
    if (n_groups == sizeof groups / sizeof *groups) fake_stop("too many groups of ranks");
    memcpy(id->internal, &n_groups, sizeof n_groups);
    n_groups++;
    return NCCL_Success;
}

static group *group_of(const nccl_id *id) {
    int number;
    memcpy(&number, id->internal, sizeof number);
    for (size_t i = sizeof number; i < sizeof *id; i++)
        if (id->internal[i] != 0x5a) fake_stop("a group's name that ncclGetUniqueId did not make");
    if (number < 0 || number >= n_groups) fake_stop("a group that nobody named");
    return &groups[number];
}

unsigned fake_ncclCommInitRankConfig(nccl_comm *out, int count, nccl_id id, int rank, nccl_config *config) {
    CALL("ncclCommInitRankConfig")
    code = fake_current("ncclCommInitRankConfig");
    if (code) return code;
    if (config->magic != NCCL_MAGIC || config->version != NCCL_OLDEST || config->blocking != 0 ||
        config->size != sizeof *config)
        fake_stop("a configuration that is none");
    group *g = group_of(&id);
    if (count > MOST_RANKS || rank < 0 || rank >= count || g->of[rank] || (g->count && g->count != count))
        fake_stop("rank %d of %d", rank, count);
    comm *c = fake_new("a communicator", sizeof *c);
    c->group = g, c->of = fake_now(), c->rank = rank;
    g->of[rank] = c, g->count = count, g->joined++;
    *out = (nccl_comm)c;
    return NCCL_InProgress;
}

static bool twice(const group *g) {
    for (int i = 0; i < g->count; i++)
        for (int j = 0; j < i; j++)
            if (g->of[i]->of == g->of[j]->of) return true;
    return false;
}

unsigned fake_ncclCommGetAsyncError(nccl_comm handle, unsigned *state) {
    CALL("ncclCommGetAsyncError")
    comm *c = comm_of(handle);
    bool under_way = c->group->joined < c->group->count || c->asked < ASKED;
    if (c->group->joined == c->group->count) c->asked++;
    *state = under_way ? NCCL_InProgress : twice(c->group) ? NCCL_InvalidUsage : NCCL_Success;
    return NCCL_Success;
}

/* ---- gathers ---- */

typedef struct gather { comm *c; int number; const char *from; char *to; size_t bytes; } gather;

static bool all_there(const gather *g) {
    bool all = true;
    for (int i = 0; i < g->c->group->count; i++) all = all && g->c->group->of[i]->sent[g->number];
    return all;
}

static unsigned do_gather(const void *what) {
    const gather *g = what;
    void *mine = malloc(g->bytes);
    if (!mine) fake_stop("out of memory");
    g->c->sent[g->number] = memcpy(mine, g->from, g->bytes);
    for (double end = os_seconds() + PATIENCE_S; !all_there(g) && !g->c->aborted; fake_pause())
        if (os_seconds() > end) fake_stop("a gather whose other ranks never come");
    for (int i = 0; i < g->c->group->count && all_there(g); i++)
        memcpy(g->to + (size_t)i * g->bytes, g->c->group->of[i]->sent[g->number], g->bytes);
    fake_check_guards((cuda_address)(uintptr_t)g->to);
    fake.gathers++;
    return CUDA_SUCCESS;
}

unsigned fake_ncclAllGather(const void *from, void *to, size_t count, unsigned type, nccl_comm handle,
                            cuda_stream stream) {
    CALL("ncclAllGather")
    comm *c = comm_of(handle);
    code = fake_current("ncclAllGather");
    if (code) return code;
    if (c->of != fake_now()) fake_stop("a communicator of another device's");
    if (type != NCCL_Float32) fake_stop("a gather of another type than float");
    if (c->queued == MOST_GATHERS) fake_stop("too many gathers");
    size_t bytes = count * sizeof(float);
    gather g = { c, c->queued++, fake_device_memory((cuda_address)(uintptr_t)from, bytes),
                 fake_device_memory((cuda_address)(uintptr_t)to, bytes * (size_t)c->group->count), bytes };
    code = fake_queue(stream, do_gather, &g, sizeof g);
    c->asked = 0;
    return code ? code : NCCL_InProgress;
}

static __thread int grouped;

unsigned fake_ncclGroupStart(void) {
    CALL("ncclGroupStart")
    grouped++;
    return NCCL_Success;
}

unsigned fake_ncclGroupEnd(void) {
    CALLED("ncclGroupEnd")
    if (!grouped--) fake_stop("the end of a group that did not begin");
    return code ? code : NCCL_InProgress;
}

/* ---- ending ---- */

unsigned fake_ncclCommFinalize(nccl_comm handle) {
    CALL("ncclCommFinalize")
    comm *c = comm_of(handle);
    c->finalized = true, c->asked = 0;
    return NCCL_InProgress;
}

unsigned fake_ncclCommDestroy(nccl_comm handle) {
    CALL("ncclCommDestroy")
    comm *c = comm_of(handle);
    if (!c->finalized) fake_stop("a communicator is destroyed that others may still hear");
    fake_end(c);
    return NCCL_Success;
}

unsigned fake_ncclCommAbort(nccl_comm handle) {
    CALL("ncclCommAbort")
    comm *c = comm_of(handle);
    c->aborted = true;
    fake_end(c);
    return NCCL_Success;
}
