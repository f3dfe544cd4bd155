/* tidemill eis fit, below the command line: files to fits, fits to files. */
#include <errno.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include <tidemill/io.h>

#include "base/json.h"
#include "eis/fit/fitted.h"
#include "eis/options/arguments.h"
#include "eis/options/tell.h"
#include "base/base.h"
#include "eis/read/measured.h"
#include "train/run.h"

typedef struct session {
    const eis_options *options;
    const eis_fit_options *fit;
    equivalent circuit;
    eis_listener listener;
    void *user;
    json_t *fits;
    text talk, table;
    measured measured;
    int64_t failed;
    tide_failure first; /* why, the first of them */
} session;

static tide_status out_of_memory(tide_failure *failure) {
    return fail(failure, TIDE_ENOMEM, "out of memory for the fits");
}

/* ---- one file ---- */

static tide_status warn(const session *s, const char *message, tide_failure *failure) {
    return eis_tell(s->listener, s->user, EIS_WARNING, message) ? fail(failure, TIDE_ECANCELLED, "stopped") : TIDE_OK;
}

static tide_status tell_warnings(const session *s, const eis_fitted *f, tide_failure *failure) {
    tide_status status = TIDE_OK;
    for (int64_t i = 0; status == TIDE_OK && i < f->warnings; i++) {
        text line = { 0 };
        text_add(&line, "%s: %s", f->name, f->warning[i]);
        status = line.failed ? out_of_memory(failure) : warn(s, line.data, failure);
        text_free(&line);
    }
    return status;
}

static tide_status put_fit(session *s, const eis_fitted *f, tide_failure *failure) {
    json_t *one = fitted_json(f);
    if (!one || json_array_append_new(s->fits, one)) return out_of_memory(failure);
    if (s->talk.length) text_add(&s->talk, "\n");
    fitted_text(f, &s->talk);
    fitted_rows(f, &s->table);
    return tell_warnings(s, f, failure);
}

static tide_status fit_spectrum(session *s, const eis_spectrum *spectrum, tide_failure *failure) {
    eis_fitted fitted = { 0 };
    const equivalent *circuit = fit_is_auto(s->fit) ? NULL : &s->circuit;
    tide_status status = fit_measured(circuit, s->fit, spectrum, s->listener, s->user, &fitted, failure);
    if (status == TIDE_OK) status = put_fit(s, &fitted, failure);
    eis_fitted_free(&fitted);
    return status;
}

/* The reason takes the place of the fit. */
static tide_status put_reason(session *s, const char *path, const tide_failure *why, tide_failure *failure) {
    json_t *one = json_pack("{s:o, s:{s:s, s:o, s:I}}", "spectrum", json_text(path), "error", "code", "bad_input",
                            "message", json_text(why->message), "row", (json_int_t)why->row);
    if (!one || json_array_append_new(s->fits, one)) return out_of_memory(failure);
    if (s->failed++ == 0) s->first = *why;
    text_add(&s->talk, "%sNO FIT: %s\n", s->talk.length ? "\n" : "", why->message);
    return warn(s, why->message, failure);
}

/* What is wrong with a file is no matter of the others. */
static tide_status fit_item(session *s, const measured_item *item, tide_failure *failure) {
    tide_failure why = item->why;
    tide_status status = item->spectrum ? fit_spectrum(s, item->spectrum, &why) : why.status;
    const char *name = item->spectrum ? item->spectrum->name : item->path;
    if (s->measured.count > 1 && status == TIDE_EDATA) return put_reason(s, name, &why, failure);
    if (status != TIDE_OK) *failure = why;
    return status;
}

static tide_status fit_all(session *s, tide_failure *failure) {
    tide_status status = measured_read(s->options, s->listener, s->user, &s->measured, failure);
    for (int64_t i = 0; status == TIDE_OK && *s->options->out && i < s->measured.files; i++)
        status = owned_refuse_input(s->options->out, s->measured.path[i], failure);
    for (int64_t i = 0; status == TIDE_OK && i < s->measured.count; i++)
        status = fit_item(s, &s->measured.item[i], failure);
    return status;
}

