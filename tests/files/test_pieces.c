/* Work that processes share: every piece once, whoever dies. */
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include "base/base.h" /* its `fail` is a macro of cmocka */
/* cmocka needs the four above */
#include <cmocka.h>
#include <errno.h>
#include <inttypes.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/locks.h"
#include "files/owned.h"
#include "files/pieces.h"
#include "../folder.h"

enum { MOST = 4096 };

/* Seen by all processes of a test. */
typedef struct board {
    atomic_int made[MOST], in_hand[MOST], collided;
} board;
static board *seen;

typedef struct job {
    pieces *p;
    bool    bare;        /* nothing is written: the board says what is made */
    int64_t slow_us;     /* what a piece takes, at most */
    int64_t fails;       /* the piece that this process cannot make; -1 */
    int64_t stops_at;    /* asks to stop when so many are made */
} job;

static void nap(int64_t us) { nanosleep(&(struct timespec){ .tv_nsec = 1000 * us }, NULL); }

static bool is_made(void *user, int64_t i) {
    const job *j = user;
    return j->bare ? seen->made[i] > 0 : pieces_has(j->p, "square", i);
}

static tide_status make(void *user, int64_t i, int thread, tide_failure *failure) {
    const job *j = user;
    int64_t square = i * i;
    (void)thread;
    if (i == j->fails) return fail_at(failure, TIDE_EIO, NULL, 0, NULL, "no room for piece %" PRId64, i);
    atomic_fetch_add(&seen->in_hand[i], 1);
    if (j->slow_us) nap((i * 7919 + getpid()) % j->slow_us);
    tide_status status = j->bare ? TIDE_OK : pieces_put(j->p, "square", i, &square, sizeof square, failure);
    if (atomic_fetch_add(&seen->made[i], 1)) atomic_fetch_add(&seen->collided, 1);
    return status;
}

static bool stop(void *user, int64_t done) {
    const job *j = user;
    return j->stops_at && done >= j->stops_at;
}

static json_t *words(const char *points) { return json_pack("{s:s, s:s}", "version", "1", "points", points); }

static pieces *joined(const char *points, bool anew) {
    tide_failure f = { 0 };
    pieces *p = NULL;
    json_t *o = words(points);
    if (pieces_join(folder, o, anew, &p, &f) != TIDE_OK) fail_msg("%s", f.message);
    json_decref(o);
    return p;
}

static tide_status work(job *j, int64_t count, int threads, int64_t *made, tide_failure *f) {
    return pieces_do(j->p, &(pieces_task){ count, threads, is_made, make, stop, j }, made, f);
}

static void expect_squares(const pieces *p, int64_t count) {
    for (int64_t i = 0; i < count; i++) {
        tide_failure f = { 0 };
        void   *data;
        size_t  bytes;
        if (pieces_get(p, "square", i, &data, &bytes, &f) != TIDE_OK) fail_msg("%s", f.message);
        assert_int_equal(bytes, sizeof(int64_t));
        assert_int_equal(*(int64_t *)data, i * i);
        free(data);
    }
}

/* In a process of its own: joins, works, leaves. Ends with 0 if all was well. */
static pid_t worker(job j, int64_t count, int threads, bool over) {
    pid_t child = fork();
    if (child) return child;
    tide_failure f = { 0 };
    json_t *o = words("5");
    bool fine = pieces_join(folder, o, false, &j.p, &f) == TIDE_OK && work(&j, count, threads, NULL, &f) == TIDE_OK;
    if (!fine) fprintf(stderr, "%s\n", f.message);
    pieces_leave(j.p, over);
    _exit(fine ? 0 : 1);
}

