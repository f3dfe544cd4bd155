/* Exchanges between devices, by NCCL. Its calls do not block: they are asked whether they are done, so that another
 * thread may end them. */
#include "device.h"
#include "nccl.h"

#include <inttypes.h>
#include <pthread.h>
#include <time.h>

static const double CONNECT_S = 60, FINISH_S = 5, NAP_S = 50e-6;

struct backend_communicator {
    const nccl  *nccl;
    cuda_device *device;
    pthread_mutex_t lock;   /* of `comm`, which an abort takes away */
    nccl_comm    comm;      /* NULL: aborted */
};

static const char *library(const char **missing) {
    const nccl_found *n = nccl_here(missing);
    return n ? n->name : NULL;
}

static tide_status no_library(tide_failure *why) {
    const char *missing;
    nccl_here(&missing);
    return fail(why, TIDE_EDEVICE, "%s", missing);
}

/* Its own words, where it has any, are of the last that went wrong. */
static tide_status refused(const nccl *n, nccl_comm comm, unsigned code, const char *what, tide_failure *why) {
    const char *words = n->GetErrorString(code), *more = comm ? n->GetLastError(comm) : NULL;
    return fail(why, TIDE_EDEVICE, "%s by NCCL failed: %s%s%.200s", what, words ? words : "an unknown error",
                more && *more ? "; " : "", more ? more : "");
}

static tide_status make_id(char id[TIDE_COMMUNICATOR_ID], tide_failure *why) {
    const char *missing;
    const nccl_found *n = nccl_here(&missing);
    nccl_id made;
    if (!n) return no_library(why);
    unsigned code = n->calls.GetUniqueId(&made);
    if (code) return refused(&n->calls, NULL, code, "naming a group of devices", why);
    memcpy(id, made.internal, TIDE_COMMUNICATOR_ID);
    return TIDE_OK;
}

/* ---- calls that are under way ---- */

/* What has become of it. Aborted: it is over. */
static unsigned state_of(backend_communicator *c) {
    unsigned state = NCCL_Success;
    pthread_mutex_lock(&c->lock);
    unsigned code = c->comm ? c->nccl->CommGetAsyncError(c->comm, &state) : NCCL_Success;
    pthread_mutex_unlock(&c->lock);
    return code ? code : state;
}

static unsigned finished(backend_communicator *c, unsigned code, double seconds) {
    for (double end = os_seconds() + seconds; code == NCCL_InProgress && os_seconds() < end; code = state_of(c))
        nanosleep(&(struct timespec){ 0, (long)(1e9 * NAP_S) }, NULL);
    return code;
}

static tide_status told(backend_communicator *c, unsigned code, const char *what, tide_failure *why) {
    if (!code) return TIDE_OK;
    if (code == NCCL_InProgress)
        return fail(why, TIDE_EDEVICE, "%s by NCCL took more than %.0f seconds", what, CONNECT_S);
    pthread_mutex_lock(&c->lock);
    tide_status status = refused(c->nccl, c->comm, code, what, why);
    pthread_mutex_unlock(&c->lock);
    return status;
}

static void end(backend_communicator *c) {
    cuda_enter(c->device);
    pthread_mutex_lock(&c->lock);
    if (c->comm) c->nccl->CommAbort(c->comm);
    c->comm = NULL;
    pthread_mutex_unlock(&c->lock);
    cuda_leave(c->device);
}

/* ---- the table ---- */

static void free_communicator(backend_communicator *c) {
    tide_allocator allocator = c->device->allocator;
    pthread_mutex_destroy(&c->lock);
    mem_free(&allocator, c, sizeof *c);
}

static tide_status connect(backend_communicator *c, const char *id, int rank, int count, tide_failure *why) {
    nccl_config config = { .size = sizeof config, .magic = NCCL_MAGIC, .version = NCCL_OLDEST, .blocking = 0 };
    nccl_id     group;
    memcpy(group.internal, id, TIDE_COMMUNICATOR_ID);
    cuda_enter(c->device);
    unsigned code = finished(c, c->nccl->CommInitRankConfig(&c->comm, count, group, rank, &config), CONNECT_S);
    cuda_leave(c->device);
    return told(c, code, "connecting devices", why);
}

static tide_status open(void *device, const char id[TIDE_COMMUNICATOR_ID], int rank, int count,
                        backend_communicator **out, tide_failure *why) {
    const char *missing;
    const nccl_found *n = nccl_here(&missing);
    cuda_device *d = device;
    if (!n) return no_library(why);
    backend_communicator *c = mem_new(&d->allocator, sizeof *c);
    if (!c) return fail(why, TIDE_ENOMEM, "out of memory for an exchange between devices");
    c->nccl = &n->calls, c->device = d;
    pthread_mutex_init(&c->lock, NULL);
    tide_status status = connect(c, id, rank, count, why);
    if (status == TIDE_OK) return *out = c, TIDE_OK;
    end(c);
    free_communicator(c);
    return status;
}

static unsigned queue_share(const backend_communicator *c, const backend_share *s) {
    return c->nccl->AllGather((char *)s->from + s->from_at, (char *)s->to + s->to_at, (size_t)s->bytes / sizeof(float),
                              NCCL_Float32, c->comm, c->device->stream);
}

/* A group is one launch. */
static unsigned queue_shares(backend_communicator *c, const backend_share *shares, int64_t count) {
    unsigned code = NCCL_Success;
    pthread_mutex_lock(&c->lock);
    if (c->comm) {
        code = c->nccl->GroupStart();
        for (int64_t i = 0; i < count && !code; i++) {
            code = queue_share(c, &shares[i]);
            if (code == NCCL_InProgress) code = NCCL_Success;
        }
        unsigned ended = c->nccl->GroupEnd();
        if (!code) code = ended;
    }
    pthread_mutex_unlock(&c->lock);
    return code;
}

static tide_status all_gather(backend_communicator *c, const backend_share *shares, int64_t count,
                              tide_failure *why) {
    tide_status status = cuda_begin(c->device, why);
    if (status) return status;
    cuda_enter(c->device);
    cuda_queue_runs(c->device);
    unsigned code = finished(c, queue_shares(c, shares, count), CONNECT_S);
    cuda_leave(c->device);
    return told(c, code, "an exchange between devices", why);
}

/* What is queued here is done; others may still take what this one sends. */
static void close(backend_communicator *c) {
    if (!c) return;
    cuda_wait(c->device, NULL);
    cuda_enter(c->device);
    unsigned code = c->comm ? finished(c, c->nccl->CommFinalize(c->comm), FINISH_S) : NCCL_InvalidUsage;
    pthread_mutex_lock(&c->lock);
    if (!code && c->comm) c->nccl->CommDestroy(c->comm), c->comm = NULL;
    pthread_mutex_unlock(&c->lock);
    cuda_leave(c->device);
    end(c);
    free_communicator(c);
}

const backend_collectives cuda_collectives = { library, make_id, open, all_gather, end, close };
