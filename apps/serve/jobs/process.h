/* Processes that outlive who started them. (process.c) */
#ifndef SERVE_JOBS_PROCESS_H
#define SERVE_JOBS_PROCESS_H

#include "serve/store/store.h"

#include <sys/types.h>

/* Starts `program` with the words after its name, in a session of its own, nice 10. In the job's folder: stdin empty,
 * stdout to "output" (emptied), stderr to the end of "events". It holds the lock of "alive" until it and what it
 * started are gone. TIDE_EIO. */
tide_status process_start(const char *program, const json_t *words, const char *folder, pid_t *pid,
                          tide_failure *failure);
/* Does a process hold the job's lock? True as well where that cannot be told. */
bool process_alive(const char *folder);
/* To it and what it started, if it is alive. */
void process_signal(const char *folder, pid_t pid, int number);

#endif
