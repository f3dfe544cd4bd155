/* Uploads: written as they come, kept within limits, found again at the next start. */
#include "serve/uploads/uploads.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <pthread.h>
#include <sodium.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/json.h"

struct uploads {
    char            folder[FOLDER_PATH];
    uploads_limits  limits;
    pthread_mutex_t lock;
    upload_info    *kept;     /* by age, the oldest first */
    int64_t         count, room, bytes, coming;  /* coming: bytes that writers have been given */
};

struct upload_writer {
    uploads    *of;
    upload_info info;
    int         fd;
    int64_t     given;   /* counted in of->coming */
    crypto_hash_sha256_state sum;
};

static void path_of(const uploads *u, const char *id, const char *ending, char path[FOLDER_PATH]) {
    char name[STORE_ID + 8];
    snprintf(name, sizeof name, "%s%s", id, ending);
    folder_file(u->folder, name, path);
}

static void fresh_path(const uploads *u, const char *id, char path[FOLDER_PATH]) {
    char name[STORE_ID + 8];
    store_new_name(id, name);
    folder_file(u->folder, name, path);
}

/* ---- the list; with the lock ---- */

static upload_info *find(const uploads *u, const char *id) {
    for (int64_t i = 0; store_id_valid(id) && i < u->count; i++)
        if (strcmp(u->kept[i].id, id) == 0) return &u->kept[i];
    return NULL;
}

static bool make_room(uploads *u) {
    if (u->count < u->room) return true;
    int64_t      room = u->room ? 2 * u->room : 64;
    upload_info *kept = realloc(u->kept, (size_t)room * sizeof *kept);
    if (kept) u->kept = kept, u->room = room;
    return kept != NULL;
}

static void drop(uploads *u, upload_info *info) {
    char record[FOLDER_PATH], file[FOLDER_PATH];
    path_of(u, info->id, ".json", record);
    path_of(u, info->id, "", file);
    unlink(file); /* first: a record without a file is swept, a file without a record would stay */
    unlink(record);
    u->bytes -= info->bytes;
    u->count--;
    memmove(info, info + 1, (size_t)(u->kept + u->count - info) * sizeof *info);
}

/* The oldest go until `more` bytes and one file have room beside what is coming. */
static tide_status fit(uploads *u, int64_t more, bool one_more, tide_failure *failure) {
    const uploads_limits *l = &u->limits;
    if (more > l->total_bytes - u->coming)
        return fail_at(failure, TIDE_EINVAL, NULL, 0, "bytes", "uploads may have %" PRId64 " bytes together",
                       l->total_bytes);
    while (u->count && (u->bytes + u->coming + more > l->total_bytes || u->count + one_more > l->count))
        drop(u, u->kept);
    return TIDE_OK;
}

/* ---- opening ---- */

static bool read_info(const uploads *u, const char *id, upload_info *info) {
    char        path[FOLDER_PATH];
    struct stat is;
    const char *name, *sum;
    json_int_t  bytes;
    path_of(u, id, ".json", path);
    json_t *o    = store_read_json(path, NULL);
    bool    fine = o && json_unpack(o, "{s:s, s:s, s:I, s:F}", "name", &name, "sha256", &sum, "bytes", &bytes,
                                    "created", &info->created) == 0 && strlen(sum) == 64;
    if (fine) {
        store_plain_name(name, info->name);
        snprintf(info->sha256, sizeof info->sha256, "%s", sum);
        snprintf(info->id, sizeof info->id, "%s", id);
        info->bytes = bytes;
    }
    json_decref(o);
    path_of(u, id, "", path);
    return fine && lstat(path, &is) == 0 && S_ISREG(is.st_mode) && is.st_size == info->bytes;
}

static int by_age(const void *a, const void *b) {
    double x = ((const upload_info *)a)->created, y = ((const upload_info *)b)->created;
    return (x > y) - (x < y);
}

