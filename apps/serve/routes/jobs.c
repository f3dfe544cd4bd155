/* Jobs: asked for, looked at, followed. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/json.h"
#include "later.h"

/* ---- asking for one ---- */

static bool is_member(const char *name) {
    static const char *const members[] = { "command", "options", "upload", "uploads", "model", "models", "name" };
    for (size_t i = 0; i < sizeof members / sizeof *members; i++)
        if (strcmp(members[i], name) == 0) return true;
    return false;
}

static void job_new(serve *s, http_request *r) {
    tide_failure failure = { 0 };
    json_error_t why;
    json_t      *got = NULL;
    char         id[STORE_ID], detail[240];
    size_t       length;
    const char  *body    = http_body(r, &length);
    json_t      *request = json_loadb(body, length, JSON_REJECT_DUPLICATES, &why);
    if (!request) {
        bool large = json_error_code(&why) == json_error_numeric_overflow; /* JSON, but for no value that there is */
        snprintf(detail, sizeof detail, "%s line %d: %.160s", large ? "The body," : "The body is no JSON:",
                 MAX2(why.line, 1), why.text);
        reply_say(r, large ? 422 : 400, large ? "usage" : "json", detail);
        return;
    }
    tide_status status = jobs_submit(s->jobs, request, id, &failure);
    if (status == TIDE_OK) status = jobs_get(s->jobs, id, &got, &failure);
    if (status == TIDE_OK) reply_object(r, 202, got);
    else reply_failure(r, &failure, !*failure.column || is_member(failure.column) ? "" : "/options");
    json_decref(request);
}

/* ---- looking ---- */

static bool is_state(const char *state) {
    for (const char *const *s = jobs_states; *s; s++)
        if (strcmp(*s, state) == 0) return true;
    return false;
}

static bool is_command(const jobs_command *list, const char *name) {
    for (; list->name; list++)
        if (strcmp(list->name, name) == 0) return true;
    return false;
}

/* What chooses nothing that there can be is a mistake. */
static bool choice_fits(const serve *s, http_request *r, problem *p) {
    const char *state = http_query(r, "state"), *command = http_query(r, "command");
    if (state && !is_state(state))
        return problem_at(p, "/state", "queued, running, stopped, done, failed or cancelled is wanted");
    if (!command || is_command(jobs_commands(), command) || is_command(s->commands, command)) return true;
    return problem_at(p, "/command", "no job can be \"%.60s\"", command);
}

static void job_list(serve *s, http_request *r) {
    tide_failure failure = { 0 };
    problem      p       = { 0 };
    json_t      *list;
    if (!choice_fits(s, r, &p)) reply_problem(r, &p);
    else if (jobs_list(s->jobs, http_query(r, "state"), http_query(r, "command"), 0, &list, &failure) == TIDE_OK)
        reply_object(r, 200, list);
    else reply_failure(r, &failure, "");
}

typedef tide_status (*question)(jobs *j, const char *id, json_t **out, tide_failure *failure);

static void answer_with(serve *s, http_request *r, question ask) {
    tide_failure failure = { 0 };
    json_t      *got     = NULL;
    if (ask(s->jobs, http_parameter(r, 0), &got, &failure) == TIDE_OK) reply_object(r, 200, got);
    else reply_failure(r, &failure, "");
}

static void job_get(serve *s, http_request *r) { answer_with(s, r, jobs_get); }
static void job_result(serve *s, http_request *r) { answer_with(s, r, jobs_result); }
static void job_files(serve *s, http_request *r) { answer_with(s, r, jobs_files); }

static void job_log(serve *s, http_request *r) {
    tide_failure failure = { 0 };
    char        *text;
    if (jobs_log(s->jobs, http_parameter(r, 0), &text, &failure) == TIDE_OK)
        http_reply(r, 200, "text/plain; charset=utf-8", text, strlen(text));
    else reply_failure(r, &failure, "");
}

/* ---- files ---- */

/* By a type that no browser runs, whatever the file is. */
static const char *type_of(const char *name) {
    const char *dot = strrchr(name, '.');
    if (dot && strcmp(dot, ".csv") == 0) return "text/csv; charset=utf-8";
    if (dot && strcmp(dot, ".json") == 0) return "application/json";
    return "application/octet-stream";
}

static void reply_file(serve *s, http_request *r, const char *name) {
    tide_failure failure = { 0 };
    int          fd;
    int64_t      bytes;
    if (jobs_file(s->jobs, http_parameter(r, 0), name, &fd, &bytes, &failure) != TIDE_OK) {
        reply_failure(r, &failure, "");
        return;
    }
    http_answer_header(r, "X-Content-Type-Options", "nosniff");
    http_answer_header(r, "Content-Disposition", "attachment");
    http_reply_file(r, type_of(name), fd, (uint64_t)bytes);
}

static void job_file(serve *s, http_request *r) { reply_file(s, r, http_parameter(r, 1)); }

