/* A service without HTTP, for tests: commands as lines of JSON on stdin, an answer each on stdout. It can be killed as
 * any other. usage: jobs_service FOLDER PROGRAM [AT_ONCE] */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "serve/jobs/jobs.h"
#include "serve/uploads/uploads.h"

static uploads *files;
static jobs    *work;

static tide_status upload_path(void *user, const char *id, char path[FOLDER_PATH], char name[STORE_NAME],
                               tide_failure *failure) {
    upload_info info;
    (void)user;
    tide_status status = uploads_path(files, id, path, &info, failure);
    if (status == TIDE_OK) snprintf(name, STORE_NAME, "%s", info.name);
    return status;
}

/* {"do": "put", "name", "text"}: a file. */
static tide_status put(const json_t *q, json_t **out, tide_failure *failure) {
    upload_writer *w;
    upload_info    info;
    const char    *text   = json_string_value(json_object_get(q, "text"));
    tide_status    status = upload_begin(files, json_string_value(json_object_get(q, "name")), -1, &w, failure);
    if (status != TIDE_OK) return status;
    status = upload_write(w, text, strlen(text), failure);
    if (status == TIDE_OK) status = upload_finish(w, &info, failure);
    else upload_abort(w);
    if (status == TIDE_OK) *out = upload_json(&info);
    return status;
}

static tide_status events(const char *id, const json_t *q, json_t **out, tide_failure *failure) {
    const char *state;
    json_t     *list;
    tide_status status = jobs_events(work, id, json_integer_value(json_object_get(q, "after")), &list, &state, failure);
    if (status == TIDE_OK) *out = json_pack("{s:s, s:o}", "state", state, "events", list);
    return status;
}

static tide_status answer(const json_t *q, json_t **out, tide_failure *failure) {
    const char *what = json_string_value(json_object_get(q, "do")), *id = json_string_value(json_object_get(q, "id"));
    const char *name = json_string_value(json_object_get(q, "name"));
    char        made[STORE_ID] = "", *text = NULL;
    int         fd;
    int64_t     bytes;
    tide_status status = TIDE_EINVAL;
    *out = NULL;
    if (!what) return status;
    if (strcmp(what, "put") == 0) return put(q, out, failure);
    if (strcmp(what, "drop") == 0) return uploads_remove(files, id, failure);
    if (strcmp(what, "submit") == 0) {
        status = jobs_submit(work, json_object_get(q, "job"), made, failure);
        if (status == TIDE_OK) *out = json_string(made);
    } else if (strcmp(what, "get") == 0) status = jobs_get(work, id, out, failure);
    else if (strcmp(what, "list") == 0)
        status = jobs_list(work, json_string_value(json_object_get(q, "state")), NULL, 0, out, failure);
    else if (strcmp(what, "cancel") == 0) status = jobs_cancel(work, id, failure);
    else if (strcmp(what, "resume") == 0) status = jobs_resume(work, id, failure);
    else if (strcmp(what, "remove") == 0) status = jobs_remove(work, id, failure);
    else if (strcmp(what, "events") == 0) status = events(id, q, out, failure);
    else if (strcmp(what, "result") == 0) status = jobs_result(work, id, out, failure);
    else if (strcmp(what, "files") == 0) status = jobs_files(work, id, out, failure);
    else if (strcmp(what, "log") == 0) {
        status = jobs_log(work, id, &text, failure);
        *out   = text ? json_string(text) : NULL;
    } else if (strcmp(what, "file") == 0) {
        status = jobs_file(work, id, name, &fd, &bytes, failure);
        if (status == TIDE_OK) *out = json_integer(bytes);
    }
    free(text);
    return status;
}

static void print(json_t *o) {
    char *line = json_whole(o, JSON_COMPACT | JSON_ENCODE_ANY);
    puts(line ? line : "null");
    fflush(stdout);
    free(line);
    json_decref(o);
}

static json_t *failure_object(const tide_failure *f) {
    return json_pack("{s:{s:s, s:s, s:s}}", "error", "status", tide_status_name(f->status), "column", f->column,
                     "message", f->message);
}

int main(int argc, char **argv) {
    static const uploads_limits limits = { 1 << 20, 4 << 20, 8 };
    char         folder[FOLDER_PATH], line[1 << 16];
    tide_failure failure = { 0 };
    if (argc < 3) return 2;
    jobs_options o = { .folder = folder, .program = argv[2], .at_once = argc > 3 ? atoi(argv[3]) : 1, .threads = 1,
                       .queue = 4, .grace_s = 5, .upload = upload_path };
    snprintf(folder, sizeof folder, "%s/uploads", argv[1]);
    tide_status status = uploads_open(folder, &limits, &files, &failure);
    snprintf(folder, sizeof folder, "%s/jobs", argv[1]);
    if (status == TIDE_OK) status = jobs_open(&o, &work, &failure);
    print(status == TIDE_OK ? json_pack("{}") : failure_object(&failure));
    while (status == TIDE_OK && fgets(line, sizeof line, stdin)) {
        json_t *q = json_loads(line, 0, NULL), *out;
        failure   = (tide_failure){ 0 };
        print(answer(q, &out, &failure) == TIDE_OK ? json_pack("{s:o}", "ok", out ? out : json_null())
                                                    : failure_object(&failure));
        json_decref(q);
    }
    jobs_close(work);
    uploads_close(files);
    return status == TIDE_OK ? 0 : 1;
}
