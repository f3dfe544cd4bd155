/* The list of our files in a folder: read, added to and dropped from under a lock, with each name synced before its
 * file is made. */
#include "owned.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <jansson.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/base.h"
#include "pieces.h"

#define PRIVATE OWNED_FOLDER
#define LIST    PRIVATE "/files"
#define LOCK    PRIVATE "/lock"
static const char magic[] = "tidemill files 1\n";

enum { LIST_MOST = 1 << 22 };

/* What runs of 0.1.0 hold, by the command in their run.json. */
enum { FIRST_NAMES = 20 };
static const struct { const char *command, *names[FIRST_NAMES]; } first_version[] = {
    { "forecast train",
      { "run.json", "model.safetensors", "state.safetensors", "metrics.csv", "loss.svg", "loss.csv", "horizon.svg",
        "horizon.csv", "sample.svg",
        "sample.csv", "forecast.svg", "forecast.csv", "benchmark.json", "step-times.svg", "step-times.csv",
        "answer-times.svg",
        "answer-times.csv" } },
    { "eis train",
      { "run.json", "model.safetensors", "state.safetensors", "metrics.csv", "best_eis_predictor_mlx.npz", "loss.svg",
        "loss.csv", "accuracy.svg",
        "accuracy.csv" } },
};

static tide_status stranger(const char *folder, const char *name, tide_failure *failure) {
    char path[FOLDER_PATH];
    folder_file(folder, name, path);
    return fail_at(failure, TIDE_EINVAL, path, 0, "out",
                   "%s is there already and was not made by this program: move it away, or give another folder", path);
}

static tide_status system_failed(const char *folder, const char *name, tide_failure *failure) {
    char path[FOLDER_PATH];
    int  error = errno;
    folder_file(folder, name, path);
    return fail_at(failure, TIDE_EIO, path, 0, NULL, "cannot write %s: %s", path, strerror(error));
}

/* ---- the list ---- */

/* Is the folder of our own a folder? A link leads to another's. */
static bool is_folder(const char *folder) {
    char        path[FOLDER_PATH];
    struct stat info;
    return lstat(folder_file(folder, PRIVATE, path), &info) == 0 && S_ISDIR(info.st_mode);
}

/* Its text, malloc'ed; NULL with errno. A last line without its end was being written when the process was killed. */
static char *read_list(const char *folder) {
    char        path[FOLDER_PATH];
    struct stat info;
    char       *data = NULL;
    int fd = is_folder(folder) ? open(folder_file(folder, LIST, path), O_RDONLY | O_CLOEXEC | O_NOFOLLOW) : -1;
    if (fd < 0) return NULL;
    bool fine = fstat(fd, &info) == 0 && S_ISREG(info.st_mode) && info.st_size < LIST_MOST;
    if (fine && !(data = malloc((size_t)info.st_size + 1))) {
        close(fd);
        return errno = ENOMEM, NULL;
    }
    ssize_t length = fine ? read(fd, data, (size_t)info.st_size) : -1;
    close(fd);
    fine = fine && length >= (ssize_t)strlen(magic) && !memcmp(data, magic, strlen(magic)) &&
           !memchr(data, 0, (size_t)length);
    if (!fine) {
        free(data);
        return errno = EBADMSG, NULL;
    }
    while (data[length - 1] != '\n') length--;
    data[length] = 0;
    return data;
}

/* NULL where there is no list; what could not be read for want of memory is not taken for that. */
static tide_status take_list(const char *folder, char **list, tide_failure *failure) {
    errno = 0;
    *list = read_list(folder);
    bool short_of_memory = !*list && errno == ENOMEM;
    return short_of_memory ? fail(failure, TIDE_ENOMEM, "out of memory for a folder's list") : TIDE_OK;
}

static bool lists(const char *list, const char *name) {
    size_t length = strlen(name);
    for (const char *line = strchr(list, '\n') + 1; *line; line = strchr(line, '\n') + 1)
        if (length && !strncmp(line, name, length) && line[length] == '\n') return true;
    return false;
}

