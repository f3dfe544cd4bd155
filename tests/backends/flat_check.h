/* Running flat programs on any backend and comparing. */
#ifndef TEST_FLAT_CHECK_H
#define TEST_FLAT_CHECK_H

#include "flat_build.h"  /* before cmocka, whose macro fail() has other arguments than ours */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

/* Of all the cases that a test loops over, the quick tier takes every seventh, which meets each value of each loop as
 * no loop's length is a multiple of 7; with the argument "slow" it takes all. Call once a case. */
bool taken(void);
bool takes_all(void);
void take_arguments(int argc, char **argv);

/* The arena after one run; free it. Fails the test if the run fails or scratch_bytes is not what was allocated. */
void *run_on(const tide_backend *backend, const builder *b, int threads);
void *run_in(const tide_backend *backend, const builder *b, backend_env env);  /* whatever its allocator */
/* Fails the test if an output is further from the expected than the tolerances, or anything else has changed. */
void expect_close(const builder *b, const void *expected, const void *got, double rtol, double atol, const char *what,
                  const char *who);
/* Runs on ref, check, and cpu in each instruction set with 1 and 2 threads (same bits), and compares outputs. */
void expect_like_ref(const builder *b, double rtol, double atol, const char *what);
/* Whether long sums are made in the order and in the width of ref; else they are only close, where nothing cancels. */
extern const bool sums_as_ref;
/* A test at the end: what expect_like_ref put off. native_check.c gathers maps and compiles them together,
 * gpu/fibers_check.c any cases. */
void expect_rest(void **unused);

#endif
