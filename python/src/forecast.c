/* The forecaster: training on a frame, and models that answer for one. What its numbers are is the library's. */
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "forecast.h"

PyTypeObject *model_type;

static PyObject *model_new(forecast_model *m) {
    PyThread_type_lock lock = PyThread_allocate_lock();
    model_object      *o = lock ? PyObject_New(model_object, model_type) : (model_object *)PyErr_NoMemory();
    if (!o) {
        forecast_model_free(m);
        if (lock) PyThread_free_lock(lock);
        return NULL;
    }
    o->model = m, o->lock = lock;
    return (PyObject *)o;
}

static void model_dealloc(PyObject *self) {
    PyTypeObject *type = Py_TYPE(self);
    forecast_model_free(model_of(self));
    PyThread_free_lock(((model_object *)self)->lock);
    PyObject_Free(self);
    Py_DECREF(type);
}

/* ---- options ---- */

/* A frame has no text to read, nothing is drawn or written, and pages on a step are the command's. */
static bool is_commands(const char *name) {
    static const char *const words[] = { "data", "sep", "decimal", "thousands", "skip-rows", "date-order",
                                         "time-column", "id", "value", "plots", "explain", "model", "output",
                                         "save-predictions", "other-columns", NULL };
    for (int i = 0; words[i]; i++)
        if (!strcmp(words[i], name)) return true;
    return false;
}

static bool set_option(forecast_options *o, unsigned command, PyObject *key, PyObject *value) {
    const char  *name, *text;
    tide_failure failure;
    if (!text_from(key, "an option's name", &name) || !text_from(value, name, &text)) return false;
    const tide_option *row = forecast_option_find(name);
    if (row && is_commands(row->name))
        return raise_invalid("`%s` is an option of the command, and none of a Forecaster", row->name);
    if (row && !(row->flags & command))
        return raise_invalid("`%s` is an option of another %s", row->name,
                             command == FORECAST_FOR_TRAIN ? "command than train, and none of a Forecaster"
                                                           : "call than this one");
    return !forecast_option_set(o, name, text, &failure) || raise_failure(&failure);
}

forecast_options *forecast_options_from(PyObject *dict, unsigned command) {
    PyObject         *key, *value;
    forecast_options *o = PyDict_Check(dict) ? forecast_options_new() : NULL;
    if (!o) return PyDict_Check(dict) ? (void *)PyErr_NoMemory() : raise_invalid("options: a dictionary is needed");
    for (Py_ssize_t at = 0; PyDict_Next(dict, &at, &key, &value);)
        if (!set_option(o, command, key, value)) return forecast_options_free(o), NULL;
    return o;
}

static PyObject *check_options(PyObject *module, PyObject *dict) {
    forecast_options *given = forecast_options_from(dict, FORECAST_FOR_TRAIN);
    forecast_options *resolved = given ? forecast_options_new() : NULL;
    tide_failure      failure;
    PyObject         *done = NULL;
    (void)module;
    if (given && !resolved) PyErr_NoMemory();
    if (resolved) done = forecast_options_resolve(given, resolved, &failure) ? raise_failure(&failure)
                                                                             : Py_NewRef(Py_None);
    forecast_options_free(given), forecast_options_free(resolved);
    return done;
}

/* ---- training ---- */

static const char *stage_word(forecast_stage stage) {
    switch (stage) {
    case FORECAST_STAGE_NOTE: return "note";
    case FORECAST_STAGE_WARNING: return "warning";
    case FORECAST_STAGE_START: return "start";
    case FORECAST_STAGE_STEP: return "step";
    case FORECAST_STAGE_EPOCH: return "epoch";
    case FORECAST_STAGE_SCORE: return "score";
    case FORECAST_STAGE_VALIDATE: return "validate";
    default: return NULL;
    }
}