static int ended(pid_t child) {
    int status = 0;
    assert_int_equal(waitpid(child, &status, 0), child);
    return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

static bool work_is_there(void) {
    char path[FOLDER_PATH];
    return access(folder_file(folder, OWNED_FOLDER "/pieces", path), F_OK) == 0;
}

static int begin(void **state) {
    seen = mmap(NULL, sizeof *seen, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (seen == MAP_FAILED || make_folder(state)) return -1;
    return owned_claim(folder, (const char *const[]){ NULL }, NULL) == TIDE_OK ? 0 : -1;
}

static int end(void **state) {
    munmap(seen, sizeof *seen);
    return remove_folder(state);
}

/* ---- tests ---- */

static void each_once(void **state) {
    enum { WORKERS = 4, COUNT = 4000 };
    pid_t child[WORKERS];
    (void)state;
    for (int i = 0; i < WORKERS; i++) child[i] = worker((job){ .fails = -1, .bare = true }, COUNT, 1 + i % 3, false);
    for (int i = 0; i < WORKERS; i++) assert_int_equal(ended(child[i]), 0);
    for (int i = 0; i < COUNT; i++)
        if (seen->made[i] != 1) fail_msg("piece %d was made %d times", i, seen->made[i]);
    job j = { .p = joined("5", false), .fails = -1, .bare = true };
    int64_t made;
    assert_true(pieces_alone(j.p));
    assert_int_equal(work(&j, COUNT, 2, &made, NULL), TIDE_OK);
    assert_int_equal(made, 0);
    pieces_leave(j.p, true);
    assert_false(work_is_there());
}

/* Workers are killed and others begun, at random moments; one that stays sees it through. */
static void killed(void **state) {
    enum { WORKERS = 3, COUNT = 300, KILLS = 30 };
    pid_t child[WORKERS];
    uint64_t random = 88172645463325252u;
    (void)state;
    for (int i = 0; i < WORKERS; i++) child[i] = worker((job){ .fails = -1, .slow_us = 4000 }, COUNT, 2, false);
    for (int k = 0; k < KILLS; k++) {
        int i = k % WORKERS;
        random ^= random << 13, random ^= random >> 7, random ^= random << 17;
        nap((int64_t)(random % 12000));
        kill(child[i], SIGKILL);
        ended(child[i]);
        child[i] = worker((job){ .fails = -1, .slow_us = 4000 }, COUNT, 2, false);
    }
    for (int i = 0; i < WORKERS; i++) assert_int_equal(ended(child[i]), 0);
    int64_t again = 0;
    for (int i = 0; i < COUNT; i++) again += seen->in_hand[i] - 1;
    if (again < 0 || again > 2 * KILLS) fail_msg("%d kills of 2 threads cost %d pieces", KILLS, (int)again);
    pieces *p = joined("5", false);
    expect_squares(p, COUNT);
    pieces_leave(p, false);
}

static void others_wait(void **state) {
    (void)state;
    job slow = { .fails = -1, .slow_us = 20000 };
    pid_t child = worker(slow, 40, 1, false);
    while (!seen->made[0]) nap(1000);
    job j = { .p = joined("5", false), .fails = -1 };
    assert_false(pieces_alone(j.p));
    assert_int_equal(work(&j, 40, 2, NULL, NULL), TIDE_OK);
    expect_squares(j.p, 40);
    assert_int_equal(ended(child), 0);
    assert_int_equal(seen->collided, 0);
    pieces_leave(j.p, false);
}

/* Of all that come and go at once, the last takes it away, and nobody is in another's way. */
static void come_and_go(void **state) {
    enum { WORKERS = 6, ROUNDS = 15 };
    pid_t child[WORKERS];
    (void)state;
    for (int r = 0; r < ROUNDS; r++) {
        for (int i = 0; i < WORKERS; i++) child[i] = worker((job){ .fails = -1 }, 3, 1, true);
        for (int i = 0; i < WORKERS; i++) assert_int_equal(ended(child[i]), 0);
        assert_false(work_is_there());
    }
}

/* A folder that is nobody's yet becomes ours for all that begin at once. */
static void claim_at_once(void **state) {
    enum { WORKERS = 6, ROUNDS = 25 };
    pid_t child[WORKERS];
    char  path[FOLDER_PATH], name[32];
    (void)state;
    for (int r = 0; r < ROUNDS; r++) {
        snprintf(name, sizeof name, "new-%d", r);
        folder_file(folder, name, path);
        for (int i = 0; i < WORKERS; i++) {
            if ((child[i] = fork())) continue;
            tide_failure f = { 0 };
            atomic_fetch_add(&seen->made[r], 1);
            while (seen->made[r] < WORKERS) sched_yield();
            bool fine = make_folders(path, &f) == TIDE_OK &&
                        owned_claim(path, (const char *const[]){ "manifest.json", NULL }, &f) == TIDE_OK;
            if (!fine) fprintf(stderr, "%s\n", f.message);
            _exit(fine ? 0 : 1);
        }
        for (int i = 0; i < WORKERS; i++) assert_int_equal(ended(child[i]), 0);
    }
}

static void other_options(void **state) {
    (void)state;
    pieces *p = joined("5", false), *q = NULL;
    json_t *o = words("6");
    for (int anew = 0; anew < 2; anew++) { /* somebody is at it: nothing is dropped */
        tide_failure f = { 0 };
        assert_int_equal(pieces_join(folder, o, anew, &q, &f), TIDE_EINVAL);
        assert_string_equal(f.column, "points");
        if (!strstr(f.message, "`points` \"5\", not \"6\"")) fail_msg("%s", f.message);
    }
    job j = { .p = p, .fails = -1 };
    assert_int_equal(work(&j, 3, 1, NULL, NULL), TIDE_OK);
    pieces_leave(p, false);
    tide_failure f = { 0 };
    assert_int_equal(pieces_join(folder, o, false, &q, &f), TIDE_EINVAL);
    json_decref(o);
    p = joined("6", true);
    assert_false(pieces_has(p, "square", 0));
    pieces_leave(p, false);
    pieces_clear(folder);
    assert_false(work_is_there());
}

/* What one process cannot make, another does. */
static void failing(void **state) {
    (void)state;
    job broken = { .p = joined("5", false), .fails = 7 };
    tide_failure f = { 0 };
    int64_t made;
    setenv("OMPI_COMM_WORLD_RANK", "2", 1), setenv("OMPI_COMM_WORLD_SIZE", "4", 1);
    assert_int_equal(work(&broken, 20, 1, &made, &f), TIDE_EIO);
    unsetenv("OMPI_COMM_WORLD_RANK"), unsetenv("OMPI_COMM_WORLD_SIZE");
    assert_string_equal(f.message, "rank 2 of 4: no room for piece 7");
    assert_int_equal(made, 7);
    pid_t child = worker((job){ .fails = -1 }, 20, 1, false); /* while the first still holds the folder */
    assert_int_equal(ended(child), 0);
    pieces_leave(broken.p, false);
    job j = { .p = joined("5", false), .fails = -1 };
    assert_int_equal(work(&j, 20, 1, &made, NULL), TIDE_OK);
    assert_int_equal(made, 0);
    pieces_leave(j.p, true);
}

static void stopping(void **state) {
    (void)state;
    job j = { .p = joined("5", false), .fails = -1, .stops_at = 5 };
    tide_failure f = { 0 };
    int64_t made;
    assert_int_equal(work(&j, 50, 1, &made, &f), TIDE_ECANCELLED);
    assert_in_range(made, 5, 7);
    j.stops_at = 0;
    pieces_leave(j.p, false);
    j.p = joined("5", false);
    int64_t rest;
    assert_int_equal(work(&j, 50, 2, &rest, NULL), TIDE_OK);
    assert_int_equal(made + rest, 50);
    pieces_leave(j.p, true);
}

typedef struct left { int64_t square[MOST], count, fails; } left;

static tide_status take_square(void *user, const void *data, size_t bytes, tide_failure *failure) {
    left *l = user;
    assert_int_equal(bytes, sizeof l->square[0]);
    memcpy(&l->square[l->count], data, bytes);
    return l->count++ == l->fails ? fail_at(failure, TIDE_EIO, NULL, 0, NULL, "no room") : TIDE_OK;
}

/* What a work that ended early leaves, by number, and nothing of another name. */
static void left_behind(void **state) {
    left l = { .fails = -1 };
    job  j = { .p = joined("5", false), .fails = 13 };
    (void)state;
    assert_int_equal(work(&j, 20, 1, NULL, NULL), TIDE_EIO);
    assert_int_equal(pieces_put(j.p, "squares", 0, "other", 5, NULL), TIDE_OK);
    pieces_leave(j.p, false);
    assert_int_equal(pieces_left(folder, "square", take_square, &l, NULL), TIDE_OK);
    assert_int_equal(l.count, 13);
    for (int64_t i = 0; i < l.count; i++) assert_int_equal(l.square[i], i * i);
    l = (left){ .fails = 4 };
    assert_int_equal(pieces_left(folder, "square", take_square, &l, NULL), TIDE_EIO);
    assert_int_equal(l.count, 5);
    pieces_clear(folder);
    assert_int_equal(pieces_left(folder, "square", take_square, &l, NULL), TIDE_OK);
    assert_int_equal(l.count, 5);
}

/* Tasks follow each other; one that has nothing is over. */
static void several_tasks(void **state) {
    enum { WORKERS = 3 };
    pid_t child[WORKERS];
    (void)state;
    for (int i = 0; i < WORKERS; i++) {
        if ((child[i] = fork())) continue;
        job j = { .fails = -1, .slow_us = 2000 };
        json_t *o = words("5");
        bool fine = pieces_join(folder, o, false, &j.p, NULL) == TIDE_OK;
        for (int t = 0; fine && t < 3; t++) {
            fine = pieces_do(j.p, &(pieces_task){ 20 * t, 2, NULL, make, NULL, &j }, NULL, NULL) == TIDE_OK;
            for (int k = 0; fine && k < 20 * t; k++) fine = pieces_has(j.p, "square", k); /* all of this task */
        }
        _exit(fine ? 0 : 1);
    }
    for (int i = 0; i < WORKERS; i++) assert_int_equal(ended(child[i]), 0);
    for (int k = 0; k < 40; k++) assert_int_equal(seen->made[k], k < 20 ? 2 : 1);
}

static void locks(void **state) {
    char path[FOLDER_PATH];
    (void)state;
    FILE *a = fopen(folder_file(folder, "file", path), "w+"), *b = fopen(path, "r+");
    assert_non_null(a), assert_non_null(b);
    assert_int_equal(os_lock_byte(fileno(a), 5, OS_LOCK_ALONE), 0);
    assert_int_equal(os_lock_byte(fileno(b), 5, OS_LOCK_SHARED), EAGAIN);
    assert_int_equal(os_lock_byte(fileno(b), 6, OS_LOCK_ALONE), 0);
    fclose(fopen(path, "r")); /* takes nothing away */
    assert_int_equal(os_lock_byte(fileno(b), 5, OS_LOCK_SHARED), EAGAIN);
    assert_int_equal(os_lock_byte(fileno(a), 5, OS_LOCK_SHARED), 0);
    assert_int_equal(os_lock_byte(fileno(b), 5, OS_LOCK_SHARED), 0);
    assert_int_equal(os_lock_byte(fileno(b), 5, OS_LOCK_ALONE), EAGAIN);
    fclose(a);
    assert_int_equal(os_lock_byte(fileno(b), 5, OS_LOCK_ALONE), 0);
    fclose(b);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, begin, end)
int main(void) {
    const struct CMUnitTest tests[] = {
        TEST(each_once), TEST(killed), TEST(others_wait), TEST(come_and_go), TEST(claim_at_once),
        TEST(other_options), TEST(failing), TEST(stopping), TEST(left_behind),
        TEST(several_tasks), TEST(locks),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
