/* The thread that looks after the jobs: starts those whose turn it is, sees how far they are and how they end. */
#include <signal.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>

#include "base/json.h"
#include "serve/jobs/inside.h"

enum { LOOK_MS = 100, MOST_DEATHS = 3 };

static const int crashes[] = { SIGSEGV, SIGBUS, SIGILL, SIGFPE, SIGABRT, SIGSYS, SIGTRAP };

static void tell(const jobs *j, const char *id) {
    if (j->options.changed) j->options.changed(j->options.user, id);
}

/* ---- ends ---- */

static void finish(jobs *j, live_job *job, const char *state, const char *message, int exit) {
    record_set(job->record, "ended", json_real(store_now()));
    record_set(job->record, "exit", exit >= 0 ? json_integer(exit) : json_null());
    record_set(job->record, "message", message && *message ? json_text(message) : json_null());
    record_set(job->record, "pid", json_integer(0));
    if (job->seen.progress) record_set(job->record, "progress", json_incref(job->seen.progress));
    record_state(j, job->record, state, message);
    job->running  = false;
    job->finished = true;
}

/* Its turn comes again, with the same command, which goes on where it was. */
static void wait_again(jobs *j, live_job *job, const char *why) {
    record_set(job->record, "pid", json_integer(0));
    record_state(j, job->record, "queued", why);
    record_save(j, job->record, NULL); /* if not: the next service finds no process, and does the same */
    job->running  = false;
    job->pid      = 0;
    job->asked_at = 0;
}

static void end_of_exit(jobs *j, live_job *job, int code) {
    bool cancelled = json_is_true(json_object_get(job->record, "cancelling"));
    if (code == 0) finish(j, job, "done", NULL, 0);
    else if (cancelled) finish(j, job, "cancelled", NULL, code);
    else if (code == 130) finish(j, job, "stopped", "it was stopped from outside; resumed, it goes on", code);
    else finish(j, job, "failed", *job->seen.message ? job->seen.message : "it failed without saying why", code);
}

static bool is_crash(int number) {
    for (size_t i = 0; i < sizeof crashes / sizeof *crashes; i++)
        if (crashes[i] == number) return true;
    return false;
}

/* It was killed: by the system, for want of memory, or by a person. `number` 0: not known. */
static void end_of_kill(jobs *j, live_job *job, int number) {
    char message[128];
    if (json_is_true(json_object_get(job->record, "cancelling"))) {
        finish(j, job, "cancelled", NULL, -1);
        return;
    }
    if (job->seen.reached > job->furthest) job->furthest = job->seen.reached, job->deaths = 0;
    job->deaths++;
    snprintf(message, sizeof message, "its process crashed (signal %d)", number);
    if (is_crash(number)) {
        finish(j, job, "failed", message, -1);
    } else if (job->deaths > MOST_DEATHS) {
        snprintf(message, sizeof message,
                 "its process was killed %d times without coming further: there may be too little memory", job->deaths);
        finish(j, job, "failed", message, -1);
    } else wait_again(j, job, "its process was killed: it goes on from where it was");
}

/* `status` is waitpid's; -1: it was not our child, and its last line says how it ended. */
static void settle(jobs *j, live_job *job, int status) {
    char path[FOLDER_PATH];
    events_look(job_path(j, job->id, "events", path), &job->seen);
    if (status != -1 && WIFEXITED(status)) end_of_exit(j, job, WEXITSTATUS(status));
    else if (status == -1 && job->seen.exit >= 0) end_of_exit(j, job, job->seen.exit);
    else end_of_kill(j, job, status == -1 ? 0 : WTERMSIG(status));
    tell(j, job->id);
}

/* ---- looking ---- */

static pid_t pid_of(const live_job *job) { return job->pid ? job->pid : (pid_t)job->seen.pid; }

