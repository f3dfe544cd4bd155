/* Identifiers, small JSON files written whole, and folders taken away. */
#include "serve/store/store.h"

#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/json.h"

#define NEW  ".new-"
#define GONE ".gone-"
#define MARK ".tidemill-store"

static const char alphabet[] = "0123456789abcdefghjkmnpqrstvwxyz";
enum { LARGEST_JSON = 16 << 20, DEEPEST = 32 };

/* ---- names ---- */

tide_status store_begin(tide_failure *failure) {
    return sodium_init() >= 0 ? TIDE_OK : fail(failure, TIDE_EIO, "libsodium cannot be set up");
}

void store_id_new(char id[STORE_ID]) {
    for (int i = 0; i < STORE_ID - 1; i++) id[i] = alphabet[randombytes_uniform(sizeof alphabet - 1)];
    id[STORE_ID - 1] = 0;
}

bool store_id_valid(const char *id) {
    return id && strnlen(id, STORE_ID) == STORE_ID - 1 && strspn(id, alphabet) == STORE_ID - 1;
}

tide_status store_no_such(const char *what, const char *id, tide_failure *failure) {
    return store_id_valid(id) ? fail_at(failure, TIDE_EINVAL, NULL, 0, "id", "there is no %s %s", what, id)
                              : fail_at(failure, TIDE_EINVAL, NULL, 0, "id", "there is no such %s", what);
}

void store_plain_name(const char *given, char name[STORE_NAME]) {
    const char *slash = strrchr(given, '/'), *from = slash ? slash + 1 : given;
    size_t      length = strlen(from), n = 0;
    while (*from == '.') from++, length--;
    if (length > STORE_NAME - 1) from += length - (STORE_NAME - 1); /* the end says what it is */
    for (; *from && n < STORE_NAME - 1; from++) {
        bool plain = isascii((unsigned char)*from) && (isalnum((unsigned char)*from) || strchr("._-", *from));
        name[n]    = plain && (n || *from != '.') ? *from : '_';
        n++;
    }
    name[n] = 0;
    if (!n) snprintf(name, STORE_NAME, "file");
}

void store_new_name(const char *id, char name[STORE_ID + 8]) { snprintf(name, STORE_ID + 8, NEW "%s", id); }

double store_now(void) {
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    return (double)now.tv_sec + 1e-9 * (double)now.tv_nsec;
}

/* ---- folders ---- */

static bool is_empty(const char *path) {
    DIR *dir   = opendir(path);
    bool empty = dir != NULL;
    for (struct dirent *e; empty && (e = readdir(dir));)
        empty = strcmp(e->d_name, ".") == 0 || strcmp(e->d_name, "..") == 0;
    if (dir) closedir(dir);
    return empty;
}

