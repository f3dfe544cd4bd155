/* What waits for what, and which launches are one: on made-up launches whose uses are drawn, every two that touch the
 * same bytes, one of them writing, must run in the program's order, whatever was joined. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include "backends/gpu/plan.h"

#include <cmocka.h>
#include <stdlib.h>

enum { MOST = 60, NUMBERS = 4, MOST_USES = 4 };

typedef struct trial {
    gpu_plan plan;
    int32_t  n, n_uses[MOST];
    gpu_use  uses[MOST][MOST_USES];
    int64_t  groups[MOST];
} trial;

/* Launch i is told the numbers from NUMBERS i on, by which it is known again. */
static void add(trial *t, int32_t entry, int64_t groups) {
    gpu_plan *p = &t->plan;
    p->launches = realloc(p->launches, sizeof *p->launches * (size_t)(t->n + 1));
    p->table = realloc(p->table, sizeof *p->table * NUMBERS * (size_t)(t->n + 1));
    assert_non_null(p->launches);
    assert_non_null(p->table);
    for (int j = 0; j < NUMBERS; j++) p->table[NUMBERS * t->n + j] = 1000 * t->n + j;
    p->launches[t->n] = (gpu_launch){ .entry = entry, .product = -1, .kernel = t->n, .threads = 64, .groups = groups,
                                      .first = (uint32_t)(NUMBERS * t->n) };
    t->groups[t->n++] = groups;
    p->n_launches = t->n, p->n_table = NUMBERS * t->n;
}

static void use(trial *t, gpu_space space, int64_t from, int64_t to, bool written) {
    t->uses[t->n - 1][t->n_uses[t->n - 1]++] = (gpu_use){ { space, NULL }, from, to, written };
}

static void put_in_order(trial *t) {
    const gpu_use *uses[MOST];
    for (int i = 0; i < MOST; i++) uses[i] = t->uses[i];
    assert_true(gpu_order(&t->plan, uses, t->n_uses));
}

static void end(trial *t) {
    gpu_plan_free(&t->plan);
    *t = (trial){ .n = 0 };
}

/* Which launch has become of each, by the numbers that it is told; each of its groups is there once. */
static void find_places(const trial *t, int32_t place[MOST]) {
    int64_t seen[MOST] = { 0 };
    for (int32_t i = 0; i < t->plan.n_launches; i++) {
        const gpu_launch *l = &t->plan.launches[i];
        for (int64_t g = 0; g < l->groups; g++) {
            int64_t told = l->first & GPU_MANY ? t->plan.table[(l->first & ~GPU_MANY) + g] : (g << 32 | l->first);
            int32_t which = (int32_t)((told & 0xffffffff) / NUMBERS);
            assert_int_equal((told & 0xffffffff) % NUMBERS, 0);
            assert_int_equal(told >> 32, seen[which]++);
            place[which] = i;
        }
    }
    for (int32_t i = 0; i < t->n; i++) assert_int_equal(seen[i], t->groups[i]);
}

static bool waits_for(const gpu_plan *p, int32_t late, int32_t early) {
    const gpu_launch *l = &p->launches[late];
    for (int32_t i = 0; i < l->n_after; i++) {
        int32_t next = p->after[l->after + i];
        assert_true(next < late);
        if (next == early || (next > early && waits_for(p, next, early))) return true;
    }
    return false;
}

/* None is named that another of them waits for. */
static void expect_few(const gpu_plan *p, int32_t launch) {
    const gpu_launch *l = &p->launches[launch];
    for (int32_t i = 0; i < l->n_after; i++)
        for (int32_t j = 0; j < l->n_after; j++)
            assert_false(i != j && waits_for(p, p->after[l->after + i], p->after[l->after + j]));
}

static bool touch(const trial *t, int32_t i, int32_t j) {
    for (int a = 0; a < t->n_uses[i]; a++)
        for (int b = 0; b < t->n_uses[j]; b++) {
            const gpu_use *x = &t->uses[i][a], *y = &t->uses[j][b];
            if (x->in.space == y->in.space && (x->written || y->written) && x->from < y->to && y->from < x->to)
                return true;
        }
    return false;
}

static void test_side_by_side(void **unused) {
    (void)unused;
    trial t = { .n = 0 };
    add(&t, 0, 2), use(&t, GPU_ARENA, 0, 64, true);
    for (int i = 0; i < 3; i++) {
        add(&t, 1, 2 + i), use(&t, GPU_ARENA, 0, 64, false);
        use(&t, GPU_ARENA, 64 + 64 * i, 128 + 64 * i, true);
    }
    add(&t, 2, 1), use(&t, GPU_ARENA, 64, 256, false);
    put_in_order(&t);
    assert_int_equal(t.plan.n_launches, 3); /* the three are one */
    assert_int_equal(t.plan.launches[1].groups, 9);
    assert_int_equal(t.plan.launches[1].first & GPU_MANY, GPU_MANY);
    assert_true(waits_for(&t.plan, 1, 0) && waits_for(&t.plan, 2, 1));
    int32_t place[MOST];
    find_places(&t, place);
    end(&t);
}

/* Equal texts of which one waits for the other stay two. */
static void test_in_a_row(void **unused) {
    (void)unused;
    trial t = { .n = 0 };
    for (int i = 0; i < 4; i++) add(&t, 0, 1), use(&t, GPU_SCRATCH, 0, 256, true);
    put_in_order(&t);
    assert_int_equal(t.plan.n_launches, 4);
    for (int i = 1; i < 4; i++) assert_int_equal(t.plan.launches[i].n_after, 1);
    end(&t);
}

static void test_drawn(void **unused) {
    (void)unused;
    int64_t joined = 0;
    srand(1);
    for (int round = 0; round < 300; round++) {
        trial t = { .n = 0 };
        int32_t place[MOST], count = 2 + rand() % (MOST - 2);
        for (int i = 0; i < count; i++) {
            add(&t, rand() % 5, 1 + rand() % 3);
            for (int j = rand() % MOST_USES; j >= 0; j--) {
                int64_t from = rand() % 40;
                use(&t, rand() % 8 ? GPU_ARENA : GPU_SCRATCH, from, from + 1 + rand() % 3, rand() % 3 == 0);
            }
        }
        put_in_order(&t);
        find_places(&t, place);
        joined += t.n - t.plan.n_launches;
        for (int32_t i = 0; i < t.plan.n_launches; i++) expect_few(&t.plan, i);
        for (int32_t j = 0; j < t.n; j++)
            for (int32_t i = 0; i < j; i++)
                if (touch(&t, i, j)) assert_true(waits_for(&t.plan, place[j], place[i]));
        end(&t);
    }
    assert_true(joined > 300);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_side_by_side), cmocka_unit_test(test_in_a_row), cmocka_unit_test(test_drawn),
    };
    return cmocka_run_group_tests_name("gpu order", tests, NULL, NULL);
}
