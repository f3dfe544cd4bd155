/* Pieces by locks on the bytes of one file. */
#include "pieces.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <tidemill/io.h>
#include <unistd.h>

#include "base/base.h"
#include "base/json.h"
#include "base/locks.h"
#include "base/parallel.h"
#include "owned.h"
#include "ranks/place.h"

#define PIECES OWNED_FOLDER "/pieces"

/* Bytes of `lock`: held shared by who is at work; held by who comes or goes; the first piece's. */
enum { PRESENT = 0, DOOR = 1, FIRST = 16 };
enum { SCAN = 1 << 16, TRIES = 1000 };
static const double door_s = 60, late_s = 70;       /* an NFS client may take a minute to look again */
static const double soonest_s = 0.002, latest_s = 0.25;

struct pieces {
    char            folder[FOLDER_PATH];   /* .../.tidemill/pieces */
    int             lock;
    int64_t         next;                  /* byte of the next task's first piece */
    bool            was_alone;
    pthread_mutex_t mutex;
};

/* Less than one. */
static void pause_s(double seconds) {
    nanosleep(&(struct timespec){ .tv_nsec = (long)(1e9 * seconds) }, NULL);
}

/* mpirun and srun show what many processes say: each says which it is. */
static tide_status told(tide_failure *failure, tide_status status) {
    rank_place here = rank_place_here();
    char       message[sizeof failure->message];
    if (status == TIDE_OK || !failure || here.count == 1) return status;
    snprintf(message, sizeof message, "rank %d of %d: %.400s", here.rank, here.count, failure->message);
    memcpy(failure->message, message, sizeof message);
    return status;
}

static tide_status system_failed(const char *folder, const char *name, const char *what, int error,
                                 tide_failure *failure) {
    char path[FOLDER_PATH];
    folder_file(folder, name, path);
    if (error == ENOLCK || error == EINVAL || error == ENOTSUP)
        return fail_at(failure, TIDE_EIO, path, 0, "join",
                       "the disk of %s has no locks on parts of files (%s), by which several processes share work: "
                       "give another folder", path, strerror(error));
    return fail_at(failure, TIDE_EIO, path, 0, NULL, "cannot %s %s: %s", what, path, strerror(error));
}

static tide_status out_of_memory(tide_failure *failure) {
    return fail(failure, TIDE_ENOMEM, "out of memory for shared work");
}

/* ---- asking ---- */

json_t *pieces_options(const tide_option_table *t, const void *options, unsigned command) {
    const unsigned passed_over = TIDE_OPTION_RESOURCE | TIDE_OPTION_PLACE | TIDE_OPTION_NO_EFFECT | TIDE_OPTION_HIDDEN;
    char    value[4200];
    json_t *o = json_with(json_object(), "version", json_string(TIDE_VERSION));
    for (int64_t i = 0; i < t->count; i++) {
        const tide_option *row = &t->rows[i];
        bool counts = row->flags & command && (!(row->flags & passed_over) || !strcmp(row->name, "device"));
        if (counts) o = json_with(o, row->name, json_text(tide_option_get(options, row, value, sizeof value)));
    }
    return o;
}

/* ---- coming and going ---- */

/* Everything in it is ours. `lock` goes last: who comes now makes another one. */
static void empty(const char *folder, bool all) {
    char path[FOLDER_PATH];
    DIR *d = opendir(folder);
    for (struct dirent *e; d && (e = readdir(d));)
        if (*e->d_name != '.' && strlen(e->d_name) < 64 && strcmp(e->d_name, "lock"))
            unlink(folder_file(folder, e->d_name, path));
    if (d) closedir(d);
    if (!all) return;
    unlink(folder_file(folder, "lock", path));
    rmdir(folder);
}

