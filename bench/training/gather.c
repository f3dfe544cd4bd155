/* Times exchanges between devices (tidemill/communicator.h) and checks what they bring, by size.
 *   bench_gather DEVICES [SECONDS]      cuda:0-1; one device alone exchanges with itself
 * One line of JSON a size from rank 0: medians of how long one took, waited for, and of one among many that were
 * queued; GB/s: what a rank receives from the others, of itself where it is alone. */
#include <inttypes.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <tidemill/tidemill.h>

#include "base/base.h"
#include "ranks/threads.h"
#include "train/team.h"

enum { FIRST = 1 << 8, LAST = 1 << 24, MOST = 1 << 12, QUEUED = 32, LEAST = 5 };

typedef struct rank_task {
    const train_devices *devices;
    rank_group  *group;
    int          rank;
    double       seconds;
    tide_failure failure;
} rank_task;

typedef struct size_task {
    tide_graph        *graph;
    tide_communicator *by;
    tide_val           row, rows;
    tide_program      *mark;    /* another row each time */
    int64_t            n;
    int                ranks, rank;
} size_task;

static int by_value(const void *a, const void *b) {
    return *(const double *)a < *(const double *)b ? -1 : *(const double *)a > *(const double *)b;
}

static tide_status wait_for(const size_task *t, tide_failure *failure) {
    tide_status status = tide_wait(t->mark);
    return status == TIDE_OK ? status : fail(failure, status, "%s", tide_program_error(t->mark)->message);
}

static tide_status gather(const size_task *t, tide_failure *failure) {
    tide_status status = tide_run(t->mark, NULL, 0);
    if (status != TIDE_OK) return fail(failure, status, "%s", tide_program_error(t->mark)->message);
    return tide_all_gather(t->by, TIDE_LIST(t->row), TIDE_LIST(t->rows), 0, failure);
}

/* Element i of rank r's row is r + i % 7 + how often it was run. */
static tide_status check(const size_task *t, int64_t runs, tide_failure *failure) {
    float      *got    = malloc(sizeof *got * (size_t)(t->n * t->ranks));
    tide_status status = got ? tide_read(t->rows, got, sizeof *got * (size_t)(t->n * t->ranks)) : TIDE_ENOMEM;
    for (int64_t i = 0; status == TIDE_OK && i < t->n * t->ranks; i++)
        if (got[i] != (float)(i / t->n + i % t->n % 7 + runs)) status = TIDE_EDATA;
    free(got);
    return status == TIDE_OK ? status : fail(failure, status, "%" PRId64 " floats came as others", t->n);
}

static tide_status time_size(size_task *t, ranks *r, double seconds, tide_failure *failure) {
    static _Thread_local double one[MOST], many[MOST];
    int         count  = 0;
    bool        more   = true;
    double      began  = os_seconds();
    tide_status status = gather(t, failure);
    if (status == TIDE_OK) status = check(t, 1, failure);
    while (status == TIDE_OK && more && count < MOST) {
        status       = ranks_meet(r, status, NULL, failure);
        double start = os_seconds();
        if (status == TIDE_OK) status = gather(t, failure);
        if (status == TIDE_OK) status = wait_for(t, failure);
        one[count] = os_seconds() - start, start = os_seconds();
        for (int i = 0; status == TIDE_OK && i < QUEUED; i++) status = gather(t, failure);
        if (status == TIDE_OK) status = wait_for(t, failure);
        many[count++] = (os_seconds() - start) / QUEUED;
        more          = count < LEAST || os_seconds() - began < seconds;
        if (status == TIDE_OK) status = ranks_tell(r, &more, sizeof more, failure);
    }
    if (status == TIDE_OK) status = check(t, 1 + (int64_t)count * (QUEUED + 1), failure);
    if (status != TIDE_OK || t->rank) return status;
    qsort(one, (size_t)count, sizeof *one, by_value);
    qsort(many, (size_t)count, sizeof *many, by_value);
    double from = t->ranks > 1 ? t->ranks - 1 : 1, bytes = (double)sizeof(float) * (double)t->n * from;
    printf("{\"case\": \"gather\", \"by\": \"%s\", \"ranks\": %d, \"floats\": %" PRId64 ", \"one_ms\": %.4f, "
           "\"queued_ms\": %.4f, \"gb_s\": %.2f}\n", tide_communicator_library(t->graph, NULL), t->ranks, t->n,
           1e3 * one[count / 2], 1e3 * many[count / 2], 1e-9 * bytes / many[count / 2]);
    return TIDE_OK;
}

