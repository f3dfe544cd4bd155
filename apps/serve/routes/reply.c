/* How answers are put. */
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "service.h"

#define JSON_TYPE "application/json"

void reply_problem(http_request *r, problem *p) {
    char *body = problem_json(p);
    if (p->status == 503) http_answer_header(r, "Retry-After", "1");
    http_reply(r, p->status, PROBLEM_TYPE, body, body ? strlen(body) : 1);
    problem_free(p);
}

void reply_say(http_request *r, int status, const char *code, const char *detail) {
    problem p = { 0 };
    problem_say(&p, status, code, "%s", detail);
    reply_problem(r, &p);
}

void reply_busy(http_request *r, const char *detail) { reply_say(r, 503, "busy", detail); }

void reply_json(http_request *r, int status, char *text) {
    http_reply(r, status, JSON_TYPE, text, text ? strlen(text) : 1);
}

void reply_text(text *out, const char *value) {
    json_t *o    = json_text(value);
    char   *json = o ? json_dumps(o, JSON_ENCODE_ANY) : NULL;
    text_add(out, "%s", json ? json : "null");
    free(json);
    if (o) json_decref(o);
}