/* A `.tidemill` that is not of this program is left as it is. */
void pieces_clear(const char *folder) {
    static const char *const none[] = { NULL };
    char path[FOLDER_PATH];
    struct stat info;
    folder_file(folder, PIECES, path);
    if (lstat(path, &info) != 0 || !S_ISDIR(info.st_mode)) return;
    if (owned_claim(folder, none, NULL) == TIDE_OK) empty(path, true);
}

/* Who comes or goes does it alone. 0, or errno: ESTALE where the file has been taken away by who left last. */
static int pass_door(int lock) {
    struct stat info;
    double      until = os_seconds() + door_s;
    int         error = os_lock_byte(lock, DOOR, OS_LOCK_ALONE);
    for (; error == EAGAIN && os_seconds() < until; error = os_lock_byte(lock, DOOR, OS_LOCK_ALONE)) pause_s(0.005);
    if (error) return error;
    if (fstat(lock, &info) != 0) return errno;
    return info.st_nlink > 0 ? 0 : ESTALE;
}

/* The folder and the file may go at any moment, with who leaves last. */
static int open_lock(const char *folder) {
    char path[FOLDER_PATH];
    int  error = 0;
    for (int i = 0; i < TRIES; i++) {
        if (mkdir(folder, 0777) != 0 && errno != EEXIST) return -1;
        int lock = open(folder_file(folder, "lock", path), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0666);
        error    = lock < 0 ? errno : pass_door(lock);
        if (!error) return lock;
        if (lock >= 0) close(lock);
        if (error != ESTALE && error != ENOENT) break;
    }
    return errno = error, -1;
}

static tide_status write_words(void *user, void *stdio_file) {
    return fputs(user, stdio_file) < 0 ? TIDE_EIO : TIDE_OK;
}

static tide_status write_options(const pieces *p, const json_t *options, tide_failure *failure) {
    char        path[FOLDER_PATH];
    char       *words  = json_whole(options, JSON_INDENT(1));
    tide_status status = words ? tide_file_replace(folder_file(p->folder, "options", path), write_words, words, failure)
                               : out_of_memory(failure);
    free(words);
    return status;
}

static const char *word_of(const json_t *o, const char *key) {
    const char *word = json_string_value(json_object_get(o, key));
    return word ? word : "";
}

static tide_status refuse_other(const pieces *p, const json_t *were, const json_t *now, tide_failure *failure) {
    const char *key;
    json_t     *value;
    json_object_foreach((json_t *)now, key, value) {
        const char *was = word_of(were, key), *is = json_string_value(value);
        if (!strcmp(was, is)) continue;
        return fail_at(failure, TIDE_EINVAL, p->folder, 0, key,
                       "the work that is shared in %s was begun with `%s` \"%.200s\", not \"%.200s\": all processes "
                       "need the same; give it, or another folder", p->folder, key, was, is);
    }
    return TIDE_OK;
}

/* With nobody else at work. */
static tide_status begin(pieces *p, const json_t *options, bool anew, tide_failure *failure) {
    char        path[FOLDER_PATH];
    json_t     *were   = anew ? NULL : json_load_file(folder_file(p->folder, "options", path), 0, NULL);
    tide_status status = were ? refuse_other(p, were, options, failure) : TIDE_OK;
    if (!were) empty(p->folder, false);
    if (status == TIDE_OK && ftruncate(p->lock, 0) != 0)
        status = system_failed(p->folder, "lock", "write", errno, failure);
    if (status == TIDE_OK && !were) status = write_options(p, options, failure);
    json_decref(were);
    return status;
}

static tide_status follow(const pieces *p, const json_t *options, tide_failure *failure) {
    char        path[FOLDER_PATH];
    json_t     *were   = json_load_file(folder_file(p->folder, "options", path), 0, NULL);
    tide_status status = were ? refuse_other(p, were, options, failure)
                              : system_failed(p->folder, "options", "read", errno, failure);
    json_decref(were);
    return status;
}

