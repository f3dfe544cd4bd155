/* The Python extension's own terms: objects, errors, calls, arrays. CPython's limited API of 3.11, so that one binary
 * serves
 * it and every later version.
 *
 * How a function of the library becomes one of Python's: tools/python_binding.py reads the headers and writes its
 * wrapper,
 * from the parts below; what it cannot say stands in graph.c, program.c and their like. python/README.md says how to
 * add
 * one.
 *
 * Threads: every graph has a lock, which a call takes (graph_enter) before it hands the graph's values to the library
 * and
 * gives back before it makes Python objects of what came out. Nobody waits for a lock with the GIL in hand. */
#ifndef TIDEMILL_PYTHON_BINDING_H
#define TIDEMILL_PYTHON_BINDING_H

#define PY_SSIZE_T_CLEAN
#include <Python.h>

#include <tidemill/frame.h>
#include <tidemill/tidemill.h>

#include "docs.h"  /* doc_Graph_run, ...: tools/python_binding.py */

/* ---- errors.c ------------------------------------------------------------------------------------------- */

/* tidemill.Error and its kinds: set once, when the module is loaded. */
typedef struct error_types { PyObject *error, *invalid, *data, *device; } error_types;
extern error_types errors;
bool errors_add(PyObject *module);

/* The exception that a failure of the library is, its text the library's message; names of options are spelled as
 * Python
 * spells them. ENOMEM: MemoryError. ESHAPE, ETYPE, EINVAL: InvalidError. EDATA: DataError, with row, column and file.
 * EDEVICE: DeviceError. EIO, ECANCELLED: Error. All but MemoryError have .status, as tide_status_name says it.
 * An exception that is set already (a callback's, Ctrl-C's) stays. Returns NULL. */
void *raise_failure(const tide_failure *failure);
/* `seq-len` in backticks is an option of the library's, which Python spells seq_len. */
void respell(char *text);
/* InvalidError with a text of ours. Returns NULL. The second: as PyUnicode_FromFormat has it. */
void *raise_invalid(const char *format, ...) TIDE_PRINTF(1, 2);
void *raise_invalid_of(const char *format, ...);
/* That the shape of `what` differs from what it should be. Returns NULL. */
void *raise_shape(const char *what, tide_shape should, tide_shape is);

/* ---- long_call.c ---------------------------------------------------------------------------------------- */

/* A call that takes long: without the GIL, which it takes back now and then to ask whether Ctrl-C was pressed.
 *     long_call c = long_call_begin();
 *     while (...) if (!long_call_go_on(&c)) break;     from a progress callback, or between steps
 *     if (!long_call_end(&c)) return NULL;             an exception is set
 * long_call_go_on asks at most ten times a second, costs two clock calls otherwise and may be called by any thread:
 * those
 * that did not begin the call learn what it has been told. */
typedef struct long_call {
    PyThreadState *state;
    unsigned long  thread;
    double         asked;    /* when, in seconds of a clock that only goes on */
    bool           stopped;  /* an exception is set */
} long_call;
long_call long_call_begin(void);
bool      long_call_go_on(long_call *c);
/* For a callback of the user's between: takes the GIL on the calling thread (that of long_call_begin), and gives it
 * back. */
void      long_call_hold(long_call *c);
void      long_call_release(long_call *c);
bool      long_call_end(long_call *c);

/* ---- graph.c -------------------------------------------------------------------------------------------- */

typedef struct graph_object {
    PyObject_HEAD
    tide_graph        *graph;
    PyThread_type_lock lock;
    unsigned long      owner;       /* the thread that holds the lock, `depth` times */
    int                depth;
    bool               computing;   /* the library runs or compiles its programs just now */
    bool               own_memory;  /* the device's values are not in the host's memory */
    PyObject          *inputs;      /* name -> Value, for feeds by name */
    PyObject          *kept;        /* what custom operations call */
    PyObject          *pending;     /* the exception of one that a run called; NULL: none */
} graph_object;

