/* A command that mpirun or srun started several times: which commands those can share, and that one of them alone
 * talks. */
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "rank.h"

static bool silent;  /* another one talks */

void rank_hush(void) { silent = tide_rank_here().number > 0; }

/* What a command that ranks share has: they train one model, or take pieces of the same work. */
static bool shared(const cli_call *call, const char *name) {
    cli_row rows[CLI_MAX_OPTIONS];
    char    value[16];
    int     count = command_rows(call->command, rows);
    for (int i = 0; i < count; i++)
        if (strcmp(rows[i].row->name, name) == 0)
            return strcmp(tide_option_get((const char *)call->target + rows[i].offset, rows[i].row, value,
                                          sizeof value), "false") != 0;
    return false;
}

static bool has_option(const cli_command *command, const char *name) {
    cli_row rows[CLI_MAX_OPTIONS];
    int     count = command_rows(command, rows);
    for (int i = 0; i < count; i++)
        if (strcmp(rows[i].row->name, name) == 0) return true;
    return false;
}

/* Of processes that were started together nobody needs to say that they share the work. */
static void imply_join(const cli_call *call) {
    cli_row rows[CLI_MAX_OPTIONS];
    int     count = command_rows(call->command, rows);
    for (int i = 0; i < count; i++)
        if (strcmp(rows[i].row->name, "join") == 0)
            tide_option_put(rows[i].table, (char *)call->target + rows[i].offset, "join", "true", NULL);
}

bool rank_begin(const cli_call *call, tide_failure *failure) {
    tide_rank r = tide_rank_here();
    silent = false;
    if (r.count == 1) return true;
    bool takes_part = has_option(call->command, "ranks") || has_option(call->command, "join");
    if (!takes_part) {
        *failure = (tide_failure){ .status = TIDE_EINVAL };
        snprintf(failure->message, sizeof failure->message,
                 "%s is work for one process, and %d were started: start it without mpirun", call->command->name,
                 r.count);
        silent = r.number > 0;
        return false;
    }
    imply_join(call);
    silent = r.number > 0 && (shared(call, "ranks") || has_option(call->command, "join"));
    if (silent && !freopen("/dev/null", "w", stdout)) return true; /* then there are its results twice */
    return true;
}

bool rank_silent(void) { return silent; }

/* What went wrong everywhere is told by number 0, and what started them then ends the others: whoever is still there
 * much later than mpirun's second for that is the only one. */
bool rank_tells_failure(void) {
    const struct timespec pause = { 0, 20 * 1000000L };
    bool before = stop_asked();
    if (!silent) return true;
    if (!tide_rank_here().speaks) return false;
    for (int i = 0; i < 85; i++) {
        nanosleep(&pause, NULL);
        if (stop_asked() && !before) return false;
    }
    return true;
}
