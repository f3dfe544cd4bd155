#include "child.h"

#include <errno.h>
#include <signal.h>
#include <spawn.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/base.h"

extern char **environ;

enum { FIRST_PAUSE_MS = 1, LONGEST_PAUSE_MS = 32, ASK_MS = 50 };

/* Its own process group: Ctrl-C is for us, who then end the child, and whatever it started with it. */
static int spawn(pid_t *child, char *const *arguments, int in, int out, int err) {
    posix_spawn_file_actions_t files;
    posix_spawnattr_t attributes;
    posix_spawn_file_actions_init(&files);
    posix_spawn_file_actions_adddup2(&files, in, STDIN_FILENO);
    posix_spawn_file_actions_adddup2(&files, out, STDOUT_FILENO);
    posix_spawn_file_actions_adddup2(&files, err, STDERR_FILENO);
    posix_spawnattr_init(&attributes);
    sigset_t none; /* whatever this program blocks */
    sigemptyset(&none);
    posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETPGROUP | POSIX_SPAWN_SETSIGMASK);
    posix_spawnattr_setsigmask(&attributes, &none);
    posix_spawnattr_setpgroup(&attributes, 0);
    int code = posix_spawnp(child, arguments[0], &files, &attributes, arguments, environ);
    posix_spawnattr_destroy(&attributes);
    posix_spawn_file_actions_destroy(&files);
    return code;
}

static child_end end_child(pid_t child, child_end why) {
    kill(-child, SIGKILL);
    while (waitpid(child, NULL, 0) < 0 && errno == EINTR) continue;
    return why;
}

/* A caller that reaps children itself leaves no exit code to see: taken for success, the picture is looked at
 * anyway. */
static child_end wait_for(pid_t child, const plot_watch *watch, const char *svg_path, double limit_s) {
    double began = os_seconds(), asked = began;
    for (int code = 0, pause_ms = FIRST_PAUSE_MS;; pause_ms = MIN2(2 * pause_ms, LONGEST_PAUSE_MS)) {
        pid_t  ended = waitpid(child, &code, WNOHANG);
        double now   = os_seconds();
        if (ended == child) return WIFEXITED(code) && WEXITSTATUS(code) == 0 ? CHILD_DONE : CHILD_FAILED;
        if (ended < 0 && errno != EINTR) return CHILD_DONE;
        if (now - began > limit_s) return end_child(child, CHILD_HUNG);
        if (watch && watch->stop && now - asked >= ASK_MS * 1e-3) {
            if (watch->stop(watch->user, svg_path)) return end_child(child, CHILD_STOPPED);
            asked = now;
        }
        nanosleep(&(struct timespec){ 0, pause_ms * 1000000L }, NULL);
    }
}

child_end child_run(char *const *arguments, int in, int out, int err, const plot_watch *watch, const char *svg_path,
                    double limit_s) {
    pid_t child;
    int   code = spawn(&child, arguments, in, out, err);
    if (code == 0) return wait_for(child, watch, svg_path, limit_s);
    errno = code;
    return CHILD_NONE;
}
