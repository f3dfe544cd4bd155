#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/base.h"
#include "run.h"

bool run_folder_present(const char *path) { return owned_holds_run(path); }

void run_folder_default(const char *name, char path[1024]) {
    char        plain[64], date[32];
    time_t      now = time(NULL);
    struct tm   local;
    struct stat s;
    snprintf(plain, sizeof plain, "%.63s", *name ? name : "run");
    for (char *c = plain; *c; c++)
        if (!strchr("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.-", *c)) *c = '-';
    localtime_r(&now, &local);
    strftime(date, sizeof date, "%Y-%m-%d-%H%M%S", &local);
    snprintf(path, 1024, "runs/%s-%s", date, plain);
    for (int i = 2; stat(path, &s) == 0; i++) snprintf(path, 1024, "runs/%s-%s-%d", date, plain, i);
}

/* What every run has, whatever its application adds. */
static const char *const every_run[] = { "run.json", "state.safetensors", "metrics.csv", NULL };

/* A name becomes ours when its file is about to be written: not by a run that never came so far. */
static tide_status check(const char *folder, const char *const *names, tide_failure *failure) {
    tide_status status = owned_check(folder, every_run, failure);
    if (status == TIDE_OK) status = owned_check(folder, names, failure);
    return status == TIDE_OK ? owned_claim(folder, (const char *const[]){ NULL }, failure) : status;
}

tide_status run_folder_open(const char *path, run_resume resume, bool overwrite, const char *const *names,
                            const char *const *inputs, run_folder *r,
                            tide_failure *failure) {
    *r = (run_folder){ .lock = -1 };
    if (resume && overwrite)
        return fail_at(failure, TIDE_EINVAL, NULL, 0, "resume", "`resume` and `overwrite` contradict each other");
    if (snprintf(r->path, sizeof r->path, "%s", path) >= (int)sizeof r->path)
        return fail_at(failure, TIDE_EINVAL, NULL, 0, "out", "the name of the run's folder is longer than %zu bytes",
                       sizeof r->path - 1);
    size_t length = strlen(r->path);
    while (length > 1 && r->path[length - 1] == '/') r->path[--length] = 0;
    bool present = run_folder_present(r->path);
    if (!present && resume == RUN_RESUME_MUST)
        return fail_at(failure, TIDE_EINVAL, r->path, 0, "resume",
                       "%s contains no run to resume; `resume` auto starts one", r->path);
    if (present && !resume && !overwrite)
        return fail_at(failure, TIDE_EINVAL, r->path, 0, "out",
                       "%s already contains a run: resume it (`resume`) or replace it (`overwrite`)", r->path);
    r->resuming        = present && resume != RUN_RESUME_NO;
    tide_status status = make_folders(r->path, failure);
    if (status == TIDE_OK) status = check(r->path, names, failure);
    for (; status == TIDE_OK && *inputs; inputs++) status = owned_refuse_input(r->path, *inputs, failure);
    if (status == TIDE_OK && (r->lock = owned_lock(r->path, failure)) < 0)
        status = failure ? failure->status : TIDE_EIO;
    return status;
}

void run_folder_close(run_folder *r) {
    if (r->lock >= 0) owned_release(r->path);
    owned_unlock(r->path, r->lock);
    r->lock = -1;
}

void run_folder_clear(const run_folder *r, const char *const *names) {
    owned_clear(r->path, every_run);
    owned_clear(r->path, names);
}
