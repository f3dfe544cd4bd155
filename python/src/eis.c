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

static bool refuse_name(const tide_option_table *t, const char *name, unsigned flags) {
    const char *near = tide_option_nearest(t, name, flags ? flags : ~0u);
    if (near) raise_invalid("there is no option `%s` here; the nearest is `%s`", name, near);
    else raise_invalid("there is no option `%s` here", name);
    return false;
}

static bool option_put(const tide_option_table *t, void *options, PyObject *key, PyObject *value, unsigned flags) {
    const char  *name, *text;
    tide_failure failure;
    if (!text_from(key, "options", &name)) return false;
    const tide_option *row = tide_option_find(t, name);
    if (!row || (flags && !(row->flags & flags))) return refuse_name(t, name, flags);
    PyObject *words = option_text(name, value);
    bool      good = words && text_from(words, name, &text);
    if (good && tide_option_set(t, options, name, text, &failure)) good = (raise_failure(&failure), false);
    Py_XDECREF(words);
    return good;
}

bool options_put(const tide_option_table *t, void *options, PyObject *dictionary, unsigned flags) {
    PyObject  *key, *value;
    Py_ssize_t at = 0;
    bool       good = true;
    while (good && PyDict_Next(dictionary, &at, &key, &value)) good = option_put(t, options, key, value, flags);
    return good;
}

eis_options *eis_options_from(PyObject *dictionary, unsigned command) {
    if (!PyDict_Check(dictionary)) return raise_invalid("options: a dictionary is needed");
    eis_options *o = eis_options_new();
    if (!o) return (void *)PyErr_NoMemory();
    if (options_put(eis_table(), o, dictionary, command)) return o;
    eis_options_free(o);
    return NULL;
}

/* ---- many at a time ---- */

typedef struct work {
    const eis_kind   *kind;
    asked             asked;
    predictor_object *predictor;  /* NULL: none */
    question        **item;
    int64_t           count, next;
    int               running;    /* threads */
    bool              stop;
    pthread_mutex_t   lock;
    pthread_cond_t    ended;
    long_call         call;
} work;

static int listen(void *user, const eis_event *event) {
    work *w = user;
    (void)event;
    return __atomic_load_n(&w->stop, __ATOMIC_RELAXED) || !long_call_go_on(&w->call);
}

static void answer_one(work *w, eis_model *m, question *q) {
    tide_status status = TIDE_OK;
    for (int64_t i = 0; status == TIDE_OK && i < q->spectra; i++)
        status = eis_spectrum_sign(&q->spectrum[i], w->asked.flip_im, &q->failure);
    if (status == TIDE_OK) status = w->kind->answer(&w->asked, m, q, listen, w);
    q->failure.status = status;
}

static void *work_through(void *user) {
    work        *w = user;
    tide_failure failure = { 0 };
    eis_model   *m = w->predictor ? handle_take(w->predictor, &failure) : NULL;
    while (!__atomic_load_n(&w->stop, __ATOMIC_RELAXED)) {
        int64_t i = __atomic_fetch_add(&w->next, 1, __ATOMIC_RELAXED);
        if (i >= w->count) break;
        if (failure.status) w->item[i]->failure = failure;
        else answer_one(w, m, w->item[i]);
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

/* The picture keeps the answer until it is drawn, or is let go. */
static PyObject *told(question *q) {
    PyObject *d = PyDict_New();
    bool      good = d && q->kind->tell(d, q);
    if (!good) question_free(q);
    if (good && put(d, "picture", picture_new(q))) return d;
    Py_XDECREF(d);
    return NULL;
}

static PyObject *answer_list(work *w) {
    PyObject *list = PyList_New(w->count);
    for (int64_t i = 0; list && i < w->count; i++) {
        question *q = w->item[i];
        PyObject *one = q->failure.status ? failure_object(&q->failure) : told(q);
        if (q->failure.status) question_free(q);
        w->item[i] = NULL;
        if (!one || PyList_SetItem(list, i, one) < 0) Py_CLEAR(list);
    }
    return list;
}

static bool take_questions(work *w, PyObject *questions) {
    if (!PyList_Check(questions)) return raise_invalid("questions: a list is needed"), false;
    w->count = PyList_Size(questions);
    w->item = calloc((size_t)w->count + 1, sizeof *w->item);
    if (!w->item) return PyErr_NoMemory(), false;
    for (int64_t i = 0; i < w->count; i++)
        if (!(w->item[i] = question_new(w->kind, PyList_GetItem(questions, i), w->asked.flip_im))) return false;
    return true;
}

static void work_free(work *w) {
    for (int64_t i = 0; w->item && i < w->count; i++) question_free(w->item[i]);
    free(w->item);
    asked_free(&w->asked);
}

static const eis_kind *kind_from(PyObject *o) {
    const char *word;
    if (!text_from(o, "kind", &word)) return NULL;
    for (const eis_kind *k = eis_kinds; k->name; k++)
        if (!strcmp(k->name, word)) return k;
    return raise_invalid("there is no kind of question '%s'", word);
}

static METHOD(ask) {
    static const char *const rows[] = { "kind", "options", "questions", "flip_im", "predictor", "threads", NULL };
    PyObject *given[6], *list = NULL;
    int64_t   threads;
    work      w = { .count = 0 };
    (void)self;
    if (!arguments("ask", rows, 6, args, count, names, given) || !(w.kind = kind_from(given[0]))) return NULL;
    if (given[4] != Py_None && Py_TYPE(given[4]) != predictor_type)
        return raise_invalid("model: a path, or what load() returned, is needed");
    int flip = PyObject_IsTrue(given[3]);
    if (flip < 0 || !integer_from(given[5], "threads", &threads)) return NULL;
    w.asked.flip_im = flip, w.predictor = given[4] != Py_None ? (predictor_object *)given[4] : NULL;
    if (asked_from(given[1], w.kind, &w.asked) && take_questions(&w, given[2]) && answer_all(&w, threads))
        list = answer_list(&w);
    work_free(&w);
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

PyMethodDef eis_functions[] = { { "_eis_ask", FAST(ask), doc__eis_ask },
                                { "_eis_read", FAST(eis_read_file), doc__eis_read },
                                { "_eis_simulate", FAST(eis_simulate_points), doc__eis_simulate },
                                { "_eis_circuit", FAST(eis_circuit_points), doc__eis_circuit },
                                { "_eis_run", FAST(run_command), doc__eis_run },
                                { 0 } };
