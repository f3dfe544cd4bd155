/* A series as the model sees it: scaled float32 rows, their marks, the split, and which columns are forecast. */
#ifndef FORECAST_DATASET_H
#define FORECAST_DATASET_H

#include <tidemill/forecast.h>

#include "frame.h"
#include "holidays.h"
#include "issued.h"
#include "statics.h"
#include "windows.h"

typedef struct dataset {
    frame     frame;
    split     split;
    int32_t  *starts;     /* (start_count) windows that forecast at options->origins, by their first input rows; NULL:
                             all do */
    int64_t   start_count;
    scaler    scaler;
    float    *scaled;     /* (frame.rows, frame.columns); NaN where frame.gaps are */
    float    *marks;      /* (frame.rows, mark_count); NULL without marks */
    int64_t   mark_count;
    time_step mark_step;  /* UNIT_NONE without marks */
    int64_t   out_first, out_count;  /* the columns that are forecast and scored */
    int64_t   known;      /* columns known ahead, the last of the frame's */
    int64_t   issued_columns;   /* of these, before the holidays: forecast themselves, as they were issued */
    issues    issues;     /* what they are made of; empty once they are tabulated for a training */
    double   *issued;     /* (frame.rows, pred_len, issued_columns): what was known at each row of those after it, the
                             newest; NaN: nothing. NULL without such columns */
    float    *informed;   /* (frame.rows): 1 where none of it is missing, else 0; NULL likewise */
    int64_t   holiday_columns;  /* of these the last, which follow from the stamps */
    holidays  holidays;   /* what they are made of */
    double   *ahead;      /* (pred_len, known): what the file says of the rows after it; NULL: nothing */
    float    *blind;      /* (frame.columns): 1 for those whose past the model does not see; NULL: none is */
    statics   statics;    /* attributes of the columns; of none where there are none */
} dataset;

/* Reads options->data as a training file, or takes a frame in its place: scaler fitted on the train block, marks by the
 * options. Zero `d` first. */
tide_status dataset_load(const forecast_options *o, unsigned compat, dataset *d, tide_failure *failure);
tide_status dataset_take(const forecast_options *o, const tide_frame *from, unsigned compat, dataset *d,
                         tide_failure *failure);

/* Reads options->data into d->frame as `kind`; the caller selects columns and goes on with dataset_scale. `run`: the
 * columns and the step of the run that the file is read for; NULL: those of the options. */
typedef struct run_columns {
    const char      *time;
    char *const     *names;
    int64_t          count;
    const time_step *step;
} run_columns;
tide_status dataset_read(const forecast_options *o, forecast_kind kind, const run_columns *run, dataset *d,
                         tide_failure *failure);
/* The same of a frame in memory; options->data is "". */
tide_status dataset_read_frame(const forecast_options *o, forecast_kind kind, const run_columns *run,
                               const tide_frame *from, dataset *d, tide_failure *failure);
/* Fills scaled and marks of d->frame's first `rows` rows, by d->scaler and d->mark_step. */
tide_status dataset_scale(dataset *d, int64_t rows, tide_failure *failure);
/* All rows once more, by `by`, which becomes the dataset's. */
tide_status dataset_rescale(dataset *d, scaler by, tide_failure *failure);

void dataset_free(dataset *d);

/* roles.c: orders d->frame's columns and sets what is forecast and known, where `targets`, `known` or
 * `without-history` say so. */
tide_status dataset_roles(const forecast_options *o, dataset *d, tide_failure *failure);

/* Behind the frame's columns those of the holidays in the file options->holidays. */
tide_status dataset_add_holidays(const forecast_options *o, dataset *d, tide_failure *failure);

/* dataset_origins.c: sets d->starts, for windows of this size; text as options->origins. Refused without stamps to go
 * by, and where a part of the text finds no row. */
tide_status dataset_choose_origins(const char *text, int64_t seq_len, int64_t pred_len, dataset *d,
                                   tide_failure *failure);
/* Fails, naming it, if a part of the split is left with none. */
tide_status dataset_require_origins(const dataset *d, int64_t seq_len, int64_t pred_len, tide_failure *failure);
/* The windows of a block that count. */
window_set  dataset_windows(const dataset *d, block b, int64_t seq_len, int64_t pred_len);

/* dataset_statics.c: the attributes of the columns that are forecast, from the file options->statics or the columns of
 * the data itself, become d->statics; what is to be told of them a warning of the frame. */
tide_status dataset_add_statics(const forecast_options *o, dataset *d, tide_failure *failure);

/* dataset_issued.c: reads options->issued into d->issues: these columns of it (count), or all (NULL, 0); appends them
 * to d->frame; fills d->issued and d->informed from them. */
tide_status dataset_read_issued(const forecast_options *o, char *const *names, int64_t count, dataset *d,
                                tide_failure *failure);
tide_status dataset_add_issued(const forecast_options *o, char *const *names, int64_t count, dataset *d,
                               tide_failure *failure);
tide_status dataset_tabulate_issued(dataset *d, int64_t pred_len, tide_failure *failure);
/* How many of the block's windows begin to forecast where not all was known. */
int64_t dataset_uninformed(const dataset *d, block b, int64_t seq_len, int64_t pred_len);

/* The last rows of d->frame, where nothing but what is known ahead has a value, become d->ahead; they are no rows of
 * the series. TIDE_EDATA where they are fewer than `pred_len`. */
tide_status dataset_take_ahead(dataset *d, int64_t pred_len, tide_failure *failure);

/* The scaled rows with the gaps of d->frame filled from what came before (gaps_repeat), or by lines; malloc memory,
 * NULL when there is none. */
float *dataset_repeated(const dataset *d, int64_t season);
float *dataset_lines(const dataset *d);

/* Copies; false when out of memory. */
bool scaler_copy(const scaler *from, scaler *out);

/* The truth of window `start` (its first input row): (pred_len, out_count); NaN where not all was known of its rows. */
void dataset_truth(const dataset *d, int64_t start, int64_t seq_len, int64_t pred_len, float *out);

#endif
