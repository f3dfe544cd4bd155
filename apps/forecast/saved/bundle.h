/* model.safetensors: the best parameters and everything their use needs, so that nothing has to be repeated by hand.
 * Equal runs write equal bytes: no time, host, path or thread count is in it. */
#ifndef FORECAST_BUNDLE_H
#define FORECAST_BUNDLE_H

#include "forecast/data/dataset.h"
#include "forecast/models/forecaster.h"
#include "forecast/data/reading_options.h"
#include "forecast/score/conformal.h"
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
    long_form    form;         /* a frame's */
    statics      statics;      /* as a dataset's */
    float       *blind;        /* (config.columns): as a dataset's; NULL */
    holidays     holidays;     /* as a dataset's, the columns too; of none where there are none */
    int64_t      holiday_columns, issued_columns;
    double      *ahead;        /* (pred_len, config.known): as a dataset's; NULL */
    double      *tail;         /* (seq_len, columns): the last rows of the file, original units */
    int64_t     *tail_time;    /* (seq_len), NULL without time stamps; as a frame's, labels or with a zone instants */
    struct zone *zone;         /* as a frame's: by the name in `reading`, or the offsets of the last rows */
    training_record record;
    band_tables bands;         /* of the training before a refit; empty in models of 0.1.0, and while training */
    json_t      *reading;      /* options that reading its data needs; NULL: none */
} bundle;

/* Copies from the data that is trained on. Fails when out of memory. Free with bundle_free. */
tide_status bundle_from(const dataset *d, const forecast_options *o, const model_config *config, bundle *out,
                        tide_failure *failure);
/* The last rows, what is known of those after them, and the last season become those of `d`, whose columns are the
 * bundle's. false: out of memory. */
bool        bundle_refresh(bundle *b, const dataset *d);
void        bundle_free(bundle *b);

/* Values of `params` are taken from `best` if that is not NULL, else as they are now. */
tide_status bundle_write(const char *path, const bundle *b, tide_list params, const tide_snapshot_t *best,
                         tide_failure *failure);
/* The same bytes in memory: free(*bytes). */
tide_status bundle_write_memory(const bundle *b, tide_list params, const tide_snapshot_t *best, void **bytes,
                                size_t *size, tide_failure *failure);
/* Everything but the parameters, which tide_load reads from the same file. The file comes from outside: every count,
 * size, date and name is held to what the command line takes and to what the file holds, the parameters' tensors
 * included. TIDE_EDATA with the member or tensor in failure->column. */
tide_status bundle_read(const char *path, bundle *out, tide_failure *failure);
/* The same from an archive that is read already; `path` is for messages. */
tide_status bundle_take(const char *path, const tide_archive *a, bundle *out, tide_failure *failure);

/* ---- what the writing and the reading share ---- */

/* The sizes of the metadata's "model"; `option` has their limits, NULL where they follow from others. */
enum { MODEL_SIZES = 11 };
typedef struct model_size { const char *key; size_t offset; const char *option; } model_size;
extern const model_size model_sizes[MODEL_SIZES];
/* By forecast_head, as the option has them. */
enum { HEAD_KINDS = 3 };
extern const char *const head_words[HEAD_KINDS];

/* The shape that a parameter is stored in. */
tide_shape published_shape(const char *name, tide_shape shape);

/* bundle_form.c: the columns of long format as a member of the metadata, NULL when out of memory; and read from one.
 * false: it is damaged, or *out_of_memory. */
json_t *bundle_form_json(const long_form *f);
bool    bundle_form_read(const json_t *o, int64_t columns, long_form *out, bool *out_of_memory);

/* bundle_check.c: every parameter of such a model is in the archive, of its shape, and finite. */
tide_status bundle_check_weights(const char *path, const tide_archive *a, const model_config *c, tide_failure *failure);
/* TIDE_EDATA: "the model is damaged: ..., train again or copy the run anew"; `where` names a member or tensor. */
tide_status bundle_damaged(const char *path, const char *where, tide_failure *failure, const char *format, ...)
    TIDE_PRINTF(4, 5);

#endif
