/* What is wrong with a request, as application/problem+json (RFC 9457) with JSON pointers (RFC 6901). */
#ifndef SERVE_PROBLEM_H
#define SERVE_PROBLEM_H

#include <jansson.h>

#include <tidemill/core.h>

enum { PROBLEM_TEXT = 800, PROBLEM_POINTER = 160, PROBLEM_ERRORS = 32 };

/* Plain data but for `errors`: problem_free. { 0 } is none. */
typedef struct problem {
    int         status;   /* HTTP's; 0: nothing is wrong */
    const char *code;     /* "usage", "data", "memory", "io", "device", "cancelled", "busy", "not_found", ... */
    char        detail[PROBLEM_TEXT];
    json_t     *errors;   /* a list; NULL: none */
} problem;

/* The first that is said stays. Returns false, for `return problem_say(...)`. */
bool problem_say(problem *p, int status, const char *code, const char *format, ...) TIDE_PRINTF(4, 5);
/* 422: the value at `pointer` is not one that is accepted; up to PROBLEM_ERRORS of them are told. Returns false. */
bool problem_at(problem *p, const char *pointer, const char *format, ...) TIDE_PRINTF(3, 4);
/* What a call of the library says. An option that it names is looked for under `pointer`: "/options". */
bool problem_of(problem *p, const tide_failure *failure, const char *pointer);
/* Are as many told as there will be? Then it is not worth looking for more. */
bool problem_full(const problem *p);
void problem_free(problem *p);
/* The body, malloc'ed; NULL when out of memory. */
char *problem_json(const problem *p);
const char *problem_title(int status);  /* "Unprocessable Content" */

#define PROBLEM_TYPE "application/problem+json"

#endif
