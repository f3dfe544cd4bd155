/* A trained predictor as a handle. */
#include <stdlib.h>
#include <tidemill/io.h>

#include "eis/circuit/parameters.h"
#include "eis/options/arguments.h"
#include "eis/options/wanted_precision.h"
#include "model.h"
#include "solve.h"

static tide_status no_memory(tide_failure *failure) {
    return fail(failure, TIDE_ENOMEM, "out of memory for the model");
}

static predictor_settings settings_of(const eis_options *o) {
    return (predictor_settings){ .device = o->device, .threads = (int)o->threads, .precision = wanted_precision(o),
                                 .strict = o->strict, .mode = wanted_mode(o) };
}

/* Options, and the handle to fill. Without options the defaults are made: free(*made). */
static tide_status begin(const eis_options **options, eis_options **made, eis_model **out, tide_failure *failure) {
    *made = NULL;
    if (!out) return fail(failure, TIDE_EINVAL, "there is no place for the model");
    *out = NULL;
    if (*options) {
        tide_status status = options_good(*options, failure);
        if (status != TIDE_OK) return status;
    } else if ((*made = malloc(sizeof **made))) eis_options_default(*made), *options = *made;
    else return no_memory(failure);
    *out = calloc(1, sizeof **out);
    return *out ? TIDE_OK : no_memory(failure);
}

static tide_status end(tide_status status, eis_options *made, eis_model **out) {
    free(made);
    if (status == TIDE_OK || !out) return status;
    eis_model_free(*out);
    *out = NULL;
    return status;
}

tide_status eis_model_load(const char *run, const eis_options *options, eis_model **out, tide_failure *failure) {
    failure_clear(failure);
    eis_options *made;
    tide_failure own = { 0 }, *f = failure ? failure : &own;
    tide_status  status = run && *run ? TIDE_OK : fail(f, TIDE_EINVAL, "there is no path of a run");
    if (out) *out = NULL;
    if (status != TIDE_OK) return status;
    status = begin(&options, &made, out, f);
    if (status == TIDE_OK) {
        predictor_settings with = settings_of(options);
        eis_model         *m    = *out;
        snprintf(m->name, sizeof m->name, "%s", run);
        status = known_model_is(run) ? known_model_load(run, options->device, &m->known, f)
                                     : predictor_open(run, &with, &m->predictor, f);
    }
    return end(status, made, out);
}

/* ---- of the recipe cell ---- */

static tide_status refuse_cells(const eis_options *o, const equivalent *circuit, tide_failure *failure) {
    if (known_model_is(o->model))
        return fail_at(failure, TIDE_EINVAL, o->model, 0, "model",
                       "%s takes no spectrum: fits begin, and `screen` answers, by a predictor that was trained with "
                       "`recipe` cell",
                       o->model);
    if (!circuit || fit_guess_goes(circuit)) return TIDE_OK;
    return fail_at(failure, TIDE_EINVAL, NULL, 0, "model",
                   "`model` starts fits of R, C or CPE, L and at most two arcs in series, perhaps with an R across "
                   "both arcs: epithelial, epithelial-cpe, membranes, arcs, barrier, or auto. This circuit has other "
                   "parts: leave `model` out");
}

tide_status model_of_cells(const eis_options *o, const equivalent *circuit, arcs_predictor **out,
                           tide_failure *failure) {
    predictor_settings with = settings_of(o);
    *out = NULL;
    if (!*o->model) return TIDE_OK;
    tide_status status = refuse_cells(o, circuit, failure);
    if (status != TIDE_OK) return status;
    return arcs_predictor_open(o->model, &with, o->threads ? (int)o->threads : os_cores(), out, failure);
}

/* ---- memory ---- */

static tide_status take(eis_model *m, const tide_archive *a, const eis_options *o, tide_failure *failure) {
    predictor_settings with = settings_of(o);
    snprintf(m->name, sizeof m->name, "the model");
    if (tide_archive_metadata(a, "kind")) return predictor_take(m->name, a, &with, &m->predictor, failure);
    return known_model_take(m->name, a, o->device, &m->known, failure);
}