/* Columns as lists: {"epoch": [1, 2], ..}; a field that is no number is null. NULL: out of memory. */
static json_t *columns_of(char *csv) {
    json_t *o = json_object(), *columns = json_array();
    char   *line_at, *field_at, *end;
    char   *line = strtok_r(csv, "\n", &line_at);
    char   *f = line ? strtok_r(line, ",", &field_at) : NULL;
    for (; o && columns && f; f = strtok_r(NULL, ",", &field_at)) {
        json_t *list = json_array();
        if (list) columns = json_with_item(columns, json_incref(list));
        o = json_with(o, f, list);
    }
    while (o && columns && (line = strtok_r(NULL, "\n", &line_at))) {
        size_t i = 0;
        for (char *cell = line; cell && i < json_array_size(columns); i++) {
            char *next = strchr(cell, ',');
            if (next) *next++ = 0;
            double value = num_parse(cell, &end);
            json_array_append_new(json_array_get(columns, i), end != cell && !*end ? json_finite(value) : json_null());
            cell = next;
        }
    }
    json_decref(columns);
    return o;
}

/* The whole file, ended with 0, malloc'ed; NULL: out of memory, or it cannot be read. Takes the descriptor. */
static char *read_whole(int fd, int64_t bytes) {
    char   *text = malloc((size_t)bytes + 1);
    int64_t done = 0;
    while (text && done < bytes) {
        ssize_t n = read(fd, text + done, (size_t)(bytes - done));
        if (n < 0 && errno == EINTR) continue;
        if (n <= 0) break;
        done += n;
    }
    if (text) text[done] = 0;
    close(fd);
    return text;
}

/* As CSV where that is asked for. */
static void job_metrics(serve *s, http_request *r) {
    static const char name[] = "run/metrics.csv";
    tide_failure failure = { 0 };
    int          fd;
    int64_t      bytes;
    if (wants_csv(r)) {
        reply_file(s, r, name);
        return;
    }
    if (jobs_file(s->jobs, http_parameter(r, 0), name, &fd, &bytes, &failure) != TIDE_OK) {
        reply_failure(r, &failure, "");
        return;
    }
    char *csv = read_whole(fd, bytes);
    reply_object(r, 200, csv ? columns_of(csv) : NULL);
    free(csv);
}

/* ---- changing ---- */

typedef tide_status (*change)(jobs *j, const char *id, tide_failure *failure);

static void change_with(serve *s, http_request *r, change make) {
    tide_failure failure = { 0 };
    if (make(s->jobs, http_parameter(r, 0), &failure) == TIDE_OK) answer_with(s, r, jobs_get);
    else reply_failure(r, &failure, "");
}

static void job_cancel(serve *s, http_request *r) { change_with(s, r, jobs_cancel); }
static void job_resume(serve *s, http_request *r) { change_with(s, r, jobs_resume); }

static void job_remove(serve *s, http_request *r) {
    tide_failure failure = { 0 };
    if (jobs_remove(s->jobs, http_parameter(r, 0), &failure) == TIDE_OK)
        reply_object(r, 200, json_pack("{s:s}", "removed", http_parameter(r, 0)));
    else reply_failure(r, &failure, "");
}

static void job_name(serve *s, http_request *r) {
    tide_failure failure = { 0 };
    json_error_t why;
    size_t       length;
    const char  *body = http_body(r, &length), *name = NULL;
    json_t      *said = json_loadb(body, length, JSON_REJECT_DUPLICATES, &why);
    if (!said || json_unpack_ex(said, &why, JSON_STRICT, "{s:s}", "name", &name) != 0)
        reply_say(r, said ? 422 : 400, said ? "usage" : "json", "The body is {\"name\": \"what it is to be called\"}.");
    else if (jobs_rename(s->jobs, http_parameter(r, 0), name, &failure) == TIDE_OK) answer_with(s, r, jobs_get);
    else reply_failure(r, &failure, "");
    json_decref(said);
}

/* ---- following ---- */

static bool take_number(const char *text, const char *pointer, int64_t *number, problem *p) {
    char *end;
    if (!text) return true;
    errno   = 0;
    *number = strtoll(text, &end, 10);
    if (*text >= '0' && *text <= '9' && !*end && errno == 0) return true;
    return problem_at(p, pointer, "the number of an event is wanted");
}

/* After the event that the client saw last: its header when it comes again, or the query. */
static bool take_after(http_request *r, int64_t *after, problem *p) {
    *after = 0;
    return take_number(http_query(r, "after"), "/after", after, p) &&
           take_number(http_header(r, "Last-Event-ID"), "/Last-Event-ID", after, p);
}

static void job_events(serve *s, http_request *r) {
    tide_failure failure = { 0 };
    char         id[STORE_ID];
    int64_t      after; /* read now: the stream is the request's answer, and the request is gone with it */
    problem      p = { 0 };
    json_t      *got;
    if (!take_after(r, &after, &p)) {
        reply_problem(r, &p);
        return;
    }
    if (jobs_get(s->jobs, http_parameter(r, 0), &got, &failure) != TIDE_OK) {
        reply_failure(r, &failure, "");
        return;
    }
    json_decref(got);
    snprintf(id, sizeof id, "%s", http_parameter(r, 0));
    http_answer_header(r, "Cache-Control", "no-store");
    http_stream *stream = http_stream_open(r, "text/event-stream");
    if (stream) followers_add(s->followers, stream, id, after);
}

#define KEPT(name)                                                   \
    void route_##name(void *user, http_request *r) {                 \
        serve *s = user;                                             \
        if (has_kept(s, r)) later(s->files, r, name);                \
    }
KEPT(job_new)
KEPT(job_list)
KEPT(job_get)
KEPT(job_remove)
KEPT(job_cancel)
KEPT(job_resume)
KEPT(job_name)
KEPT(job_events)
KEPT(job_log)
KEPT(job_metrics)
KEPT(job_result)
KEPT(job_files)
KEPT(job_file)
