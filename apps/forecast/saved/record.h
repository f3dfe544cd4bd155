/* What train tells those who use its model, beside the network: how the rows were split, what was better on the test
 * windows, and the baselines themselves, so that predict can give the one that wins. Part of model.safetensors. */
#ifndef FORECAST_RECORD_H
#define FORECAST_RECORD_H

#include <jansson.h>
#include <tidemill/io.h>

#include "forecast/models/model.h"
#include "forecast/fit/scoring.h"

typedef struct training_record {
    split_sizes sizes;    /* --val, --test */
    char    origins[256]; /* as the options have it: what it learned, and was measured on; "": all windows */
    bool    refit;        /* the parameters learned from all rows, after the scores were taken */
    bool    scored;       /* the rest is there; not in models of 0.1.0, nor while training */
    int64_t season;       /* rows; 0: none is known */
    double  mse[4];       /* of the scaled test windows: model, last_value, seasonal_naive, linear; NaN: absent */
    float  *linear;       /* (seq_len + 1, pred_len): weights of the linear baseline, the last row the intercept */
    double *season_rows;  /* (season, columns): the last rows of the file, where a season is longer than the look-back;
                             else NULL */
} training_record;

/* Copies the scores and the baselines. false: out of memory. */
bool record_take(training_record *r, const dataset *d, const model_config *c, const forecast_result *scores,
                 const baseline_parts *baselines);
/* The last season becomes that of `d`. false: out of memory. */
bool record_refresh(training_record *r, const dataset *d, const model_config *c);
void record_free(training_record *r);

/* FORECAST_USE_MODEL .. FORECAST_USE_LINEAR: the lowest mse; the model where nothing is known. */
forecast_use record_best(const training_record *r);

/* In the metadata and as tensors "linear.weights" and "season.values". */
json_t     *record_json(const training_record *r);
tide_status record_add(tide_archive *a, const training_record *r, const model_config *c);
/* From outside, so everything is checked; without an object everything is 0. false: damaged, or *out_of_memory. */
bool record_read(const json_t *o, const tide_archive *a, const model_config *c, training_record *r,
                 bool *out_of_memory);

#endif
