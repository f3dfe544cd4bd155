/* A run's folder: its lock, run.json, metrics.csv. */
#ifndef FORECAST_RUN_FOLDER_H
#define FORECAST_RUN_FOLDER_H

#include <tidemill/forecast.h>

#include "dataset.h"

typedef struct run_folder {
    char path[FORECAST_TEXT_SIZE];
    int  lock;      /* file descriptor, -1: none; the lock ends with the process */
    bool resuming;  /* there is a run in it, to be gone on with */
} run_folder;

/* Chooses the folder (--out, else runs/DATE-NAME), makes it and locks it. A folder with a run in it is TIDE_EINVAL unless
 * --resume or --overwrite. Nothing is deleted yet. */
tide_status run_folder_open(const forecast_options *o, run_folder *r, tide_failure *failure);
void        run_folder_close(run_folder *r);
/* Takes away what an earlier run left. */
void        run_folder_clear(const run_folder *r);
/* "FOLDER/name" into a buffer of FORECAST_TEXT_SIZE + 64; returns it. */
const char *run_folder_file(const char *folder, const char *name, char *buffer);
enum { RUN_PATH = FORECAST_TEXT_SIZE + 64 };
/* A folder with all that lead to it; fine if it is there. */
tide_status make_folders(const char *path, tide_failure *failure);

/* run.json: the options, the data's hash and shape, the version. */
tide_status run_json_write(const run_folder *r, const forecast_options *o, const dataset *d, int64_t parameters, tide_failure *failure);
/* TIDE_EINVAL, naming the first difference, if run.json was made with other options or data. */
tide_status run_json_check(const run_folder *r, const forecast_options *o, const dataset *d, tide_failure *failure);

/* metrics.csv. Appending to `bytes` of it syncs and gives the new length; cutting takes it back to an earlier one. */
typedef struct metrics_row { int64_t epoch, step; double lr, train_loss, val_loss, grad_norm, seconds, rss_mib; } metrics_row;
tide_status metrics_append(const run_folder *r, const metrics_row *row, int64_t *bytes, tide_failure *failure);
tide_status metrics_cut(const run_folder *r, int64_t bytes, tide_failure *failure);
/* Every row of it; *count rows, malloc'ed. */
tide_status metrics_read(const run_folder *r, metrics_row **rows, int64_t *count, tide_failure *failure);

#endif
