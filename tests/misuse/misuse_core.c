/* Graphs, values, programs. */
#include "misuse.h"

#include <stdlib.h>
#include <string.h>

static void *lend(void *user, size_t bytes) { return (void)user, aligned_alloc(64, (bytes + 63) / 64 * 64 + 64); }

static bool sticks(tide_graph_options o) {
    tide_graph *g = tide_graph_new_with(&o);
    bool refused = g && tide_error(g)->status != TIDE_OK;
    tide_graph_free(g);
    return refused;
}

static bool defaults(void) {
    tide_graph *g = tide_graph_new_with(NULL);
    bool good = g && tide_ok(tide_scalar(g, 1));
    tide_graph_free(g);
    return good;
}

/* The first cause, once; what was built before and what is built then are as if nothing had failed. */
static bool taken(trial *t) {
    tide_val bad = tide_transpose(t->x, 0, 7);
    (void)tide_matmul(t->x, t->x);
    bool told = !tide_ok(bad) && tide_error_take(t->g, &t->failure) == TIDE_ESHAPE &&
                strstr(t->failure.message, "transpose") && tide_error_take(t->g, NULL) == TIDE_OK;
    return told && tide_read(tide_square(t->x), t->six, sizeof t->six) == TIDE_OK && t->six[5] == 36;
}

static bool ran(trial *t, const tide_feed *feeds, int64_t count, tide_status expected) {
    tide_status status = tide_run(t->p, feeds, count);
    return status == expected && tide_program_error(t->p)->status == expected && *tide_program_error(t->p)->message;
}

/* The failure names the input at fault. */
static bool named(const trial *t) { return strstr(tide_program_error(t->p)->message, "'in'"); }

/* A run that succeeds leaves nothing of the failure before. */
static bool fails_then_runs(trial *t) {
    tide_feed feed = { t->in, t->six };
    return ran(t, NULL, 0, TIDE_EINVAL) && tide_run(t->p, &feed, 1) == TIDE_OK &&
           tide_program_error(t->p)->status == TIDE_OK && !*tide_program_error(t->p)->message;
}

/* A lazy program that cannot be made: the read says why, not that an argument was wrong. */
static bool read_beyond_limit(void) {
    tide_graph *g = tide_graph_new_with(&(tide_graph_options){ .memory_limit = 4096 });
    tide_val    big = tide_add_scalar(tide_random_uniform(g, TIDE_SHAPE(1 << 20), 0, 1), 1);
    float       one;
    bool refused =
        tide_read(tide_sum(big, TIDE_ALL), &one, sizeof one) == TIDE_ENOMEM && tide_error(g)->status == TIDE_ENOMEM;
    tide_graph_free(g);
    return refused;
}

/* Values that were given back, whether or not others have taken their places. */
static bool read_given_back(trial *t) {
    int64_t mark = tide_graph_mark(t->g);
    tide_val gone = tide_neg(t->x), far = tide_neg(tide_neg(gone));
    bool refused = tide_graph_rewind(t->g, mark) == TIDE_OK && tide_ok(tide_square(t->x)) && !tide_ok(gone) &&
                   !tide_ok(far);
    refused &= tide_read(gone, t->six, sizeof t->six) == TIDE_EINVAL && failed(t);
    refused &= tide_read(far, t->six, sizeof t->six) == TIDE_EINVAL && failed(t) && !tide_data(gone);
    refused &= tide_write(gone, t->six, sizeof t->six) == TIDE_EINVAL && !*tide_name_of(far);
    tide_program *p = tide_compile(TIDE_LIST(gone), NULL);
    refused &= p && tide_program_error(p)->status == TIDE_EINVAL && !tide_ok(tide_add(t->x, gone));
    tide_program_free(p);
    return refused && failed(t);
}

