/* Questions about impedance, answered side by side without the GIL. */
#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "eis.h"

/* ---- options ---- */

/* Texts are taken as they are, numbers as Python prints them: the shortest that reads back as the same. */
static PyObject *option_text(const char *name, PyObject *value) {
    if (PyBool_Check(value)) return PyUnicode_FromString(value == Py_True ? "true" : "false");
    if (PyUnicode_Check(value)) return Py_NewRef(value);
    if (PyNumber_Check(value) && !is_value(value)) return PyObject_Str(value);
    return raise_invalid("%s: text, a number, True or False is needed", name);
}

static bool refuse_name(const char *name, unsigned command) {
    const char *near = eis_option_nearest(name, command);
    if (near) raise_invalid("there is no option `%s` here; the nearest is `%s`", name, near);
    else raise_invalid("there is no option `%s` here", name);
    return false;
}

static bool option_put(eis_options *o, PyObject *key, PyObject *value, unsigned command) {
    const char  *name, *text;
    tide_failure failure;
    if (!text_from(key, "options", &name)) return false;
    const tide_option *row = eis_option_find(name);
    if (!row || !(row->flags & command)) return refuse_name(name, command);
    PyObject *words = option_text(name, value);
    bool      good = words && text_from(words, name, &text);
    if (good && eis_option_set(o, name, text, &failure)) good = (raise_failure(&failure), false);
    Py_XDECREF(words);
    return good;
}

eis_options *eis_options_from(PyObject *dictionary, unsigned command) {
    PyObject    *key, *value;
    Py_ssize_t   at = 0;
    if (!PyDict_Check(dictionary)) return raise_invalid("options: a dictionary is needed");
    eis_options *o = eis_options_new();
    bool         good = o || (PyErr_NoMemory(), false);
    while (good && PyDict_Next(dictionary, &at, &key, &value)) good = option_put(o, key, value, command);
    if (good) return o;
    eis_options_free(o);
    return NULL;
}

/* ---- many at a time ---- */

typedef struct question {
    spectrum_held held;
    eis_answer    answer;
    tide_failure  failure;  /* status TIDE_OK: there is an answer */
} question;

typedef struct work {
    const eis_options *options;
    predictor_object  *predictor;  /* NULL: none */
    bool               measured;   /* there are spectra */
    question          *item;
    int64_t            count, next;
    int                running;    /* threads */
    bool               stop;
    pthread_mutex_t    lock;
    pthread_cond_t     ended;
    long_call          call;
} work;

static int listen(void *user, const eis_event *event) {
    work *w = user;
    (void)event;
    return __atomic_load_n(&w->stop, __ATOMIC_RELAXED) || !long_call_go_on(&w->call);
}

static void answer_one(work *w, eis_model *m, question *q) {
    const eis_spectrum *s = w->measured ? &q->held.spectrum : NULL;
    tide_failure       *f = &q->failure;
    tide_status         status = s ? eis_spectrum_sign(s, w->options->flip_im, f) : TIDE_OK;
    if (status == TIDE_OK)
        status = m ? eis_model_solve(m, w->options, 1, s, NULL, listen, w, &q->answer, f)
                   : eis_solve(w->options, s, NULL, listen, w, &q->answer, f);
    /* A model's failure says in `row` which question it was, unless it is a point's. */
    if (m && status != TIDE_EDATA) f->row = 0;
    f->status = status;
}

static void *work_through(void *user) {
    work        *w = user;
    tide_failure failure = { 0 };
    eis_model   *m = w->predictor ? handle_take(w->predictor, &failure) : NULL;
    while (!__atomic_load_n(&w->stop, __ATOMIC_RELAXED)) {
        int64_t i = __atomic_fetch_add(&w->next, 1, __ATOMIC_RELAXED);
        if (i >= w->count) break;
        if (failure.status) w->item[i].failure = failure;
        else answer_one(w, m, &w->item[i]);
    }
    if (m) handle_give(w->predictor, m);
    pthread_mutex_lock(&w->lock);
    w->running--;
    pthread_cond_signal(&w->ended);
    pthread_mutex_unlock(&w->lock);
    return NULL;
}