/* A program before each, so that what is read was written on the same stream. */
static tide_status size_of(tide_graph *g, tide_communicator *by, ranks *r, int rank, int ranks, int64_t n,
                           double seconds, tide_failure *failure) {
    char      name[64];
    size_task t = { .graph = g, .by = by, .n = n, .ranks = ranks, .rank = rank };
    tide_val  i = tide_arange(g, TIDE_F32, n);
    tide_val  start = tide_add_scalar(tide_sub(i, tide_mul_scalar(tide_floor(tide_div(i, tide_scalar(g, 7))), 7)),
                                      rank);
    snprintf(name, sizeof name, "row%" PRId64, n);
    t.row = tide_variable(g, name, start);
    snprintf(name, sizeof name, "rows%" PRId64, n);
    t.rows = tide_variable(g, name, tide_fill(g, TIDE_F32, TIDE_SHAPE(ranks, n), -1));
    t.mark = tide_compile(TIDE_LIST(tide_assign(t.row, tide_add_scalar(t.row, 1))), NULL);
    if (tide_error(g)->status) return *failure = *tide_error(g), failure->status;
    return time_size(&t, r, seconds, failure);
}

static tide_status work(rank_task *t, ranks *r) {
    char               id[TIDE_COMMUNICATOR_ID] = "";
    tide_communicator *by     = NULL;
    tide_graph        *g      = tide_graph_new(t->devices->of[t->rank]);
    tide_status        status = tide_error(g)->status;
    if (status) t->failure = *tide_error(g);
    if (!status && t->rank == 0) status = tide_communicator_id(g, id, &t->failure);
    status = ranks_meet(r, status, NULL, &t->failure);
    if (status == TIDE_OK) status = ranks_tell(r, id, sizeof id, &t->failure);
    if (status == TIDE_OK) status = tide_communicator_open(g, id, t->rank, t->devices->count, &by, &t->failure);
    for (int64_t n = FIRST; status == TIDE_OK && n <= LAST; n *= 4)
        status = size_of(g, by, r, t->rank, t->devices->count, n, t->seconds, &t->failure);
    if (status != TIDE_OK) tide_communicator_abort(by);
    tide_communicator_close(by);
    tide_graph_free(g);
    return status;
}

static void *be_rank(void *of) {
    rank_task *t = of;
    ranks     *r = NULL;
    if (t->group) rank_group_enter(t->group, t->rank);
    if (!t->group || ranks_join(&r, &t->failure) == TIDE_OK) work(t, r);
    ranks_leave(r);
    return NULL;
}

int main(int argc, char **argv) {
    static train_devices devices;
    static rank_task     tasks[TRAIN_DEVICES];
    static pthread_t     threads[TRAIN_DEVICES];
    tide_failure failure = { 0 };
    bool         failed  = false;
    if (argc < 2) return fprintf(stderr, "%s DEVICES [SECONDS]\n", argv[0]), 2;
    if (train_devices_read(argv[1], &devices, &failure) != TIDE_OK) return fprintf(stderr, "%s\n", failure.message), 1;
    rank_group *group = devices.count > 1 ? rank_group_new((const char (*)[RANK_HOST])devices.of, devices.count) : NULL;
    for (int i = 0; i < devices.count; i++) {
        tasks[i] = (rank_task){ &devices, group, i, argc > 2 ? atof(argv[2]) : 1, { 0 } };
        pthread_create(&threads[i], NULL, be_rank, &tasks[i]);
    }
    for (int i = 0; i < devices.count; i++) {
        pthread_join(threads[i], NULL);
        if (tasks[i].failure.status) failed = true, fprintf(stderr, "rank %d: %s\n", i, tasks[i].failure.message);
    }
    rank_group_free(group);
    return failed;
}
