#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/base.h"
#include "run.h"

const char *run_folder_file(const char *folder, const char *name, char *buffer) {
    snprintf(buffer, RUN_PATH, "%s/%s", folder, name);
    return buffer;
}

static bool exists(const char *folder, const char *name) {
    char path[RUN_PATH];
    return access(run_folder_file(folder, name, path), F_OK) == 0;
}

bool run_folder_present(const char *path) {
    return exists(path, "run.json") || exists(path, "state.safetensors") || exists(path, "model.safetensors");
}

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

tide_status make_folders(const char *path, tide_failure *failure) {
    char part[RUN_PATH];
    if (snprintf(part, sizeof part, "%s", path) >= 1024)
        return fail_at(failure, TIDE_EINVAL, NULL, 0, "out", "the name of the folder is longer than 1023 bytes: %.64s...", path);
    for (char *at = part + 1;; at++) {
        if (*at && *at != '/') continue;
        char kept = *at;
        *at       = 0;
        if (mkdir(part, 0777) && errno != EEXIST)
            return fail_at(failure, TIDE_EIO, path, 0, NULL, "cannot make the folder %s: %s", part, strerror(errno));
        if (!kept) break;
        *at = kept;
    }
    struct stat s;
    if (stat(path, &s) || !S_ISDIR(s.st_mode)) return fail_at(failure, TIDE_EIO, path, 0, NULL, "%s is not a folder", path);
    return TIDE_OK;
}

static tide_status take_lock(run_folder *r, tide_failure *failure) {
    char path[RUN_PATH];
    r->lock = open(run_folder_file(r->path, ".lock", path), O_RDWR | O_CREAT | O_CLOEXEC, 0666);
    if (r->lock < 0) return fail_at(failure, TIDE_EIO, r->path, 0, NULL, "cannot write into %s: %s", r->path, strerror(errno));
    struct stat s; /* a file without a name is one whose owner has just finished */
    if (flock(r->lock, LOCK_EX | LOCK_NB) == 0 && fstat(r->lock, &s) == 0 && s.st_nlink > 0) return TIDE_OK;
    return fail_at(failure, TIDE_EINVAL, r->path, 0, "out", "another process is writing the run %s", r->path);
}

/* "NAME.tmp-PID-N" whose process is gone: what it had not yet renamed when it was killed. One of our own number was of an
 * earlier process: we have written nothing yet. */
static bool is_left_over(const char *name) {
    const char *mark = strstr(name, ".tmp-");
    long        pid  = mark ? strtol(mark + 5, NULL, 10) : 0;
    return pid > 0 && (pid == (long)getpid() || (kill((pid_t)pid, 0) != 0 && errno == ESRCH));
}

static void sweep(const char *folder) {
    char path[RUN_PATH];
    DIR *d = opendir(folder);
    for (struct dirent *e; d && (e = readdir(d));)
        if (strlen(e->d_name) < 60 && is_left_over(e->d_name)) unlink(run_folder_file(folder, e->d_name, path));
    if (d) closedir(d);
}

tide_status run_folder_open(const char *path, bool resume, bool overwrite, run_folder *r, tide_failure *failure) {
    *r = (run_folder){ .lock = -1 };
    if (resume && overwrite) return fail_at(failure, TIDE_EINVAL, NULL, 0, "resume", "--resume and --overwrite contradict each other");
    if (snprintf(r->path, sizeof r->path, "%s", path) >= (int)sizeof r->path)
        return fail_at(failure, TIDE_EINVAL, NULL, 0, "out", "the name of the run's folder is longer than %zu bytes", sizeof r->path - 1);
    size_t length = strlen(r->path);
    while (length > 1 && r->path[length - 1] == '/') r->path[--length] = 0;
    bool present = run_folder_present(r->path);
    if (present && !resume && !overwrite)
        return fail_at(failure, TIDE_EINVAL, r->path, 0, "out",
                       "%s holds a run already: go on with it (--resume) or replace it (--overwrite)", r->path);
    r->resuming        = present && resume;
    tide_status status = make_folders(r->path, failure);
    if (status == TIDE_OK) status = take_lock(r, failure);
    if (status == TIDE_OK) sweep(r->path);
    if (status != TIDE_OK && r->lock >= 0) close(r->lock), r->lock = -1; /* the lock file may be another's */
    return status;
}

/* The lock file goes first, while it is still locked. */
void run_folder_close(run_folder *r) {
    char path[RUN_PATH];
    if (r->lock < 0) return;
    unlink(run_folder_file(r->path, ".lock", path));
    close(r->lock);
    r->lock = -1;
}

void run_folder_clear(const run_folder *r, const char *const *files) {
    static const char *const own[] = { "state.safetensors", "run.json", "metrics.csv", NULL };
    char path[RUN_PATH];
    for (const char *const *name = own; *name; name++) unlink(run_folder_file(r->path, *name, path));
    for (const char *const *name = files; *name; name++) unlink(run_folder_file(r->path, *name, path));
}
