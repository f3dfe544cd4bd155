/* The journal of long work, kept in its folder: a line of JSON for each part that is finished, by a key, so that work
 * that was killed goes on. A first line tells of which options it is. A line is written by one call of the system; a
 * torn last one is cut off. */
#ifndef TIDE_FILES_JOURNAL_H
#define TIDE_FILES_JOURNAL_H

#include <jansson.h>
#include <pthread.h>

#include "owned.h"

typedef struct journal {
    int file;            /* -1: nothing is written */
    char path[FOLDER_PATH];
    double sync_every;   /* seconds: what a loss of power may cost; 0: each line is there for good when it was added */
    double synced;       /* os_seconds() */
    json_t *line;        /* by key */
    pthread_mutex_t lock;
} journal;

/* Opens `path`, whose name is claimed, or makes it. `options`: an object of words. TIDE_EINVAL where the lines are of
 * other options, and names the first that differs; with `anew` they are dropped. `sync_every` as above. */
tide_status journal_open(const char *path, const json_t *options, bool anew, double sync_every, journal *out,
                         tide_failure *failure);
/* What is in `path`, which others may be adding to, if it is there; what is added is kept in memory alone. */
tide_status journal_peek(const char *path, const json_t *options, journal *out, tide_failure *failure);
tide_status journal_memory(journal *out, tide_failure *failure); /* without a file */
/* NULL: not there. Not while others add. */
const json_t *journal_find(const journal *j, const char *key);
/* Takes `line`; a later one takes an earlier one's place. By any thread. */
tide_status journal_add(journal *j, const char *key, json_t *line, tide_failure *failure);
tide_status journal_close(journal *j, tide_failure *failure);

#endif
