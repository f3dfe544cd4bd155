/* Ranks whose devices exchange their sums, on a library that stands for CUDA's and NCCL: the bits and figures of one
 * device with as many parts, steps that are queued, and the end of all where a device or a call fails. */
#include "base/base.h"
/* before cmocka, which has a macro of the name fail and needs the four below */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <dlfcn.h>
#include <pthread.h>

#include "../backends/fake_cuda.h"
#include "ranks/threads.h"
#include "tiny.h"
#include "train/ranks.h"

enum { MOST = 4, GATHERED = 4 + 2 /* variables: parameters, loss, metric */ };

static fake_cuda *fake, usual;

typedef struct trial {
    rank_group  *group;
    int          rank;
    const char  *device, *run;   /* run: rank 0's folder; NULL: in memory */
    int64_t      parts, stop_at;
    tide_status  status;
    tide_failure failure;
    bool         queued;
    uint64_t     bits, figures;
    int64_t      steps;
    char         told[400];
} trial;

static void train(trial *of, ranks *r) {
    tiny       t;
    train_rule rule = plain;
    rule.parts = of->parts, rule.ranks = r;
    open_model(&t, rule, of->device);
    t.stop_at = of->stop_at;
    if (of->run && of->rank == 0) open_run_folder(&t, of->run);
    train_ranks_told(&t.step, of->told, sizeof of->told);
    of->queued = train_step_queues(&t.step);
    of->status = open_fit(&t, &five, &of->failure);
    if (of->status == TIDE_OK) of->status = fit_run(t.fit, 0, &of->failure);
    if (t.fit) of->steps = fit_at(t.fit)->step;
    if (of->status == TIDE_OK) of->bits = bits_of(&t), of->figures = t.figures;
    close_tiny(&t);
}

static void *be_rank(void *of) {
    trial *t = of;
    ranks *r = NULL;
    rank_group_enter(t->group, t->rank);
    t->status = ranks_join(&r, &t->failure);
    if (t->status == TIDE_OK) train(t, r);
    ranks_leave(r);
    return NULL;
}

static const char apart[MOST][RANK_HOST] = { "cuda:0", "cuda:1", "cuda:2", "cuda:3" };
static const char twice[MOST][RANK_HOST] = { "cuda:0", "cuda:0" };

static void play(int count, const char names[MOST][RANK_HOST], trial like, trial of[MOST]) {
    pthread_t   threads[MOST];
    rank_group *g = rank_group_new(names, count);
    for (int i = 0; i < count; i++) {
        of[i] = like;
        of[i].group = g, of[i].rank = i, of[i].device = names[i];
        assert_int_equal(pthread_create(&threads[i], NULL, be_rank, &of[i]), 0);
    }
    for (int i = 0; i < count; i++) pthread_join(threads[i], NULL);
    rank_group_free(g);
}

static trial alone(int64_t parts) {
    trial of = { .device = "cuda:0", .parts = parts };
    train(&of, NULL);
    assert_int_equal(of.status, TIDE_OK);
    return of;
}

static void expect_same(const trial *of, int count, const trial *whole, bool queued, const char *told) {
    for (int i = 0; i < count; i++) {
        if (of[i].status) fail_msg("rank %d of %d: %s", i, count, of[i].failure.message);
        if (of[i].bits != whole->bits) fail_msg("rank %d of %d, %d parts: other bits", i, count, (int)of[i].parts);
        if (of[i].figures != whole->figures) fail_msg("rank %d of %d: other figures", i, count);
        assert_true(of[i].queued == queued);
        if (!strstr(of[i].told, told)) fail_msg("'%s' has no '%s'", of[i].told, told);
    }
}

static int begin_test(void **unused) {
    (void)unused;
    *fake         = usual;
    fake->devices = MOST;
    return 0;
}

static int end_test(void **unused) {
    (void)unused;
    *fake = usual;
    if (*fake->left()) print_error("there are still: %s\n", fake->left());
    return *fake->left() ? -1 : 0;
}