/* The list to add to, locked; -1 with errno. One that another process has replaced meanwhile is opened anew. */
static int lock_list(const char *folder) {
    char        path[FOLDER_PATH];
    struct stat info;
    for (;;) {
        int fd = open(folder_file(folder, LIST, path), O_WRONLY | O_APPEND | O_CLOEXEC | O_NOFOLLOW);
        if (fd < 0) return -1;
        if (flock(fd, LOCK_EX) != 0) errno = 0; /* a disk without locks: two commands at once are rare */
        if (fstat(fd, &info) == 0 && info.st_nlink > 0) return fd;
        close(fd);
    }
}

/* One write a call: two processes' lines do not mix. The first newline ends what a killed process left of a line. */
static tide_status add_names(const char *folder, const char *const *names, const char *list, tide_failure *failure) {
    text lines = { 0 };
    text_add(&lines, "\n");
    for (const char *const *name = names; *name; name++)
        if (!lists(list, *name)) text_add(&lines, "%s\n", *name);
    if (lines.failed || lines.length == 1) {
        bool failed = lines.failed;
        text_free(&lines);
        return failed ? fail(failure, TIDE_ENOMEM, "out of memory for a folder's list") : TIDE_OK;
    }
    int  fd   = lock_list(folder);
    bool fine = fd >= 0 && write(fd, lines.data, lines.length) == (ssize_t)lines.length && fsync(fd) == 0;
    tide_status status = fine ? TIDE_OK : system_failed(folder, LIST, failure);
    if (fd >= 0) close(fd);
    text_free(&lines);
    return status;
}

/* ---- the folder of our own ---- */

static bool is_temporary(const char *name, long *pid) {
    char *end;
    if (strncmp(name, "t-", 2)) return false;
    *pid = strtol(name + 2, &end, 10);
    return end > name + 2 && *end == '-' && end[1] && end[1 + strspn(end + 1, "0123456789")] == 0;
}

/* A folder of that name without a list is what a process was killed in while making it, unless there is something else
 * in it. */
static bool holds_only_parts(const char *folder) {
    char path[FOLDER_PATH];
    long pid;
    bool fine = true;
    DIR *d    = is_folder(folder) ? opendir(folder_file(folder, PRIVATE, path)) : NULL;
    if (!d) return false;
    for (struct dirent *e; fine && (e = readdir(d));)
        fine = !strcmp(e->d_name, ".") || !strcmp(e->d_name, "..") || is_temporary(e->d_name, &pid);
    closedir(d);
    return fine;
}

/* The list appears whole; another process' is not replaced by a new one. */
static tide_status put_list(const char *folder, const char *list, bool replace, tide_failure *failure) {
    char part[FOLDER_PATH], path[FOLDER_PATH], name[64];
    int  fd = -1;
    for (int i = 0; i < 100 && (i == 0 || (fd < 0 && errno == EEXIST)); i++) { /* another machine's have such numbers */
        snprintf(name, sizeof name, PRIVATE "/t-%ld-%d", (long)getpid(), i);
        fd = open(folder_file(folder, name, part), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0666);
    }
    bool fine = fd >= 0 && write(fd, list, strlen(list)) == (ssize_t)strlen(list) && fsync(fd) == 0;
    folder_file(folder, LIST, path);
    /* also on disks without links */
    if (fine) fine = (!replace && (link(part, path) == 0 || errno == EEXIST)) || rename(part, path) == 0;
    tide_status status = fine ? TIDE_OK : system_failed(folder, PRIVATE, failure);
    if (fd >= 0) close(fd), unlink(part);
    return status;
}

