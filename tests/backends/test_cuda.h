/* What the files of test_cuda share: a driver with two kernels, the fake that it is on, the tests of the others. */
#ifndef TEST_CUDA_H
#define TEST_CUDA_H

#include "backends/cuda/device.h"
#include "fake_cuda.h"
#include "gpu/fibers.h"
/* before cmocka, which has a macro of the name fail and needs the four below */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

enum { COUNT = 1000, OUT_OF_MEMORY = 2, ILLEGAL_ADDRESS = 700 };

extern fake_cuda *fake, usual;  /* as it is, and as each test begins */

void expect_text(const char *got, const char *want);
void expect_nothing_left(const char *after);
void fail_call(const char *call, int after, unsigned code);
void set_cache(bool folder_is_there);  /* an empty one, or none */

typedef struct trial {
    cuda_device *device;
    void *in, *out, *table, *module;
    float x[COUNT], y[COUNT];
    tide_failure why;
} trial;
tide_status open_device(trial *t, int32_t index);
void        close_trial(trial *t);

/* test_cuda_products.c */
void test_products(void **unused);
void test_no_products(void **unused);
void test_products_fail(void **unused);

/* test_cuda_trains.c */
void test_trains(void **unused);
void test_fewer_threads(void **unused);
void test_lost_in_training(void **unused);
void test_each_call_fails(void **unused);

#endif
