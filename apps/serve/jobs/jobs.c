/* Jobs: what is asked of them, and their records. */
#include "serve/jobs/jobs.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/json.h"
#include "serve/jobs/commands.h"
#include "serve/jobs/inside.h"

enum { QUEUE = 100, GRACE_S = 30, MOST_LISTED = 1000 };

/* ---- records ---- */

const char *job_folder(const jobs *j, const char *id, char path[FOLDER_PATH]) {
    return folder_file(j->folder, id, path);
}

const char *job_path(const jobs *j, const char *id, const char *name, char path[FOLDER_PATH]) {
    char part[STORE_ID + 32];
    snprintf(part, sizeof part, "%s/%s", id, name);
    return folder_file(j->folder, part, path);
}

const char *record_text(const json_t *record, const char *name) {
    const char *value = json_string_value(json_object_get(record, name));
    return value ? value : "";
}

bool record_set(json_t *record, const char *name, json_t *value) {
    return json_object_set_new(record, name, value) == 0;
}

tide_status record_save(jobs *j, const json_t *record, tide_failure *failure) {
    char        path[FOLDER_PATH];
    const char *id     = record_text(record, "id");
    tide_status status = store_write_json(job_path(j, id, "job.json", path), record, failure);
    if (status == TIDE_OK) index_put(j->index, record, NULL); /* a list makes the index again if it must */
    return status;
}

void record_state(jobs *j, json_t *record, const char *state, const char *message) {
    char path[FOLDER_PATH];
    record_set(record, "state", json_string(state));
    events_add_state(job_path(j, record_text(record, "id"), "events", path), state, message, NULL);
}

/* What job.json holds; NULL: there is no such job. */
static json_t *record_read(const jobs *j, const char *id, tide_failure *failure) {
    char        path[FOLDER_PATH];
    struct stat is;
    if (!store_id_valid(id) || stat(job_folder(j, id, path), &is) != 0) return store_no_such("job", id, failure), NULL;
    json_t *record = store_read_json(job_path(j, id, "job.json", path), failure);
    if (!record || strcmp(record_text(record, "id"), id) == 0) return record;
    json_decref(record);
    fail_at(failure, TIDE_EDATA, path, 0, NULL, "it is the record of another job");
    return NULL;
}

live_job *live_find(const jobs *j, const char *id) {
    for (live_job *job = j->live; job; job = job->next)
        if (strcmp(job->id, id) == 0) return job;
    return NULL;
}

live_job *live_add(jobs *j, json_t *record) {
    live_job *job = calloc(1, sizeof *job), **end = &j->live;
    if (!job) {
        json_decref(record);
        return NULL;
    }
    snprintf(job->id, sizeof job->id, "%s", record_text(record, "id"));
    job->record    = record;
    job->seen.exit = -1;
    while (*end) end = &(*end)->next;
    return *end = job;
}

void live_drop(jobs *j, live_job *job) {
    live_job **at = &j->live;
    while (*at != job) at = &(*at)->next;
    *at = job->next;
    json_decref(job->record);
    events_seen_free(&job->seen);
    free(job);
}

/* ---- opening ---- */

static int by_created(const void *a, const void *b) {
    double x = json_real_value(json_object_get(*(json_t *const *)a, "created")),
           y = json_real_value(json_object_get(*(json_t *const *)b, "created"));
    return (x > y) - (x < y);
}

/* Those that wait or ran, in the order in which they came. */
static tide_status find_live(jobs *j, tide_failure *failure) {
    json_t *found[2] = { index_list(j->index, "queued", NULL, -1, failure), NULL };
    if (found[0]) found[1] = index_list(j->index, "running", NULL, -1, failure);
    size_t   n     = json_array_size(found[0]), m = json_array_size(found[1]), count = 0;
    json_t **all   = found[1] ? calloc(n + m + 1, sizeof *all) : NULL;
    bool     whole = all != NULL;
    for (size_t i = 0; all && i < n + m; i++)
        all[count++] = json_array_get(found[i >= n], i >= n ? i - n : i);
    if (all) qsort(all, count, sizeof *all, by_created);
    for (size_t i = 0; i < count; i++) whole = whole && live_add(j, json_incref(all[i]));
    free(all);
    json_decref(found[0]);
    json_decref(found[1]);
    return whole ? TIDE_OK : fail(failure, TIDE_ENOMEM, "out of memory");
}

