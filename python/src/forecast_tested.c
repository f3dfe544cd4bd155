/* Whole commands on a model and rows in memory: backtests, scores, forecasts with sums and paths. */
#include <string.h>

#include <tidemill/backtest.h>

#include "forecast.h"

/* ---- rows of a backtest ---- */

/* True: the dictionary has it. */
static bool put(PyObject *dict, const char *name, tide_dtype type, tide_shape shape, const void *from) {
    array_object *a = from ? array_new(type, shape) : NULL;
    PyObject     *item = from ? (PyObject *)a : Py_NewRef(Py_None);
    if (a) memcpy(a->data, from, (size_t)tide_shape_count(shape) * 8); /* both types have 8 bytes */
    bool good = item && PyDict_SetItemString(dict, name, item) == 0;
    Py_XDECREF(item);
    return good;
}

static PyObject *rows_dict(const forecast_backtest_rows *r) {
    PyObject  *d   = PyDict_New();
    tide_shape one = TIDE_SHAPE(r->count);
    bool good = d && put(d, "origin", TIDE_I64, one, r->origin) && put(d, "row", TIDE_I64, one, r->row) &&
                put(d, "time", TIDE_I64, one, r->time) && put(d, "origin_time", TIDE_I64, one, r->origin_time) &&
                put(d, "forecast", TIDE_F64, TIDE_SHAPE(r->count, FORECAST_BY_COUNT), r->forecast) &&
                put(d, "truth", TIDE_F64, one, r->truth) &&
                put(d, "bounds", TIDE_F64, TIDE_SHAPE(r->count, r->level_count, 2), r->bounds);
    if (!good) Py_CLEAR(d);
    return d;
}

/* ---- calls ---- */

/* Of a text or None. */
static bool optional_text(PyObject *o, const char *name, const char **out) {
    *out = NULL;
    return o == Py_None || text_from(o, name, out);
}

static PyObject *told(const forecast_result *r) { return PyUnicode_FromString(r->json ? r->json : "{}"); }

METHOD(model_backtest) {
    static const char *const rows[] = { "frame", "recipe", "options", "tell", NULL };
    PyObject       *given[4], *made = NULL;
    const char     *recipe;
    forecast_result result = { 0 };
    tide_failure    failure;
    if (!arguments("backtest", rows, 4, args, count, names, given)) return NULL;
    const tide_frame *series = frame_from(given[0], "frame");
    if (!series || !optional_text(given[1], "recipe", &recipe)) return NULL;
    forecast_options *o = forecast_options_from(given[2], FORECAST_FOR_BACKTEST);
    if (!o) return NULL;
    hearing     h = hearing_begin(given[3]);
    tide_status status = forecast_model_backtest(model_of(self), recipe, series, o, hearing_hear, &h, &result,
                                                 &failure);
    if (hearing_end(&h)) {
        PyObject *table = status ? raise_failure(&failure) : rows_dict(result.backtest->rows);
        if (table) made = Py_BuildValue("(NN)", table, told(&result));
    }
    forecast_result_free(&result);
    forecast_options_free(o);
    return made;
}

METHOD(model_evaluate) {
    static const char *const rows[] = { "frame", "options", "tell", NULL };
    PyObject       *given[3], *made = NULL;
    forecast_result result = { 0 };
    tide_failure    failure;
    if (!arguments("evaluate", rows, 3, args, count, names, given)) return NULL;
    const tide_frame *series = frame_from(given[0], "frame");
    forecast_options *o = series ? forecast_options_from(given[1], FORECAST_FOR_EVALUATE) : NULL;
    if (!o) return NULL;
    hearing     h = hearing_begin(given[2]);
    tide_status status = forecast_model_evaluate(model_of(self), series, o, hearing_hear, &h, &result, &failure);
    if (hearing_end(&h)) made = status ? raise_failure(&failure) : told(&result);
    forecast_result_free(&result);
    forecast_options_free(o);
    return made;
}

/* ---- a forecast ---- */

static PyObject *names_list(const forecast_prediction *p) {
    PyObject *list = PyList_New(0);
    for (int64_t i = 0; list && i < p->series; i++) {
        PyObject *name = PyUnicode_FromString(p->names[i]);
        if (!name || PyList_Append(list, name) < 0) Py_CLEAR(list);
        Py_XDECREF(name);
    }
    return list;
}

static PyObject *forecast_dict(const forecast_prediction *p) {
    PyObject *d = PyDict_New(), *names = d ? names_list(p) : NULL;
    bool good = names && PyDict_SetItemString(d, "names", names) == 0 &&
                put(d, "time", TIDE_I64, TIDE_SHAPE(p->rows), p->time_s) &&
                put(d, "values", TIDE_F64, TIDE_SHAPE(p->rows, p->series), p->values) &&
                put(d, "bands", TIDE_F64, TIDE_SHAPE(p->rows, p->series, p->level_count, 2), p->bands) &&
                put(d, "paths", TIDE_F64, TIDE_SHAPE(p->path_count, p->rows, p->series), p->paths);
    Py_XDECREF(names);
    if (!good) Py_CLEAR(d);
    return d;
}

METHOD(model_forecast) {
    static const char *const rows[] = { "frame", "options", "tell", NULL };
    PyObject           *given[3], *made = NULL;
    forecast_prediction p = { 0 };
    tide_failure        failure;
    if (!arguments("forecast", rows, 3, args, count, names, given)) return NULL;
    const tide_frame *from = given[0] == Py_None ? NULL : frame_from(given[0], "frame");
    if (!from && given[0] != Py_None) return NULL;
    forecast_options *o = forecast_options_from(given[1], FORECAST_FOR_PREDICT);
    if (!o) return NULL;
    hearing     h = hearing_begin(given[2]);
    tide_status status = forecast_model_forecast(model_of(self), from, o, hearing_hear, &h, &p, &failure);
    if (hearing_end(&h)) made = status ? raise_failure(&failure) : forecast_dict(&p);
    forecast_prediction_free(&p);
    forecast_options_free(o);
    return made;
}
