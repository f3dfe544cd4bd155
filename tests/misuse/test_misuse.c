/* Every public function with what a slip hands to it: NULL, {0}, a node that was never made, a value of another graph,
 * numbers far out. None may crash, and each must say so by poison, a status or an empty answer. A process of its own
 * for each, so that a crash has a name. `--list` prints the functions that have a row, `--old` those that are also
 * called with a failure of an earlier call (tools/check_misuse.py asks whether all have one). */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "misuse.h"

static void trial_new(trial *t, const char *device) {
    *t = (trial){ .g = tide_graph_new(device), .other = tide_graph_new(device), .six = { 1, 2, 3, 4, 5, 6 } };
    t->x = tide_constant(t->g, TIDE_F32, TIDE_SHAPE(2, 3), t->six);
    t->strange = tide_constant(t->other, TIDE_F32, TIDE_SHAPE(2, 3), t->six);
    t->flag = tide_is_finite(tide_scalar(t->g, 1));
    t->index = tide_arange(t->g, TIDE_I32, 2);
    t->w = tide_variable(t->g, "w", t->x);
    t->in = tide_input(t->g, "in", TIDE_F32, TIDE_SHAPE(2, 3));
    t->scalar = tide_scalar(t->g, 0.5);
    t->p = tide_compile(TIDE_LIST(tide_mul_scalar(t->in, 2)), NULL);
}

enum { NOTHING_AT_ALL, NO_NODE, POISON, OTHER_GRAPH, BAD_VALUES };
static const char *const bad_names[] = { "{0}", "a node that was never made", "the poison value",
                                         "a value of another graph" };

static tide_val bad_value(const trial *t, int kind) {
    switch (kind) {
    case NO_NODE: return (tide_val){ t->g, 999999, 0 };
    case POISON: return tide_find_variable(t->g, "absent"); /* no error yet */
    case OTHER_GRAPH: return t->strange;
    default: return NOTHING;
    }
}

/* Whether the misuse shows: by poison, and by a first cause on the graph of another operand. */
static bool shows(const row *r, int kind, const char *device) {
    trial t;
    trial_new(&t, device);
    if (r->refused) return r->refused(&t);
    tide_val y = r->value(&t, bad_value(&t, kind));
    if (r->alone && kind == OTHER_GRAPH) return true; /* all of it is of that graph: nothing is wrong */
    if (r->alone && kind == NOTHING_AT_ALL) return !tide_ok(y);
    return poisoned(&t, y);
}

enum { ACCEPTED = 99 };  /* not 1, with which a sanitizer ends a process */

/* 0, or one fault, printed. On a graph that has failed already only a crash is one. */
static int check(const row *r, int kind, const char *device) {
    bool sound = strcmp(device, "cpu") == 0;
    const char *what = r->refused ? r->what : bad_names[kind];
    int state;
    fflush(NULL);
    pid_t child = fork();
    if (child == 0) {
        alarm(60);
        _exit(shows(r, kind, device) || !sound ? 0 : ACCEPTED);
    }
    if (child < 0 || waitpid(child, &state, 0) != child) return printf("cannot make a process\n"), 1;
    if (WIFEXITED(state) && WEXITSTATUS(state) == 0) return 0;
    if (WIFEXITED(state) && WEXITSTATUS(state) == ACCEPTED)
        printf("%s: %s%s%s: was not refused, or without a first cause\n", r->name, r->refused ? "" : r->what,
               r->refused ? "" : " is ", what);
    else
        printf("%s: %s%s%s: crashed (%s %d) on a graph of device %s\n", r->name, r->refused ? "" : r->what,
               r->refused ? "" : " is ", what, WIFSIGNALED(state) ? "signal" : "exit",
               WIFSIGNALED(state) ? WTERMSIG(state) : WEXITSTATUS(state), device);
    return 1;
}

int main(int argc, char **argv) {
    rows tables[] = { misuse_ops(), misuse_core(), misuse_layers(), misuse_files(), misuse_apps(), misuse_handles() };
    bool list = argc > 1, old = list && strcmp(argv[1], "--old") == 0;
    int faults = 0;
    for (size_t i = 0; i < sizeof tables / sizeof *tables; i++)
        for (const row *r = tables[i].row; r < tables[i].row + tables[i].count; r++) {
            if (list && (!old || (r->refused && strcmp(r->what, OLD_FAILURE) == 0))) printf("%s\n", r->name);
            for (int kind = 0; !list && kind < (r->value ? BAD_VALUES : 1); kind++)
                faults += check(r, kind, "cpu") + check(r, kind, "nowhere");
        }
    return faults ? 1 : 0;
}