static tide_status lock_folder(jobs *j, tide_failure *failure) {
    char path[FOLDER_PATH];
    j->lock = open(folder_file(j->folder, "lock", path), O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0600);
    if (j->lock < 0) return fail_at(failure, TIDE_EIO, path, 0, NULL, "cannot be opened: %s", strerror(errno));
    if (flock(j->lock, LOCK_EX | LOCK_NB) == 0) return TIDE_OK;
    return fail_at(failure, TIDE_EINVAL, j->folder, 0, NULL, "another service has its jobs in %s", j->folder);
}

static void set_options(jobs *j, const jobs_options *options) {
    jobs_options *o = &j->options;
    *o         = *options;
    o->at_once = o->at_once > 0 ? o->at_once : 1;
    o->threads = o->threads > 0 ? o->threads : MAX2(os_cores() - 1, 1);
    o->queue   = o->queue > 0 ? o->queue : QUEUE;
    o->grace_s = o->grace_s > 0 ? o->grace_s : GRACE_S;
    snprintf(j->folder, sizeof j->folder, "%s", o->folder);
    snprintf(j->program, sizeof j->program, "%s", o->program ? o->program : "");
}

static tide_status open_all(jobs *j, tide_failure *failure) {
    tide_status status = store_begin(failure);
    if (status == TIDE_OK && !*j->program && !os_program_path(j->program, sizeof j->program))
        status = fail(failure, TIDE_EIO, "where this program's file is, is not known");
    if (status == TIDE_OK) status = store_folder(j->folder, failure);
    if (status == TIDE_OK) status = lock_folder(j, failure);
    if (status == TIDE_OK) store_sweep(j->folder), status = index_open(j->folder, &j->index, failure);
    if (status == TIDE_OK) status = find_live(j, failure);
    if (status == TIDE_OK) jobs_recover(j);
    if (status == TIDE_OK && pthread_create(&j->thread, NULL, jobs_look_after, j) != 0)
        status = fail(failure, TIDE_ENOMEM, "out of memory for a thread");
    j->started = status == TIDE_OK;
    return status;
}

tide_status jobs_open(const jobs_options *options, jobs **out, tide_failure *failure) {
    failure_clear(failure);
    *out    = NULL;
    jobs *j = calloc(1, sizeof *j);
    if (!j) return fail(failure, TIDE_ENOMEM, "out of memory");
    pthread_mutex_init(&j->mutex, NULL);
    pthread_cond_init(&j->work, NULL);
    j->lock = -1;
    set_options(j, options);
    tide_status status = open_all(j, failure);
    if (status == TIDE_OK) *out = j;
    else jobs_close(j);
    return status;
}

void jobs_close(jobs *j) {
    if (!j) return;
    pthread_mutex_lock(&j->mutex);
    j->stopping = true;
    pthread_cond_signal(&j->work);
    pthread_mutex_unlock(&j->mutex);
    if (j->started) pthread_join(j->thread, NULL);
    while (j->live) live_drop(j, j->live);
    index_close(j->index);
    if (j->lock >= 0) close(j->lock);
    pthread_cond_destroy(&j->work);
    pthread_mutex_destroy(&j->mutex);
    free(j);
}

/* ---- submitting ---- */

typedef struct submission {
    jobs     *j;
    job_asked asked;
    char      id[STORE_ID], fresh[FOLDER_PATH], folder[FOLDER_PATH];  /* where it is made, and where it will be */
    int       inputs;
    json_t   *files;  /* {option: [what the uploads were called]} */
} submission;

static tide_status cannot_make(const char *path, tide_failure *failure) {
    return fail_at(failure, TIDE_EIO, path, 0, NULL, "cannot be made: %s", strerror(errno));
}