static tide_status enter(pieces *p, const json_t *options, bool anew, tide_failure *failure) {
    p->lock = open_lock(p->folder);
    if (p->lock < 0) return system_failed(p->folder, "lock", "lock", errno, failure);
    p->was_alone       = os_lock_byte(p->lock, PRESENT, OS_LOCK_ALONE) == 0;
    tide_status status = p->was_alone ? begin(p, options, anew, failure) : TIDE_OK;
    int         error  = os_lock_byte(p->lock, PRESENT, OS_LOCK_SHARED);
    if (status == TIDE_OK && error) status = system_failed(p->folder, "lock", "lock", error, failure);
    if (status == TIDE_OK && !p->was_alone) status = follow(p, options, failure);
    os_lock_byte(p->lock, DOOR, OS_LOCK_NONE);
    return status;
}

tide_status pieces_join(const char *folder, const json_t *options, bool anew, pieces **out, tide_failure *failure) {
    pieces *p = *out = calloc(1, sizeof *p);
    if (!p) return out_of_memory(failure);
    tide_failure own = { 0 }, *f = failure ? failure : &own;
    p->next = FIRST;
    folder_file(folder, PIECES, p->folder);
    pthread_mutex_init(&p->mutex, NULL);
    tide_status status = enter(p, options, anew, f);
    if (status == TIDE_OK) return TIDE_OK;
    pieces_leave(p, false);
    *out = NULL;
    return told(f, status);
}

bool pieces_alone(const pieces *p) { return p->was_alone; }

void pieces_leave(pieces *p, bool over) {
    if (!p) return;
    if (over && pass_door(p->lock) == 0 && os_lock_byte(p->lock, PRESENT, OS_LOCK_ALONE) == 0) empty(p->folder, true);
    if (p->lock >= 0) close(p->lock);
    pthread_mutex_destroy(&p->mutex);
    free(p);
}

/* ---- taking ---- */

typedef struct taking {
    pieces            *p;
    const pieces_task *of;
    int64_t            from;          /* byte of piece 0 */
    unsigned char     *state;         /* [count] of `lock`: 1 is made */
    bool              *mine;          /* [count] in hand of a thread of this process */
    int64_t            cursor, left;  /* not made, at the last look */
    double             pause, look_at; /* none was free: when to look again */
    int64_t            made;
    atomic_bool        stopped;
    tide_failure       why;
} taking;

/* Bytes behind the file's end are 0. */
static bool read_states(taking *t, int64_t first, int64_t count) {
    ssize_t n = 1;
    for (int64_t at = 0; at < count && n > 0; at += n) {
        n = pread(t->p->lock, t->state + first + at, (size_t)MIN2(count - at, SCAN), (off_t)(t->from + first + at));
        if (n < 0) return false;
    }
    return true;
}

/* Locked, and not made by who had it before. */
static bool take_one(taking *t, int64_t i, int *error) {
    *error = os_lock_byte(t->p->lock, t->from + i, OS_LOCK_ALONE);
    if (*error) return false;
    if (!read_states(t, i, 1)) *error = errno;
    if (!*error && !t->state[i]) return true;
    os_lock_byte(t->p->lock, t->from + i, OS_LOCK_NONE);
    return false;
}

/* From behind the one that was taken last: those before it are others'. */
static int64_t look(taking *t, int *error) {
    int64_t count = t->of->count;
    t->left = 0;
    if (!read_states(t, 0, count)) return *error = errno, -1;
    for (int64_t i = 0; i < count; i++) t->left += !t->state[i];
    for (int64_t k = 0; k < count; k++) {
        int64_t i = (t->cursor + k) % count;
        if (t->state[i] || t->mine[i]) continue;
        if (take_one(t, i, error)) return t->mine[i] = true, t->cursor = i + 1, i;
        if (*error && *error != EAGAIN) return -1;
    }
    return *error = 0, -1;
}