static double now(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

/* What comes with every batch is passed on ten times a second. */
static bool worth_telling(hearing *h, const forecast_event *e) {
    const double between = 0.1;
    if (!h->tell || !stage_word(e->stage) || PyThread_get_thread_ident() != h->call.thread) return false;
    if (e->stage != FORECAST_STAGE_STEP && e->stage != FORECAST_STAGE_SCORE && e->stage != FORECAST_STAGE_VALIDATE)
        return true;
    double time = now();
    if (time - h->told < between) return false;
    h->told = time;
    return true;
}

hearing hearing_begin(PyObject *tell) {
    return (hearing){ .call = long_call_begin(), .tell = tell == Py_None ? NULL : tell };
}

bool hearing_end(hearing *h) { return long_call_end(&h->call); }

int hearing_hear(void *user, const forecast_event *e) {
    hearing *h = user;
    if (!long_call_go_on(&h->call)) return 1;
    if (!worth_telling(h, e)) return 0;
    char message[1024];
    snprintf(message, sizeof message, "%s", e->message);
    respell(message);
    long_call_hold(&h->call);
    PyObject *said = PyUnicode_DecodeUTF8(message, (Py_ssize_t)strlen(message), "replace");
    PyObject *event = said ? Py_BuildValue("(sNLLLLLddd)", stage_word(e->stage), said, (long long)e->epoch,
                                           (long long)e->epochs, (long long)e->batch, (long long)e->batches,
                                           (long long)e->step, e->loss, e->val_loss, e->seconds_left) : NULL;
    PyObject *answer = event ? PyObject_Call(h->tell, event, NULL) : NULL;
    if (!answer) h->call.stopped = true;
    Py_XDECREF(answer);
    Py_XDECREF(event);
    long_call_release(&h->call);
    return h->call.stopped;
}

/* Whole: learned, scored, and the model of it. */
static tide_status train(const forecast_options *o, const tide_frame *series, hearing *h, forecast_model **model,
                         char **recipe, forecast_result *result, tide_failure *failure) {
    forecast_trainer *t;
    tide_status status = forecast_trainer_new(o, series, hearing_hear, h, &t, failure);
    if (status == TIDE_OK) status = forecast_trainer_run(t, 0, failure);
    if (status == TIDE_OK) status = forecast_trainer_score(t, result, failure);
    if (status == TIDE_OK) status = forecast_trainer_model(t, model, failure);
    if (status == TIDE_OK) status = forecast_trainer_recipe(t, recipe, failure);
    forecast_trainer_free(t);
    return status;
}

static PyObject *forecast_fit(PyObject *module, PyObject *const *args, Py_ssize_t count, PyObject *names) {
    static const char *const rows[] = { "frame", "options", "tell", NULL };
    PyObject        *given[3];
    forecast_model  *model = NULL;
    char            *recipe = NULL;
    forecast_result  result = { 0 };
    tide_failure     failure;
    (void)module;
    if (!arguments("_train", rows, 3, args, count, names, given)) return NULL;
    const tide_frame *series = frame_from(given[0], "frame");
    forecast_options *o = series ? forecast_options_from(given[1], FORECAST_FOR_TRAIN) : NULL;
    if (!o) return NULL;
    hearing h = hearing_begin(given[2]);
    tide_status status = train(o, series, &h, &model, &recipe, &result, &failure);
    PyObject   *made = NULL;
    if (hearing_end(&h)) {
        if (status) raise_failure(&failure);
        else if ((made = model_new(model)))
            made = Py_BuildValue("(Nss)", made, result.json ? result.json : "{}", recipe);
        model = NULL;
    }
    forecast_model_free(model);
    tide_free(recipe);
    forecast_result_free(&result);
    forecast_options_free(o);
    return made;
}

/* ---- a model, and back to bytes ---- */

static PyObject *model_load(PyObject *module, PyObject *const *args, Py_ssize_t count, PyObject *names) {
    static const char *const rows[] = { "source", "options", NULL };
    PyObject       *given[2];
    forecast_model *model = NULL;
    tide_failure    failure;
    (void)module;
    if (!arguments("_model_load", rows, 2, args, count, names, given)) return NULL;
    bool        memory = PyBytes_Check(given[0]);
    const char *path = "";
    if (!memory && !text_from(given[0], "path", &path)) return NULL;
    forecast_options *o = forecast_options_from(given[1], FORECAST_FOR_TRAIN);
    if (!o) return NULL;
    const char *bytes = memory ? PyBytes_AsString(given[0]) : NULL;
    size_t      size = memory ? (size_t)PyBytes_Size(given[0]) : 0;
    long_call   c = long_call_begin();
    tide_status status = memory ? forecast_model_load_memory(bytes, size, o, &model, &failure)
                                : forecast_model_load(path, o, &model, &failure);
    bool        fine = long_call_end(&c);
    forecast_options_free(o);
    if (fine) return status ? raise_failure(&failure) : model_new(model);
    forecast_model_free(model);
    return NULL;
}

static PyObject *model_bytes(PyObject *self, PyObject *none) {
    void        *bytes = NULL;
    size_t       size;
    tide_failure failure;
    (void)none;
    if (forecast_model_save_memory(model_of(self), &bytes, &size, &failure)) return raise_failure(&failure);
    PyObject *made = PyBytes_FromStringAndSize(bytes, (Py_ssize_t)size);
    tide_free(bytes);
    return made;
}

static PyObject *model_export(PyObject *self, PyObject *const *args, Py_ssize_t count, PyObject *names) {
    static const char *const rows[] = { "path", "options", "levels", "tell", NULL };
    PyObject    *given[4];
    const char  *path;
    elements     e;
    tide_failure failure;
    if (!arguments("export", rows, 4, args, count, names, given)) return NULL;
    if (!text_from(given[0], "path", &path)) return NULL;
    forecast_options *o = forecast_options_from(given[1], FORECAST_FOR_EXPORT);
    if (!o) return NULL;
    int  format = o->format;
    bool fine = elements_from(given[2], "level", &e);
    forecast_options_free(o);
    if (!fine) return NULL;
    if ((fine = elements_as(&e, "level", TIDE_F64))) {
        hearing     h = hearing_begin(given[3]);
        int64_t     levels = tide_shape_count(e.shape);
        tide_status status = forecast_model_export_levels(model_of(self), format, path, e.data, levels, hearing_hear,
                                                          &h, &failure);
        fine = hearing_end(&h);
        if (fine && status) fine = raise_failure(&failure);
    }
    elements_free(&e);
    return fine ? Py_NewRef(Py_None) : NULL;
}

static PyObject *model_kept(PyObject *self, PyObject *none) {
    tide_frame  *f;
    tide_failure failure;
    (void)none;
    if (forecast_model_kept(model_of(self), &f, &failure)) return raise_failure(&failure);
    return frame_new(f);
}

/* ---- answers ---- */

typedef struct answer { array_object *future, *bands; } answer;

static bool answer_new(const forecast_model *m, int64_t levels, answer *a) {
    int64_t rows = forecast_model_pred_len(m), targets = forecast_model_targets(m);
    a->future = array_new(TIDE_F64, TIDE_SHAPE(rows, targets));
    a->bands = a->future ? array_new(TIDE_F64, TIDE_SHAPE(rows, targets, levels, 2)) : NULL;
    return a->bands;
}

static PyObject *model_predict(PyObject *self, PyObject *const *args, Py_ssize_t count, PyObject *names) {
    static const char *const rows[] = { "frame", "levels", NULL };
    PyObject     *given[2];
    model_object *m = (model_object *)self;
    elements      e;
    answer        a = { 0 };
    tide_failure  failure;
    if (!arguments("predict", rows, 2, args, count, names, given)) return NULL;
    const tide_frame *f = frame_from(given[0], "frame");
    if (!f || !elements_from(given[1], "level", &e)) return NULL;
    int64_t levels = tide_shape_count(e.shape);
    bool    fine = elements_as(&e, "level", TIDE_F64) && answer_new(m->model, levels, &a);
    if (fine) {
        long_call c = long_call_begin();
        PyThread_acquire_lock(m->lock, WAIT_LOCK);
        tide_status status = forecast_model_predict_frame_levels(m->model, f, e.data, levels, a.future->data,
                                                                 a.bands->data, &failure);
        PyThread_release_lock(m->lock);
        fine = long_call_end(&c);
        if (fine && status) fine = raise_failure(&failure);
    }
    elements_free(&e);
    if (fine) return Py_BuildValue("(NN)", a.future, a.bands);
    Py_XDECREF((PyObject *)a.future), Py_XDECREF((PyObject *)a.bands);
    return NULL;
}

static PyObject *model_times_after(PyObject *self, PyObject *last) {
    int64_t      time;
    tide_failure failure;
    if (!integer_from(last, "last", &time)) return NULL;
    int64_t       rows = forecast_model_pred_len(model_of(self));
    array_object *a = array_new(TIDE_I64, TIDE_SHAPE(rows));
    if (a && forecast_model_times_after(model_of(self), time, rows, a->data, &failure)) {
        Py_DECREF((PyObject *)a);
        return raise_failure(&failure);
    }
    return (PyObject *)a;
}

/* ---- what it is ---- */

static PyObject *get_targets(PyObject *self, void *none) {
    const forecast_model *m = model_of(self);
    PyObject             *list = PyList_New(0);
    (void)none;
    for (int64_t i = 0; list && i < forecast_model_targets(m); i++) {
        PyObject *name = PyUnicode_FromString(forecast_model_target_name(m, i));
        if (!name || PyList_Append(list, name) < 0) Py_CLEAR(list);
        Py_XDECREF(name);
    }
    return list;
}

static PyObject *get_number(PyObject *self, void *which) {
    int64_t (*number)(const forecast_model *) = *(int64_t (**)(const forecast_model *))which;
    return PyLong_FromLongLong(number(model_of(self)));
}

static PyObject *get_has_levels(PyObject *self, void *none) {
    return (void)none, PyBool_FromLong(forecast_model_has_levels(model_of(self)));
}

static PyObject *get_text(PyObject *self, void *which) {
    const char *(*text)(const forecast_model *) = *(const char *(**)(const forecast_model *))which;
    return PyUnicode_FromString(text(model_of(self)));
}

/* Rows of a frame that are not behind a forecast but in it. */
static int64_t rows_ahead(const forecast_model *m) {
    return forecast_model_known(m) > forecast_model_holidays(m, 0, NULL) ? forecast_model_pred_len(m) : 0;
}

static int64_t (*of_seq_len)(const forecast_model *) = forecast_model_seq_len;
static int64_t (*of_pred_len)(const forecast_model *) = forecast_model_pred_len;
static int64_t (*of_ahead)(const forecast_model *) = rows_ahead;
static const char *(*of_frequency)(const forecast_model *) = forecast_model_frequency;
static const char *(*of_tz)(const forecast_model *) = forecast_model_tz;

static PyMethodDef model_methods[] = { { "backtest", FAST(model_backtest), doc__Model_backtest },
                                       { "bytes", model_bytes, METH_NOARGS, doc__Model_bytes },
                                       { "evaluate", FAST(model_evaluate), doc__Model_evaluate },
                                       { "export", FAST(model_export), doc__Model_export },
                                       { "forecast", FAST(model_forecast), doc__Model_forecast },
                                       { "kept", model_kept, METH_NOARGS, doc__Model_kept },
                                       { "predict", FAST(model_predict), doc__Model_predict },
                                       { "times_after", model_times_after, METH_O, doc__Model_times_after },
                                       { 0 } };
static PyGetSetDef model_fields[] = { { "targets", get_targets, NULL, doc__Model_targets, NULL },
                                      { "seq_len", get_number, NULL, doc__Model_seq_len, &of_seq_len },
                                      { "pred_len", get_number, NULL, doc__Model_pred_len, &of_pred_len },
                                      { "ahead", get_number, NULL, doc__Model_ahead, &of_ahead },
                                      { "has_levels", get_has_levels, NULL, doc__Model_has_levels, NULL },
                                      { "frequency", get_text, NULL, doc__Model_frequency, &of_frequency },
                                      { "tz", get_text, NULL, doc__Model_tz, &of_tz },
                                      { 0 } };
static PyType_Slot model_slots[] = { { Py_tp_doc, (void *)doc__Model },
                                     { Py_tp_dealloc, model_dealloc },
                                     { Py_tp_methods, model_methods },
                                     { Py_tp_getset, model_fields },
                                     { 0 } };
PyType_Spec model_spec = { "tidemill._Model", sizeof(model_object), 0,
                           Py_TPFLAGS_DEFAULT | Py_TPFLAGS_DISALLOW_INSTANTIATION | Py_TPFLAGS_IMMUTABLETYPE,
                           model_slots };

PyMethodDef forecast_functions[] = { { "_train", FAST(forecast_fit), doc__train },
                                     { "_check_options", check_options, METH_O, doc__check_options },
                                     { "_plot_svg", forecast_plots, METH_O, doc__plot_svg },
                                     { "_model_load", FAST(model_load), doc__model_load },
                                     { 0 } };
