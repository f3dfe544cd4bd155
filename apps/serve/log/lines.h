/* What the service tells whoever listens: a thread of its own tells it, so that a listener that waits, as for a pipe
 * that nobody reads, holds up nothing else. What waits is bounded; what is beyond it is dropped, and counted. */
#ifndef SERVE_LINES_H
#define SERVE_LINES_H

#include <stdint.h>

#include <tidemill/serve.h>

typedef struct lines lines;

/* NULL: no memory, or no thread. */
lines   *lines_new(serve_listener listener, void *user);
/* By any thread; never waits for the listener. NULL is fine: nobody listens. */
void     lines_put(lines *l, serve_tone tone, const char *text);
uint64_t lines_dropped(lines *l);  /* so far; of NULL: 0 */
/* Tells what still waits. NULL is fine. */
void     lines_free(lines *l);

#endif
