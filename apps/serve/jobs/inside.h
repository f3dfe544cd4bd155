/* What the files of this folder share. */
#ifndef SERVE_JOBS_INSIDE_H
#define SERVE_JOBS_INSIDE_H

#include <pthread.h>

#include "serve/jobs/events.h"
#include "serve/jobs/index.h"
#include "serve/jobs/jobs.h"
#include "serve/jobs/process.h"

/* A job that waits or runs; others are in their folders alone. */
typedef struct live_job {
    char        id[STORE_ID];
    json_t     *record;    /* as job.json has it */
    bool        running, ours, finished;  /* ours: our own child; finished: only to be written down */
    pid_t       pid;       /* 0: not known yet */
    events_seen seen;
    double      asked_at;  /* os_seconds() of SIGTERM; 0: none was sent */
    int64_t     furthest;  /* of all its processes */
    int         deaths;    /* in a row, none of which came further */
    struct live_job *next;
} live_job;

struct jobs {
    jobs_options    options;
    char            folder[FOLDER_PATH], program[FOLDER_PATH];
    int             lock;      /* on the folder; -1 */
    pthread_mutex_t mutex;     /* of all that follows */
    pthread_cond_t  work;
    pthread_t       thread;
    bool            started, stopping;
    job_index      *index;
    live_job       *live;      /* in the order of their turns */
};

/* With the mutex, all of these. FOLDER/ID and FOLDER/ID/NAME. */
const char *job_folder(const jobs *j, const char *id, char path[FOLDER_PATH]);
const char *job_path(const jobs *j, const char *id, const char *name, char path[FOLDER_PATH]);
live_job   *live_find(const jobs *j, const char *id);
/* Takes the record; the last in turn. NULL: out of memory, and the record is released. */
live_job   *live_add(jobs *j, json_t *record);
void        live_drop(jobs *j, live_job *job);
const char *record_text(const json_t *record, const char *name);  /* "" */
bool        record_set(json_t *record, const char *name, json_t *value);  /* takes the value */
/* Writes job.json and the index. */
tide_status record_save(jobs *j, const json_t *record, tide_failure *failure);
/* A new state, as an event too; what is written down is the caller's. */
void        record_state(jobs *j, json_t *record, const char *state, const char *message);

void        jobs_recover(jobs *j);         /* those that an earlier service left */
void       *jobs_look_after(void *jobs);   /* the thread */

#endif
