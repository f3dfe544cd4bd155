/* The two forms in which generated data are written. */
#ifndef EIS_GENERATE_H
#define EIS_GENERATE_H

#include "shard.h"

/* ---- generate_folder.c ---- */

/* Makes the folder and those above it, and locks it until the process ends or *lock is closed. */
tide_status folder_open(const char *folder, int *lock, tide_failure *failure);
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
tide_status shard_run_write(shard_run *run, eis_listener listener, void *user, tide_failure *failure);
void        shard_run_free(shard_run *run);

/* ---- generate_csv.c ---- */

int64_t     csv_bytes(const survey *s);  /* about */
/* its files (run/owned.h), before the work begins */
tide_status csv_check(const survey *s, const char *folder, tide_failure *f);
tide_status csv_write(const survey *s, const char *folder, const char *summary, eis_listener listener, void *user,
                      tide_failure *failure);

/* ---- generate_import.c ---- */

enum { DATASET_CHECKS = 100 };
bool is_dataset_csv(const char *path);
/* The ground truths of such a CSV. It does not say its circuit: it is taken as the chain's, 1 Hz to 1 MHz x 50, mean
 * |e|, and DATASET_CHECKS rows spread over the file are computed anew; TIDE_EDATA names the first that differs.
 * malloc'ed. */
tide_status dataset_csv_truths(const char *path, ground_truth **out, int64_t *count, tide_failure *failure);

#endif
