/* The folder in which the service keeps uploads and jobs, and where these find each other. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
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

/* The same for routes that read an upload by themselves. */
static bool find_upload(serve *s, const char *id, char *path, size_t path_size, char *name, size_t name_size) {
    char         where[FOLDER_PATH];
    upload_info  info;
    tide_failure failure = { 0 };
    if (!s->uploads || uploads_path(s->uploads, id, where, &info, &failure) != TIDE_OK) return false;
    snprintf(name, name_size, "%s", info.name);
    return snprintf(path, path_size, "%s", where) < (int)path_size;
}

/* A job that is done, or one of the service's models. */
static tide_status model_path(void *user, const char *id, char path[FOLDER_PATH], tide_failure *failure) {
    const serve *s = user;
    char         named[FOLDER_PATH];
    if (store_id_valid(id) && jobs_run(s->jobs, id, path, failure) == TIDE_OK) return TIDE_OK;
    if (failure->status && strcmp(failure->column, "state") == 0) return failure->status;
    failure_clear(failure);
    if (!models_path(s->models, id, named, sizeof named)) return store_no_such("model", id, failure);
    char *whole = realpath(named, NULL); /* as the job's process will see it, wherever it runs */
    bool  fits  = whole && strlen(whole) < FOLDER_PATH;
    if (fits) strcpy(path, whole);
    free(whole);
    return fits ? TIDE_OK : store_no_such("model", id, failure);
}

/* The same for whoever asks a model: what a job trained is one. */
static bool find_trained(void *user, const char *id, char *path, size_t size) {
    const serve *s = user;
    char         run[FOLDER_PATH];
    tide_failure failure = { 0 };
    if (!store_id_valid(id) || jobs_run(s->jobs, id, run, &failure) != TIDE_OK) return false;
    return snprintf(path, size, "%s", run) < (int)size;
}

/* Those that have no model in their folder are passed over by whoever reads it. */
static json_t *list_trained(void *user) {
    const serve *s = user;
    tide_failure failure = { 0 };
    json_t      *done = NULL, *job, *list = json_array();
    size_t       i;
    if (jobs_list(s->jobs, "done", NULL, 0, &done, &failure) != TIDE_OK) return list;
    json_array_foreach(done, i, job) list = json_with_item(list, json_incref(json_object_get(job, "id")));
    json_decref(done);
    return list;
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

/* What else this program can do, as jobs have it: each writes into its own folder. */
static tide_status take_commands(serve *s, tide_failure *failure) {
    size_t count = 0;
    for (const serve_command *c = s->options.commands; c && c->name; c++) count++;
    if (!(s->commands = calloc(count + 1, sizeof *s->commands))) return fail(failure, TIDE_ENOMEM, "out of memory");
    for (size_t i = 0; i < count; i++) {
        const serve_command *c = &s->options.commands[i];
        s->commands[i] = (jobs_command){ .name = c->name, .rows = { { c->table, 0 } }, .files = "", .models = "",
                                         .written = c->written, .fixed = "" };
    }
    return TIDE_OK;
}

static tide_status open_both(serve *s, tide_failure *failure) {
    char         folder[FOLDER_PATH], path[FOLDER_PATH];
    jobs_options o      = { .folder = path, .upload = upload_path, .model = model_path, .changed = changed, .user = s };
    tide_status  status = folder_of(s, folder, failure);
    if (status == TIDE_OK) status = take_commands(s, failure), o.more = s->commands;
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
    s->upload_path      = find_upload;
    tide_status  status = open_both(s, &why);
    if (status == TIDE_OK) {
        models_also(s->models, find_trained, list_trained, s);
        return TIDE_OK;
    }
    kept_close(s);
    if (*s->options.state || status == TIDE_ENOMEM) return *failure = why, status;
    snprintf(line, sizeof line, "no uploads and no jobs, for want of a folder (`state` names one): %s", why.message);
    lines_put(s->told, SERVE_WARNING, line);
    return TIDE_OK;
}

void kept_close(serve *s) {
    followers_stop(s->followers);
    jobs_close(s->jobs); /* whose thread tells the followers until then */
    followers_free(s->followers);
    uploads_close(s->uploads);
    free(s->commands);
    s->commands = NULL, s->followers = NULL, s->jobs = NULL, s->uploads = NULL;
}
