/* The published model's own numbers: outputs, loss, attention and every gradient of a file made by its program. */
#ifndef SELFTEST_GOLDEN_H
#define SELFTEST_GOLDEN_H

#include "check_op.h"

enum { GOLDEN_FILES = 4 };
extern const char *const golden_files[GOLDEN_FILES];

/* 1e-5 of each tensor's norm is allowed; the gradients of key biases, zero in exact arithmetic, are left out.
 * Fails only if the file cannot be read or is not such a file; differences are in `out`. */
tide_status golden_check(const char *path, const char *device, check_result *out, tide_failure *failure);

#endif
