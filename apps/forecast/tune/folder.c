/* The folder of a search: whose it is, and the runs in it. */
#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "train/run.h"
#include "tuning.h"

static const char *const files[] = { "tune.jsonl", "trials.csv", "tune.json", NULL };
static const char *const runs[]  = { "best", "trials", "seeds" };

void tuning_path(const tuning *t, const char *name, char path[FORECAST_TEXT_SIZE]) {
    snprintf(path, FORECAST_TEXT_SIZE, "%s/%.*s", t->folder, TUNE_NAME - 2, name);
}

void tuning_trial_path(const tuning *t, int64_t number, char path[FORECAST_TEXT_SIZE]) {
    char name[TUNE_NAME];
    snprintf(name, sizeof name, "trials/%" PRId64, number);
    tuning_path(t, name, path);
}

void tuning_forget(const tuning *t, const trial *x) {
    char path[FORECAST_TEXT_SIZE];
    tuning_trial_path(t, x->number, path);
    owned_remove(path, NULL); /* what stays goes with the folder of all */
}

/* The runs in the folder `name` whose names are numbers, and it, if nothing else is in it. */
static tide_status forget_numbered(const tuning *t, const char *name, tide_failure *failure) {
    char        path[FORECAST_TEXT_SIZE], run[FOLDER_PATH];
    tide_status status = TIDE_OK;
    tuning_path(t, name, path);
    DIR *d = opendir(path);
    for (struct dirent *e; status == TIDE_OK && d && (e = readdir(d));)
        if (isdigit((unsigned char)*e->d_name) && strlen(e->d_name) < TUNE_NAME)
            status = owned_remove(folder_file(path, e->d_name, run), failure);
    if (d) closedir(d);
    rmdir(path);
    return status;
}

tide_status tuning_forget_trials(const tuning *t, tide_failure *failure) {
    return forget_numbered(t, "trials", failure);
}

/* ---- opening ---- */

static tide_status name_folder(tuning *t, tide_failure *failure) {
    const forecast_options *o = t->options;
    enum { LONGEST = sizeof t->folder - 1 };
    char path[1024];
    if (o->resume && !*o->out)
        return fail_at(failure, TIDE_EINVAL, NULL, 0, "resume",
                       "`resume` needs `out`, the folder of the search to go on with");
    if (o->resume && o->overwrite)
        return fail_at(failure, TIDE_EINVAL, NULL, 0, "resume", "`resume` and `overwrite` contradict each other");
    snprintf(path, sizeof path, "%s", o->out);
    if (!*path) run_folder_default("tune", path);
    for (size_t n = strlen(path); n > 1 && path[n - 1] == '/';) path[--n] = 0;
    if (strlen(path) > LONGEST)
        return fail_at(failure, TIDE_EINVAL, NULL, 0, "out", "the name of the folder is longer than %d bytes: %.64s...",
                       LONGEST, path);
    memcpy(t->folder, path, strlen(path) + 1);
    return TIDE_OK;
}

static tide_status check_present(const tuning *t, bool present, tide_failure *failure) {
    const forecast_options *o = t->options;
    if (owned_holds_run(t->folder))
        return fail_at(failure, TIDE_EINVAL, t->folder, 0, "out", "%s contains a run: give the search another folder",
                       t->folder);
    if (!present && o->resume == FORECAST_RESUME_MUST)
        return fail_at(failure, TIDE_EINVAL, t->folder, 0, "resume",
                       "%s contains no search to go on with; `resume` auto starts one", t->folder);
    if (!present || o->resume || o->overwrite || t->joined) return TIDE_OK;
    return fail_at(failure, TIDE_EINVAL, t->folder, 0, "out",
                   "%s already contains a search: go on with it (`resume`) or replace it (`overwrite`)", t->folder);
}

/* What an earlier search left goes; what is not its own is in the way. */
tide_status tuning_folder_clear(const tuning *t, bool present, tide_failure *failure) {
    char        path[FORECAST_TEXT_SIZE];
    struct stat info;
    tide_status status = TIDE_OK;
    tuning_path(t, "best", path);
    if (present) status = owned_remove(path, failure);
    if (present && status == TIDE_OK) status = forget_numbered(t, "trials", failure);
    if (present && status == TIDE_OK) status = forget_numbered(t, "seeds", failure);
    if (status != TIDE_OK) return status;
    for (size_t i = 0; i < sizeof runs / sizeof *runs; i++) {
        tuning_path(t, runs[i], path);
        if (lstat(path, &info) == 0)
            return fail_at(failure, TIDE_EINVAL, path, 0, "out",
                           "%s is there already and was not made by this search: move it away, or give another folder",
                           path);
    }
    owned_clear(t->folder, files + 1);
    return TIDE_OK;
}

bool tuning_present(const tuning *t) {
    char path[FOLDER_PATH];
    return access(folder_file(t->folder, files[0], path), F_OK) == 0;
}

static tide_status lock(tuning *t, tide_failure *failure) {
    t->lock = t->joined ? owned_lock_shared(t->folder, failure) : owned_lock(t->folder, failure);
    if (t->lock < 0) return failure ? failure->status : TIDE_EINVAL;
    if (!t->joined) pieces_clear(t->folder);
    return TIDE_OK;
}

/* Of those that share it the first one clears, where the others wait. */
tide_status tuning_folder_open(tuning *t, tide_failure *failure) {
    const forecast_options *o = t->options;
    tide_status status = name_folder(t, failure);
    if (status == TIDE_OK) status = owned_check(t->folder, files, failure);
    if (status != TIDE_OK) return status;
    bool present = tuning_present(t);
    status       = check_present(t, present, failure);
    if (status == TIDE_OK) status = make_folders(t->folder, failure);
    const char *const inputs[] = { o->data, o->holidays, o->issued, o->statics, o->space };
    for (int i = 0; status == TIDE_OK && i < 5; i++)
        if (*inputs[i] && !strchr(inputs[i], '=')) status = owned_refuse_input(t->folder, inputs[i], failure);
    if (status == TIDE_OK) status = owned_claim(t->folder, (const char *const[]){ NULL }, failure);
    if (status == TIDE_OK) status = lock(t, failure);
    if (status == TIDE_OK && !t->joined && !(present && o->resume)) status = tuning_folder_clear(t, present, failure);
    return status;
}

void tuning_folder_close(tuning *t) {
    if (t->lock < 0) return;
    if (!t->joined) owned_release(t->folder);
    if (t->joined) owned_unlock_shared(t->folder, t->lock);
    else owned_unlock(t->folder, t->lock);
    t->lock = -1;
}
