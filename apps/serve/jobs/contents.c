/* What is in a job's folder: events, log, result, files. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/json.h"
#include "serve/jobs/inside.h"

enum { DEEPEST = 6, MOST_FILES = 10000 };

const char *const jobs_states[] = { "queued", "running", "stopped", "done", "failed", "cancelled", NULL };

/* The job's state as a constant text; NULL: there is no such job. */
static const char *state_of(jobs *j, const char *id, tide_failure *failure) {
    json_t     *record;
    const char *state = NULL;
    if (jobs_get(j, id, &record, failure) != TIDE_OK) return NULL;
    for (const char *const *s = jobs_states; *s; s++)
        if (strcmp(*s, record_text(record, "state")) == 0) state = *s;
    json_decref(record);
    if (!state) fail(failure, TIDE_EDATA, "the record of job %s has no state", id);
    return state;
}

static tide_status why_of(const tide_failure *failure, tide_status else_) {
    return failure && failure->status ? failure->status : else_;
}

tide_status jobs_events(jobs *j, const char *id, int64_t after, json_t **out, const char **state,
                        tide_failure *failure) {
    char path[FOLDER_PATH];
    *out   = NULL;
    *state = state_of(j, id, failure); /* before the events: at an end all of them are there */
    if (!*state) return why_of(failure, TIDE_EINVAL);
    *out = events_after(job_path(j, id, "events", path), after, failure);
    return *out ? TIDE_OK : why_of(failure, TIDE_EIO);
}

tide_status jobs_log(jobs *j, const char *id, char **out, tide_failure *failure) {
    char path[FOLDER_PATH];
    *out = NULL;
    if (!state_of(j, id, failure)) return why_of(failure, TIDE_EINVAL);
    *out = events_text(job_path(j, id, "events", path), failure);
    return *out ? TIDE_OK : why_of(failure, TIDE_EIO);
}

tide_status jobs_result(jobs *j, const char *id, json_t **out, tide_failure *failure) {
    char        path[FOLDER_PATH];
    const char *state = state_of(j, id, failure);
    *out = NULL;
    if (!state) return why_of(failure, TIDE_EINVAL);
    if (strcmp(state, "done") != 0)
        return fail_at(failure, TIDE_EINVAL, NULL, 0, "state", "the job is %s: it has no result", state);
    *out = store_read_json(job_path(j, id, "output", path), failure);
    return *out ? TIDE_OK : why_of(failure, TIDE_EIO);
}

tide_status jobs_run(jobs *j, const char *id, char path[FOLDER_PATH], tide_failure *failure) {
    const char *state = state_of(j, id, failure);
    if (!state) return why_of(failure, TIDE_EINVAL);
    job_path(j, id, "run", path);
    return strcmp(state, "done") == 0 ? TIDE_OK
               : fail_at(failure, TIDE_EINVAL, NULL, 0, "state", "the job is %s: it has no model yet", state);
}

/* ---- files ---- */

static json_t *add_file(json_t *list, const char *name, const struct stat *is) {
    return json_with_item(list, json_pack("{s:o, s:I, s:f}", "name", json_text(name), "bytes", (json_int_t)is->st_size,
                                          "modified", (double)is->st_mtime));
}

/* Takes the descriptor; names begin with `prefix`. Links and what begins with a dot are passed over. */
static json_t *walk(json_t *list, int fd, const char *prefix, int depth) {
    char        name[FOLDER_PATH];
    struct stat is;
    DIR        *dir = fd >= 0 ? fdopendir(fd) : NULL;
    if (!dir && fd >= 0) close(fd);
    for (struct dirent *e; list && dir && (e = readdir(dir)) && json_array_size(list) < MOST_FILES;) {
        if (e->d_name[0] == '.' || fstatat(dirfd(dir), e->d_name, &is, AT_SYMLINK_NOFOLLOW) != 0) continue;
        if (snprintf(name, sizeof name, "%s/%s", prefix, e->d_name) >= (int)sizeof name) continue;
        if (S_ISREG(is.st_mode)) list = add_file(list, name, &is);
        else if (S_ISDIR(is.st_mode) && depth < DEEPEST)
            list = walk(list, openat(dirfd(dir), e->d_name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC), name,
                        depth + 1);
    }
    if (dir) closedir(dir);
    return list;
}

tide_status jobs_files(jobs *j, const char *id, json_t **out, tide_failure *failure) {
    char path[FOLDER_PATH];
    *out = NULL;
    if (!state_of(j, id, failure)) return why_of(failure, TIDE_EINVAL);
    int fd = open(job_path(j, id, "run", path), O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    *out   = walk(json_array(), fd, "run", 0);
    return *out ? TIDE_OK : fail(failure, TIDE_ENOMEM, "out of memory");
}

/* Part by part, so that no link and no ".." leads out of the folder. -1: there is no such file. Takes `at`. */
static int open_within(int at, const char *name) {
    char part[256];
    while (at >= 0) {
        size_t length = strcspn(name, "/");
        bool   last   = !name[length], fine = length && length < sizeof part && *name != '.';
        int    how    = O_RDONLY | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK | (last ? 0 : O_DIRECTORY);
        snprintf(part, sizeof part, "%.*s", (int)MIN2(length, sizeof part - 1), name);
        int next = fine ? openat(at, part, how) : -1;
        close(at);
        if (last) return next;
        at   = next;
        name += length + 1;
    }
    return -1;
}

tide_status jobs_file(jobs *j, const char *id, const char *name, int *fd, int64_t *bytes, tide_failure *failure) {
    char        path[FOLDER_PATH];
    struct stat is;
    *fd = -1;
    if (!state_of(j, id, failure)) return why_of(failure, TIDE_EINVAL);
    bool ours = strncmp(name, "run/", 4) == 0;
    if (ours) *fd = open_within(open(job_folder(j, id, path), O_RDONLY | O_DIRECTORY | O_CLOEXEC), name);
    if (*fd >= 0 && fstat(*fd, &is) == 0 && S_ISREG(is.st_mode)) {
        *bytes = is.st_size;
        return TIDE_OK;
    }
    if (*fd >= 0) close(*fd);
    *fd = -1;
    return fail_at(failure, TIDE_EINVAL, NULL, 0, "file", "the job has no such file");
}
