/* Routes that read or write files: answered by a worker, not by the thread that serves the others. (later.c) */
#ifndef SERVE_LATER_H
#define SERVE_LATER_H

#include "service.h"

typedef void (*later_answer)(serve *s, http_request *r);

/* 503 where too many wait. */
void later(work_queue *queue, http_request *r, later_answer answer);
/* Decoded by a worker, that is; and `begin` called by one if so, else at once. */
bool is_large(const http_request *r);
void decoded(serve *s, http_request *r, later_answer begin);
/* Takes the object; NULL: out of memory. */
void reply_object(http_request *r, int status, json_t *o);
/* What the stores say: no such identifier 404, a state that does not allow it 409, a full queue 503, too large 413;
 * else a fault of the request under `pointer`. */
void reply_failure(http_request *r, const tide_failure *failure, const char *pointer);
/* Replies that there is no folder for it. */
bool has_kept(const serve *s, http_request *r);

#endif
