/* Answers, given by any thread. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "inside.h"

typedef struct http_header {
    struct http_header *next;
    char name[40], value[];
} http_header_line;

/* Without memory for it the answer does without. */
void http_answer_header(http_request *r, const char *name, const char *value) {
    size_t size = strlen(value) + 1;
    http_header_line *h = malloc(sizeof *h + size);
    if (!h) return;
    snprintf(h->name, sizeof h->name, "%s", name);
    memcpy(h->value, value, size);
    h->next    = r->headers;
    r->headers = h;
}

void answer_free_headers(http_request *r) {
    for (http_header_line *h = r->headers, *next; h; h = next) {
        next = h->next;
        free(h);
    }
    r->headers = NULL;
}

static bool has(const http_request *r, const char *name) {
    for (const http_header_line *h = r->headers; h; h = h->next)
        if (strcmp(h->name, name) == 0) return true;
    return false;
}

/* What every answer says, unless it says otherwise itself. A connection whose request was refused before its body was
 * read cannot be used again. */
static void add_headers(http_request *r, struct MHD_Response *response) {
    for (const http_header_line *h = r->headers; h; h = h->next) MHD_add_response_header(response, h->name, h->value);
    MHD_add_response_header(response, "X-Content-Type-Options", "nosniff");
    if (!has(r, "Cache-Control")) MHD_add_response_header(response, "Cache-Control", "no-store");
    if (r->closing && !r->dispatched) MHD_add_response_header(response, "Connection", "close");
}

static struct MHD_Response *nothing(void) {
    static char none[1];
    return MHD_create_response_from_buffer(0, none, MHD_RESPMEM_PERSISTENT);
}

/* The answer is there: whoever waits for it goes on. A second one is dropped. Once the request is resumed it may be
 * gone at any moment. */
void answer_give(http_request *r, int status, struct MHD_Response *response, uint64_t bytes) {
    if (!response) response = nothing(), status = 503, bytes = 0;
    pthread_mutex_lock(&r->lock);
    bool second = r->response != NULL;
    if (!second) {
        r->response  = response;
        r->status    = status;
        r->bytes_out = bytes;
        if (response) add_headers(r, response);
    }
    bool resume = !second && r->suspended;
    struct MHD_Connection *c = r->connection;
    if (resume) r->suspended = false;
    pthread_mutex_unlock(&r->lock);
    if (second && response) MHD_destroy_response(response);
    if (resume) MHD_resume_connection(c);
}

void http_reply(http_request *r, int status, const char *type, char *body, size_t length) {
    struct MHD_Response *response = body ? MHD_create_response_from_buffer(length, body, MHD_RESPMEM_MUST_FREE)
                                         : length ? NULL : nothing();
    if (!response) free(body);
    if (response && type) MHD_add_response_header(response, "Content-Type", type);
    answer_give(r, status, response, length);
}

void http_reply_constant(http_request *r, int status, const char *type, const void *body, size_t length) {
    struct MHD_Response *response =
        MHD_create_response_from_buffer(length, (void *)(uintptr_t)body, MHD_RESPMEM_PERSISTENT);
    if (response && type) MHD_add_response_header(response, "Content-Type", type);
    answer_give(r, status, response, length);
}

void http_reply_file(http_request *r, const char *type, int fd, uint64_t size) {
    struct MHD_Response *response = MHD_create_response_from_fd64(size, fd);
    if (!response) close(fd);
    if (response && type) MHD_add_response_header(response, "Content-Type", type);
    answer_give(r, 200, response, size);
}

enum MHD_Result answer_send(http_request *r) {
    connection_state(r, r->on->stream ? HTTP_STREAMING : HTTP_SENDING);
    return MHD_queue_response(r->connection, (unsigned)r->status, r->response);
}