/* Is there a run.json of 0.1.0? Then the names of its command that are there, and a NULL. */
static void names_of_first_version(const char *folder, const char *names[FIRST_NAMES]) {
    char        path[FOLDER_PATH];
    struct stat info;
    int         count = 0;
    folder_file(folder, "run.json", path);
    json_t     *run     = lstat(path, &info) == 0 && S_ISREG(info.st_mode) ? json_load_file(path, 0, NULL) : NULL;
    const char *command = json_string_value(json_object_get(run, "command"));
    bool ours = command && json_is_integer(json_object_get(run, "format_version")) &&
                json_is_string(json_object_get(run, "version"));
    for (size_t i = 0; ours && i < sizeof first_version / sizeof *first_version; i++)
        for (const char *const *name = first_version[i].names; !strcmp(command, first_version[i].command) && *name;
             name++)
            if (lstat(folder_file(folder, *name, path), &info) == 0 && S_ISREG(info.st_mode)) names[count++] = *name;
    names[count] = NULL;
    json_decref(run);
}

/* The list, after making it where there is none. NULL with the failure set. */
static char *open_list(const char *folder, tide_failure *failure) {
    char        path[FOLDER_PATH];
    const char *names[FIRST_NAMES];
    char       *list = read_list(folder);
    if (list) return list;
    names_of_first_version(folder, names);
    bool made = mkdir(folder_file(folder, PRIVATE, path), 0777) == 0;
    if (!made && errno != EEXIST) return system_failed(folder, PRIVATE, failure), NULL;
    if (!made && !holds_only_parts(folder)) { /* or another process of ours has just made the list */
        list = read_list(folder);
        return list ? list : (stranger(folder, PRIVATE, failure), NULL);
    }
    tide_status status = put_list(folder, magic, false, failure);
    list               = status == TIDE_OK ? read_list(folder) : NULL;
    if (list && add_names(folder, names, list, failure) == TIDE_OK) {
        free(list);
        list = read_list(folder);
    }
    if (!list && status == TIDE_OK) system_failed(folder, LIST, failure);
    return list;
}

bool owned_lists(const char *folder, const char *name) {
    const char *old[FIRST_NAMES] = { NULL };
    char       *list  = read_list(folder);
    bool        found = list && lists(list, name);
    if (!list) names_of_first_version(folder, old);
    for (const char *const *o = old; *o; o++) found = found || !strcmp(*o, name);
    free(list);
    return found;
}

bool owned_holds_run(const char *folder) {
    char path[FOLDER_PATH];
    return access(folder_file(folder, "run.json", path), F_OK) == 0 && owned_lists(folder, "run.json");
}

/* ---- claiming ---- */

/* What is there under the name, if anything, is a file that the list vouches for. */
static tide_status check_name(const char *folder, const char *name, const char *list, tide_failure *failure) {
    char        path[FOLDER_PATH];
    struct stat info;
    if (lstat(folder_file(folder, name, path), &info) != 0) return TIDE_OK;
    return S_ISREG(info.st_mode) && list && lists(list, name) ? TIDE_OK : stranger(folder, name, failure);
}

/* Without a list, of a folder that was not ours yet: nothing may be made in it before its files are known not to be in
 * the way. */
static tide_status check_names(const char *folder, const char *const *names, const char *list, tide_failure *failure) {
    const char *old[FIRST_NAMES] = { NULL };
    tide_status status = TIDE_OK;
    if (!list) names_of_first_version(folder, old);
    for (const char *const *name = names; status == TIDE_OK && *name; name++) {
        bool vouched = false;
        for (const char *const *o = old; *o; o++) vouched = vouched || !strcmp(*o, *name);
        if (!vouched) status = check_name(folder, *name, list, failure);
    }
    return status;
}

/* Another process of ours may list and make one between the reading and the looking: what is refused is looked at
 * anew. */
