/* The folder of models: each run folder in it is one, by its name. A model is opened once, when it is first asked for,
 * and again when its file has changed; who works with the old one goes on with it. */
#ifndef SERVE_MODELS_H
#define SERVE_MODELS_H

#include <stdatomic.h>

#include <jansson.h>

#include <tidemill/eis.h>
#include <tidemill/forecast.h>

#include "serve/fields/problem.h"

typedef struct models models;

typedef enum model_kind { MODEL_FORECAST, MODEL_EIS } model_kind;

/* One opened model. Each thread asks a clone of its own. */
typedef struct model {
    char            id[128];
    model_kind      kind;
    forecast_model *forecast;   /* only cloned; NULL */
    eis_model      *eis;
    int             threads;
    forecast_model **forecasts; /* by thread; made by it when first needed */
    eis_model      **eises;
    atomic_int      users;
} model;

/* `threads`: that will ask. NULL: out of memory. */
models *models_new(const char *folder, int threads);
void    models_free(models *m);

/* Models that lie elsewhere: `find` writes the run folder of one (false: there is none), `list` is [ID, ..] of all. */
void    models_also(models *m, bool (*find)(void *user, const char *id, char *path, size_t size),
                    json_t *(*list)(void *user), void *user);

/* The model of that name and kind, one user more: model_drop. NULL with the problem: 404, 422, or why it does not
 * open. */
model  *models_take(models *m, const char *id, model_kind kind, problem *p);
void    model_drop(model *m);  /* NULL is fine */
/* The thread's own handle; NULL with the failure. */
forecast_model *model_forecast(model *m, int thread, tide_failure *failure);
eis_model      *model_eis(model *m, int thread, tide_failure *failure);

/* The run folder of a model: for jobs. False: there is none of this name. */
bool    models_path(const models *m, const char *id, char *path, size_t size);
/* [{"id", "kind", ...}], and one of them with all that its run.json says of it that is no path. */
json_t *models_list(const models *m);
json_t *models_describe(models *m, const char *id, problem *p);

#endif