static bool compiled_failed(tide_program *p) {
    return p && tide_program_error(p)->status != TIDE_OK && tide_run(p, NULL, 0) != TIDE_OK;
}
static bool explained(trial *t, const tide_feed *feeds, int64_t count) {
    tide_explanation *e = tide_program_explain(t->p, &(tide_explain_options){ feeds, count, 0.001 });
    tide_explanation_free(e);
    return !e;
}
static tide_val first(tide_list l) { return l.count ? l.items[0] : NOTHING; }
static bool no_list(tide_list l) { return l.count == 0; }
static bool words(const char *s) { return s != NULL; }

static bool no_info(trial *t) {
    tide_device d;
    return tide_device_info("abacus", &d, &t->failure) == TIDE_EDEVICE && t->failure.status && !d.memory_bytes;
}

static bool lacks_library(const trial *t) {
    const char *missing;
    return !tide_communicator_library(t->g, &missing) && *missing;
}

static bool unknown_device(trial *t) {
    return tide_device_check("abacus", &t->failure) == TIDE_EDEVICE && strstr(t->failure.message, "available: cpu");
}

static bool waits_for_failed(trial *t) {
    tide_program *p = tide_compile(TIDE_LIST(t->x), &(tide_compile_options){ .mode = (tide_program_mode)99 });
    bool refused = tide_wait(p) == TIDE_EINVAL;
    tide_program_free(p);
    return refused;
}

