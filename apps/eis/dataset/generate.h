/* The two forms in which generated data are written. */
#ifndef EIS_GENERATE_H
#define EIS_GENERATE_H

#include "files/folders.h"
#include "shard.h"

/* ---- generate_folder.c ---- */

/* Makes the folder and those above it, and locks it until the process ends or *lock is closed; `shared`: against those
 * that want it alone. */
tide_status folder_open(const char *folder, bool shared, int *lock, tide_failure *failure);
tide_status folder_room(const char *folder, int64_t bytes, tide_failure *failure);  /* refuses if the disk has less */
/* Room for the longest name in it, malloc'ed; NULL: out of memory. */
char *folder_path(const char *folder, const char *format, ...) TIDE_PRINTF(2, 3);
tide_status file_of_text(const char *path, const char *content, tide_failure *failure);

/* ---- generate_shards.c ---- */

typedef struct shard_run {
    const survey *survey;
    const char   *folder;
    grid_rows     rows;
    char         *options;      /* JSON text of what identifies the data set */
    bool          single;
    int64_t       each, count;  /* ground truths a shard, shards */
    bool         *present;      /* [count] */
    int64_t       found;        /* how many are present */
    int64_t       bytes, missing_bytes;
    int           lock;
} shard_run;

/* Opens the folder, refuses one of other options, checks the shards that are in it and the room for the others. */
tide_status shard_run_begin(const eis_options *o, const survey *s, shard_run *run, tide_failure *failure);
/* The same beside other processes: whether a shard that is in it is sound is asked when it is its turn. */
tide_status shard_run_join(const eis_options *o, const survey *s, shard_run *run, tide_failure *failure);
tide_status shard_run_manifest(shard_run *run, bool complete, tide_failure *failure);
bool        shard_run_has(const shard_run *run, int64_t i);  /* a sound one, of these options */
/* Shard i of a survey of its ground truths alone, whose values are kept; one that is there and is not sound is told,
 * and stays. */
tide_status shard_run_make(const shard_run *run, int64_t i, const survey *of, tide_failure *failure);
tide_status shard_run_write(shard_run *run, eis_listener listener, void *user, tide_failure *failure);
void        shard_run_free(shard_run *run);

/* ---- generate_csv.c ---- */

int64_t     csv_bytes(const survey *s);  /* about */
/* its files (run/owned.h), before the work begins */
tide_status csv_check(const survey *s, const char *folder, tide_failure *f);
tide_status csv_write(const survey *s, const char *folder, const char *summary, eis_listener listener, void *user,
                      tide_failure *failure);

/* ---- joined.c ---- */

/* Shards and statistics made by several processes, each of which calls it: those of one, byte for byte. `run` was
 * joined (shard_run_join). *made receives how many shards this process made. */
tide_status generate_joined(const eis_options *o, survey *s, shard_run *run, eis_listener listener, void *user,
                            int64_t *made, tide_failure *failure);

/* ---- generate_import.c ---- */

enum { DATASET_CHECKS = 100 };
bool is_dataset_csv(const char *path);
/* The ground truths of such a CSV. It does not say its circuit: it is taken as the chain's, 1 Hz to 1 MHz x 50, mean
 * |e|, and DATASET_CHECKS rows spread over the file are computed anew; TIDE_EDATA names the first that differs.
 * malloc'ed. */
tide_status dataset_csv_truths(const char *path, ground_truth **out, int64_t *count, tide_failure *failure);

#endif
