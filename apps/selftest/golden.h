/* Golden files (tests/golden/README.md), which another program made: outputs, attention, every gradient; Adam steps. */
#ifndef SELFTEST_GOLDEN_H
#define SELFTEST_GOLDEN_H

#include <tidemill/io.h>

#include "check_op.h"
#include "forecast/models/model.h"

enum { GOLDEN_FILES = 4 };
extern const char *const golden_files[GOLDEN_FILES];
extern const char golden_steps_file[];

/* 1e-5 of each tensor's norm is allowed, in 16 bits 2e-2; the gradients of key biases, zero in exact arithmetic, are
 * left out. Fails only if the file cannot be read or is not such a file; differences are in `out`. */
tide_status golden_check(const char *path, check_on on, check_result *out, tide_failure *failure);

/* The same for losses and gradient norms of Adam steps on the file's series (golden_steps.c). */
tide_status golden_steps_check(const char *path, check_on on, check_result *out, tide_failure *failure);

/* What both kinds of file have: the sizes, and a set of parameters, written to `params`. */
tide_status golden_config(const tide_archive *file, const char *path, model_config *c, int64_t *batch,
                          tide_failure *failure);
tide_status golden_load(const tide_archive *file, const char *path, const char *prefix, tide_list params,
                        tide_failure *failure);

#endif
