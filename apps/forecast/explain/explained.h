/* An explanation that is done, with all that its page and tables show beside it. */
#ifndef FORECAST_EXPLAIN_EXPLAINED_H
#define FORECAST_EXPLAIN_EXPLAINED_H

#include <tidemill/explain.h>

#include "base/base.h"
#include "forecast/models/ensemble.h"
#include "forecast/options/levels.h"
#include "forecast/report/report.h"

typedef struct explained {
    const forecast_options *options;
    const forecast_result  *result;    /* with its inputs, and the scores of the test windows */
    const bundle           *bundle;
    const dataset          *data;
    error_parts             steps[4];  /* scaled, of the model and the baselines; arrays NULL: not scored */
    const forecaster       *part[ENSEMBLE_MEMBERS];
    double                  weight[ENSEMBLE_MEMBERS]; /* of an ensemble's members: means over the columns */
    int                     parts;     /* members; 1: no ensemble */
    const double *past, *values;       /* of the forecast after the last row: (seq_len, columns) and (pred_len, out
                                          columns), original units; NULL: there is none */
    const double *bands;               /* (pred_len, out columns, levels.count, 2) */
    const double *truth;               /* (pred_len, out columns): it is the last test window's; NULL: not known yet */
    levels        levels;
    char          last[40];            /* the stamp of the row that it starts from; "": none */
    char          no_forecast[400];    /* why there is none after the last row */
} explained;

static inline const forecast_inputs *inputs_of(const explained *x) { return x->result->inputs; }

/* The places of the `most` largest of `count` numbers that are `bytes` apart, descending, ties as they stand; returns
 * how many. Those of the inputs that carry most. */
int64_t explained_largest(const double *first, size_t bytes, int64_t count, int64_t most, int64_t *out);
int64_t explained_top(const forecast_inputs *in, int64_t most, int64_t *out);
int64_t drift_few(const forecast_inputs *in); /* columns with too few values to compare */
double  tenths(double v); /* what is 0.0 in print has no sign */
double  others_share(const forecast_inputs *in); /* percent: of what carries a forecast, but for its own column */

/* page.c: the whole page. */
void explained_page(const explained *x, text *out);

/* Its sections. */
void page_scores(const explained *x, text *out);
void page_inputs(const explained *x, text *out);
void page_attention(const explained *x, text *out);
void page_drift(const explained *x, text *out);
void page_figure(double v, text *out);      /* a cell; "-" for what is not finite */
void page_short(const char *name, text *out); /* a cell, cut where it is long; whole on pointing */

/* tables.c: the page and the CSVs into a folder, whose files of these names are ours. `names` ends with NULL. */
extern const char *const explained_files[];
tide_status explained_write(const explained *x, const char *folder, const listener *l, tide_failure *failure);

/* summary.c: the text for people, and the JSON object's members into `o`; false: out of memory. */
char *explained_text(const explained *x);
bool  explained_json(const explained *x, json_t **o);

#endif
