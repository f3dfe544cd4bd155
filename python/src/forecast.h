/* What the files of the forecaster show each other: the model's object, options, and who hears of what goes on. */
#ifndef PYTHON_FORECAST_H
#define PYTHON_FORECAST_H

#include <tidemill/forecast.h>

#include "binding.h"

/* One thread at a time uses the handle: it waits without the GIL. Clones of it need no lock. */
typedef struct model_object {
    PyObject_HEAD
    forecast_model    *model;
    PyThread_type_lock lock;
} model_object;

static inline forecast_model *model_of(PyObject *self) { return ((model_object *)self)->model; }

/* Of a dictionary of texts, those that the command (FORECAST_FOR_...) takes and that no file of its own stands for.
 * NULL: an exception is set. */
forecast_options *forecast_options_from(PyObject *dict, unsigned command);

typedef struct hearing {
    long_call call;
    PyObject *tell;    /* NULL: nobody listens */
    double    told;    /* when, of what comes often */
} hearing;

/* Without the GIL from here to hearing_end, which is false where an exception is set. `tell` may be None. */
hearing hearing_begin(PyObject *tell);
int     hearing_hear(void *hearing, const forecast_event *event);  /* a forecast_progress */
bool    hearing_end(hearing *h);

/* forecast_tested.c: methods of a model. */
METHOD(model_backtest);
METHOD(model_evaluate);
METHOD(model_forecast);
/* forecast_plot.c */
PyObject *forecast_plots(PyObject *module, PyObject *list);

#endif