/* A link in the job's folder, so that the upload may go; where the file system has none, the upload itself. */
static tide_status add_upload(submission *s, const char *option, const char *id, tide_failure *failure) {
    char path[FOLDER_PATH], name[STORE_NAME] = "", part[STORE_NAME + 32], made[FOLDER_PATH], will[FOLDER_PATH];
    const jobs_options *o = &s->j->options;
    if (!o->upload) return store_no_such("upload", id, failure);
    tide_status status = o->upload(o->user, id, path, name, failure);
    if (status != TIDE_OK) return status;
    json_t *names = json_object_get(s->files, option);
    s->files = names ? s->files : json_with(s->files, option, json_array());
    json_array_append_new(json_object_get(s->files, option), json_string(name));
    snprintf(part, sizeof part, "inputs/%d", ++s->inputs);
    if (mkdir(folder_file(s->fresh, part, made), 0700) != 0) return cannot_make(made, failure);
    snprintf(part, sizeof part, "inputs/%d/%s", s->inputs, *name ? name : "data");
    bool linked = link(path, folder_file(s->fresh, part, made)) == 0;
    folder_file(s->folder, part, will);
    return job_word(s->asked.words, option, linked ? will : path) ? TIDE_OK
                                                                  : fail(failure, TIDE_ENOMEM, "out of memory");
}

static tide_status add_model(submission *s, const char *option, const char *id, tide_failure *failure) {
    char path[FOLDER_PATH];
    const jobs_options *o = &s->j->options;
    tide_status status = o->model ? o->model(o->user, id, path, failure) : store_no_such("model", id, failure);
    if (status != TIDE_OK || job_word(s->asked.words, option, path)) return status;
    return fail(failure, TIDE_ENOMEM, "out of memory");
}

static tide_status add_all(submission *s, const json_t *ids, bool models, tide_failure *failure) {
    const char *option;
    json_t     *list;
    tide_status status = TIDE_OK;
    json_object_foreach((json_t *)ids, option, list)
        for (size_t i = 0; status == TIDE_OK && i < json_array_size(list); i++)
            status = (models ? add_model : add_upload)(s, option, json_string_value(json_array_get(list, i)), failure);
    return status;
}

static json_t *make_record(const submission *s, const json_t *words, const char *line) {
    const job_asked *a = &s->asked;
    return json_pack("{s:s, s:s, s:s, s:O, s:O, s:O, s:O, s:s, s:n, s:n, s:f, s:n, s:n, s:n, s:i, s:b, s:i, s:O, s:s}",
                     "id", s->id, "name", a->name, "command", a->command->name, "options", a->options, "uploads",
                     a->uploads, "files", s->files, "models", a->models, "state", "queued", "progress", "message",
                     "created", store_now(), "started", "ended", "exit", "starts", 0, "cancelling", 0, "pid", 0,
                     "words", words, "cli", line);
}

/* The folder under its fresh name, with all that the job needs. */
static tide_status make_folder(submission *s, json_t **record, tide_failure *failure) {
    static const char *const folders[] = { "", "inputs", "run" };
    char path[FOLDER_PATH];
    for (int i = 0; i < 3; i++)
        if (mkdir(*folders[i] ? folder_file(s->fresh, folders[i], path) : s->fresh, 0700) != 0)
            return cannot_make(s->fresh, failure);
    tide_status status = add_all(s, s->asked.uploads, false, failure);
    if (status == TIDE_OK) status = add_all(s, s->asked.models, true, failure);
    if (status != TIDE_OK) return status;
    bool  fine = job_words_end(s->asked.command, s->folder, s->asked.words);
    char *line = fine ? job_line(s->asked.words) : NULL;
    *record    = line ? make_record(s, s->asked.words, line) : NULL;
    free(line);
    if (!*record) return fail(failure, TIDE_ENOMEM, "out of memory");
    return store_write_json(folder_file(s->fresh, "job.json", path), *record, failure);
}