/* A record without a file is left of an upload that did not get its name. */
static void take_record(uploads *u, const char *name) {
    char id[STORE_ID], path[FOLDER_PATH];
    snprintf(id, sizeof id, "%s", name);
    if (!store_id_valid(id) || strcmp(name + strlen(id), ".json") != 0 || !make_room(u)) return;
    path_of(u, id, "", path);
    if (access(path, F_OK) != 0 && errno == ENOENT) {
        path_of(u, id, ".json", path);
        unlink(path);
    } else if (read_info(u, id, &u->kept[u->count])) u->bytes += u->kept[u->count++].bytes;
}

static tide_status find_all(uploads *u, tide_failure *failure) {
    DIR *dir = opendir(u->folder);
    if (!dir) return fail_at(failure, TIDE_EIO, u->folder, 0, NULL, "cannot be read: %s", strerror(errno));
    for (struct dirent *e; (e = readdir(dir));) take_record(u, e->d_name);
    closedir(dir);
    if (u->count) qsort(u->kept, (size_t)u->count, sizeof *u->kept, by_age);
    return fit(u, 0, false, failure);
}

tide_status uploads_open(const char *folder, const uploads_limits *limits, uploads **out, tide_failure *failure) {
    failure_clear(failure);
    *out       = NULL;
    uploads *u = calloc(1, sizeof *u);
    if (!u) return fail(failure, TIDE_ENOMEM, "out of memory");
    pthread_mutex_init(&u->lock, NULL);
    u->limits = *limits;
    snprintf(u->folder, sizeof u->folder, "%s", folder);
    tide_status status = store_begin(failure);
    if (status == TIDE_OK) status = store_folder(u->folder, failure);
    if (status == TIDE_OK) store_sweep(u->folder), status = find_all(u, failure);
    if (status == TIDE_OK) *out = u;
    else uploads_close(u);
    return status;
}

void uploads_close(uploads *u) {
    if (!u) return;
    pthread_mutex_destroy(&u->lock);
    free(u->kept);
    free(u);
}

/* ---- writing ---- */

static tide_status too_large(const uploads *u, tide_failure *failure) {
    return fail_at(failure, TIDE_EINVAL, NULL, 0, "bytes", "a file may have %" PRId64 " bytes", u->limits.file_bytes);
}

static tide_status cannot_write(const uploads *u, int error, tide_failure *failure) {
    return fail_at(failure, TIDE_EIO, u->folder, 0, NULL, "cannot be written to: %s", strerror(error));
}

/* Counts `more` bytes as coming. */
static tide_status grant(upload_writer *w, int64_t more, tide_failure *failure) {
    uploads *u = w->of;
    pthread_mutex_lock(&u->lock);
    tide_status status = fit(u, more, true, failure);
    if (status == TIDE_OK) u->coming += more, w->given += more;
    pthread_mutex_unlock(&u->lock);
    return status;
}

tide_status upload_begin(uploads *u, const char *name, int64_t expected, upload_writer **out, tide_failure *failure) {
    char path[FOLDER_PATH];
    failure_clear(failure);
    *out = NULL;
    if (expected > u->limits.file_bytes) return too_large(u, failure);
    upload_writer *w = calloc(1, sizeof *w);
    if (!w) return fail(failure, TIDE_ENOMEM, "out of memory");
    w->of = u;
    w->fd = -1;
    store_id_new(w->info.id);
    store_plain_name(name ? name : "", w->info.name);
    crypto_hash_sha256_init(&w->sum);
    tide_status status = grant(w, MAX2(expected, 0), failure);
    fresh_path(u, w->info.id, path);
    if (status == TIDE_OK) w->fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
    if (status == TIDE_OK && w->fd < 0) status = cannot_write(u, errno, failure);
    if (status == TIDE_OK) *out = w;
    else upload_abort(w);
    return status;
}

tide_status upload_write(upload_writer *w, const void *bytes, size_t count, tide_failure *failure) {
    const char *from = bytes;
    failure_clear(failure);
    if ((int64_t)count > w->of->limits.file_bytes - w->info.bytes) return too_large(w->of, failure);
    int64_t     more   = w->info.bytes + (int64_t)count - w->given;
    tide_status status = more > 0 ? grant(w, more, failure) : TIDE_OK;
    for (size_t done = 0; status == TIDE_OK && done < count;) {
        ssize_t n = write(w->fd, from + done, count - done);
        if (n < 0 && errno == EINTR) continue;
        if (n <= 0) status = cannot_write(w->of, n < 0 ? errno : ENOSPC, failure);
        else done += (size_t)n;
    }
    if (status != TIDE_OK) return status;
    w->info.bytes += (int64_t)count;
    crypto_hash_sha256_update(&w->sum, bytes, count);
    return TIDE_OK;
}