static tide_status list_and_check(const char *folder, const char *const *names, char **list, tide_failure *failure) {
    tide_failure why    = { 0 };
    tide_status  status = TIDE_EINVAL;
    *list = NULL;
    for (int i = 0; i < 3 && status == TIDE_EINVAL; i++) {
        free(*list);
        status = take_list(folder, list, &why);
        if (status == TIDE_OK) status = check_names(folder, names, *list, &why);
    }
    if (status != TIDE_OK && failure) *failure = why;
    return status;
}

tide_status owned_check(const char *folder, const char *const *names, tide_failure *failure) {
    char       *list;
    tide_status status = list_and_check(folder, names, &list, failure);
    free(list);
    return status;
}

tide_status owned_claim(const char *folder, const char *const *names, tide_failure *failure) {
    char       *list;
    tide_status status = list_and_check(folder, names, &list, failure);
    if (status == TIDE_OK && !list && !(list = open_list(folder, failure)))
        status = failure ? failure->status : TIDE_EIO;
    if (status == TIDE_OK) status = add_names(folder, names, list, failure);
    free(list);
    return status;
}

tide_status owned_refuse_input(const char *folder, const char *input, tide_failure *failure) {
    char *file = realpath(strcmp(input, "-") ? input : "/dev/stdin", NULL), *here = realpath(folder, NULL),
         *slash = file ? strrchr(file, '/') : NULL;
    tide_status status = TIDE_OK;
    if (here && slash) {
        *slash = 0;
        if (!strcmp(file, here) && owned_lists(folder, slash + 1))
            status = fail_at(failure, TIDE_EINVAL, input, 0, "out",
                             "%s is read by this command, which writes files of that name there: copy it elsewhere, "
                             "or give another folder", input);
    }
    free(file);
    free(here);
    return status;
}

tide_status owned_adopt(const char *folder, const char *name, tide_failure *failure) {
    char       *list   = open_list(folder, failure);
    tide_status status = list      ? add_names(folder, (const char *const[]){ name, NULL }, list, failure)
                         : failure ? failure->status
                                   : TIDE_EIO;
    free(list);
    return status;
}

tide_status owned_claim_file(const char *folder, const char *name, char *path, tide_failure *failure) {
    folder_file(folder, name, path);
    return owned_claim(folder, (const char *const[]){ name, NULL }, failure);
}

tide_status owned_claim_plot(const char *folder, const char *name, char *path, tide_failure *failure) {
    char svg[FOLDER_PATH], csv[FOLDER_PATH];
    snprintf(svg, sizeof svg, "%s.svg", name);
    snprintf(csv, sizeof csv, "%s.csv", name);
    folder_file(folder, svg, path);
    return owned_claim(folder, (const char *const[]){ svg, csv, NULL }, failure);
}

static bool is_there(const char *folder, const char *name) {
    char        path[FOLDER_PATH];
    struct stat info;
    return lstat(folder_file(folder, name, path), &info) == 0 || errno != ENOENT;
}

void owned_release(const char *folder) {
    text  kept = { 0 };
    bool  same = true;
    int   lock = lock_list(folder);
    char *list = lock >= 0 ? read_list(folder) : NULL, *rest = list;
    if (rest) text_add(&kept, "%s\n", strsep(&rest, "\n")); /* what kind of file it is */
    for (char *line; rest && (line = strsep(&rest, "\n"));) {
        if (!*line) continue;
        if (is_there(folder, line)) text_add(&kept, "%s\n", line);
        else same = false;
    }
    if (kept.data && !kept.failed && !same) put_list(folder, kept.data, true, NULL); /* else it lists too much */
    if (lock >= 0) close(lock);
    text_free(&kept);
    free(list);
}

void owned_clear(const char *folder, const char *const *names) {
    char  path[FOLDER_PATH];
    char *list = read_list(folder);
    for (const char *const *name = names; list && *name; name++)
        if (check_name(folder, *name, list, NULL) == TIDE_OK) unlink(folder_file(folder, *name, path));
    if (list) owned_release(folder);
    free(list);
}

/* ---- the lock ---- */