/* It takes its name, and its turn. */
static tide_status enter(submission *s, json_t *record, tide_failure *failure) {
    jobs   *j = s->j;
    int64_t waiting = 0;
    pthread_mutex_lock(&j->mutex);
    for (live_job *job = j->live; job; job = job->next) waiting += !job->running;
    tide_status status = TIDE_OK;
    if (waiting >= j->options.queue)
        status = fail_at(failure, TIDE_EINVAL, NULL, 0, "queue", "%" PRId64 " jobs wait already", waiting);
    if (status == TIDE_OK && rename(s->fresh, s->folder) != 0) status = cannot_make(s->folder, failure);
    if (status == TIDE_OK && !live_add(j, json_incref(record))) {
        status = fail(failure, TIDE_ENOMEM, "out of memory");
        store_remove(j->folder, s->id, NULL);
    }
    if (status == TIDE_OK) {
        record_state(j, record, "queued", NULL);
        index_put(j->index, record, NULL);
        pthread_cond_signal(&j->work);
    }
    pthread_mutex_unlock(&j->mutex);
    return status;
}

tide_status jobs_submit(jobs *j, const json_t *request, char id[STORE_ID], tide_failure *failure) {
    char       name[STORE_ID + 8];
    submission s = { .j = j, .files = json_object() };
    json_t    *record = NULL;
    failure_clear(failure);
    store_id_new(s.id);
    store_new_name(s.id, name);
    folder_file(j->folder, name, s.fresh);
    folder_file(j->folder, s.id, s.folder);
    tide_status status = job_ask(request, j->options.more, j->options.threads, &s.asked, failure);
    bool        made   = status == TIDE_OK;
    if (made) status = make_folder(&s, &record, failure);
    if (status == TIDE_OK) status = enter(&s, record, failure);
    if (status != TIDE_OK && made) store_remove(j->folder, name, NULL);
    if (status == TIDE_OK) strcpy(id, s.id);
    json_decref(record);
    json_decref(s.files);
    job_asked_free(&s.asked);
    return status;
}

/* ---- asking ---- */

/* What others are shown; takes the record. */
static json_t *shown(json_t *record, const events_seen *seen) {
    static const char *const own[] = { "words", "pid", "cancelling" };
    for (int i = 0; i < 3; i++) json_object_del(record, own[i]);
    if (seen && seen->progress) record_set(record, "progress", json_deep_copy(seen->progress));
    return record;
}

tide_status jobs_get(jobs *j, const char *id, json_t **out, tide_failure *failure) {
    failure_clear(failure);
    pthread_mutex_lock(&j->mutex);
    const live_job *job    = store_id_valid(id) ? live_find(j, id) : NULL;
    json_t         *record = job ? json_deep_copy(job->record) : record_read(j, id, failure);
    *out = record ? shown(record, job ? &job->seen : NULL) : NULL;
    pthread_mutex_unlock(&j->mutex);
    if (*out) return TIDE_OK;
    return failure && failure->status ? failure->status : fail(failure, TIDE_ENOMEM, "out of memory");
}

tide_status jobs_list(jobs *j, const char *state, const char *command, int64_t most, json_t **out,
                      tide_failure *failure) {
    failure_clear(failure);
    pthread_mutex_lock(&j->mutex);
    *out = index_list(j->index, state, command, most > 0 ? most : MOST_LISTED, failure);
    for (size_t i = 0; i < json_array_size(*out); i++) {
        json_t         *record = json_array_get(*out, i);
        const live_job *job    = live_find(j, record_text(record, "id"));
        shown(record, job ? &job->seen : NULL);
    }
    pthread_mutex_unlock(&j->mutex);
    return *out ? TIDE_OK : failure && failure->status ? failure->status : TIDE_EIO;
}

/* ---- changing ---- */

static tide_status not_now(const char *state, const char *what, tide_failure *failure) {
    return fail_at(failure, TIDE_EINVAL, NULL, 0, "state", "the job is %s: it cannot be %s", state, what);
}

