#include "later.h"

#include <stdlib.h>
#include <string.h>

#include "base/json.h"

typedef struct waiting {
    work_item     item;
    http_request *r;
    later_answer  answer;
} waiting;

static void answer_one(void *user, int thread, work_item *const *items, int count) {
    waiting *w = (waiting *)items[0];
    (void)thread, (void)count; /* of no kind: one at a time */
    w->answer(user, w->r);
    free(w);
}

void later(work_queue *queue, http_request *r, later_answer answer) {
    waiting *w = malloc(sizeof *w);
    if (w) *w = (waiting){ { .answer = answer_one }, r, answer };
    if (w && work_put(queue, &w->item)) return;
    free(w);
    reply_busy(r, "As many requests wait as may.");
}

/* A socket's thread serves others: what takes it longer than a tenth of a millisecond or so is a worker's. */
bool is_large(const http_request *r) {
    enum { LARGE = 1 << 16 };
    size_t length;
    http_body(r, &length);
    return length > LARGE;
}

void decoded(serve *s, http_request *r, later_answer begin) {
    if (is_large(r)) later(s->quick, r, begin);
    else begin(s, r);
}

void reply_object(http_request *r, int status, json_t *o) {
    char *body = json_whole(o, JSON_COMPACT | JSON_ENCODE_ANY);
    json_decref(o);
    reply_json(r, status, body);
}

void reply_failure(http_request *r, const tide_failure *failure, const char *pointer) {
    static const struct { const char *column; int status; const char *code; } kinds[] = {
        { "id", 404, "not_found" }, { "file", 404, "not_found" }, { "state", 409, "state" },
        { "queue", 503, "busy" },   { "bytes", 413, "size" },
    };
    problem p = { 0 };
    for (size_t i = 0; failure->status == TIDE_EINVAL && i < sizeof kinds / sizeof *kinds; i++)
        if (strcmp(failure->column, kinds[i].column) == 0)
            problem_say(&p, kinds[i].status, kinds[i].code, "%s", failure->message);
    if (!p.status) problem_of(&p, failure, pointer);
    reply_problem(r, &p);
}

bool has_kept(const serve *s, http_request *r) {
    if (s->jobs && s->uploads) return true;
    reply_say(r, 503, "state", "The service has no folder for uploads and jobs: start it with the option state.");
    return false;
}
