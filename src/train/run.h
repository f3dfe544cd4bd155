/* A training run's folder, the same for every application: its lock, run.json, metrics.csv and state.safetensors, and
 * the rule by which a killed run goes on to the same bits: metrics.csv is appended and synced first, the rename of
 * state.safetensors commits, what is newer than it is cut or written again. */
#ifndef TIDE_TRAIN_RUN_H
#define TIDE_TRAIN_RUN_H

#include <jansson.h>
#include <tidemill/options.h>

#include "base/json.h"
#include "files/owned.h"

typedef struct run_folder {
    char path[1024];
    int  lock;      /* file descriptor, -1: none; the lock ends with the process */
    bool resuming;  /* there is a run in it, to be resumed */
} run_folder;

/* A run that is there: refused, resumed, or resumed and else refused. */
typedef enum run_resume { RUN_RESUME_NO, RUN_RESUME_AUTO, RUN_RESUME_MUST } run_resume;

/* Makes the folder (and those above it), makes sure that `names` (ends with NULL) and what every run has can be its
 * files (owned.h), and locks it. Whoever writes one of them claims it first. TIDE_EINVAL if there is a run in it and
 * neither resume nor overwrite is asked for, if there is none and it must be resumed, if a file of these names is there
 * that is not the run's, if one of `inputs` (ends with NULL) is a file of the run, and while another process works in
 * it. Nothing is deleted yet. */
tide_status run_folder_open(const char *path, run_resume resume, bool overwrite, const char *const *names,
                            const char *const *inputs, run_folder *r,
                            tide_failure *failure);
bool        run_folder_present(const char *path);  /* there is a run in it */
/* "runs/DATE-name", one that does not exist yet; what is no letter, digit, dot or dash in the name becomes a dash. */
void        run_folder_default(const char *name, char path[1024]);
void        run_folder_close(run_folder *r);
/* Takes away what an earlier run left: run.json, metrics.csv, state.safetensors and `names`, as far as they are its
 * own. */
void        run_folder_clear(const run_folder *r, const char *const *names);

/* run.json: a format_version, and the members of `content`. Checking compares what was written with `now`, objects
 * member by member, and names the first that differs with both values (TIDE_EINVAL): those of "options" as options,
 * others as data. Members in `free_names` (ends with NULL) may differ; "version", "choices", "numerics" and
 * "device_choice" may.
 * `options`: the table whose options they are: it says which may differ, and reads those of an earlier version's run
 * (options.h); NULL: none. */
tide_status run_json_write(const run_folder *r, const json_t *content, tide_failure *failure);
tide_status run_json_check(const run_folder *r, const json_t *now, const char *const *free_names,
                           const tide_option_table *options, tide_failure *failure);

/* What was chosen by timing (tide_choices), the member "choices" of run.json: a run that goes on takes it over before
 * it compiles, so that its bits are the same whatever the cache says; one of default mode has none, and keeps to the
 * fixed tables. A new run, when its training programs are made and run.json is written, fixes what it has: later
 * programs are then the same in a run that was resumed. Likewise "numerics" (tide_numerics): a run without it has
 * version 1. */
enum { RUN_LINE = 600 };
/* no run.json there: changes nothing */
tide_status run_choices_take(const char *folder, tide_graph *g, tide_failure *failure);
json_t     *run_choices_json(const tide_graph *g);  /* NULL when out of memory */
tide_status run_choices_fix(tide_graph *g, tide_failure *failure);
bool        run_choices_told(const tide_graph *g, char line[RUN_LINE]);  /* a sentence on what was timed; false: nothing
                                                                            was */

/* A sentence on a run that goes on on another device than it was started on: its bits are that one's from there on.
 * False: it does not. */
bool run_moved_told(const run_folder *r, const char *device, char line[RUN_LINE]);

/* A sentence on a run that goes on in another number of parts (train_rule.parts) than it was started with: sums of
 * parts round otherwise. False: it does not. */
bool run_parts_told(const run_folder *r, int64_t parts, char line[RUN_LINE]);
/* The parts that the run in `folder` was started with; 0: there is none, or it does not tell. */
int64_t run_parts_of(const char *folder);

/* metrics.csv: `line` ends with a newline; the header is written first when the file is new. Appending to `bytes` of it
 * syncs and gives the new length; cutting takes it back to an earlier one, TIDE_EDATA if it holds less than that or no
 * row ends there. A metrics.csv with another hard link, such as a backup, is replaced by a copy: what the link shows
 * stays. */
tide_status run_metrics_append(const run_folder *r, const char *header, const char *line, int64_t *bytes,
                               tide_failure *failure);
tide_status run_metrics_cut(const run_folder *r, int64_t bytes, tide_failure *failure);

/* state.safetensors: variables as they are now, the best parameters so far, and counters: fields of a struct of yours,
 * int64_t or double. The file comes from outside: what lies beyond `least` and `most` is refused, and NaN where they
 * are given; a diverged sum may be one. Both 0: whole numbers from 0 on, and any real one. How counters agree with each
 * other is the caller's to check (run_state_damaged). Files of version 1 may call a counter `was` (NULL: as now), and
 * need not have one that came `later`, which then keeps its value. */
typedef struct run_counter {
    const char *key;
    size_t      offset;
    bool        real;
    double      least, most;
    const char *was;
    bool        later;
} run_counter;
typedef struct run_counters { const run_counter *table; int64_t count; void *values; } run_counters;
tide_status run_state_write(const run_folder *r, tide_list now, tide_list params, const tide_snapshot_t *best,
                            run_counters counters,
                            tide_failure *failure);
/* TIDE_EDATA naming the counter, and the way out. */
tide_status run_state_damaged(const run_folder *r, const char *key, tide_failure *failure);
/* Puts all back; *best is a snapshot of the best parameters (NULL: none yet). *found is false when there is no
 * state. */
tide_status run_state_read(const run_folder *r, tide_list now, tide_list params, tide_snapshot_t **best,
                           run_counters counters, bool *found,
                           tide_failure *failure);

#endif
