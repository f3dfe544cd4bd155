/* The folder in which the service keeps uploads and jobs, and where these find each other. */
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "service.h"

static const uploads_limits limits = { .file_bytes = UPLOAD_BYTES, .total_bytes = (int64_t)4 << 30, .count = 1000 };

/* ---- what identifiers mean ---- */

static tide_status upload_path(void *user, const char *id, char path[FOLDER_PATH], char name[STORE_NAME],
                               tide_failure *failure) {
    upload_info info;
    const serve *s     = user;
    tide_status status = uploads_path(s->uploads, id, path, &info, failure);
    if (status == TIDE_OK) snprintf(name, STORE_NAME, "%s", info.name);
    return status;
}

/* A name that is one part of a path and no hidden one. */
static bool is_plain(const char *id) {
    for (const char *c = id; *c; c++)
        if (!isascii((unsigned char)*c) || (!isalnum((unsigned char)*c) && !strchr("._-", *c))) return false;
    return *id && *id != '.' && strlen(id) < STORE_NAME;
}

/* A job that is done, or a run folder among the models. */
static tide_status model_path(void *user, const char *id, char path[FOLDER_PATH], tide_failure *failure) {
    const serve *s = user;
    struct stat  is;
    char         part[STORE_NAME + 16];
    if (store_id_valid(id) && jobs_run(s->jobs, id, path, failure) == TIDE_OK) return TIDE_OK;
    if (failure->status && strcmp(failure->column, "state") == 0) return failure->status;
    failure_clear(failure);
    snprintf(part, sizeof part, "%s/run.json", id);
    bool there = is_plain(id) && stat(folder_file(s->options.models, part, path), &is) == 0 && S_ISREG(is.st_mode);
    if (!there) return store_no_such("model", id, failure);
    folder_file(s->options.models, id, path);
    char *whole = realpath(path, NULL);
    bool  fits  = whole && strlen(whole) < FOLDER_PATH;
    if (fits) strcpy(path, whole);
    free(whole);
    return fits ? TIDE_OK : store_no_such("model", id, failure);
}

static void changed(void *user, const char *id) { followers_changed(((const serve *)user)->followers, id); }

/* ---- the folder ---- */

static tide_status folder_of(const serve *s, char path[FOLDER_PATH], tide_failure *failure) {
    const char *state = getenv("XDG_STATE_HOME"), *home = getenv("HOME");
    int         n;
    if (*s->options.state) n = snprintf(path, FOLDER_PATH, "%s", s->options.state);
    else if (state && *state == '/') n = snprintf(path, FOLDER_PATH, "%s/tidemill/serve", state);
    else if (home && *home == '/') n = snprintf(path, FOLDER_PATH, "%s/.local/state/tidemill/serve", home);
    else return fail_at(failure, TIDE_EINVAL, NULL, 0, "state", "neither `state` nor HOME says where to keep jobs");
    return n < FOLDER_PATH - STORE_NAME ? TIDE_OK
                                        : fail_at(failure, TIDE_EINVAL, NULL, 0, "state", "`state` is too long");
}

static tide_status open_both(serve *s, tide_failure *failure) {
    char         folder[FOLDER_PATH], path[FOLDER_PATH];
    jobs_options o      = { .folder = path, .upload = upload_path, .model = model_path, .changed = changed, .user = s };
    tide_status  status = folder_of(s, folder, failure);
    if (status == TIDE_OK && !(s->followers = followers_new())) status = fail(failure, TIDE_ENOMEM, "out of memory");
    folder_file(folder, "jobs", path);
    if (status == TIDE_OK) status = jobs_open(&o, &s->jobs, failure);
    if (status == TIDE_OK) status = uploads_open(folder_file(folder, "uploads", path), &limits, &s->uploads, failure);
    if (status == TIDE_OK && !followers_start(s->followers, s->jobs))
        status = fail(failure, TIDE_ENOMEM, "no thread for those who follow jobs");
    return status;
}

/* Answers need no folder: only one that was asked for must be had. */
tide_status kept_open(serve *s, tide_failure *failure) {
    tide_failure why    = { 0 };
    char         line[800];
    tide_status  status = open_both(s, &why);
    if (status == TIDE_OK) return TIDE_OK;
    kept_close(s);
    if (*s->options.state || status == TIDE_ENOMEM) return *failure = why, status;
    snprintf(line, sizeof line, "no uploads and no jobs, for want of a folder (`state` names one): %s", why.message);
    if (s->listener) s->listener(s->user, SERVE_WARNING, line);
    return TIDE_OK;
}

void kept_close(serve *s) {
    followers_stop(s->followers);
    jobs_close(s->jobs); /* whose thread tells the followers until then */
    followers_free(s->followers);
    uploads_close(s->uploads);
    s->followers = NULL, s->jobs = NULL, s->uploads = NULL;
}
