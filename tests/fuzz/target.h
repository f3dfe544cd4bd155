/* A fuzz target past the readers: one file, one LLVMFuzzerTestOneInput, and inputs to start from. A target ends the
 * program (fuzz_require) where a promise is broken; sanitizers and libFuzzer's limits find the rest. */
#ifndef TEST_FUZZ_TARGET_H
#define TEST_FUZZ_TARGET_H

#include <stddef.h>
#include <stdint.h>

#include "support.h"

int   LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
bytes fuzz_seed(int i);  /* malloc'ed; data NULL after the last */

/* Ends the program, saying what did not hold. */
void fuzz_require(bool holds, const char *what, const tide_failure *why);
/* A refusal says why and blames the file or the memory, nothing else. */
void fuzz_refusal(tide_status status, const tide_failure *why);

/* A folder of this process in memory where there is such a disk, removed at exit. */
const char *fuzz_folder(void);
/* "FOLDER/name"; static memory, valid until the fourth call after it. */
const char *fuzz_path(const char *name);

/* Up to the next 0 byte or the end, malloc'ed and closed with a 0; *data and *size move behind it. */
char *fuzz_text(const uint8_t **data, size_t *size);
/* The rest: records of 12 bytes, each a tensor's number, what happens to it (an element overwritten, the tensor left
 * out, its shape changed), the element, and the value. `a` owns its tensors. */
void  fuzz_patch(tide_archive *a, const uint8_t *data, size_t size);

#endif
