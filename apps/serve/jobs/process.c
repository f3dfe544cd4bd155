/* Processes: started without a pipe to us, known again by a lock that only they hold. */
#include "serve/jobs/process.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/resource.h>
#include <unistd.h>

extern char **environ;

enum { LOCK_FD = 3, NICE = 10 };

static int open_lock(const char *folder) {
    char path[FOLDER_PATH];
    folder_file(folder, "alive", path);
    return open(path, O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0600);
}

bool process_alive(const char *folder) {
    char path[FOLDER_PATH];
    int  fd = open(folder_file(folder, "alive", path), O_RDWR | O_NOFOLLOW | O_CLOEXEC);
    if (fd < 0) return errno != ENOENT;
    bool free_of_it = flock(fd, LOCK_EX | LOCK_NB) == 0;
    close(fd);
    return !free_of_it;
}

/* The lock is looked at last: with it held, the number is that process' own. */
void process_signal(const char *folder, pid_t pid, int number) {
    if (pid > 1 && process_alive(folder) && kill(-pid, number) != 0) kill(pid, number);
}

/* argv of the words, malloc'ed; the words are borrowed. */
static char **words_argv(const char *program, const json_t *words) {
    size_t n    = json_array_size(words);
    char **argv = calloc(n + 2, sizeof *argv);
    if (!argv) return NULL;
    argv[0] = (char *)program;
    for (size_t i = 0; i < n; i++) argv[i + 1] = (char *)json_string_value(json_array_get(words, i));
    return argv;
}

static int set_files(posix_spawn_file_actions_t *files, const char *folder, int lock) {
    char path[FOLDER_PATH];
    int  error = posix_spawn_file_actions_addopen(files, 0, "/dev/null", O_RDONLY, 0);
    folder_file(folder, "output", path);
    if (!error) error = posix_spawn_file_actions_addopen(files, 1, path, O_WRONLY | O_CREAT | O_TRUNC, 0600);
    folder_file(folder, "events", path);
    if (!error) error = posix_spawn_file_actions_addopen(files, 2, path, O_WRONLY | O_CREAT | O_APPEND, 0600);
    if (!error) error = posix_spawn_file_actions_adddup2(files, lock, LOCK_FD);
    return error;
}

/* Signals as a program has them at first, whatever this one made of them. */
static int set_attributes(posix_spawnattr_t *attributes) {
    sigset_t none, all;
    sigemptyset(&none);
    sigfillset(&all);
    int error = posix_spawnattr_setflags(attributes,
                                         POSIX_SPAWN_SETSID | POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);
    if (!error) error = posix_spawnattr_setsigmask(attributes, &none);
    return error ? error : posix_spawnattr_setsigdefault(attributes, &all);
}

static int spawn(const char *program, char **argv, const char *folder, int lock, pid_t *pid) {
    posix_spawn_file_actions_t files;
    posix_spawnattr_t          attributes;
    int error = posix_spawn_file_actions_init(&files);
    if (error) return error;
    error = posix_spawnattr_init(&attributes);
    if (!error) {
        error = set_files(&files, folder, lock);
        if (!error) error = set_attributes(&attributes);
        if (!error) error = posix_spawn(pid, program, &files, &attributes, argv, environ);
        posix_spawnattr_destroy(&attributes);
    }
    posix_spawn_file_actions_destroy(&files);
    return error;
}

tide_status process_start(const char *program, const json_t *words, const char *folder, pid_t *pid,
                          tide_failure *failure) {
    int    lock  = open_lock(folder);
    int    error = lock < 0 || flock(lock, LOCK_EX | LOCK_NB) != 0 ? errno : 0;
    char **argv  = words_argv(program, words);
    if (!error) error = argv ? spawn(program, argv, folder, lock, pid) : ENOMEM;
    if (!error) setpriority(PRIO_PGRP, (id_t)*pid, NICE); /* all its threads, also those there are by now */
    if (lock >= 0) close(lock);                           /* the process holds it on */
    free(argv);
    if (!error) return TIDE_OK;
    return fail_at(failure, TIDE_EIO, folder, 0, NULL, "the job's process cannot be started: %s", strerror(error));
}
