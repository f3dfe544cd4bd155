/* model.safetensors: the best parameters and everything their use needs, so that nothing has to be repeated by hand.
 * Equal runs write equal bytes: no time, host, path or thread count is in it. */
#ifndef FORECAST_BUNDLE_H
#define FORECAST_BUNDLE_H

#include "dataset.h"
#include "model.h"
#include "reading_options.h"
#include "record.h"

enum { BUNDLE_VERSION = 1 };

typedef struct bundle {
    model_config config;
    int          kind, features;
    int64_t      target;       /* index into names */
    char       **names;        /* config.columns */
    int64_t     *place, time_place;  /* as a frame's: the order of the columns in the file */
    scaler       scaler;
    time_step    step, mark_step;
    time_format  format;
    char        *time_name;    /* NULL without time stamps */
    time_columns time_columns;
    double      *tail;         /* (seq_len, columns): the last rows of the file, original units */
    int64_t     *tail_time;    /* (seq_len), NULL without time stamps */
    training_record record;
    json_t      *reading;      /* options that reading its data needs; NULL: none */
    bool         out_of_memory;  /* while reading */
} bundle;

/* Copies from the data that is trained on. Fails when out of memory. Free with bundle_free. */
tide_status bundle_from(const dataset *d, const forecast_options *o, const model_config *config, bundle *out, tide_failure *failure);
void        bundle_free(bundle *b);

/* Values of `params` are taken from `best` if that is not NULL, else as they are now. */
tide_status bundle_write(const char *path, const bundle *b, tide_list params, const tide_snapshot_t *best, tide_failure *failure);
/* Everything but the parameters, which tide_load reads from the same file. */
tide_status bundle_read(const char *path, bundle *out, tide_failure *failure);

#endif