static tide_status cancel_live(jobs *j, live_job *job, tide_failure *failure) {
    if (job->running) {
        record_set(job->record, "cancelling", json_true());
        return record_save(j, job->record, failure); /* the thread sends the signals */
    }
    record_set(job->record, "ended", json_real(store_now()));
    record_state(j, job->record, "cancelled", NULL);
    job->finished = true;
    tide_status status = record_save(j, job->record, failure);
    if (status == TIDE_OK) live_drop(j, job);
    return status;
}

tide_status jobs_cancel(jobs *j, const char *id, tide_failure *failure) {
    failure_clear(failure);
    pthread_mutex_lock(&j->mutex);
    live_job   *job    = store_id_valid(id) ? live_find(j, id) : NULL;
    bool        lives  = job && !job->finished;
    json_t     *record = lives ? NULL : record_read(j, id, failure);
    tide_status status = lives    ? cancel_live(j, job, failure)
                         : record ? not_now(record_text(record, "state"), "cancelled", failure)
                                  : failure ? failure->status : TIDE_EINVAL;
    json_decref(record);
    pthread_mutex_unlock(&j->mutex);
    return status;
}

static tide_status queue_again(jobs *j, json_t *record, tide_failure *failure) {
    const char *state = record_text(record, "state");
    bool may = strcmp(state, "cancelled") == 0 || strcmp(state, "stopped") == 0 || strcmp(state, "failed") == 0;
    if (!may) return not_now(state, "resumed", failure);
    static const char *const none[] = { "ended", "exit", "message" };
    for (int i = 0; i < 3; i++) record_set(record, none[i], json_null());
    record_set(record, "cancelling", json_false());
    record_set(record, "state", json_string("queued"));
    tide_status status = record_save(j, record, failure);
    if (status == TIDE_OK && !live_add(j, json_incref(record))) status = fail(failure, TIDE_ENOMEM, "out of memory");
    if (status == TIDE_OK) record_state(j, record, "queued", NULL);
    return status;
}

tide_status jobs_resume(jobs *j, const char *id, tide_failure *failure) {
    failure_clear(failure);
    pthread_mutex_lock(&j->mutex);
    const live_job *job    = store_id_valid(id) ? live_find(j, id) : NULL;
    json_t         *record = job ? NULL : record_read(j, id, failure);
    tide_status     status = job      ? not_now(record_text(job->record, "state"), "resumed", failure)
                             : record ? queue_again(j, record, failure)
                                      : failure ? failure->status : TIDE_EINVAL;
    json_decref(record);
    pthread_cond_signal(&j->work);
    pthread_mutex_unlock(&j->mutex);
    return status;
}

tide_status jobs_rename(jobs *j, const char *id, const char *name, tide_failure *failure) {
    failure_clear(failure);
    tide_status status = job_name_check(name, failure);
    if (status != TIDE_OK) return status;
    pthread_mutex_lock(&j->mutex);
    const live_job *job    = store_id_valid(id) ? live_find(j, id) : NULL;
    json_t         *record = job ? json_incref(job->record) : record_read(j, id, failure);
    if (!record) status = failure ? failure->status : TIDE_EINVAL;
    else if (!record_set(record, "name", json_string(name))) status = fail(failure, TIDE_ENOMEM, "out of memory");
    else status = record_save(j, record, failure);
    json_decref(record);
    pthread_mutex_unlock(&j->mutex);
    return status;
}

tide_status jobs_remove(jobs *j, const char *id, tide_failure *failure) {
    failure_clear(failure);
    pthread_mutex_lock(&j->mutex);
    const live_job *job    = store_id_valid(id) ? live_find(j, id) : NULL;
    json_t         *record = job ? NULL : record_read(j, id, failure);
    tide_status     status = job      ? not_now(record_text(job->record, "state"), "taken away", failure)
                             : record ? store_remove(j->folder, id, failure)
                                      : failure ? failure->status : TIDE_EINVAL;
    if (record && status == TIDE_OK) index_drop(j->index, id, NULL);
    json_decref(record);
    pthread_mutex_unlock(&j->mutex);
    return status;
}
