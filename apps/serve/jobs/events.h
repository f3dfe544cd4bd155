/* A job's events: lines in a file that its process and the service append to. (events.c) */
#ifndef SERVE_JOBS_EVENTS_H
#define SERVE_JOBS_EVENTS_H

#include "serve/store/store.h"

/* What the lines from one place on came to. Zero it at first; `at` moves on by whole lines. */
typedef struct events_seen {
    int64_t at;          /* bytes read */
    int64_t pid;         /* of the last "begin" */
    int     exit;        /* of an "end" since the last "begin"; -1: there was none */
    int64_t reached;     /* the furthest epoch, step or the like of this process */
    json_t *progress;    /* the last one, and what those before told of the training; owned; NULL */
    char    message[512]; /* of a "failure" since the last "begin" */
} events_seen;

/* Appends {"event": "state", "state": .., "message": ..}. TIDE_EIO. */
tide_status events_add_state(const char *path, const char *state, const char *message, tide_failure *failure);
/* Reads on. False: nothing new. What is no such line is passed over. */
bool        events_look(const char *path, events_seen *seen);
void        events_seen_free(events_seen *seen);
/* [{"id", "event", "data"}] of whole lines after the byte `after`, some hundred KB at most. A line of another kind, of
 * a library say, is a note. NULL: TIDE_EIO, TIDE_ENOMEM. */
json_t     *events_after(const char *path, int64_t after, tide_failure *failure);
/* Messages of all but progress, malloc'ed. */
char       *events_text(const char *path, tide_failure *failure);

#endif