/* ---- bits ---- */

static void test_bits(void **unused) {
    static const int ranks[] = { 2, 3 }, parts[] = { 2, 6 };
    trial of[MOST];
    (void)unused;
    for (int i = 0; i < 2; i++) {
        trial   whole = alone(parts[i]);
        int64_t before = fake->gathers;
        play(ranks[i], apart, (trial){ .parts = parts[i] }, of);
        expect_same(of, ranks[i], &whole, true, "; sums by NCCL 2.27.3");
        assert_int_equal(fake->gathers - before, (int64_t)EPOCHS * BATCHES * parts[i] * GATHERED);
    }
}

/* Where NCCL will not, the sums go by way of the host. */
static void test_by_host(void **unused) {
    trial of[MOST], whole = alone(2);
    (void)unused;
    play(2, twice, (trial){ .parts = 2 }, of);
    expect_same(of, 2, &whole, false,
                "; sums by way of the host (connecting devices by NCCL failed: invalid usage; Duplicate");
    static const char *const calls[] = { "ncclGetUniqueId", "ncclCommInitRankConfig", "ncclCommGetAsyncError" };
    for (int i = 0; i < 3; i++) {
        fake->fail = calls[i], fake->more = i ? 1 : 0, fake->code = 2; /* on both */
        play(2, apart, (trial){ .parts = 2 }, of);
        assert_null(fake->fail);
        expect_same(of, 2, &whole, false, "; sums by way of the host (");
    }
}

/* Wherever it is stopped, it goes on from there, with any number of ranks, or alone. */
static void test_goes_on(void **unused) {
    static const int next[] = { 2, 3, 1 };
    trial of[MOST], whole = alone(6);
    char  run[16];
    (void)unused;
    for (int i = 0; i < 3; i++) {
        snprintf(run, sizeof run, "stop%d", i);
        play(3, apart, (trial){ .parts = 6, .stop_at = 4 + 3 * i, .run = run }, of);
        for (int k = 0; k < 3; k++) {
            assert_int_equal(of[k].status, TIDE_ECANCELLED);
            assert_int_equal(of[k].steps, of[0].steps);
        }
        assert_true(of[0].steps >= 4 + 3 * i && of[0].steps < EPOCHS * BATCHES);
        if (next[i] > 1) play(next[i], apart, (trial){ .parts = 6, .run = run }, of);
        else of[0] = (trial){ .device = "cuda:0", .parts = 6, .run = run }, train(&of[0], NULL);
        for (int k = 0; k < next[i]; k++) {
            if (of[k].status) fail_msg("%s", of[k].failure.message);
            assert_true(of[k].bits == whole.bits);
        }
    }
}

/* ---- what is refused ---- */

static void expect_refused(tide_communicator *c, tide_val from, tide_val to, int64_t at, tide_status status,
                           const char *words) {
    tide_failure failure = { 0 };
    assert_int_equal(tide_all_gather(c, TIDE_LIST(from), TIDE_LIST(to), at, &failure), status);
    if (!strstr(failure.message, words)) fail_msg("'%s' has no '%s'", failure.message, words);
}

