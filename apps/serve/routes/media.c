/* What a body is, and what is wanted back. */
#include <string.h>
#include <strings.h>

#include "service.h"

bool body_is_json(const http_request *r) {
    const char *type = http_header(r, "Content-Type");
    return !type || strncasecmp(type, "application/json", 16) == 0 ||
           strncasecmp(type, "application/x-www-form-urlencoded", 33) == 0; /* what curl says unless it is told */
}

static bool refuse_query(void *user, const char *name, const char *value) {
    (void)value;
    return problem_say(user, 422, "usage", "\"%.60s\" stands in the body where that is JSON: a query is for files.",
                       name);
}

bool has_no_query(const http_request *r, problem *p) {
    http_queries(r, refuse_query, p);
    return !p->status;
}

bool wants_csv(const http_request *r) {
    const char *accept = http_header(r, "Accept");
    return accept && strstr(accept, "text/csv");
}

void reply_csv(http_request *r, char *text) { http_reply(r, 200, "text/csv", text, text ? strlen(text) : 1); }
