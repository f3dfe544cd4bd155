/* What the parts of an explanation share: a run with a series on its graph, the windows that are looked at, and what is
 * found. */
#ifndef FORECAST_EXPLAIN_EXPLAINING_H
#define FORECAST_EXPLAIN_EXPLAINING_H

#include <tidemill/explain.h>

#include "forecast/fit/scoring.h"

typedef struct explaining {
    session        *session;    /* with the series */
    const dataset  *data;
    const listener *listener;
    int32_t        *start;      /* (windows): their first input rows */
    int64_t         windows;
    int64_t        *target;     /* (out->explained_count): which of the columns that are forecast */
    forecast_inputs *out;
} explaining;

static inline const model_config *explained_config(const explaining *e) { return &e->session->model.config; }

tide_status explaining_no_memory(tide_failure *failure);
/* So many of so many are done: TIDE_ECANCELLED where whoever listens says stop. Asked ten times a second at most. */
typedef struct pace { int64_t done, all; double told; } pace;
tide_status explaining_pace(const explaining *e, pace *p, int64_t more, tide_failure *failure);
void        explaining_free(explaining *e);  /* not `out` */

/* windows.c: chooses `wanted` (0: by the count of inputs) of the windows, evenly spread, the last among them. */
tide_status explaining_windows(explaining *e, window_set of, int64_t wanted, tide_failure *failure);

/* names.c: names the inputs; which targets are explained, `wanted` ("": the first ones). */
tide_status explaining_inputs(explaining *e, tide_failure *failure);
tide_status explaining_targets(explaining *e, const char *wanted, tide_failure *failure);

/* Each fills its part of `out`. */
tide_status explain_attention(explaining *e, tide_failure *failure);
tide_status explain_attributions(explaining *e, tide_failure *failure);
tide_status explain_flat(explaining *e, tide_failure *failure);
/* drifts.c: the rows of `before` that were trained on against rows `from` to `stop` of the series. `before` NULL: none
 * can be compared; out->drift_note says why. */
tide_status explain_drifts(explaining *e, const frame *before, block trained, int64_t from, int64_t stop,
                           tide_failure *failure);

/* programs.c: windows with a share of what makes them other than flat. A program is compiled for as many windows at
 * once as fit, at most `jobs`. */
typedef struct flat_program {
    tide_program *program;
    int64_t       batch;
    tide_val start;             /* (b), I32 */
    tide_val along;             /* (b, 1, 1): 0 flat, 1 as they are */
    tide_val pick;              /* (b, out columns): which forecasts are added up */
    tide_val keep;              /* (b, 1, inputs): above 0 for an input that is not flat */
    tide_val answer;            /* (b): mean over the rows of the picked forecasts, scaled */
    tide_val past, marks, known;  /* of the picked answer: gradient times way, shaped as the windows' parts; graph NULL
                                     where there is no such part */
    tide_val forecast;          /* (b, out columns, pred_len) */
} flat_program;
tide_status flat_gradients(explaining *e, int64_t jobs, flat_program *out, tide_failure *failure);
tide_status flat_forecasts(explaining *e, int64_t jobs, flat_program *out, tide_failure *failure);

#endif