/* A rank alone, whose row comes back. */
static void test_refused(void **unused) {
    enum { N = 5 };
    char               id[TIDE_COMMUNICATOR_ID];
    float              row[N] = { 1, 2, 3, 4, 5 }, rows[3 * N];
    tide_failure       failure = { 0 };
    tide_communicator *c;
    tide_graph        *g = tide_graph_new("cuda:1"), *other = tide_graph_new("cuda:1");
    tide_val from  = tide_variable(g, "row", tide_constant(g, TIDE_F32, TIDE_SHAPE(N), row));
    tide_val to    = tide_variable(g, "rows", tide_fill(g, TIDE_F32, TIDE_SHAPE(3, N), -1));
    tide_val whole = tide_variable(g, "whole", tide_fill(g, TIDE_I32, TIDE_SHAPE(3, N), 0));
    tide_val away  = tide_variable(other, "away", tide_fill(other, TIDE_F32, TIDE_SHAPE(3, N), 0));
    (void)unused;
    assert_int_equal(tide_communicator_id(g, id, &failure), TIDE_OK);
    assert_int_equal(tide_communicator_open(g, id, 0, 1, &c, &failure), TIDE_OK);
    expect_refused(c, from, tide_add(to, to), 0, TIDE_EINVAL, "not all are variables");
    expect_refused(c, from, away, 0, TIDE_EINVAL, "not all are variables");
    expect_refused(c, from, (tide_val){ 0 }, 0, TIDE_EINVAL, "not all are variables");
    expect_refused(c, from, whole, 0, TIDE_ETYPE, "'whole' is not of float32");
    expect_refused(c, from, to, 3, TIDE_ESHAPE, "'rows' has 15 numbers, in which 1 rows of 5 have no place from row 3");
    expect_refused(c, from, to, -1, TIDE_ESHAPE, "'rows' has 15 numbers");
    expect_refused(c, from, to, INT64_MAX, TIDE_ESHAPE, "'rows' has 15 numbers");
    assert_int_equal(tide_all_gather(c, TIDE_LIST(from), TIDE_LIST(to), 1, &failure), TIDE_OK);
    assert_int_equal(tide_read(to, rows, sizeof rows), TIDE_OK);
    for (int i = 0; i < 3 * N; i++) assert_true(rows[i] == (i / N == 1 ? row[i % N] : -1));
    tide_communicator_abort(c);
    assert_int_equal(tide_all_gather(c, TIDE_LIST(from), TIDE_LIST(to), 0, &failure), TIDE_OK); /* does nothing */
    tide_communicator_close(c);
    tide_graph_free(g);
    tide_graph_free(other);
}

/* ---- faults ---- */

/* One of the devices, or calls, fails somewhere; all end, and each says of something that is true. */
static void expect_end(const char *call, int after, unsigned code) {
    trial  of[MOST];
    double began = os_seconds();
    int    said  = 0;
    fake->fail = call, fake->after = after, fake->code = code;
    play(3, apart, (trial){ .parts = 6 }, of);
    assert_null(fake->fail);
    if (os_seconds() - began > 8) fail_msg("%s after %d: %.1f s", call, after, os_seconds() - began);
    for (int i = 0; i < 3; i++) {
        const char *message = of[i].failure.message;
        if (!of[i].status) fail_msg("%s after %d: rank %d is well", call, after, i);
        said += strstr(message, "cuda:") != NULL;
    }
    assert_true(said > 0);
    *fake = usual, fake->devices = MOST;
}

static void test_device_fails(void **unused) {
    trial   of[MOST];
    int64_t before = fake->calls("run");
    (void)unused;
    play(3, apart, (trial){ .parts = 6 }, of);
    int kernels = (int)(fake->calls("run") - before);
    for (int quarter = 1; quarter < 4; quarter++) expect_end("run", kernels * quarter / 4, 700);
}

static void test_gather_fails(void **unused) {
    (void)unused;
    for (int after = 1; after < 90; after += 40) expect_end("ncclAllGather", after, 1);
}

static bool find_fake(void) {
    char        path[512];
    const char *named = getenv("TIDEMILL_CUDA_LIBS");
    snprintf(path, sizeof path, "%s/libcuda.so.1", named ? named : ".");
    void *library = dlopen(path, RTLD_NOW | RTLD_LOCAL);
    fake = library ? dlsym(library, "fake") : NULL;
    if (fake) usual = *fake;
    return fake;
}

int main(void) {
#define TEST(name) cmocka_unit_test_setup_teardown(name, begin_test, end_test)
    const struct CMUnitTest tests[] = { TEST(test_bits), TEST(test_by_host), TEST(test_goes_on), TEST(test_refused),
                                        TEST(test_device_fails), TEST(test_gather_fails) };
    if (!find_fake()) return 1;
    if (!fake->possible()) return 77;
    return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
