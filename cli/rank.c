/* A command that mpirun or srun started several times: which commands those can share, and that one of them alone
 * talks. */
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "rank.h"

static bool silent;  /* another one talks */

void rank_hush(void) { silent = tide_rank_here().number > 0; }

/* An option of what the command is called with; row NULL: it has none of the name. */
static cli_row row_of(const cli_command *command, const char *name) {
    cli_row rows[CLI_MAX_OPTIONS], none = { 0 };
    int     count = command_rows(command, rows);
    for (int i = 0; i < count; i++)
        if (strcmp(rows[i].row->name, name) == 0) return rows[i];
    return none;
}

static bool is_on(const cli_call *call, cli_row of) {
    char value[16];
    return of.row && strcmp(tide_option_get((const char *)call->target + of.offset, of.row, value, sizeof value),
                            "false") != 0;
}

/* Of processes that were started together nobody needs to say that they share the work. */
static void imply(const cli_call *call, cli_row join) {
    if (join.row) tide_option_put(join.table, (char *)call->target + join.offset, "join", "true", NULL);
}

/* What ranks share: they train one model (`ranks`), or take pieces of the same work (`join`). */
bool rank_begin(const cli_call *call, tide_failure *failure) {
    tide_rank r = tide_rank_here();
    silent = false;
    if (r.count == 1) return true;
    cli_row ranks = row_of(call->command, "ranks"), join = row_of(call->command, "join");
    if (!ranks.row && !join.row) {
        *failure = (tide_failure){ .status = TIDE_EINVAL };
        snprintf(failure->message, sizeof failure->message,
                 "%s is work for one process, and %d were started: start it without mpirun", call->command->name,
                 r.count);
        silent = r.number > 0;
        return false;
    }
    imply(call, join);
    silent = r.number > 0 && (is_on(call, ranks) || join.row);
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
