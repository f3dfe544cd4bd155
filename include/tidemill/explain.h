/* What the forecasts of a trained run go by: the attention between its series, how much each input carries of each
 * forecast, and how far the inputs have moved from those that it was trained on. (forecast_explain, in forecast.h, is
 * about the kernels of its training step.)
 *
 *     forecast_options_default(&o);
 *     forecast_option_set(&o, "model", "runs/sales", &failure);
 *     forecast_option_set(&o, "data", "sales.csv", &failure);
 *     forecast_option_set(&o, "out", "why", &failure);
 *     if (forecast_explain_inputs(&o, NULL, NULL, &r, &failure) == TIDE_OK)
 *         for (int64_t i = 0; i < r.inputs->count; i++)
 *             printf("%s %.1f %%\n", r.inputs->input[i].name, r.inputs->input[i].share); */
#ifndef TIDEMILL_EXPLAIN_H
#define TIDEMILL_EXPLAIN_H

#include "forecast.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef enum forecast_input_kind {
    FORECAST_INPUT_SERIES,    /* a column of the past */
    FORECAST_INPUT_KNOWN,     /* one whose values are known ahead: its past and its rows to come */
    FORECAST_INPUT_CALENDAR   /* a time feature, "hour of day" */
} forecast_input_kind;

typedef struct forecast_input {
    char               *name;
    forecast_input_kind kind;
    double share;      /* percent: the mean of what it carries of each explained target (forecast_attribution.share) */
    double loss_rise;  /* percent: by how much the mean squared error of the scaled forecasts, all columns together,
                          rises where this input alone is flat. NaN where no truth is known */
} forecast_input;

/* What an input carries of a target, by integrated gradients (Sundararajan, Taly and Yan, ICML 2017): the gradients of
 * the mean over the forecast's rows, in the target's own units, along the straight line from windows whose inputs are
 * all flat to the windows themselves, times how far each value lies from its flat one. A flat column is its mean over
 * the window's known values, in the rows to come as well; a flat time feature is the middle of its range. Over all
 * inputs and rows they add up to the forecast less the flat forecast. */
typedef struct forecast_attribution {
    double mean;      /* of the windows, with its sign, added up over the rows */
    double strength;  /* of the windows: sum over the rows of the absolute values */
    double share;     /* of the strengths of all inputs, percent; 0 where all are 0 */
} forecast_attribution;

typedef struct forecast_explained {
    char   *name;
    double  forecast, flat;     /* means over the windows: of the forecast's rows, and where all inputs are flat */
    double  gap;                /* what the attributions miss of forecast - flat: mean |difference| over the windows,
                                   divided by mean |forecast - flat|; 0 where both are 0 */
    forecast_attribution *of;   /* (inputs) */
    double *by_row;             /* (inputs, seq_len + pred_len): strength of each row, the oldest first; the last
                                   pred_len, rows to come, are 0 but for columns known ahead */
} forecast_explained;

/* Attention of one layer, the mean over heads and windows: row i says whom the token i looks at, and adds up to 1.
 * Tokens of an iTransformer are the inputs, in their order but time features before what is known ahead; those of a
 * PatchTST are patches of the look-back, and the mean is over its columns too. */
typedef struct forecast_attention {
    char    model[24];          /* the network: of `arch` auto a member */
    int64_t layer;              /* from 1 */
    int64_t tokens;
    char  **token;              /* (tokens): names; of a patch "rows 96 to 81 back" */
    double *weight;             /* (tokens, tokens) */
} forecast_attention;

/* Why a column counts as moved. */
enum {
    FORECAST_MOVED_LEVEL   = 1,   /* |shift| */
    FORECAST_MOVED_SPREAD  = 2,   /* |spread| */
    FORECAST_MOVED_SHAPE   = 4,   /* ks or psi */
    FORECAST_MOVED_RANGE   = 8,   /* outside */
    FORECAST_MOVED_MISSING = 16   /* missing */
};

