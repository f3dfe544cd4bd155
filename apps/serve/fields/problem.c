/* What is wrong with a request, put together and printed. */
#include "problem.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/json.h"

/* One meaning of a status for all doors. */
static const struct { tide_status status; int http; const char *code; } meanings[] = {
    { TIDE_EINVAL, 422, "usage" },     { TIDE_EDATA, 422, "data" },         { TIDE_ENOMEM, 503, "memory" },
    { TIDE_EDEVICE, 501, "device" },   { TIDE_EIO, 500, "io" },             { TIDE_ECANCELLED, 503, "cancelled" },
    { TIDE_ESHAPE, 500, "internal" },  { TIDE_ETYPE, 500, "internal" },
};

static const struct { int status; const char *title; } titles[] = {
    { 400, "Bad Request" },     { 401, "Unauthorized" },          { 403, "Forbidden" },
    { 404, "Not Found" },       { 405, "Method Not Allowed" },    { 409, "Conflict" },
    { 411, "Length Required" }, { 413, "Content Too Large" },     { 414, "URI Too Long" },
    { 415, "Unsupported Media Type" }, { 422, "Unprocessable Content" },
    { 431, "Request Header Fields Too Large" }, { 500, "Internal Server Error" },
    { 501, "Not Implemented" }, { 503, "Service Unavailable" },   { 507, "Insufficient Storage" },
};

const char *problem_title(int status) {
    for (size_t i = 0; i < sizeof titles / sizeof *titles; i++)
        if (titles[i].status == status) return titles[i].title;
    return "Error";
}

static void write_detail(problem *p, int status, const char *code, const char *format, va_list arguments) {
    if (p->status) return;
    p->status = status;
    p->code   = code;
    vsnprintf(p->detail, sizeof p->detail, format, arguments);
}

bool problem_say(problem *p, int status, const char *code, const char *format, ...) {
    va_list arguments;
    va_start(arguments, format);
    write_detail(p, status, code, format, arguments);
    va_end(arguments);
    return false;
}

bool problem_full(const problem *p) { return json_array_size(p->errors) >= PROBLEM_ERRORS; }

/* What there is no memory for is not told; the detail stands. */
static void add(problem *p, const char *pointer, const char *message, int64_t row, const char *column) {
    if (!p->errors) p->errors = json_array();
    if (!p->errors || problem_full(p)) return;
    json_t *one = json_object();
    if (one && pointer) one = json_with(one, "pointer", json_text(pointer));
    if (one) one = json_with(one, "message", json_text(message));
    if (one && row) one = json_with(one, "row", json_integer(row));
    if (one && column && *column) one = json_with(one, "column", json_text(column));
    if (one) json_array_append_new(p->errors, one);
}

bool problem_at(problem *p, const char *pointer, const char *format, ...) {
    char    message[PROBLEM_TEXT];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(message, sizeof message, format, arguments);
    va_end(arguments);
    problem_say(p, 422, "usage", "%.160s: %.600s", *pointer ? pointer : "The body", message);
    add(p, pointer, message, 0, NULL);
    return false;
}

/* Options in backticks are fields here: "name". */
static void plain(char *out, size_t size, const char *message) {
    snprintf(out, size, "%s", message);
    for (char *c = out; *c; c++)
        if (*c == '`') *c = '"';
}

bool problem_of(problem *p, const tide_failure *failure, const char *pointer) {
    char   message[PROBLEM_TEXT], where[PROBLEM_POINTER];
    size_t i = 0;
    while (i < sizeof meanings / sizeof *meanings - 1 && meanings[i].status != failure->status) i++;
    plain(message, sizeof message, failure->message);
    problem_say(p, meanings[i].http, meanings[i].code, "%s", message);
    bool option = failure->status == TIDE_EINVAL && *failure->column;
    snprintf(where, sizeof where, "%s%s%.64s", pointer, option ? "/" : "", option ? failure->column : "");
    if (meanings[i].http == 422) add(p, where, message, failure->row, option ? NULL : failure->column);
    return false;
}

void problem_free(problem *p) {
    if (p->errors) json_decref(p->errors);
    p->errors = NULL;
}

char *problem_json(const problem *p) {
    json_t *o = json_pack("{s:s, s:s, s:i, s:o, s:s}", "type", "about:blank", "title", problem_title(p->status),
                          "status", p->status, "detail", json_text(p->detail), "code", p->code);
    if (o && p->errors) o = json_with(o, "errors", json_incref(p->errors));
    char *body = json_whole(o, JSON_COMPACT);
    if (o) json_decref(o);
    return body;
}