typedef struct value_object {
    PyObject_HEAD
    graph_object *graph;
    tide_val      value;
} value_object;

extern PyTypeObject *graph_type, *value_type, *program_type, *array_type, *snapshot_type, *block_type;

/* Takes the graph's lock; a thread may take it several times. False, with an exception: it is called from a custom
 * operation of a run of this very graph. */
bool graph_enter(graph_object *g);
void graph_leave(graph_object *g);
/* Whether building went well; else raises what failed, and the graph is as if that call had never been. The lock is
 * held. */
bool graph_good(graph_object *g);
/* The graph that runs on this thread and calls a user's function (NULL: none). Returns what it was before. */
const graph_object *graph_running(const graph_object *g);
/* Around what computes, with the lock held: without the GIL. False: an exception is set, a custom operation's or
 * Ctrl-C's. */
long_call graph_compute(graph_object *g);
bool      graph_computed(graph_object *g, long_call *c);
/* For deallocators: takes the lock, whatever exception is on its way. Not always: false. */
bool graph_enter_quietly(graph_object *g);

/* ---- value.c -------------------------------------------------------------------------------------------- */

PyObject *value_new(graph_object *g, tide_val v);                    /* NULL with an exception */
PyObject *values_new(graph_object *g, tide_list list);               /* a list of Values */
static inline bool is_value(PyObject *o) { return Py_TYPE(o) == value_type; }
static inline tide_val value_of(PyObject *o) { return ((value_object *)o)->value; }
/* What the library returned for a call on g, whose lock is given back. */
PyObject *value_result(graph_object *g, tide_val v);
/* A value out of `o`: a Value's own, a number (which takes its partner's type), or an array, as a constant. Lists of
 * numbers become `type`, if it is not NULL; arrays have their own. The lock is held. */
bool value_from(graph_object *g, const char *name, PyObject *o, const tide_dtype *type, tide_val *out);
/* The same for numbers of elements: rows, labels. Integers of any width become I32. */
bool index_from(graph_object *g, const char *name, PyObject *o, tide_val *out);
/* The value's elements, computed if need be: variables in place where the host has them, others copied. */
PyObject *value_array(value_object *v, bool now);

/* ---- dtype.c -------------------------------------------------------------------------------------------- */

/* "f32", "float32", numpy.float32, numpy.dtype("float32"), ... */
bool        dtype_from(PyObject *o, tide_dtype *out);
const char *dtype_format(tide_dtype type);             /* of struct; NULL: it has none (bf16) */
bool        dtype_of_format(const char *format, size_t size, tide_dtype *out);
PyObject   *element_get(tide_dtype type, const void *at);
/* Elements of one type as another; false where a number would not be what it was: floats as integers, out of range. */
bool elements_convert(tide_dtype from, const void *in, tide_dtype to, void *out, int64_t count);

/* ---- array.c -------------------------------------------------------------------------------------------- */

/* Elements in the host's memory: its own, or another object's. Exports the buffer protocol and DLPack. */
typedef struct array_object {
    PyObject_HEAD
    tide_dtype  type;
    tide_shape  shape;
    Py_ssize_t  sizes[TIDE_MAX_DIMS], strides[TIDE_MAX_DIMS];
    void       *data;
    PyObject   *owner;     /* of the memory; NULL: the array */
} array_object;
array_object *array_new(tide_dtype type, tide_shape shape);                                 /* not filled */
array_object *array_borrow(tide_dtype type, tide_shape shape, const void *data, PyObject *owner);  /* read only */
size_t        array_bytes(const array_object *a);
PyObject     *shape_object(tide_shape shape);                                               /* a tuple */
extern PyType_Spec array_spec;

/* An object's elements, row-major: borrowed where they are so, else copied. Of the buffer protocol, DLPack, numbers and
 * lists of them; `name` is what it is called in messages. Give it back with elements_free. */