static void release(upload_writer *w) {
    if (w->fd >= 0) close(w->fd);
    pthread_mutex_lock(&w->of->lock);
    w->of->coming -= w->given;
    pthread_mutex_unlock(&w->of->lock);
    free(w);
}

void upload_abort(upload_writer *w) {
    char path[FOLDER_PATH];
    if (!w) return;
    fresh_path(w->of, w->info.id, path);
    if (w->fd >= 0) unlink(path);
    release(w);
}

/* The record first: a file under its identifier always has one. */
static tide_status publish(upload_writer *w, tide_failure *failure) {
    char     record[FOLDER_PATH], fresh[FOLDER_PATH], path[FOLDER_PATH];
    uploads *u = w->of;
    json_t  *o = upload_json(&w->info);
    path_of(u, w->info.id, ".json", record);
    path_of(u, w->info.id, "", path);
    fresh_path(u, w->info.id, fresh);
    tide_status status = fsync(w->fd) == 0 ? TIDE_OK : cannot_write(u, errno, failure);
    if (status == TIDE_OK) status = store_write_json(record, o, failure);
    if (status == TIDE_OK && rename(fresh, path) != 0) {
        status = cannot_write(u, errno, failure);
        unlink(record);
    }
    json_decref(o);
    return status;
}

tide_status upload_finish(upload_writer *w, upload_info *out, tide_failure *failure) {
    unsigned char sum[crypto_hash_sha256_BYTES];
    uploads      *u = w->of;
    failure_clear(failure);
    crypto_hash_sha256_final(&w->sum, sum);
    sodium_bin2hex(w->info.sha256, sizeof w->info.sha256, sum, sizeof sum);
    w->info.created = store_now();
    pthread_mutex_lock(&u->lock);
    tide_status status = make_room(u) ? TIDE_OK : fail(failure, TIDE_ENOMEM, "out of memory");
    if (status == TIDE_OK) status = publish(w, failure);
    if (status == TIDE_OK) {
        *out = u->kept[u->count++] = w->info;
        u->bytes += w->info.bytes;
    }
    pthread_mutex_unlock(&u->lock);
    if (status == TIDE_OK) release(w);
    else upload_abort(w);
    return status;
}

/* ---- asking ---- */

tide_status uploads_get(uploads *u, const char *id, upload_info *out, tide_failure *failure) {
    char path[FOLDER_PATH];
    return uploads_path(u, id, path, out, failure);
}

tide_status uploads_path(uploads *u, const char *id, char *path, upload_info *out, tide_failure *failure) {
    failure_clear(failure);
    pthread_mutex_lock(&u->lock);
    const upload_info *info = find(u, id);
    if (info) *out = *info, path_of(u, id, "", path);
    pthread_mutex_unlock(&u->lock);
    return info ? TIDE_OK : store_no_such("upload", id, failure);
}

tide_status uploads_remove(uploads *u, const char *id, tide_failure *failure) {
    failure_clear(failure);
    pthread_mutex_lock(&u->lock);
    upload_info *info = find(u, id);
    if (info) drop(u, info);
    pthread_mutex_unlock(&u->lock);
    return info ? TIDE_OK : store_no_such("upload", id, failure);
}

json_t *upload_json(const upload_info *info) {
    return json_pack("{s:s, s:s, s:I, s:s, s:f}", "id", info->id, "name", info->name, "bytes",
                     (json_int_t)info->bytes, "sha256", info->sha256, "created", info->created);
}

json_t *uploads_list(uploads *u) {
    json_t *list = json_array();
    pthread_mutex_lock(&u->lock);
    for (int64_t i = u->count - 1; list && i >= 0; i--) list = json_with_item(list, upload_json(&u->kept[i]));
    pthread_mutex_unlock(&u->lock);
    return list;
}
