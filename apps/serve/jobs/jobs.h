/* Long work of a service: each job is a process of this same program, in a folder of its own, and outlives the service.
 *
 *   FOLDER/ID/job.json   what the job is, and how far it has come; replaced whole
 *   FOLDER/ID/events     what its process says (docs/progress.md), and {"event": "state", ...} of each change of
 *                        state; only ever appended to. An event's number is where its line ends, so that numbers
 *                        outlive a service
 *   FOLDER/ID/output     its stdout: the result
 *   FOLDER/ID/inputs     the uploads that it reads: links, so that an upload may go meanwhile
 *   FOLDER/ID/run        what it writes
 *   FOLDER/ID/alive      locked by the process as long as it lives: no other has its number by mistake
 *   FOLDER/jobs.db       an index of the records, for lists; made again where it is not there or broken
 *
 * queued -> running -> done | failed | cancelled | stopped. A process that was killed is started again with its
 * command, which goes on where it had come to; one that was stopped by somebody else (exit 130) waits for jobs_resume.
 * After the service was killed the next one finds the processes that live, and starts those anew that do not.
 *
 * No client writes a path: options that carry TIDE_OPTION_RESOURCE or TIDE_OPTION_PLACE are refused, and filled in from
 * identifiers. All functions by any thread. Failures have a column that says what kind they are:
 *   "id"     there is no such job, upload or model
 *   "state"  the job's state does not allow it
 *   "queue"  too many wait
 * and others the option or member of the request. */
#ifndef SERVE_JOBS_H
#define SERVE_JOBS_H

#include <tidemill/options.h>

#include "serve/store/store.h"

typedef struct jobs jobs;

enum { JOBS_NAME = 121 };  /* bytes of a job's name, with its end */

/* A command that may be a job. */
typedef struct jobs_command {
    const char *name;                       /* "forecast train" */
    struct {
        const tide_option_table *(*table)(void);
        unsigned flags;                     /* the rows that have one of these; 0: all */
    } rows[2];
    const char *files;                      /* options that may be uploads, by '|'; the first is what "upload" means */
    const char *models;                     /* options that may be models; the first is what "model" means; "" */
    const char *written;                    /* "out=run|output=run/forecast.csv": what it writes, and where in the job's
                                               folder */
    const char *fixed;                      /* "resume=auto": further options of every start, which make the same
                                               command go on where it was; "" */
} jobs_command;

typedef struct jobs_options {
    const char *folder;      /* made if it is not there; one service at a time */
    const char *program;     /* an absolute path; NULL: this process' own */
    const jobs_command *more; /* commands besides those of jobs_commands(), ends with a NULL name; NULL: none */
    int     at_once;         /* jobs that run at a time; 0: 1 */
    int     threads;         /* of each; 0: the cores but one */
    int64_t queue;           /* how many may wait; 0: 100 */
    double  grace_s;         /* from SIGTERM to SIGKILL; 0: 30 */
    /* Where the upload or model of that identifier is; `name` is how it is called, "" where it is not. */
    tide_status (*upload)(void *user, const char *id, char path[FOLDER_PATH], char name[STORE_NAME], tide_failure *);
    tide_status (*model)(void *user, const char *id, char path[FOLDER_PATH], tide_failure *);
    /* Something is new about the job: its events or its state. By the thread that looks after the jobs; it must not
     * call this module. NULL: nobody wants to know. */
    void (*changed)(void *user, const char *id);
    void *user;
} jobs_options;

const jobs_command *jobs_commands(void);  /* ends with a NULL name */
extern const char *const jobs_states[];   /* ends with NULL */

/* TIDE_EINVAL: another service has the folder. Broken records are left alone and not listed. */
tide_status jobs_open(const jobs_options *options, jobs **out, tide_failure *failure);
/* The processes go on; nothing is started any more. NULL is fine. */
void        jobs_close(jobs *j);

/* {"command": "forecast train", "options": {..}, "upload": ID, "uploads": {option: ID or list}, "model": ID,
 *  "models": {option: ID}, "name": "the long one"}: all checked before anything is written. */
tide_status jobs_submit(jobs *j, const json_t *request, char id[STORE_ID], tide_failure *failure);
/* {"id", "name" ("": it was given none), "command", "options", "uploads", "files" ({option: [what the uploads were
 *  called]}), "models", "state", "progress" (the last such event), "message" (why it
 *  failed), "created", "started", "ended" (seconds since 1970), "exit", "starts" (of its process), "cli"} */
tide_status jobs_get(jobs *j, const char *id, json_t **out, tide_failure *failure);
/* The newest first. `state`, `command`: NULL for any; `most`: 0 for 1000. */
tide_status jobs_list(jobs *j, const char *state, const char *command, int64_t most, json_t **out,
                      tide_failure *failure);
/* SIGTERM, and SIGKILL after the grace; its checkpoint stays. */
tide_status jobs_cancel(jobs *j, const char *id, tide_failure *failure);
/* One that was cancelled, was stopped or failed waits again for its turn. */
tide_status jobs_resume(jobs *j, const char *id, tide_failure *failure);
/* What people call it: a line of UTF-8, below JOBS_NAME bytes; "" takes it away. TIDE_EINVAL, column "name": it is
 * none. */
tide_status jobs_rename(jobs *j, const char *id, const char *name, tide_failure *failure);
/* The record and the job's folder, unless it is queued or running. */
tide_status jobs_remove(jobs *j, const char *id, tide_failure *failure);

/* [{"id": NUMBER, "event": "progress|log|state", "data": {..}}] of those after the event `after` (0: from the first
 * on), in order, some hundred KB at most: [] where there is none yet. *state is the job's (a constant text). */
tide_status jobs_events(jobs *j, const char *id, int64_t after, json_t **out, const char **state,
                        tide_failure *failure);
/* Its messages, a line each, malloc'ed. */
tide_status jobs_log(jobs *j, const char *id, char **out, tide_failure *failure);
/* What the command printed as --json. TIDE_EINVAL, column "state": not yet. */
tide_status jobs_result(jobs *j, const char *id, json_t **out, tide_failure *failure);
/* [{"name": "run/loss.svg", "bytes", "modified"}] of what it wrote. */
tide_status jobs_files(jobs *j, const char *id, json_t **out, tide_failure *failure);
/* A descriptor that reads one of these; its size. TIDE_EINVAL, column "file": there is none. */
tide_status jobs_file(jobs *j, const char *id, const char *name, int *fd, int64_t *bytes, tide_failure *failure);
/* The run folder of a job that is done: a model for others. */
tide_status jobs_run(jobs *j, const char *id, char path[FOLDER_PATH], tide_failure *failure);

#endif
