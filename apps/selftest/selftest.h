/* Does this machine compute what it should? The op table, every derivative, and the golden files of the published
 * model. */
#ifndef SELFTEST_H
#define SELFTEST_H

#include <tidemill/core.h>

typedef struct selftest_options {
    const char *device;      /* what is tested; NULL: "cpu" */
    const char *golden;      /* folder with itransformer_*.npz (tests/golden/README.md); NULL: not run */
    /* After each check; may be NULL. error: the largest relative error; `detail` says what is wrong, "" if nothing is.
     * Non-zero stops. */
    int       (*report)(void *user, const char *check, bool passed, double error, const char *detail);
    void       *user;
} selftest_options;

typedef struct selftest_result {
    int64_t passed, failed;
    int64_t golden_files;    /* how many of them were files of options.golden */
    double  worst_rel_error;
    char    worst[64];       /* the check that had it */
} selftest_result;

/* This program's golden files: in `installed`, absolute or seen from the running program's folder, else in `source`.
 * False and "": in neither. */
bool selftest_golden_folder(const char *installed, const char *source, char *folder, size_t size);

/* The golden folder holds four files of cases, and one of steps unless another program made it.
 * A check that fails is counted, not returned. Fails with TIDE_EDEVICE (no such device), TIDE_EDATA or TIDE_EIO (the
 * golden files), TIDE_ECANCELLED. */
tide_status selftest_run(const selftest_options *options, selftest_result *result, tide_failure *failure);

#endif
