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
    elements     freq;
    eis_z       *z, *sigma;
    PyObject    *name;
} spectrum_held;
/* Out of a tuple (freq, z, sigma or None, name, area_cm2): real numbers, complex ones, complex or real ones (the same
 * for both parts). `flip`: z is the complex conjugate, which is turned; `out` is zeroed before. False: an exception is
 * set, and *out is still to be freed. Whether the numbers can be used is the library's to say. */
bool spectrum_held_from(PyObject *tuple, bool flip, spectrum_held *out);
void spectrum_held_free(spectrum_held *s);
/* Complex numbers as Python's own: a list. */
PyObject *complex_list(int64_t count, const eis_z *z);

/* ---- eis_answer.c --------------------------------------------------------------------------------------- */

/* A dictionary of all that the struct holds; words are those of the options. NULL with an exception. */
PyObject *answer_object(const eis_answer *a);

/* ---- eis_predictor.c ------------------------------------------------------------------------------------ */

extern PyTypeObject *predictor_type;
extern PyType_Spec   predictor_spec;
typedef struct predictor_object predictor_object;
/* A handle of the model that nobody else uses until it is given back: NULL with the reason. By any thread, without the
 * GIL. */
eis_model *handle_take(predictor_object *p, tide_failure *failure);
void       handle_give(predictor_object *p, eis_model *m);

/* ---- eis.c ---------------------------------------------------------------------------------------------- */

/* Options of a command (EIS_FOR_...) by name, as Python's values; eis_options_free. NULL with an exception. */
eis_options *eis_options_from(PyObject *dictionary, unsigned command);
extern PyMethodDef eis_functions[];

#endif
