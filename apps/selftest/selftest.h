/* Does this machine compute what it should? The op table, every derivative, and the golden files of the published
 * model. */
#ifndef SELFTEST_H
#define SELFTEST_H

#include <tidemill/core.h>

typedef struct selftest_options {
    const char *device;      /* what is tested; NULL: "cpu" */
    tide_precision precision; /* of products: F32 (or 0), BF16 or F16; F32 where the device has no such products */
    const char *only;        /* checks whose names have this in them; NULL: all */
    const char *golden;      /* folder with itransformer_*.npz (tests/golden/README.md); NULL: not run */
    /* After each check; may be NULL. error: the largest relative error; `detail` says what is wrong, "" if nothing is.
     * Non-zero stops. */
    int       (*report)(void *user, const char *check, bool passed, double error, const char *detail);
    void       *user;
} selftest_options;

typedef struct selftest_result {
    int64_t passed, failed;
    int64_t golden_files;    /* how many of them were files of options.golden */
    tide_precision precision; /* that was tested */
    const char *precision_note; /* why it is not the one asked for; "" */
    double  worst_rel_error;
    char    worst[64];       /* the check that had it */
} selftest_result;

/* This program's golden files: in the first of the places that has them, each absolute or seen from the running
 * program's folder; a NULL ends them. False and "": in none. */
bool selftest_golden_folder(const char *const places[], char *folder, size_t size);

/* The golden folder holds four files of cases, and one of steps unless another program made it.
 * A check that fails is counted, not returned. Fails with TIDE_EDEVICE (no such device), TIDE_EDATA or TIDE_EIO (the
 * golden files), TIDE_EINVAL (no check has such a name), TIDE_ECANCELLED. */
tide_status selftest_run(const selftest_options *options, selftest_result *result, tide_failure *failure);

#endif