static void cancel_on(jobs *j, live_job *job, const char *folder) {
    double grace_s = j->options.grace_s;
    if (!json_is_true(json_object_get(job->record, "cancelling"))) return;
    if (!job->asked_at && pid_of(job) > 1) {
        process_signal(folder, pid_of(job), SIGTERM);
        job->asked_at = os_seconds();
    } else if (job->asked_at && os_seconds() - job->asked_at > grace_s) process_signal(folder, pid_of(job), SIGKILL);
}

static void look(jobs *j, live_job *job) {
    char folder[FOLDER_PATH], path[FOLDER_PATH];
    int  status = -1;
    job_folder(j, job->id, folder);
    cancel_on(j, job, folder);
    if (events_look(job_path(j, job->id, "events", path), &job->seen)) tell(j, job->id);
    pid_t gone = job->ours ? waitpid(job->pid, &status, WNOHANG) : -1;
    if (gone == 0) return;
    if (gone < 0) status = -1;
    if (gone < 0 && process_alive(folder)) job->ours = false;
    else settle(j, job, status);
}

/* ---- starts ---- */

static void start(jobs *j, live_job *job) {
    tide_failure why = { 0 };
    char         folder[FOLDER_PATH];
    json_t      *record = job->record;
    job_folder(j, job->id, folder);
    record_set(record, "starts", json_integer(json_integer_value(json_object_get(record, "starts")) + 1));
    if (!json_is_real(json_object_get(record, "started"))) record_set(record, "started", json_real(store_now()));
    record_state(j, record, "running", NULL);
    if (record_save(j, record, &why) == TIDE_OK
        && process_start(j->program, json_object_get(record, "words"), folder, &job->pid, &why) == TIDE_OK) {
        job->running = job->ours = true;
        record_set(record, "pid", json_integer(job->pid));
        record_save(j, record, NULL); /* if not: the process says its number itself */
    } else finish(j, job, "failed", why.message, -1);
    tell(j, job->id);
}

static void start_those_in_turn(jobs *j) {
    char folder[FOLDER_PATH];
    int  running = 0;
    for (live_job *job = j->live; job; job = job->next) running += job->running;
    for (live_job *job = j->live; job && running < j->options.at_once; job = job->next) {
        /* What a process that was killed had started may live on for a moment. */
        if (job->running || job->finished || process_alive(job_folder(j, job->id, folder))) continue;
        start(j, job);
        running += job->running;
    }
}

/* ---- the thread ---- */

static void tick(jobs *j) {
    for (live_job *job = j->live, *next; job; job = next) {
        next = job->next;
        if (job->running) look(j, job);
        if (job->finished && record_save(j, job->record, NULL) == TIDE_OK) live_drop(j, job);
    }
    start_those_in_turn(j);
}

void *jobs_look_after(void *of) {
    const struct timespec pause = { 0, LOOK_MS * 1000000L };
    jobs *j = of;
    pthread_mutex_lock(&j->mutex);
    while (!j->stopping) {
        tick(j);
        while (!j->live && !j->stopping) pthread_cond_wait(&j->work, &j->mutex);
        pthread_mutex_unlock(&j->mutex);
        nanosleep(&pause, NULL);
        pthread_mutex_lock(&j->mutex);
    }
    pthread_mutex_unlock(&j->mutex);
    return NULL;
}

/* ---- after a service was killed ---- */

void jobs_recover(jobs *j) {
    char path[FOLDER_PATH];
    for (live_job *job = j->live; job; job = job->next) {
        bool was = strcmp(record_text(job->record, "state"), "running") == 0;
        events_look(job_path(j, job->id, "events", path), &job->seen);
        job->pid = (pid_t)json_integer_value(json_object_get(job->record, "pid"));
        if (process_alive(job_folder(j, job->id, path))) job->running = true;
        else if (was && job->seen.exit >= 0) end_of_exit(j, job, job->seen.exit);
        else if (was && json_is_true(json_object_get(job->record, "cancelling")))
            finish(j, job, "cancelled", NULL, -1);
        else if (was) wait_again(j, job, "its process was gone: it goes on from where it was");
    }
}
