/* Impedance: what its files share. What a spectrum of Python's is, how questions are answered side by side, and what an
 * answer becomes. tidemill/eis.py makes its classes of them. */
#ifndef TIDEMILL_PYTHON_EIS_H
#define TIDEMILL_PYTHON_EIS_H

#include <tidemill/eis.h>

#include "binding.h"

/* ---- eis_spectrum.c ------------------------------------------------------------------------------------- */

/* A spectrum with what lends or owns its numbers; spectrum_held_free. */
typedef struct spectrum_held {
    eis_spectrum spectrum;
    elements     freq, line;
    eis_z       *z, *sigma;
    PyObject    *name;
} spectrum_held;
/* Out of a tuple (freq, z, sigma or None, name, area_cm2, line or None): real numbers, complex ones, complex or real
 * ones (the same for both parts), text, a number, whole numbers. `flip`: z is the complex conjugate, which is turned;
 * `out` is zeroed before. False: an exception is set, and *out is still to be freed. Whether the numbers can be used is
 * the library's to say. */
bool spectrum_held_from(PyObject *tuple, bool flip, spectrum_held *out);
void spectrum_held_free(spectrum_held *s);
/* Complex numbers as Python's own: a list. */
PyObject *complex_list(int64_t count, const eis_z *z);
/* Frequencies, or other numbers along one axis; elements_free, also when it fails. */
bool numbers_from(PyObject *o, const char *name, elements *out);

/* ---- eis_fields.c --------------------------------------------------------------------------------------- */

/* Structs of the library as dictionaries, by a table of their fields. */
typedef enum field_kind { FIELD_DOUBLE, FIELD_INT64, FIELD_TRUTH, FIELD_TEXT, FIELD_WORD } field_kind;
typedef struct field {
    const char        *name;
    field_kind         kind;
    size_t             at;
    const char *const *words;  /* FIELD_WORD: of an enum's values; NULL: a noise's source */
} field;
enum { MOST_FIELDS = 40 };
#define DOUBLE_AT(S, name) { #name, FIELD_DOUBLE, offsetof(S, name), NULL }
#define INT64_AT(S, name) { #name, FIELD_INT64, offsetof(S, name), NULL }
#define TRUTH_AT(S, name) { #name, FIELD_TRUTH, offsetof(S, name), NULL }
#define TEXT_AT(S, name) { #name, FIELD_TEXT, offsetof(S, name), NULL }
#define WORD_AT(S, name, words) { #name, FIELD_WORD, offsetof(S, name), words }

/* Adds the fields of a struct to a dictionary, up to a row without a name; false with an exception. */
bool put_fields(PyObject *d, const field *rows, const void *record);
/* A tuple of dictionaries, of `count` structs of `size` bytes. NULL with an exception, as all below. */
PyObject *records(const field *rows, int64_t count, size_t size, const void *array);
/* Takes the value; false, with an exception, where there is none. */
bool      put(PyObject *d, const char *key, PyObject *value);
PyObject *text_or_none(const char *text);
PyObject *owned_text(char *text);                                      /* frees it; NULL is out of memory */
PyObject *texts(int64_t count, const char *const *text);               /* a tuple */
PyObject *array_of(int64_t count, const double *v);                    /* None for NULL */
PyObject *integers_of(int64_t count, const int64_t *v);
PyObject *matrix_of(int64_t rows, int64_t columns, const double *v);
PyObject *complex_tuple(int64_t count, const eis_z *z);
extern const char *const verdict_words[];                              /* by eis_verdict */

/* ---- eis_kinds.c ---------------------------------------------------------------------------------------- */

typedef struct eis_kind eis_kind;

/* What is asked of one spectrum, or of several together, and the answer; question_free. */
typedef struct question {
    const eis_kind *kind;
    spectrum_held  *held;
    eis_spectrum   *spectrum;  /* (spectra) views of them */
    int64_t         spectra;   /* 0: known values alone are asked about */
    union {
        eis_answer      completed;
        eis_checked     checked;
        eis_fitted      fitted;
        eis_relaxations relaxations;
    } answer;
    tide_failure failure;      /* status TIDE_OK: there is an answer */
} question;

/* Options of any kind: the one that is not asked for is NULL. */
typedef struct asked {
    eis_options     *options;
    eis_fit_options *fit;
    bool             flip_im;
} asked;

/* A kind of question. */
struct eis_kind {
    const char *name;
    unsigned    command;       /* whose options it takes; EIS_FOR_FIT: those of fits */
    tide_status (*answer)(const asked *a, eis_model *model, question *q, eis_listener listener, void *user);
    bool        (*tell)(PyObject *d, const question *q);  /* puts all that the answer holds into a dictionary */
    tide_status (*draw)(const question *q, char **svg, tide_failure *failure);
    void        (*free)(question *q);                     /* the answer */
};
extern const eis_kind eis_kinds[];                /* up to one without a name */
/* Out of a list of tuples (spectrum_held_from); NULL with an exception. */
question *question_new(const eis_kind *kind, PyObject *spectra, bool flip);
void      question_free(question *q);             /* NULL is fine; with the GIL */
/* Options by name; false with an exception, and asked_free. */
bool asked_from(PyObject *dictionary, const eis_kind *kind, asked *out);
void asked_free(asked *a);

/* ---- eis_answer.c, eis_told.c --------------------------------------------------------------------------- */

/* All that the structs hold, with their JSON and text; words are those of the options. */
bool tell_completed(PyObject *d, const eis_answer *a);
bool tell_checked(PyObject *d, const eis_checked *c);
bool tell_fitted(PyObject *d, const eis_fitted *f);
bool tell_relaxations(PyObject *d, const eis_relaxations *r);

/* ---- eis_picture.c -------------------------------------------------------------------------------------- */

extern PyTypeObject *picture_type;
extern PyType_Spec   picture_spec;
/* What an answer's picture is drawn from, when it is asked for: takes the question over, also when it fails. */
PyObject *picture_new(question *q);

/* ---- eis_predictor.c ------------------------------------------------------------------------------------ */

extern PyTypeObject *predictor_type;
extern PyType_Spec   predictor_spec;
typedef struct predictor_object predictor_object;
/* A handle of the model that nobody else uses until it is given back: NULL with the reason. By any thread, without the
 * GIL. */
eis_model *handle_take(predictor_object *p, tide_failure *failure);
void       handle_give(predictor_object *p, eis_model *m);

/* ---- eis.c, eis_data.c ---------------------------------------------------------------------------------- */

/* Options of a command (EIS_FOR_...) by name, as Python's values; eis_options_free. NULL with an exception. */
eis_options *eis_options_from(PyObject *dictionary, unsigned command);
/* The same into a struct of any table; flags 0: all rows. */
bool options_put(const tide_option_table *t, void *options, PyObject *dictionary, unsigned flags);
extern PyMethodDef eis_functions[];
METHOD(eis_read_file);
METHOD(eis_simulate_points);
METHOD(eis_circuit_points);

#endif