/* The thread that called asks for Ctrl-C meanwhile. */
static void wait_for_all(work *w) {
    const long every_ns = 50 * 1000 * 1000, second_ns = 1000 * 1000 * 1000;
    pthread_mutex_lock(&w->lock);
    while (w->running) {
        struct timespec until;
        clock_gettime(CLOCK_REALTIME, &until);
        until.tv_nsec += every_ns;
        if (until.tv_nsec >= second_ns) until.tv_sec++, until.tv_nsec -= second_ns;
        if (pthread_cond_timedwait(&w->ended, &w->lock, &until) != ETIMEDOUT) continue;
        pthread_mutex_unlock(&w->lock);
        if (!long_call_go_on(&w->call)) __atomic_store_n(&w->stop, true, __ATOMIC_RELAXED);
        pthread_mutex_lock(&w->lock);
    }
    pthread_mutex_unlock(&w->lock);
}

/* As many threads as there are; where none can be had, this one does it all. */
static void work_side_by_side(work *w, int threads) {
    enum { MOST = 256, STACK = 8 << 20 };
    pthread_t      thread[MOST];
    pthread_attr_t sized;
    int            made = 0;
    pthread_attr_init(&sized);
    pthread_attr_setstacksize(&sized, STACK);
    w->running = threads < MOST ? threads : MOST;
    for (int wanted = w->running; made < wanted; made++)
        if (pthread_create(&thread[made], &sized, work_through, w)) {
            pthread_mutex_lock(&w->lock);
            w->running -= wanted - made;
            pthread_mutex_unlock(&w->lock);
            break;
        }
    pthread_attr_destroy(&sized);
    if (!made) w->running = 1, work_through(w);
    else wait_for_all(w);
    for (int i = 0; i < made; i++) pthread_join(thread[i], NULL);
}

static bool answer_all(work *w, int64_t threads) {
    int64_t most = w->count < threads ? w->count : threads;
    pthread_mutex_init(&w->lock, NULL), pthread_cond_init(&w->ended, NULL);
    w->call = long_call_begin();
    if (most > 1) work_side_by_side(w, (int)(most < INT32_MAX ? most : INT32_MAX));
    else w->running = 1, work_through(w);
    bool good = long_call_end(&w->call);
    pthread_cond_destroy(&w->ended), pthread_mutex_destroy(&w->lock);
    return good;
}

/* The exception itself, not raised. */
static PyObject *failure_object(const tide_failure *failure) {
    PyObject *type, *value, *trace;
    raise_failure(failure);
    PyErr_Fetch(&type, &value, &trace);
    PyErr_NormalizeException(&type, &value, &trace);
    Py_XDECREF(type), Py_XDECREF(trace);
    return value;
}

/* Each is freed as soon as it is told. */
static PyObject *answer_list(work *w) {
    PyObject *list = PyList_New(w->count);
    for (int64_t i = 0; list && i < w->count; i++) {
        question *q = &w->item[i];
        PyObject *one = q->failure.status ? failure_object(&q->failure) : answer_object(&q->answer);
        eis_answer_free(&q->answer);
        if (!one || PyList_SetItem(list, i, one) < 0) Py_CLEAR(list);
    }
    return list;
}

static bool take_spectra(work *w, PyObject *spectra) {
    w->measured = spectra != Py_None;
    if (w->measured && !PyList_Check(spectra)) return raise_invalid("spectra: a list is needed"), false;
    w->count = w->measured ? PyList_Size(spectra) : 1;
    w->item = calloc((size_t)w->count + 1, sizeof *w->item);
    if (!w->item) return PyErr_NoMemory(), false;
    for (int64_t i = 0; w->measured && i < w->count; i++)
        if (!spectrum_held_from(PyList_GetItem(spectra, i), w->options->flip_im, &w->item[i].held)) return false;
    return true;
}

static void work_free(work *w) {
    for (int64_t i = 0; w->item && i < w->count; i++) {
        eis_answer_free(&w->item[i].answer);
        spectrum_held_free(&w->item[i].held);
    }
    free(w->item);
}