/* A measure, and what is usual: the largest that stretches of the training rows, as long as the recent rows (a third of
 * the training rows at most), have against the other training rows. So seasons, slow waves and wandering levels, which
 * training has seen, raise no alarm, however few independent values there are. NaN: not known. */
typedef struct forecast_drift_measure { double value, usual; } forecast_drift_measure;

typedef struct forecast_drift {
    char    *column;
    int64_t  before, now;           /* values among the training rows, and among the recent ones */
    bool     compared;              /* there are enough of both: 30 and 10 */
    unsigned moved;                 /* FORECAST_MOVED_...; 0: not moved */
    forecast_drift_measure shift;   /* of the mean, in deviations of the training rows; alarm from 0.5 on */
    forecast_drift_measure spread;  /* logarithm of the ratio of the deviations; from log 1.5 on */
    forecast_drift_measure ks;      /* Kolmogorov-Smirnov: the largest distance of the distribution functions; 0.2 */
    forecast_drift_measure psi;     /* population stability index over the training rows' deciles; 0.25 */
    forecast_drift_measure outside; /* share of the recent values beyond all of training; 0.1. Stretches at the ends of
                                       training are not usual here */
    double missing_before, missing_now;  /* shares of the rows; from a difference of 0.1 on */
} forecast_drift;

typedef struct forecast_inputs {
    int64_t windows;                /* that attention and attributions are means of */
    int64_t steps;                  /* points of the line from the flat windows */
    int64_t seq_len, pred_len;
    int64_t count;
    forecast_input *input;          /* (count): the run's columns in its order, then the time features */
    int64_t explained_count;
    forecast_explained *explained;  /* (explained_count) */
    double  own_share;              /* percent: the mean of what a target's own column carries of its forecast */
    int64_t targets;                /* columns that are forecast */
    double *mse;                    /* (targets): of the scaled forecasts of these windows */
    double *mse_flat;               /* (count, targets): where one input is flat */
    int64_t attention_count;
    forecast_attention *attention;  /* (attention_count), by network and layer */
    char    no_attention[160];      /* why there is none; "" */
    int64_t drift_count;
    forecast_drift *drift;          /* (drift_count): the run's columns in its order */
    char    drift_note[320];        /* which rows were compared, or why none; one sentence */
    char    report[FORECAST_TEXT_SIZE + 64];  /* the page's path; "": none was written */
} forecast_inputs;

/* Explains the run options->model on the test rows of options->data ("": the run's own file), as forecast_evaluate
 * reads and scores them: fills *result as that does, result->inputs, text and json. Writes report.html, a page that
 * needs nothing but itself, and CSVs of all that is on it, into the folder options->out ("": `explain` in the run's).
 *   targets  A,B,...: attributes these forecasts alone. "": the first 16, fewer where inputs are many
 *   windows  so many, evenly spread over the test rows. 0: up to 32, fewer where inputs are many
 *   rows     the recent ones of the drift, the last of the file. 0: those after the training file's end, by their
 *            stamps, if they fill a window, else the test rows
 *   future   as for forecast_predict: with it the page has a forecast where columns are known ahead
 * Statuses as forecast_train's; TIDE_EINVAL too where a file of these names is there that is not ours. */
TIDE_API tide_status forecast_explain_inputs(const forecast_options *options, forecast_progress progress, void *user,
                                             forecast_result *result, tide_failure *failure);

/* The attention of a model that is held in memory, in the one window of a forecast: past, time_s and known as
 * forecast_model_predict_known has them (known NULL where no column is known ahead). *maps is the caller's, by network
 * and layer: forecast_attention_free. The first question compiles a program, a few milliseconds; a thread a handle, as
 * forecasts. TIDE_EINVAL says why a network has none, TIDE_EDATA what of the window is not a finite number. */
TIDE_API tide_status forecast_model_attention(forecast_model *m, const double *past, const int64_t *time_s,
                                              const double *known, forecast_attention **maps, int64_t *count,
                                              tide_failure *failure);
TIDE_API void        forecast_attention_free(forecast_attention *maps, int64_t count);  /* NULL is fine */

#ifdef __cplusplus
}
#endif

#endif
