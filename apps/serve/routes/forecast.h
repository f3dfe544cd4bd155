/* What the routes of forecasts share. A forecast from arrays takes a millisecond and is answered with others
 * (forecast.c); what reads a table, or asks for more, is one of the long answers (forecast_table.c). */
#ifndef SERVE_ROUTES_FORECAST_H
#define SERVE_ROUTES_FORECAST_H

#include <tidemill/forecast.h>

#include "base/base.h"
#include "serve/fields/record.h"
#include "serve/models/models.h"
#include "body_file.h"
#include "service.h"

enum { FORECAST_DIGITS = 9, FORECAST_MOST_NUMBERS = 1 << 24 };

typedef struct rows_in { numbers time; column_list columns; numbers values; } rows_in;

typedef struct forecast_in {
    const char   *model, *upload;
    rows_in      *past, *future;
    numbers       level;
    int64_t       windows, cut;  /* 0: none */
    bool          baselines;
    const json_t *options;
} forecast_in;

extern const record rows_record, predict_record;
extern const option_door predict_door, evaluate_door;
/* The column of that name; NULL. */
const numbers *rows_column(const rows_in *in, const char *name);

/* forecast_attention.c. Whom the model looks at in the window, as JSON; false: the problem says why there is none. */
extern const record attention_record;
bool attention_print(model *m, int thread, const double *past, const int64_t *time, const double *known, text *out,
                     problem *p);

typedef struct table_task table_task;

/* One of the questions about a table. */
typedef struct table_kind {
    const record      *in;
    const option_door *door;   /* of `options`, and of the query beside a CSV */
    /* The answer as JSON, or as CSV where t->csv; the task's own. */
    tide_status (*answer)(table_task *t, tide_failure *failure);
    bool               csv;    /* is a table itself */
} table_kind;

/* A table on its way: a file that was brought, a body of CSV, or arrays. */
struct table_task {
    work_item         item;
    http_request     *r;
    serve            *s;
    const table_kind *kind;
    body              body;
    forecast_in       in;
    forecast_options *o;       /* of a file: model and data are in it */
    char              name[STORE_NAME];  /* of the file, as its client calls it */
    body_file         file;    /* of a body */
    tide_frame       *frame;   /* of arrays */
    model            *model;
    json_t           *notes, *json;
    char             *text;    /* CSV */
    bool              csv, deaf;   /* deaf: what is told was told before */
    double            deadline;  /* os_seconds() */
    problem           problem;
};

extern const table_kind predict_table, evaluate_table;

/* `decoded` NULL: the body is a CSV, or JSON that is decoded here. Else that, with what it said: it becomes the
 * task's. */
void table_task_begin(const table_kind *kind, serve *s, http_request *r, body *decoded, const forecast_in *in);
void table_task_note(table_task *t, const char *about, const char *message);  /* about "": of all */
/* A forecast_progress: notes are kept, and nobody works for a client that has gone, or beyond the deadline. */
int  table_task_hear(void *task, const forecast_event *event);
/* forecast_frame.c: arrays as a frame, the rows to come behind the others; a forecast as the answer has it, or as CSV;
 * NULL: out of memory. */
bool    table_frame(table_task *t);
json_t *forecast_as_json(const forecast_prediction *p);
char   *forecast_as_csv(const forecast_prediction *p);
/* What forecast_predict says, in the form of the answer; takes it. */
json_t *forecast_of_command(json_t *said);

#endif