tide_status model_take(const tide_archive *a, const eis_options *options, eis_model **out, tide_failure *failure) {
    eis_options *made;
    tide_status  status = begin(&options, &made, out, failure);
    if (status == TIDE_OK) status = take(*out, a, options, failure);
    return end(status, made, out);
}

tide_status eis_model_load_memory(const void *bytes, size_t size, const eis_options *options, eis_model **out,
                                  tide_failure *failure) {
    failure_clear(failure);
    tide_archive a = { 0 };
    tide_failure own = { 0 }, *f = failure ? failure : &own;
    if (!out) return fail(f, TIDE_EINVAL, "there is no place for the model");
    *out = NULL;
    tide_status status = tide_safetensors_read_memory(bytes, size, &a, f);
    if (status == TIDE_OK) status = model_take(&a, options, out, f);
    tide_archive_free(&a);
    return status;
}

tide_status eis_model_clone(const eis_model *m, eis_model **out, tide_failure *failure) {
    failure_clear(failure);
    if (!out) return fail(failure, TIDE_EINVAL, "there is no place for the model");
    *out = NULL;
    if (!m) return fail(failure, TIDE_EINVAL, "there is no model");
    eis_model *c = calloc(1, sizeof *c);
    if (!c) return no_memory(failure);
    snprintf(c->name, sizeof c->name, "%s", m->name);
    tide_status status = m->predictor ? predictor_clone(m->predictor, &c->predictor, failure)
                                      : known_model_clone(&m->known, &c->known, failure);
    if (status == TIDE_OK) *out = c;
    else eis_model_free(c);
    return status;
}

tide_status eis_model_save_memory(const eis_model *m, void **bytes, size_t *size, tide_failure *failure) {
    failure_clear(failure);
    if (!m) return fail(failure, TIDE_EINVAL, "there is no model");
    return m->predictor ? predictor_write_memory(m->predictor, bytes, size, failure)
                        : known_model_write_memory(&m->known, bytes, size, failure);
}

void eis_model_free(eis_model *m) {
    if (!m) return;
    predictor_free(m->predictor);
    known_model_free(&m->known);
    free(m);
}

bool eis_model_takes_spectrum(const eis_model *m) { return m && m->predictor; }

static tide_status solve_next(eis_model *m, const eis_options *o, int64_t i, int64_t count,
                              const eis_spectrum *spectrum,
                              const eis_known *known, const asked *told, eis_answer *out, tide_failure *failure) {
    asked       a      = { 0 };
    tide_status status = spectrum ? spectrum_check(spectrum, failure) : TIDE_OK;
    if (status == TIDE_OK) status = ask(o, spectrum != NULL, known, m, told->listener, told->user, &a, failure);
    if (status == TIDE_OK && a.question.method != EIS_NETWORK)
        status = fail_at(failure, TIDE_EINVAL, NULL, 0, "method", "a model answers with the method network or auto");
    a.number = i + 1, a.count = count;
    if (status == TIDE_OK) status = solve(&a, spectrum, out, failure);
    asked_done(&a);
    return status;
}

tide_status eis_model_solve(eis_model *m, const eis_options *options, int64_t count, const eis_spectrum *spectrum,
                            const eis_known *known, eis_listener listener, void *user, eis_answer *answers,
                            tide_failure *failure) {
    failure_clear(failure);
    tide_failure own = { 0 }, *f = failure ? failure : &own;
    asked        told = { .listener = listener, .user = user };
    int64_t      done = 0;
    if (!m || count < 0 || (count && !answers))
        return fail(f, TIDE_EINVAL, "there is no %s", m ? "place for the answers" : "model");
    tide_status status = options_good(options, f);
    if (status == TIDE_OK && count && m->predictor && !spectrum)
        status = fail(f, TIDE_EINVAL, "there are no spectra, and the model was trained on them");
    for (int64_t i = 0; i < count; i++) answers[i] = (eis_answer){ 0 };
    for (; status == TIDE_OK && done < count; done++) {
        status = solve_next(m, options, done, count, spectrum ? &spectrum[done] : NULL, known ? &known[done] : NULL,
                            &told, &answers[done], f);
        if (status != TIDE_OK && !f->row) f->row = done + 1;
    }
    for (int64_t i = 0; status != TIDE_OK && i < done; i++) eis_answer_free(&answers[i]);
    return status;
}