/* Only beside a list of ours: what is called like our parts in a folder of another's is the other's. */
void owned_sweep(const char *folder) {
    char  path[FOLDER_PATH], name[300];
    long  pid;
    char *list = read_list(folder);
    DIR  *d    = list ? opendir(folder_file(folder, PRIVATE, path)) : NULL;
    free(list);
    for (struct dirent *e; d && (e = readdir(d));) {
        bool gone =
            is_temporary(e->d_name, &pid) && (pid == (long)getpid() || (kill((pid_t)pid, 0) != 0 && errno == ESRCH));
        snprintf(name, sizeof name, PRIVATE "/%s", e->d_name);
        if (gone) unlink(folder_file(folder, name, path));
    }
    if (d) closedir(d);
}

static int lock_as(const char *folder, int how, tide_failure *failure) {
    char        path[FOLDER_PATH];
    struct stat info; /* a file without a name is one whose owner has just finished */
    int lock = open(folder_file(folder, LOCK, path), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0666);
    if (lock < 0) return system_failed(folder, LOCK, failure), -1;
    if (flock(lock, how | LOCK_NB) == 0 && fstat(lock, &info) == 0 && info.st_nlink > 0) return lock;
    close(lock);
    fail_at(failure, TIDE_EINVAL, folder, 0, "out", "another process is writing the run %s", folder);
    return -1;
}

int owned_lock(const char *folder, tide_failure *failure) {
    int lock = lock_as(folder, LOCK_EX, failure);
    if (lock >= 0) owned_sweep(folder);
    return lock;
}

int owned_lock_shared(const char *folder, tide_failure *failure) {
    tide_failure why   = { 0 };
    double       until = os_seconds() + 1;
    int          lock  = lock_as(folder, LOCK_SH, &why);
    for (; lock < 0 && why.status == TIDE_EINVAL && os_seconds() < until; lock = lock_as(folder, LOCK_SH, &why))
        nanosleep(&(struct timespec){ .tv_nsec = 10000000 }, NULL);
    if (lock < 0 && failure) *failure = why;
    return lock;
}

/* The file goes first, while it is still locked. */
void owned_unlock(const char *folder, int lock) {
    char path[FOLDER_PATH];
    if (lock < 0) return;
    unlink(folder_file(folder, LOCK, path));
    close(lock);
}

void owned_unlock_shared(const char *folder, int lock) {
    if (lock >= 0 && flock(lock, LOCK_EX | LOCK_NB) == 0) {
        owned_sweep(folder);
        owned_release(folder);
        owned_unlock(folder, lock);
    } else if (lock >= 0) {
        close(lock);
    }
}

/* ---- a folder of ours as a whole ---- */

static void unlink_in(const char *folder, const char *name) {
    char        path[FOLDER_PATH];
    struct stat info;
    if (lstat(folder_file(folder, name, path), &info) == 0 && S_ISREG(info.st_mode)) unlink(path);
}

/* The list goes last: whoever is killed before can begin again. */
tide_status owned_remove(const char *folder, tide_failure *failure) {
    char  path[FOLDER_PATH];
    char *list, *rest;
    if (take_list(folder, &list, failure) != TIDE_OK) return TIDE_ENOMEM;
    int lock = list ? owned_lock(folder, NULL) : -1;
    if (list && lock < 0) return free(list), TIDE_OK;
    rest = list;
    if (rest) strsep(&rest, "\n"); /* what kind of file it is */
    for (char *line; rest && (line = strsep(&rest, "\n"));)
        if (*line) unlink_in(folder, line);
    if (list) pieces_clear(folder);
    for (int i = 0; list && i < 3; i++) unlink_in(folder, (const char *const[]){ PRIVATE "/outputs", LOCK, LIST }[i]);
    if (rmdir(folder_file(folder, PRIVATE, path)) == 0) rmdir(folder);
    if (lock >= 0) close(lock);
    free(list);
    return TIDE_OK;
}