static void stop_for(taking *t, const tide_failure *why) {
    pthread_mutex_lock(&t->p->mutex);
    if (t->why.status == TIDE_OK) t->why = *why;
    pthread_mutex_unlock(&t->p->mutex);
    atomic_store(&t->stopped, true);
}

/* A free piece; -1: none is, or it is not time to look again. *left: how many are not made. */
static int64_t take(taking *t, int64_t *left) {
    int64_t i = -1;
    int     error = 0;
    pthread_mutex_lock(&t->p->mutex);
    if (os_seconds() >= t->look_at) {
        i          = look(t, &error);
        t->pause   = i >= 0 ? soonest_s : MIN2(2 * t->pause, latest_s);
        t->look_at = i >= 0 ? 0 : os_seconds() + t->pause;
    }
    *left = t->left;
    pthread_mutex_unlock(&t->p->mutex);
    tide_failure why = { 0 };
    if (error) system_failed(t->p->folder, "lock", "lock", error, &why), stop_for(t, &why);
    return i;
}

static void settle(taking *t, int64_t i, bool fine, bool by_us) {
    int error = 0;
    pthread_mutex_lock(&t->p->mutex);
    if (fine && pwrite(t->p->lock, &(char){ 1 }, 1, (off_t)(t->from + i)) != 1) error = errno ? errno : ENOSPC;
    if (!error && fine) t->state[i] = 1, t->made += by_us;
    os_lock_byte(t->p->lock, t->from + i, OS_LOCK_NONE);
    t->mine[i] = false;
    t->look_at = 0;
    pthread_mutex_unlock(&t->p->mutex);
    tide_failure why = { 0 };
    if (error) system_failed(t->p->folder, "lock", "write", error, &why), stop_for(t, &why);
}

static void make_piece(taking *t, int64_t i, int thread) {
    const pieces_task *of  = t->of;
    tide_failure       why = { 0 };
    bool        there  = of->is_made && of->is_made(of->user, i);
    tide_status status = there ? TIDE_OK : of->make(of->user, i, thread, &why);
    settle(t, i, status == TIDE_OK, !there);
    if (status != TIDE_OK) why.status = status, stop_for(t, &why);
}

static void ask_to_stop(taking *t, int64_t left) {
    tide_failure why = { 0 };
    if (!t->of->stop || !t->of->stop(t->of->user, t->of->count - left)) return;
    fail(&why, TIDE_ECANCELLED, "stopped: the same command goes on from there");
    stop_for(t, &why);
}

/* A thread stays until all is made, by whomever: what another process leaves may need all of them. */
static void work(void *user, int64_t number, int thread) {
    taking *t = user;
    (void)number;
    while (!atomic_load(&t->stopped)) {
        int64_t left, i = take(t, &left);
        if (thread == 0) ask_to_stop(t, left);
        if (i >= 0) make_piece(t, i, thread);
        else if (!left) return;
        else pause_s(soonest_s);
    }
    /* a piece that was taken when it stopped has been made */
}

tide_status pieces_do(pieces *p, const pieces_task *of, int64_t *made, tide_failure *failure) {
    taking t = { .p = p, .of = of, .from = p->next, .pause = soonest_s, .left = of->count };
    p->next += of->count;
    if (made) *made = 0;
    if (of->count <= 0) return TIDE_OK;
    t.state = calloc((size_t)of->count, sizeof *t.state), t.mine = calloc((size_t)of->count, sizeof *t.mine);
    if (t.state && t.mine) parallel_for(of->threads, of->threads, 1, work, &t);
    else out_of_memory(&t.why);
    free(t.state), free(t.mine);
    if (made) *made = t.made;
    if (t.why.status != TIDE_OK && failure) *failure = t.why;
    return told(failure, t.why.status);
}

/* ---- results ---- */

