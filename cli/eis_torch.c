#include "eis_torch.h"

#include <errno.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "eis_torch_script.h"

enum { WORDS = 32 };

/* `python3 - WORDS...`, the script on its standard input. -1: it did not start. */
static int run_python(char *const *words, const char *script) {
    int   pipe_ends[2], code = -1;
    pid_t child;
    void (*before)(int);
    if (pipe(pipe_ends) != 0) return -1;
    child = fork();
    if (child == 0) {
        sigset_t none;
        sigemptyset(&none);
        sigprocmask(SIG_SETMASK, &none, NULL);
        dup2(pipe_ends[0], STDIN_FILENO);
        close(pipe_ends[0]), close(pipe_ends[1]);
        execvp(words[0], words);
        _exit(127);
    }
    close(pipe_ends[0]);
    before = signal(SIGPIPE, SIG_IGN);
    for (size_t left = strlen(script); child > 0 && left > 0;) {
        ssize_t done = write(pipe_ends[1], script, left);
        if (done <= 0) break; /* it ended before it had read everything; its exit code says why */
        script += done, left -= (size_t)done;
    }
    close(pipe_ends[1]);
    signal(SIGPIPE, before);
    while (child > 0 && waitpid(child, &code, 0) < 0 && errno == EINTR) {}
    return child > 0 && WIFEXITED(code) ? WEXITSTATUS(code) : -1;
}

tide_status eis_torch_available(tide_failure *failure) {
    char *words[] = { "python3", "-", NULL };
    if (run_python(words, "import sys\ntry:\n    import numpy, torch\nexcept Exception:\n    sys.exit(1)\n") == 0)
        return TIDE_OK;
    *failure = (tide_failure){ .status = TIDE_EDEVICE, .column = "backend" };
    snprintf(failure->message, sizeof failure->message,
             "`backend` pytorch needs a python3 that can import torch and numpy: python3 -m pip install torch numpy "
             "(or python3 -m venv DIR, DIR/bin/pip install torch numpy, and DIR/bin first in PATH); `backend` auto "
             "needs neither");
    return TIDE_EDEVICE;
}

int eis_torch_train(const eis_options *o, const char *folder) {
    const struct { const char *name; int64_t value;
    } numbers[] = {
        { "--n_epochs", o->epochs ? o->epochs : 100 },
        { "--batch_size", o->batch_size ? o->batch_size : 512 },
        { "--hidden_dim", o->hidden_dim ? o->hidden_dim : 512 },
        { "--samples_per_pattern", o->samples_per_pattern },
        { "--seed", o->seed },
        { "--n_workers", o->threads },
    };
    enum { NUMBERS = sizeof numbers / sizeof *numbers };
    char text[NUMBERS + 2][48],
        *words[WORDS] = { "python3", "-", "--data_dir", (char *)o->data_dir, "--out", (char *)folder };
    int   count = 6;
    for (int i = 0; i < NUMBERS; i++) {
        snprintf(text[i], sizeof text[i], "%" PRId64, numbers[i].value);
        words[count++] = (char *)numbers[i].name, words[count++] = text[i];
    }
    snprintf(text[NUMBERS], sizeof *text, "--learning_rate=%g", o->learning_rate > 0 ? o->learning_rate : 1e-3);
    snprintf(text[NUMBERS + 1], sizeof *text, "--weight_decay=%g", o->weight_decay);
    words[count++] = text[NUMBERS], words[count++] = text[NUMBERS + 1];
    fflush(stdout);
    return run_python(words, eis_torch_script);
}
