/* An index of records in SQLite, so that a list reads no folder. Nothing is in it that the folders have not: where it
 * is broken it is made again from them, in memory if no file can be had. One thread at a time. (index.c) */
#ifndef SERVE_JOBS_INDEX_H
#define SERVE_JOBS_INDEX_H

#include "serve/store/store.h"

typedef struct job_index job_index;

/* Of the folders of `folder`, each with a job.json. What the file was is checked, and it is made anew where it is
 * broken. TIDE_EIO, TIDE_ENOMEM. */
tide_status index_open(const char *folder, job_index **out, tide_failure *failure);
void        index_close(job_index *x);  /* NULL is fine */
/* The record of job.json, in the place of an earlier one. */
tide_status index_put(job_index *x, const json_t *record, tide_failure *failure);
tide_status index_drop(job_index *x, const char *id, tide_failure *failure);
/* Records, the newest first; `state`, `command`: NULL for any. NULL: why. */
json_t     *index_list(job_index *x, const char *state, const char *command, int64_t most, tide_failure *failure);

#endif