#define CORE(V, R)                                                                                                     \
    R(tide_status_name, 0, "status 99", words(tide_status_name((tide_status)99))                                       \
        && words(tide_status_name((tide_status)-1)))                                                                   \
    R(tide_dtype_size, 0, "type 99", tide_dtype_size(NO_TYPE) == 0)                                                    \
    R(tide_dtype_name, 0, "type 99", words(tide_dtype_name(NO_TYPE)))                                                  \
    R(tide_shape_count, 0, "nine axes", tide_shape_count(NINE_AXES) == -1 && tide_shape_count(NO_AXES) == -1)          \
    R(tide_shape_count, 1, "more than can be counted", tide_shape_count(HUGE_SHAPE) == -1)                             \
    R(tide_shape_equal, 0, "nine axes", !tide_shape_equal(NINE_AXES, NINE_AXES) && !tide_shape_equal(NO_AXES,          \
        NO_AXES))                                                                                                      \
    R(tide_list_new, 0, "no graph", no_list(tide_list_new(NULL, &t->x, 1)))                                            \
    R(tide_list_new, 1, "no items", no_list(tide_list_new(t->g, NULL, 3)) && failed(t))                                \
    R(tide_list_new, 2, "-1 items", no_list(tide_list_new(t->g, &t->x, -1)) && failed(t))                              \
    R(tide_poison, 0, "no graph", !tide_ok(tide_poison(NULL, TIDE_EINVAL, "words")))                                   \
    R(tide_poison, 1, "no words", poisoned(t, tide_poison(t->g, TIDE_EINVAL, NULL)))                                   \
    R(tide_poison, 2, "status ok", poisoned(t, tide_poison(t->g, TIDE_OK, "words")))                                   \
    R(tide_poison, 3, "status 99", poisoned(t, tide_poison(t->g, (tide_status)99, "words")))                           \
    R(tide_graph_new, 0, "no device", (tide_graph_free(tide_graph_new(NULL)), true))                                   \
    R(tide_graph_new, 1, "a device that is none", sticks((tide_graph_options){ .device = "nowhere" }))                 \
    R(tide_graph_new_with, 0, "no options", defaults())                                                                \
    R(tide_graph_new_with, 1, "-5 threads", sticks((tide_graph_options){ .threads = -5 }))                             \
    R(tide_graph_new_with, 2, "100000 threads", sticks((tide_graph_options){ .threads = 100000 }))                     \
    R(tide_graph_new_with, 3, "a memory limit of -1", sticks((tide_graph_options){ .memory_limit = -1 }))              \
    R(tide_graph_new_with, 4, "an allocator that frees nothing",                                                       \
        sticks((tide_graph_options){ .allocator = { .alloc = lend } }))                                                \
    R(tide_graph_free, 0, "no graph", (tide_graph_free(NULL), true))                                                   \
    R(tide_error, 0, "no graph", tide_error(NULL)->status != TIDE_OK)                                                  \
    R(tide_error_take, 0, "no graph", tide_error_take(NULL, NULL) != TIDE_OK)                                          \
    R(tide_error_take, 1, "taken, and forgotten", taken(t))                                                            \
    STALE(R, tide_error_take, t->g)                                                                                    \
    R(tide_graph_device, 0, "no graph", words(tide_graph_device(NULL)))                                                \
    R(tide_graph_threads, 0, "no graph", tide_graph_threads(NULL) == 0)                                                \
    R(tide_numerics, 0, "no graph", tide_numerics(NULL) == 0)                                                          \
    R(tide_numerics_set, 0, "no graph", (tide_numerics_set(NULL, 2), true))                                            \
    R(tide_numerics_set, 1, "version 3", (tide_numerics_set(t->g, 3), failed(t)))                                      \
    R(tide_scope_push, 0, "no graph", (tide_scope_push(NULL, "a"), true))                                              \
    R(tide_scope_push, 1, "no name", (tide_scope_push(t->g, NULL), tide_scope_pop(t->g), failed(t)))                   \
    R(tide_scope_pop, 0, "no graph", (tide_scope_pop(NULL), true))                                                     \
    R(tide_scope_pop, 1, "no scope", (tide_scope_pop(t->g), failed(t)))                                                \
    R(tide_thread_budget_set, 0, "-7 threads", (tide_thread_budget_set(-7), tide_thread_budget_get() == 0))            \
    R(tide_thread_budget_get, 0, "a million threads", (tide_thread_budget_set(1000000),                                \
        tide_thread_budget_get() < 1000000 && (tide_thread_budget_set(0), true)))                                      \
    R(tide_ok, 0, "no value", !tide_ok(NOTHING) && !tide_ok((tide_val){ t->g, 999, 0 })                                \
        && !tide_ok((tide_val){ NULL, 5, 0 }))                                                                         \
    R(tide_shape_of, 0, "no value", tide_shape_of(NOTHING).ndim == 0 && tide_shape_of((tide_val){ t->g, 999,           \
        0 }).ndim == 0)                                                                                                \
    R(tide_dtype_of, 0, "no value", tide_dtype_of(NOTHING) == TIDE_F32 && tide_dtype_of((tide_val){ t->g, 999,         \
        0 }) == TIDE_F32)                                                                                              \
    R(tide_name_of, 0, "no value", !*tide_name_of(NOTHING) && !*tide_name_of((tide_val){ t->g, 999, 0 }))              \
    R(tide_input, 0, "no graph", !tide_ok(tide_input(NULL, "a", TIDE_F32, TIDE_SCALAR)))                               \
    R(tide_input, 1, "no name", poisoned(t, tide_input(t->g, NULL, TIDE_F32, TIDE_SCALAR)))                            \
    R(tide_input, 2, "type 99", poisoned(t, tide_input(t->g, "a", NO_TYPE, TIDE_SCALAR)))                              \
    R(tide_input, 3, "nine axes", poisoned(t, tide_input(t->g, "a", TIDE_F32, NINE_AXES)))                             \
    R(tide_constant, 0, "no graph", !tide_ok(tide_constant(NULL, TIDE_F32, TIDE_SCALAR, t->six)))                      \
    R(tide_constant, 1, "no data", poisoned(t, tide_constant(t->g, TIDE_F32, TIDE_SHAPE(6), NULL)))                    \
    R(tide_constant, 2, "type 99", poisoned(t, tide_constant(t->g, NO_TYPE, TIDE_SHAPE(6), t->six)))                   \
    R(tide_constant, 3, "nine axes", poisoned(t, tide_constant(t->g, TIDE_F32, NINE_AXES, t->six)))                    \
    R(tide_constant, 4, "more elements than can be counted", poisoned(t, tide_constant(t->g, TIDE_F32, HUGE_SHAPE,     \
        t->six)))                                                                                                      \
    R(tide_scalar, 0, "no graph", !tide_ok(tide_scalar(NULL, 1)))                                                      \
    R(tide_scalar_of, 0, "no graph", !tide_ok(tide_scalar_of(NULL, TIDE_F32, 1)))                                      \
    R(tide_scalar_of, 1, "type 99", poisoned(t, tide_scalar_of(t->g, NO_TYPE, 1)))                                     \
    R(tide_fill, 0, "no graph", !tide_ok(tide_fill(NULL, TIDE_F32, TIDE_SCALAR, 1)))                                   \
    R(tide_fill, 1, "-1 axes", poisoned(t, tide_fill(t->g, TIDE_F32, NO_AXES, 1)))                                     \
    V(tide_variable, 0, false, tide_variable(t->g, "new", bad))                                                        \
    R(tide_variable, 1, "no graph", poisoned(t, tide_variable(NULL, "new", t->x)))                                     \
    R(tide_variable, 2, "no name", poisoned(t, tide_variable(t->g, NULL, t->x)))                                       \
    V(tide_assign, 0, false, tide_assign(bad, t->x))                                                                   \
    V(tide_assign, 1, false, tide_assign(t->w, bad))                                                                   \
    V(tide_when, 0, false, tide_when(bad, tide_assign(t->w, t->x)))                                                    \
    V(tide_when, 1, false, tide_when(t->flag, bad))                                                                    \
    V(tide_group, 0, false, tide_group(t->g, TIDE_LIST(tide_assign(t->w, t->x), bad)))                                 \
    R(tide_group, 1, "no items", poisoned(t, tide_group(t->g, NO_ITEMS)))                                              \
    R(tide_group, 2, "no graph", !tide_ok(tide_group(NULL, (tide_list){ 0 })))                                         \
    R(tide_params, 0, "no graph", no_list(tide_params(NULL, "")))                                                      \
    R(tide_params, 1, "no prefix", no_list(tide_params(t->g, NULL)))                                                   \
    R(tide_state, 0, "no graph", no_list(tide_state(NULL, "")))                                                        \
    R(tide_state, 1, "no prefix", tide_state(t->g, NULL).count == 1)                                                   \
    R(tide_mark_param, 0, "no value", (tide_mark_param(NOTHING), true))                                                \
    R(tide_mark_param, 1, "no node", (tide_mark_param((tide_val){ t->g, 999, 0 }), failed(t)))                         \
    R(tide_find_variable, 0, "no graph", !tide_ok(tide_find_variable(NULL, "w")))                                      \
    R(tide_find_variable, 1, "no name", !tide_ok(tide_find_variable(t->g, NULL)))                                      \
    V(tide_grad, 0, false, first(tide_grad(t->scalar, TIDE_LIST(bad))))                                                \
    V(tide_grad, 1, true, first(tide_grad(bad, TIDE_LIST(t->x))))                                                      \
    R(tide_grad, 2, "no items", no_list(tide_grad(t->scalar, NO_ITEMS)) && failed(t))                                  \
    R(tide_grad, 3, "-1 items", no_list(tide_grad(t->scalar, LESS_THAN_NONE)) && failed(t))                            \
    R(tide_recompute_begin, 0, "no graph", (tide_recompute_begin(NULL), true))                                         \
    R(tide_recompute_end, 0, "no graph", (tide_recompute_end(NULL), true))                                             \
    R(tide_recompute_end, 1, "no region", (tide_recompute_end(t->g), failed(t)))                                       \
    R(tide_precision_name, 0, "precision 99", words(tide_precision_name((tide_precision)99)))                          \
    R(tide_autocast, 0, "no graph", (tide_autocast(NULL, TIDE_PRECISION_F32), true))                                   \
    R(tide_autocast, 1, "precision 99", (tide_autocast(t->g, (tide_precision)99), failed(t)))                          \
    R(tide_precision_here, 0, "no graph", tide_precision_here(NULL, TIDE_PRECISION_BF16,                               \
        NULL) == TIDE_PRECISION_F32)                                                                                   \
    R(tide_precision_here, 1, "precision 99", tide_precision_here(t->g, (tide_precision)99,                            \
        NULL) == TIDE_PRECISION_F32)                                                                                   \
    R(tide_compile_mode_name, 0, "mode 99", words(tide_compile_mode_name((tide_program_mode)99)))                      \
    R(tide_compile_mode, 0, "no graph", (tide_compile_mode(NULL, TIDE_MODE_DEFAULT), true))                            \
    R(tide_compile_mode, 1, "mode 99", (tide_compile_mode(t->g, (tide_program_mode)99), failed(t)))                    \
    R(tide_choices, 0, "no graph", !tide_choices(NULL))                                                                \
    STALE(R, tide_choices_set, t->g, "no choices")                                                                     \
    R(tide_default_type, 0, "no graph", tide_default_type(NULL) == TIDE_F32)                                           \
    R(tide_default_type_set, 0, "no graph", (tide_default_type_set(NULL, TIDE_F64), true))                             \
    R(tide_default_type_set, 1, "type 99", (tide_default_type_set(t->g, NO_TYPE), failed(t)))                          \
    R(tide_default_type_set, 2, "an integer type", (tide_default_type_set(t->g, TIDE_I32), failed(t)))                 \
    R(tide_choices_set, 0, "no graph", tide_choices_set(NULL, "{}", NULL) == TIDE_EINVAL)                              \
    R(tide_choices_set, 1, "no text", tide_choices_set(t->g, NULL, &t->failure) == TIDE_EDATA)                         \
    R(tide_graph_tuning, 0, "no graph", words(tide_graph_tuning(NULL).note))                                           \
    R(tide_compile, 0, "nothing", !tide_compile((tide_list){ 0 }, NULL) && tide_program_error(NULL)->status)           \
    R(tide_compile, 1, "no items", !tide_compile(NO_ITEMS, NULL))                                                      \
    R(tide_compile, 2, "no value", !tide_compile(TIDE_LIST(NOTHING), NULL))                                            \
    R(tide_compile, 3, "no value after one", compiled_failed(tide_compile(TIDE_LIST(t->x, NOTHING), NULL)))            \
    R(tide_compile, 4, "no value before one", compiled_failed(tide_compile(TIDE_LIST(NOTHING, t->x), NULL)))           \
    R(tide_compile, 5, "a value of another graph", compiled_failed(tide_compile(TIDE_LIST(t->x, t->strange), NULL)))   \
    R(tide_compile, 6, "mode 99", compiled_failed(tide_compile(TIDE_LIST(t->x),                                        \
        &(tide_compile_options){ .mode = 99 })))                                                                       \
    R(tide_compile, 7, "precision 99", compiled_failed(tide_compile(TIDE_LIST(t->x),                                   \
        &(tide_compile_options){ .precision = 99 })))                                                                  \
    R(tide_program_free, 0, "no program", (tide_program_free(NULL), true))                                             \
    R(tide_program_error, 0, "no program", tide_program_error(NULL)->status != TIDE_OK)                                \
    R(tide_program_precision, 0, "no program", tide_program_precision(NULL, NULL) == TIDE_PRECISION_F32)               \
    R(tide_program_device, 0, "no program", words(tide_program_device(NULL, NULL)))                                    \
    R(tide_run, 0, "no program", tide_run(NULL, NULL, 0) != TIDE_OK)                                                   \
    R(tide_run, 1, "no feed", ran(t, NULL, 0, TIDE_EINVAL))                                                            \
    R(tide_run, 2, "one feed, NULL", ran(t, NULL, 1, TIDE_EINVAL))                                                     \
    R(tide_run, 3, "-1 feeds", ran(t, &(tide_feed){ t->in, t->six }, -1, TIDE_EINVAL))                                 \
    R(tide_run, 4, "no data", ran(t, &(tide_feed){ t->in, NULL }, 1, TIDE_EINVAL) && named(t))                         \
    R(tide_run, 5, "no value", ran(t, &(tide_feed){ NOTHING, t->six }, 1, TIDE_EINVAL))                                \
    R(tide_run, 6, "an input of another graph", ran(t, &(tide_feed){ t->strange, t->six }, 1, TIDE_EINVAL))            \
    R(tide_run, 7, "no input", ran(t, &(tide_feed){ t->x, t->six }, 1, TIDE_EINVAL))                                   \
    R(tide_run, 8, "fed twice", ran(t, (tide_feed[]){ { t->in, t->six }, { t->in, t->six } }, 2, TIDE_EINVAL)          \
        && named(t))                                                                                                   \
    R(tide_run, 9, "right after wrong", fails_then_runs(t))                                                            \
    R(tide_program_bytes, 0, "no program", tide_program_bytes(NULL).total == 0)                                        \
    R(tide_program_kernels, 0, "no program", tide_program_kernels(NULL) == 0)                                          \
    R(tide_program_flops, 0, "no program", tide_program_flops(NULL) == 0)                                              \
    R(tide_program_explain, 0, "no program", !tide_program_explain(NULL, NULL))                                        \
    R(tide_program_explain, 1, "no feeds", explained(t, NULL, 1))                                                      \
    R(tide_explanation_free, 0, "none", (tide_explanation_free(NULL), true))                                           \
    R(tide_explanation_text, 0, "none", !tide_explanation_text(NULL, 0, 0))                                            \
    R(tide_read, 0, "no value", tide_read(NOTHING, t->six, sizeof t->six) != TIDE_OK)                                  \
    R(tide_read, 1, "no node", tide_read((tide_val){ t->g, 999, 0 }, t->six, sizeof t->six) != TIDE_OK && failed(t))   \
    R(tide_read, 2, "nowhere to", tide_read(t->x, NULL, 24) == TIDE_EINVAL && failed(t))                               \
    R(tide_read, 3, "too little room", tide_read(t->x, t->six, 4) == TIDE_EINVAL && failed(t))                         \
    R(tide_read, 4, "beyond the memory limit", read_beyond_limit())                                                    \
    R(tide_read, 5, "a value given back", read_given_back(t))                                                          \
    R(tide_read_now, 0, "no value", tide_read_now(NOTHING, t->six, sizeof t->six) != TIDE_OK)                          \
    R(tide_read_now, 1, "nowhere to", tide_read_now(t->x, NULL, 24) == TIDE_EINVAL && failed(t))                       \
    R(tide_graph_mark, 0, "no graph", tide_graph_mark(NULL) == 0)                                                      \
    R(tide_graph_rewind, 0, "no graph", tide_graph_rewind(NULL, 1) == TIDE_EINVAL)                                     \
    R(tide_graph_rewind, 1, "no mark", tide_graph_rewind(t->g, 77) == TIDE_EINVAL && failed(t))                        \
    R(tide_graph_rewind, 2, "mark 0", tide_graph_rewind(t->g, 0) == TIDE_EINVAL && failed(t))                          \
    R(tide_data, 0, "no value", !tide_data(NOTHING) && !tide_data((tide_val){ t->g, 999, 0 }))                         \
    R(tide_write, 0, "no value", tide_write(NOTHING, t->six, 24) != TIDE_OK)                                           \
    R(tide_write, 1, "no data", tide_write(t->w, NULL, 24) == TIDE_EINVAL && failed(t))                                \
    R(tide_write, 2, "no variable", tide_write(t->x, t->six, 24) == TIDE_EINVAL && failed(t))                          \
    R(tide_snapshot, 0, "no items", !tide_snapshot(NO_ITEMS) && !tide_snapshot(LESS_THAN_NONE))                        \
    R(tide_snapshot, 1, "no variable", !tide_snapshot(TIDE_LIST(t->x)) && !tide_snapshot(TIDE_LIST(t->w, NOTHING)))    \
    R(tide_snapshot_update, 0, "none", tide_snapshot_update(NULL) != TIDE_OK)                                          \
    R(tide_restore, 0, "none", tide_restore(NULL) != TIDE_OK)                                                          \
    R(tide_snapshot_data, 0, "none", !tide_snapshot_data(NULL, 0))                                                     \
    R(tide_snapshot_data, 1, "past the last", past_the_last(t))                                                        \
    R(tide_snapshot_free, 0, "none", (tide_snapshot_free(NULL), true))                                                 \
    R(tide_devices, 0, "takes nothing", words(*tide_devices()))                                                        \
    R(tide_device_check, 0, "no such device", unknown_device(t))                                                       \
    R(tide_device_check, 1, "a number too many", tide_device_check("cpu:1", NULL) == TIDE_EDEVICE)                     \
    R(tide_device_check, 2, "no name", tide_device_check(NULL, NULL) == TIDE_OK)                                       \
    STALE(R, tide_device_check, "cpu")                                                                                 \
    STALE(R, tide_device_info, "cpu", NULL)                                                                            \
    R(tide_device_info, 0, "no such device", no_info(t))                                                               \
    R(tide_device_info, 1, "nowhere to write to", tide_device_info("ref", NULL, &t->failure) == TIDE_OK)               \
    R(tide_device_info, 2, "no name", tide_device_info(NULL, NULL, NULL) == TIDE_OK)                                   \
    R(tide_wait, 0, "no program", tide_wait(NULL) == TIDE_ENOMEM)                                                      \
    R(tide_wait, 1, "a program that failed", waits_for_failed(t))                                                      \
    R(tide_communicator_library, 0, "no graph", !tide_communicator_library(NULL, NULL))                                \
    R(tide_communicator_library, 1, "a device without", lacks_library(t))                                              \
    R(tide_communicator_id, 0, "no graph", tide_communicator_id(NULL, t->id, &t->failure) == TIDE_EINVAL)              \
    R(tide_communicator_id, 1, "no place", tide_communicator_id(t->g, NULL, NULL) == TIDE_EINVAL)                      \
    STALE(R, tide_communicator_id, t->g, t->id)                                                                        \
    R(tide_communicator_open, 0, "no graph", tide_communicator_open(NULL, t->id, 0, 1, &t->c, NULL) == TIDE_EINVAL)    \
    R(tide_communicator_open, 1, "no name", tide_communicator_open(t->g, NULL, 0, 1, &t->c, NULL) == TIDE_EINVAL)      \
    R(tide_communicator_open, 2, "no rank", tide_communicator_open(t->g, t->id, 2, 2, &t->c, NULL) == TIDE_EINVAL)     \
    R(tide_communicator_open, 3, "nowhere", tide_communicator_open(t->g, t->id, 0, 1, NULL, NULL) == TIDE_EINVAL)      \
    STALE(R, tide_communicator_open, t->g, t->id, 0, 1, &t->c)                                                         \
    R(tide_all_gather, 0, "none", tide_all_gather(NULL, TIDE_LIST(t->w), TIDE_LIST(t->w), 0, NULL) == TIDE_EINVAL)     \
    STALE(R, tide_all_gather, NULL, TIDE_LIST(t->w), TIDE_LIST(t->w), 0)                                               \
    R(tide_communicator_abort, 0, "none", (tide_communicator_abort(NULL), true))                                       \
    R(tide_communicator_close, 0, "none", (tide_communicator_close(NULL), true))                                       \
    R(tide_products, 0, "no device", !tide_products(NULL)->name && !tide_products("toaster")->name)

static bool past_the_last(trial *t) {
    tide_snapshot_t *s = tide_snapshot(TIDE_LIST(t->w));
    bool none = s && !tide_snapshot_data(s, 1) && !tide_snapshot_data(s, -1);
    tide_snapshot_free(s);
    return none;
}

MISUSE_TABLE(misuse_core, CORE)
