/* A request about spectra on its way: decoded on a thread of the sockets unless it is large, answered by a worker. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/base.h"
#include "base/json.h"
#include "eis.h"
#include "later.h"

static void discard(eis_task *t) {
    body_free(&t->body);
    eis_spectra_free(&t->files);
    model_drop(t->model);
    free(t);
}

static void refuse(eis_task *t) {
    reply_problem(t->r, &t->problem);
    discard(t);
}

int eis_task_stop(void *task, const eis_event *event) {
    const eis_task *t = task;
    (void)event;
    return http_cancelled(t->r) || os_seconds() > t->deadline;
}

/* ---- what is asked ---- */

static bool decode_json(eis_task *t) {
    size_t      length;
    const char *bytes = http_body(t->r, &length);
    if (!has_no_query(t->r, &t->problem) || !body_parse(bytes, length, &t->body, &t->problem)) return false;
    if (!record_decode(&t->body, t->body.root, t->kind->in, "", &t->in, &t->problem)) return false;
    void *options = t->kind->door->table == eis_fit_table ? (void *)&t->fit : &t->options;
    if (t->in.options &&
        !options_apply(&t->body, t->kind->door, t->in.options, "/options", options, &t->problem))
        return false;
    return eis_spectra_decode(t);
}

/* A query's names are fields, else options of the kind, else those by which files are read. */
static bool take_query(void *user, const char *name, const char *value) {
    eis_task *t = user;
    bool      fit = t->kind->door->table == eis_fit_table;
    if (strcmp(name, "name") == 0) return true;
    if (strcmp(name, "known") == 0 && t->kind->alone) return t->in.known = value, true;
    if (strcmp(name, "model") == 0 && t->kind->alone) return t->in.model = value, true;
    const tide_option *row = tide_option_find(t->kind->door->table(), name);
    bool own = row && options_open(t->kind->door, row);
    options_apply_text(own ? t->kind->door : t->kind->reading, name, value, "",
                       own && fit ? (void *)&t->fit : &t->options, &t->problem);
    return true;
}

static bool decode_file(eis_task *t) {
    size_t      length;
    const char *bytes = http_body(t->r, &length);
    http_queries(t->r, take_query, t);
    return !t->problem.status && eis_spectra_of_body(t, bytes, length);
}

static bool take_known(eis_task *t) {
    eis_known    known;
    tide_failure failure = { 0 };
    if (!t->in.known) return true;
    if (strlen(t->in.known) >= sizeof t->options.known) return problem_at(&t->problem, "/known", "it is too long");
    if (eis_known_parse(t->in.known, &known, &failure) != TIDE_OK) {
        failure.column[0] = 0;
        return problem_of(&t->problem, &failure, "/known");
    }
    snprintf(t->options.known, sizeof t->options.known, "%s", t->in.known);
    return true;
}

static bool take_model(eis_task *t) {
    if (!t->in.model) return true;
    t->model = models_take(t->s->models, t->in.model, MODEL_EIS, &t->problem);
    return t->model != NULL;
}

static eis_task *task_new(const eis_kind *kind, serve *s, http_request *r) {
    eis_task *t = calloc(1, sizeof *t);
    if (!t) return NULL;
    t->kind = kind, t->s = s, t->r = r, t->deadline = INFINITY;
    eis_options_default(&t->options);
    eis_fit_options_default(&t->fit);
    t->options.threads = 1;
    return t;
}

/* ---- answers ---- */

static void too_long(eis_task *t) {
    problem_say(&t->problem, 503, "deadline",
                "This takes longer than the %g s that an answer may take here: make it a job (POST /api/v1/jobs).",
                t->s->options.deadline_s);
}

/* One failure among several spectra stands in the place of its answer. */
static bool put_failure(eis_task *t, const tide_failure *failure, text *out) {
    problem p    = { 0 };
    bool    own  = failure->status == TIDE_EDATA || failure->status == TIDE_EINVAL;
    if (!t->listed || !own) {
        if (failure->status == TIDE_ECANCELLED && os_seconds() > t->deadline) too_long(t);
        else problem_of(&t->problem, failure, failure->status == TIDE_EINVAL ? "/options" : "/spectrum");
        return false;
    }
    problem_of(&p, failure, "");
    char *json = problem_json(&p);
    text_add(out, "{\"error\":%s}", json ? json : "null");
    free(json);
    problem_free(&p);
    return true;
}

static bool answer_all(eis_task *t, int thread, text *out) {
    text_add(out, t->listed ? "{\"answers\":[" : "%s", "");
    for (int64_t i = 0; i < (t->count ? t->count : 1); i++) {
        tide_failure failure = { 0 };
        if (i) text_add(out, ",");
        if (t->kind->answer(t, thread, t->count ? &t->spectrum[i] : NULL, out, &failure) != TIDE_OK &&
            !put_failure(t, &failure, out))
            return false;
    }
    if (t->listed) text_add(out, "]}");
    return true;
}

static void answer(void *user, int thread, work_item *const *items, int count) {
    eis_task *t   = (eis_task *)items[0];
    text      out = { 0 };
    (void)user, (void)count;
    bool in_time = os_seconds() < t->deadline && !http_cancelled(t->r);
    if (!in_time && http_cancelled(t->r)) problem_say(&t->problem, 503, "cancelled", "The client has gone.");
    else if (!in_time) too_long(t);
    if (in_time && answer_all(t, thread, &out)) {
        if (out.failed) text_free(&out);
        reply_json(t->r, 200, out.failed ? NULL : out.data);
        discard(t);
        return;
    }
    text_free(&out);
    refuse(t);
}

static bool is_slow(const eis_task *t) {
    enum { MANY = 16 };
    bool network = t->options.method == EIS_NETWORK || t->model || !t->count;
    if (t->kind->slow) return true;
    if (network && t->options.method != EIS_REFINED) return false;
    return t->options.method != EIS_EXACT || t->count > MANY;
}

static void put(eis_task *t, work_queue *queue, void (*do_it)(void *, int, work_item *const *, int)) {
    t->item = (work_item){ .answer = do_it };
    if (work_put(queue, &t->item)) return;
    problem_say(&t->problem, 503, "busy", "As many requests wait as may; ask again in a moment.");
    refuse(t);
}

static void decode(eis_task *t) {
    serve        *s = t->s;
    http_request *r = t->r;
    if (!(body_is_json(r) ? decode_json(t) : decode_file(t)) || !take_known(t) || !take_model(t)) {
        refuse(t);
        return;
    }
    bool slow = is_slow(t);
    if (slow) t->deadline = http_received(r) + s->options.deadline_s;
    put(t, slow ? s->refined : s->quick, answer);
}

static void decode_later(void *user, int thread, work_item *const *items, int count) {
    (void)user, (void)thread, (void)count; /* of no kind: one at a time */
    decode((eis_task *)items[0]);
}

void eis_task_begin(const eis_kind *kind, serve *s, http_request *r) {
    eis_task *t = task_new(kind, s, r);
    if (!t) reply_busy(r, "There is no memory at the moment.");
    else if (is_large(r)) put(t, s->quick, decode_later);
    else decode(t);
}