/* ---- the folder ---- */

static tide_status make_folder(const char *path, tide_failure *failure) {
    static const char *const files[] = { "fit.json", "fit.csv", NULL };
    if (mkdir(path, 0777) == 0 || errno == EEXIST) return owned_check(path, files, failure);
    return fail_at(failure, TIDE_EIO, path, 0, "out", "cannot make the folder %s: %s", path, strerror(errno));
}

static tide_status write_string(void *user, void *stdio_file) {
    return fputs(user, stdio_file) >= 0 ? TIDE_OK : TIDE_EIO;
}

static tide_status write_file(const char *folder, const char *name, char *string, tide_failure *failure) {
    char path[EIS_TEXT_SIZE + 64];
    tide_status status = owned_claim_file(folder, name, path, failure);
    return status == TIDE_OK ? tide_file_replace(path, write_string, string, failure) : status;
}

static char *whole_json(const session *s) {
    json_t *o = s->measured.count == 1 ? json_incref(json_array_get(s->fits, 0)) : json_pack("{s:O}", "fits", s->fits);
    o = json_with(o, "schema_version", json_integer(1));
    o = json_with(o, "command", json_string("eis fit"));
    char *all = json_whole(o, JSON_INDENT(2) | JSON_REAL_PRECISION(10));
    json_decref(o);
    return all;
}

static tide_status finish(session *s, eis_result *r, tide_failure *failure) {
    const char *out = s->options->out;
    r->json = whole_json(s);
    if (!r->json || s->talk.failed || s->table.failed) return out_of_memory(failure);
    r->text = strdup(s->talk.data);
    if (s->measured.count > 1) r->csv = strdup(s->table.data);
    if (!r->text || (s->measured.count > 1 && !r->csv)) return out_of_memory(failure);
    tide_status status = *out ? write_file(out, "fit.json", r->json, failure) : TIDE_OK;
    return status == TIDE_OK && *out ? write_file(out, "fit.csv", s->table.data, failure) : status;
}

/* ---- all ---- */

static tide_status begin(session *s, tide_failure *failure) {
    if (!s->fits) return out_of_memory(failure);
    tide_status status = fit_is_auto(s->fit) ? TIDE_OK : fit_circuit(s->fit, &s->circuit, failure);
    if (status == TIDE_OK && !*s->options->spectra)
        status = fail_at(failure, TIDE_EINVAL, NULL, 0, "spectrum", "there is no `spectrum` to fit");
    return status == TIDE_OK && *s->options->out ? make_folder(s->options->out, failure) : status;
}

tide_status eis_fit(const eis_options *options, const eis_fit_options *fit, eis_listener listener, void *user,
                    eis_result *result, tide_failure *failure) {
    failure_clear(failure);
    tide_failure own = { 0 }, *f = failure ? failure : &own;
    if (arguments_good(options, result, f) != TIDE_OK) return TIDE_EINVAL;
    if (tide_options_check(eis_fit_table(), fit, f) != TIDE_OK) return TIDE_EINVAL;
    session s = { .options = options, .fit = fit, .listener = listener, .user = user, .fits = json_array() };
    fitted_row_header(&s.table);
    tide_status status = begin(&s, f);
    if (status == TIDE_OK) status = fit_all(&s, f);
    if (status == TIDE_OK) status = finish(&s, result, f);
    if (*options->out) owned_release(options->out);
    bool partly = status == TIDE_OK && s.failed;
    if (partly)
        status = fail_at(f, TIDE_EDATA, s.first.file, s.first.row, s.first.column,
                         "%lld of %lld spectra have no fit; the first of them: %s", (long long)s.failed,
                         (long long)s.measured.count, s.first.message);
    json_decref(s.fits);
    measured_free(&s.measured);
    text_free(&s.talk), text_free(&s.table);
    if (status != TIDE_OK && !partly) eis_result_free(result);
    return status;
}