const char *pieces_path(const pieces *p, const char *name, int64_t i, char path[FOLDER_PATH]) {
    char file[PIECES_NAME + 24];
    snprintf(file, sizeof file, "%.*s-%" PRId64, PIECES_NAME - 1, name, i);
    return folder_file(p->folder, file, path);
}

bool pieces_has(const pieces *p, const char *name, int64_t i) {
    char path[FOLDER_PATH];
    return access(pieces_path(p, name, i, path), F_OK) == 0;
}

typedef struct content { const void *data; size_t bytes; } content;

static tide_status write_content(void *user, void *stdio_file) {
    const content *c = user;
    return fwrite(c->data, 1, c->bytes, stdio_file) == c->bytes ? TIDE_OK : TIDE_EIO;
}

tide_status pieces_put(const pieces *p, const char *name, int64_t i, const void *data, size_t bytes,
                       tide_failure *failure) {
    char path[FOLDER_PATH];
    return tide_file_replace(pieces_path(p, name, i, path), write_content, &(content){ data, bytes }, failure);
}

static FILE *open_late(const char *path) {
    double until = os_seconds() + late_s;
    FILE  *file  = fopen(path, "re");
    for (; !file && errno == ENOENT && os_seconds() < until; file = fopen(path, "re")) pause_s(latest_s);
    return file;
}

/* Of an open file, or NULL with errno; closes it. */
static tide_status read_result(FILE *file, const char *path, void **data, size_t *bytes, tide_failure *failure) {
    struct stat info;
    bool        fine = file && fstat(fileno(file), &info) == 0;
    *data  = fine ? malloc((size_t)info.st_size + 1) : NULL;
    *bytes = *data ? fread(*data, 1, (size_t)info.st_size, file) : 0;
    tide_status status = TIDE_OK;
    if (!fine) status = fail_at(failure, TIDE_EIO, path, 0, NULL, "cannot read %s: %s", path, strerror(errno));
    else if (!*data) status = out_of_memory(failure);
    else if (*bytes != (size_t)info.st_size)
        status = fail_at(failure, TIDE_EIO, path, 0, NULL, "cannot read %s whole", path);
    if (file) fclose(file);
    if (status != TIDE_OK) free(*data), *data = NULL;
    return status;
}

tide_status pieces_get(const pieces *p, const char *name, int64_t i, void **data, size_t *bytes,
                       tide_failure *failure) {
    char  path[FOLDER_PATH];
    FILE *file = open_late(pieces_path(p, name, i, path));
    return read_result(file, path, data, bytes, failure);
}

/* ---- what is left ---- */

static int by_number(const struct dirent **a, const struct dirent **b) {
    size_t x = strlen((*a)->d_name), y = strlen((*b)->d_name);
    return x == y ? strcmp((*a)->d_name, (*b)->d_name) : x < y ? -1 : 1;
}

static tide_status hand_out(const char *path, pieces_taker take, void *user, tide_failure *failure) {
    void       *data;
    size_t      bytes;
    tide_status status = read_result(fopen(path, "re"), path, &data, &bytes, failure);
    if (status == TIDE_OK) status = take(user, data, bytes, failure);
    free(data);
    return status;
}

tide_status pieces_left(const char *folder, const char *name, pieces_taker take, void *user, tide_failure *failure) {
    char            of[FOLDER_PATH], path[FOLDER_PATH];
    struct dirent **entry = NULL;
    size_t          length = strlen(name);
    tide_status     status = TIDE_OK;
    int count = scandir(folder_file(folder, PIECES, of), &entry, NULL, by_number);
    if (count < 0 && errno == ENOMEM) return out_of_memory(failure);
    for (int i = 0; i < count; i++) {
        const char *file = entry[i]->d_name;
        bool wanted = strlen(file) < 64 && !strncmp(file, name, length) && file[length] == '-';
        if (status == TIDE_OK && wanted) status = hand_out(folder_file(of, file, path), take, user, failure);
        free(entry[i]);
    }
    free(entry);
    return status;
}