typedef struct elements {
    tide_dtype  type;
    tide_shape  shape;
    const void *data;
    bool        typed;    /* false: Python's own numbers, which have no type of their own */
    Py_buffer   view;
    PyObject   *lender;   /* whose DLPack memory it is */
    void       *memory;   /* a copy */
} elements;
bool elements_from(PyObject *o, const char *name, elements *out);
/* Turns them into `type`: widening, narrowing among floats, integers to floats, and Python's own numbers to any that
 * holds
 * them. False, with an exception, where it would change what is said. */
bool elements_as(elements *e, const char *name, tide_dtype type);
void elements_free(elements *e);

/* ---- dlpack.c ------------------------------------------------------------------------------------------- */

PyObject *dlpack_export(array_object *a, PyObject *const *args, Py_ssize_t count, PyObject *names);
bool      dlpack_import(PyObject *o, const char *name, elements *out);  /* false without an exception: it has none */

/* ---- arguments.c ---------------------------------------------------------------------------------------- */

typedef enum arg_kind {
    ARG_GRAPH,          /* a Graph */
    ARG_VALUE,          /* a Value, number or array */
    ARG_VALUE_OR_NONE,
    ARG_INDEX,          /* a Value, or integers, which become I32 */
    ARG_INDEX_OR_NONE,
    ARG_VALUES,         /* a sequence of Values */
    ARG_INT,
    ARG_SMALL,          /* within C's int: an axis */
    ARG_END,            /* an integer; None: to the end */
    ARG_REAL,
    ARG_REAL_NOT_0,     /* where the library takes 0 for its default */
    ARG_INT_NOT_0,
    ARG_BOOL,
    ARG_TEXT,
    ARG_TEXT_OR_NONE,
    ARG_TEXTS,          /* four names */
    ARG_DTYPE,
    ARG_SHAPE,
    ARG_AXES,           /* an integer, several, or None: all */
    ARG_ORDER,          /* as many integers as the first value has axes */
    ARG_SIZES,          /* any number of integers */
    ARG_WORD,           /* one of the row's words */
} arg_kind;

typedef struct arg {
    const char        *name;
    arg_kind           kind;
    bool               optional;
    double             fallback;  /* of numbers, types and words, where it is not given */
    const char *const *words;     /* of ARG_WORD, ending with NULL */
} arg;

typedef union slot {
    tide_val      value;
    tide_list     list;
    int64_t       integer;
    double        real;
    bool          truth;
    const char   *text, *texts[4];
    tide_dtype    type;
    tide_shape    shape;
    tide_axes     axes;
    struct { int64_t *items, count; } sizes;
    int           order[TIDE_MAX_DIMS];
} slot;

enum { MOST_ARGS = 16, MOST_SCRATCH = 8 };
typedef struct call {
    const char   *name;
    graph_object *graph;                /* entered, when call_begin returned true */
    void         *scratch[MOST_SCRATCH];
    int           n_scratch;
    slot          given[MOST_ARGS];     /* by row */
} call;

/* Python's arguments by the rows: `first` (NULL: none) stands before args, as METH_FASTCALL | METH_KEYWORDS has them.
 * True:
 * all are in c->given, and the graph of the values among them, or `graph`, is entered. False: an exception is set. */
bool call_begin(call *c, const char *name, const arg *rows, int n_rows, graph_object *graph, PyObject *first,
                PyObject *const *args, Py_ssize_t count, PyObject *names);
/* Leaves the graph and makes of what came out a Value, a list of Values, a tuple of them, or None. */
PyObject *call_value(call *c, tide_val v);
PyObject *call_values(call *c, tide_list list);
PyObject *call_tuple(call *c, const tide_val *values, int count);
PyObject *call_none(call *c);
/* Leaves the graph. False: the call failed, and an exception is set. */
bool      call_end(call *c);
/* A keyword's arguments that are no rows of a generated call: "O" objects by name, NULL where not given. */
bool arguments(const char *name, const char *const *rows, int required, PyObject *const *args, Py_ssize_t count,
               PyObject *names, PyObject **out);