/* What is in a store is swept, made again and taken away, so a folder becomes one only while nothing is in it. */
static tide_status make_ours(const char *path, tide_failure *failure) {
    char        mark[FOLDER_PATH + sizeof MARK + 1];
    struct stat is;
    snprintf(mark, sizeof mark, "%s/" MARK, path);
    if (lstat(mark, &is) == 0 && S_ISREG(is.st_mode)) return TIDE_OK;
    if (!is_empty(path))
        return fail_at(failure, TIDE_EINVAL, path, 0, NULL,
                       "%s holds files that no service put there: name another folder, or an empty one", path);
    int fd = open(mark, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
    if (fd < 0 && errno != EEXIST)
        return fail_at(failure, TIDE_EIO, path, 0, NULL, "cannot be written to: %s", strerror(errno));
    if (fd >= 0) close(fd);
    return TIDE_OK;
}

tide_status store_folder(char path[FOLDER_PATH], tide_failure *failure) {
    struct stat is;
    bool        made   = lstat(path, &is) != 0 && errno == ENOENT;
    tide_status status = make_folders(path, failure);
    if (status != TIDE_OK) return status;
    if (made) chmod(path, 0700);
    char *whole = realpath(path, NULL);
    bool  fits  = whole && strlen(whole) < FOLDER_PATH - STORE_NAME;
    if (fits) strcpy(path, whole);
    free(whole);
    if (!whole) return fail_at(failure, TIDE_EIO, path, 0, NULL, "cannot be used: %s", strerror(errno));
    if (!fits) return fail_at(failure, TIDE_EINVAL, path, 0, NULL, "the folder's path is too long");
    if (stat(path, &is) != 0) return fail_at(failure, TIDE_EIO, path, 0, NULL, "cannot be used: %s", strerror(errno));
    if (is.st_uid != geteuid())
        return fail_at(failure, TIDE_EINVAL, path, 0, NULL, "%s is another user's folder", path);
    if (is.st_mode & 022)
        return fail_at(failure, TIDE_EINVAL, path, 0, NULL, "others may write to %s: chmod go-w takes that away", path);
    return make_ours(path, failure);
}

static void remove_tree(int folder, const char *name, int depth) {
    if (unlinkat(folder, name, 0) == 0 || depth > DEEPEST) return;
    int  fd  = openat(folder, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    DIR *dir = fd >= 0 ? fdopendir(fd) : NULL;
    for (struct dirent *e; dir && (e = readdir(dir));)
        if (strcmp(e->d_name, ".") != 0 && strcmp(e->d_name, "..") != 0) remove_tree(fd, e->d_name, depth + 1);
    if (dir) closedir(dir);
    else if (fd >= 0) close(fd);
    unlinkat(folder, name, AT_REMOVEDIR);
}

tide_status store_remove(const char *folder, const char *name, tide_failure *failure) {
    char gone[STORE_NAME + 8];
    int  fd    = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    int  error = errno;
    snprintf(gone, sizeof gone, GONE "%s", name);
    bool moved = fd >= 0 && renameat(fd, name, fd, gone) == 0;
    if (fd >= 0 && !moved) error = errno;
    if (moved) remove_tree(fd, gone, 0);
    if (fd >= 0) close(fd);
    return moved ? TIDE_OK
                 : fail_at(failure, TIDE_EIO, folder, 0, NULL, "cannot take away %s: %s", name, strerror(error));
}

void store_sweep(const char *folder) {
    int  fd  = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    DIR *dir = fd >= 0 ? fdopendir(fd) : NULL;
    for (struct dirent *e; dir && (e = readdir(dir));)
        if (strncmp(e->d_name, NEW, sizeof NEW - 1) == 0 || strncmp(e->d_name, GONE, sizeof GONE - 1) == 0)
            remove_tree(fd, e->d_name, 0);
    if (dir) closedir(dir);
    else if (fd >= 0) close(fd);
}

/* ---- JSON ---- */

static int write_all(int fd, const char *bytes, size_t length) {
    for (size_t done = 0; done < length;) {
        ssize_t n = write(fd, bytes + done, length - done);
        if (n < 0 && errno == EINTR) continue;
        if (n <= 0) return n < 0 ? errno : ENOSPC;
        done += (size_t)n;
    }
    return fsync(fd) == 0 ? 0 : errno;
}

/* The name's new meaning is there for good, too. */
static void sync_folder(const char *path) {
    char folder[FOLDER_PATH];
    snprintf(folder, sizeof folder, "%s", path);
    char *slash = strrchr(folder, '/');
    if (slash) *slash = 0;
    int fd = slash ? open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC) : -1;
    if (fd < 0) return;
    fsync(fd);
    close(fd);
}

tide_status store_write_json(const char *path, const json_t *object, tide_failure *failure) {
    char  fresh[FOLDER_PATH + 8];
    char *written = json_whole(object, JSON_INDENT(2));
    if (!written) return fail(failure, TIDE_ENOMEM, "out of memory");
    snprintf(fresh, sizeof fresh, "%s.new", path);
    int fd    = open(fresh, O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC, 0600);
    int error = fd < 0 ? errno : write_all(fd, written, strlen(written));
    if (fd >= 0 && close(fd) != 0 && !error) error = errno;
    if (!error && rename(fresh, path) != 0) error = errno;
    if (error && fd >= 0) unlink(fresh);
    if (!error) sync_folder(path);
    free(written);
    return error ? fail_at(failure, TIDE_EIO, path, 0, NULL, "cannot be written: %s", strerror(error)) : TIDE_OK;
}

json_t *store_read_json(const char *path, tide_failure *failure) {
    struct stat  is;
    json_error_t why;
    int   fd     = open(path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
    int   error  = fd < 0 ? errno : fstat(fd, &is) != 0 ? errno : !S_ISREG(is.st_mode) ? EINVAL : 0;
    bool  large  = !error && is.st_size > LARGEST_JSON;
    json_t *object = error || large ? NULL : json_loadfd(fd, JSON_REJECT_DUPLICATES, &why);
    if (fd >= 0) close(fd);
    if (error) fail_at(failure, TIDE_EIO, path, 0, NULL, "cannot be read: %s", strerror(error));
    else if (large) fail_at(failure, TIDE_EDATA, path, 0, NULL, "it is longer than any file of ours");
    else if (!object) fail_at(failure, TIDE_EDATA, path, why.line, NULL, "%.200s", why.text);
    return object;
}