static METHOD(complete) {
    static const char *const rows[] = { "options", "spectra", "predictor", "threads", NULL };
    PyObject *given[4], *list = NULL;
    int64_t   threads;
    (void)self;
    if (!arguments("complete", rows, 4, args, count, names, given)) return NULL;
    if (given[2] != Py_None && Py_TYPE(given[2]) != predictor_type)
        return raise_invalid("model: a path, or what load() returned, is needed");
    if (!integer_from(given[3], "threads", &threads)) return NULL;
    eis_options *o = eis_options_from(given[0], EIS_FOR_COMPLETE);
    if (!o) return NULL;
    work w = { .options = o, .predictor = given[2] != Py_None ? (predictor_object *)given[2] : NULL };
    if (take_spectra(&w, given[1]) && answer_all(&w, threads)) list = answer_list(&w);
    work_free(&w);
    eis_options_free(o);
    return list;
}

/* ---- made up ---- */

static METHOD(simulate) {
    static const char *const rows[] = { "options", "freq", NULL };
    PyObject    *given[2], *list = NULL;
    elements     e;
    tide_failure failure;
    (void)self;
    if (!arguments("simulate", rows, 2, args, count, names, given)) return NULL;
    if (!elements_from(given[1], "freq", &e)) return NULL;
    eis_options *o = elements_as(&e, "freq", TIDE_F64) ? eis_options_from(given[0], EIS_FOR_SIMULATE) : NULL;
    int64_t      points = tide_shape_count(e.shape);
    eis_z       *z = o ? malloc((size_t)points * sizeof *z + 1) : NULL;
    if (o && !z) PyErr_NoMemory();
    else if (o && e.shape.ndim != 1) raise_invalid("freq: an array of one axis is needed");
    else if (o && eis_simulate_at(o, points, e.data, z, &failure)) raise_failure(&failure);
    else if (o) list = complex_list(points, z);
    free(z);
    eis_options_free(o);
    elements_free(&e);
    return list;
}

/* ---- commands ---- */

typedef struct teller {
    long_call call;
    PyObject *progress;  /* NULL: nobody is told */
} teller;

static int tell(void *user, const eis_event *event) {
    teller *t = user;
    if (!t->progress || event->tone == EIS_WORKING || t->call.stopped) return !long_call_go_on(&t->call);
    long_call_hold(&t->call);
    PyObject *message = PyUnicode_DecodeUTF8(event->message, (Py_ssize_t)strlen(event->message), "replace");
    PyObject *said = message ? PyObject_CallFunctionObjArgs(t->progress, message, NULL) : NULL;
    if (!said) t->call.stopped = true;
    Py_XDECREF(said), Py_XDECREF(message);
    long_call_release(&t->call);
    return !long_call_go_on(&t->call);
}

static const struct command {
    tide_status (*run)(const eis_options *, eis_listener, void *, eis_result *, tide_failure *);
    unsigned flag;
} commands[] = { { eis_train, EIS_FOR_TRAIN }, { eis_evaluate, EIS_FOR_EVALUATE } };

static METHOD(run_command) {
    static const char *const rows[] = { "command", "options", "progress", NULL };
    static const char *const words[] = { "train", "evaluate", NULL };
    PyObject    *given[3], *json = NULL;
    eis_result   result = { 0 };
    tide_failure failure = { 0 };
    int64_t      which;
    (void)self;
    if (!arguments("command", rows, 3, args, count, names, given)) return NULL;
    if (!word_from(given[0], "command", words, &which)) return NULL;
    eis_options *o = eis_options_from(given[1], commands[which].flag);
    if (!o) return NULL;
    teller t = { .progress = given[2] != Py_None ? given[2] : NULL };
    t.call = long_call_begin();
    tide_status status = commands[which].run(o, tell, &t, &result, &failure);
    bool good = long_call_end(&t.call);
    if (good && status) raise_failure(&failure);
    else if (good) json = PyUnicode_FromString(result.json);
    eis_result_free(&result);
    eis_options_free(o);
    return json;
}

PyMethodDef eis_functions[] = { { "_eis_complete", FAST(complete), doc__eis_complete },
                                { "_eis_simulate", FAST(simulate), doc__eis_simulate },
                                { "_eis_run", FAST(run_command), doc__eis_run },
                                { 0 } };