bool axes_from(PyObject *o, const char *name, tide_axes *out);
bool shape_from(PyObject *o, const char *name, tide_shape *out);
bool integer_from(PyObject *o, const char *name, int64_t *out);
bool text_from(PyObject *o, const char *name, const char **out);  /* lives as long as o */
/* The word's place among words. */
bool word_from(PyObject *o, const char *name, const char *const *words, int64_t *out);
/* Values out of a sequence; free(list.items) with PyMem_Free. *graph: NULL, or whose they must be; gets theirs. */
bool values_from(PyObject *o, const char *name, graph_object **graph, tide_list *out);

/* ---- record.c ------------------------------------------------------------------------------------------- */

/* A struct of the library that is a type of Python's: Linear, GradScaler, ... */
typedef PyObject *(*fast_call)(PyObject *self, PyObject *const *args, Py_ssize_t count, PyObject *names);
typedef struct record_type {
    PyType_Spec   *spec;
    size_t         bytes;   /* of the struct */
    fast_call      make, call;
    PyTypeObject  *type;
} record_type;
typedef struct record_object {
    PyObject_HEAD
    graph_object *graph;
    _Alignas(16) char bytes[];
} record_object;
enum { FIELD_VALUE, FIELD_VALUES, FIELD_INT, FIELD_REAL, FIELD_BOOL, FIELD_RECORD };
typedef struct record_field { int kind; size_t offset; record_type *record; } record_field;

PyObject *call_record(call *c, record_type *type, const void *bytes);
PyObject *record_get(PyObject *self, void *field);            /* a getter, closure a record_field */
PyObject *record_make(PyTypeObject *type, PyObject *args, PyObject *named);   /* tp_new */
PyObject *record_call(PyObject *self, PyObject *args, PyObject *named);       /* tp_call */
PyObject *record_repr(PyObject *self);
int       record_traverse(PyObject *self, visitproc visit, void *arg);
void      record_dealloc(PyObject *self);
static inline void *record_bytes(PyObject *self) { return ((record_object *)self)->bytes; }

/* ---- frame.c, forecast.c -------------------------------------------------------------------------------- */

typedef struct frame_object { PyObject_HEAD tide_frame *frame; } frame_object;
extern PyTypeObject *frame_type, *model_type;
PyObject         *frame_new(tide_frame *f);  /* takes it over, also when it fails */
const tide_frame *frame_from(PyObject *o, const char *name);

/* ---- generated.c, by tools/python_binding.py ------------------------------------------------------------ */

extern PyMethodDef  generated_functions[], generated_graph_methods[], generated_value_methods[];
extern record_type  generated_records[];
extern const int    generated_record_count;

/* ---- the types and what no table says of them ----------------------------------------------------------- */

extern PyType_Spec graph_spec, value_spec, program_spec, snapshot_spec, block_spec, frame_spec, model_spec;
extern PyMethodDef graph_own_methods[], value_own_methods[], own_functions[], frame_functions[],
                   forecast_functions[];
#define METHOD(name) PyObject *name(PyObject *self, PyObject *const *args, Py_ssize_t count, PyObject *names)
METHOD(graph_compile);
METHOD(graph_custom);
METHOD(graph_snapshot);
METHOD(graph_state_dict);
METHOD(graph_load_state_dict);
METHOD(graph_save);
METHOD(graph_load);
PyObject *graph_scope(PyObject *self, PyObject *name);
PyObject *graph_recompute(PyObject *self, PyObject *none);
PyObject *value_index(PyObject *self, PyObject *key);
#define FAST(function) (PyCFunction)(void (*)(void))function, METH_FASTCALL | METH_KEYWORDS

#endif
