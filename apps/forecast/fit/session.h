/* A model on a graph together with its series, and the programs that train and score it. */
#ifndef FORECAST_SESSION_H
#define FORECAST_SESSION_H

#include "forecast/data/dataset.h"
#include "forecast/models/loss.h"
#include "forecast/models/forecaster.h"
#include "forecast/score/spread.h"
#include "gapped.h"
#include "sampled.h"
#include "train/step.h"

typedef struct session {
    tide_graph    *graph;
    forecaster     model;
    tide_list      params;
    tide_val       series, marks;  /* the scaled rows and their marks, fixed */
    gapped         gaps;           /* of the series, in its place where it has any */
    tide_val       issued;         /* (rows, pred_len * columns): what was known at each row; graph NULL: none */
    tide_val       informed;       /* (rows, 1): 1 where none of it is missing */
    int64_t        holiday_columns;  /* known ahead, behind what was issued */
    tide_val       statics;        /* (columns, numbers): attributes of the series; graph NULL: none */
    tide_val       blind;          /* (1, 1, columns): 1 for those without history; graph NULL: none is */
    tide_val       start;          /* input of training: the first input rows of a run's windows */
    sampled        sampled;        /* the columns of a step of training */
    loss_config    loss;
    tide_precision precision;      /* F32, BF16 or F16 */
    const char    *precision_note; /* why not what was asked for; "" */
    bool           op_by_op;       /* programs without the compiler's passes */
    bool           strict;         /* a program that the device cannot run is an error */
    char           device_note[200];  /* why programs run on cpu instead; "" */
} session;

/* A program that scores windows of the series: feed `start`, first input rows (batch). */
typedef struct window_program {
    tide_program *program;
    tide_val      start;
    tide_val      loss;        /* (batch) */
    tide_val      known;       /* (batch): of how many truths, where the series has gaps; else graph NULL */
    tide_val      prediction;  /* (batch, pred_len, out columns) */
    tide_val      widths;      /* (batch, pred_len, out columns, widths), of a head of more than points; else graph
                                  NULL */
    spread_shape  shape;       /* what they are */
    int64_t       batch;       /* windows of a run */
} window_program;

int64_t     session_memory_limit(const forecast_options *o);  /* bytes: what was allowed, else what the device has */

/* A graph on the device asked for and the model's parameters. Zero `s` first; free with session_free. */
tide_status session_begin(const forecast_options *o, const model_config *config, session *s, tide_failure *failure);
/* The data on its graph: what programs of windows gather them from. */
tide_status session_data(session *s, const dataset *d, tide_failure *failure);
/* Both. Zero `s` first; free with session_free. */
tide_status session_open(const forecast_options *o, const model_config *config, const dataset *d, session *s,
                         tide_failure *failure);
void        session_free(session *s);

/* As the options say: with the compiler's passes or without. */
tide_program *session_compile(session *s, tide_list wanted);

/* What the model sees of the windows whose first input rows are `start` (b), I32. */
model_windows session_windows(const session *s, tide_val start);

/* One training step on o->batch_size windows: feed s->start. `r`: who shares it; NULL: nobody. TIDE_ENOMEM says what is
 * needed. */
tide_status session_training(session *s, const forecast_options *o, ranks *r, train_step *out, tide_failure *failure);
/* The loss of each window; the forecasts as well; or, of an ensemble, those of its members in the place of its own:
 * (batch, members, out columns, pred_len). */
typedef enum window_wanted { WINDOW_LOSSES, WINDOW_FORECASTS, WINDOW_MEMBERS } window_wanted;
tide_status session_scoring(session *s, int64_t batch, window_wanted wanted, window_program *out,
                            tide_failure *failure);
/* The same with as many windows at once as keep the activations near 16 million numbers, at most 128; fewer if memory
 * is short. */
tide_status session_scoring_all(session *s, int64_t windows, window_wanted wanted, window_program *out,
                                tide_failure *failure);

/* As many of `windows` at once as keep the activations near 16 million numbers, 1 to 128. */
int64_t session_batch(const model_config *c, int64_t windows);

/* Copies the graph's first failure. Returns its status. */
tide_status session_failure(const session *s, tide_failure *failure);

void model_config_from(const forecast_options *o, const dataset *d, model_config *out);

#endif
