/* tidemill eis fit, below the command line: files to fits, fits to files. */
#include <errno.h>
#include <inttypes.h>
#include <jansson.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include <tidemill/io.h>

#include "base/json.h"
#include "base/parallel.h"
#include "eis/fit/fitted.h"
#include "eis/fit/posterior.h"
#include "eis/options/arguments.h"
#include "eis/options/decimal.h"
#include "eis/options/tell.h"
#include "base/base.h"
#include "eis/read/measured.h"
#include "eis/training/plot_told.h"
#include "model.h"
#include "train/run.h"

enum { GROUP = 256 }; /* spectra that are fitted before they are told */
static const double told_every = 0.2; /* seconds */

typedef struct fit_item {
    eis_fitted fitted;
    tide_status status;
    tide_failure why;
} fit_item;

typedef struct session {
    const eis_options *options;
    const eis_fit_options *fit;
    equivalent circuit;
    blank blank;
    arcs_predictor *model; /* NULL: none */
    eis_listener listener;
    void *user;
    json_t *fits;
    text talk, table;
    plot_watch *watch;
    measured measured;
    int64_t failed;
    tide_failure first; /* why, the first of them */
    fit_item *item; /* of the group that begins at `from` */
    int64_t from;
    atomic_bool stopped;
    atomic_llong done;
    double told; /* os_seconds() of the last progress */
} session;

static tide_status out_of_memory(tide_failure *failure) {
    return fail(failure, TIDE_ENOMEM, "out of memory for the fits");
}

/* ---- files ---- */

static tide_status write_string(void *user, void *stdio_file) {
    return fputs(user, stdio_file) >= 0 ? TIDE_OK : TIDE_EIO;
}

static tide_status write_file(const char *folder, const char *name, char *string, tide_failure *failure) {
    char path[EIS_TEXT_SIZE + 64];
    tide_status status = owned_claim_file(folder, name, path, failure);
    return status == TIDE_OK ? tide_file_replace(path, write_string, string, failure) : status;
}

/* ---- one spectrum ---- */

static tide_status warn(const session *s, const char *message, tide_failure *failure) {
    return eis_tell(s->listener, s->user, EIS_WARNING, message) ? fail(failure, TIDE_ECANCELLED, "stopped") : TIDE_OK;
}

static tide_status tell_warnings(const session *s, const eis_fitted *f, tide_failure *failure) {
    tide_status status = TIDE_OK;
    for (int64_t i = 0; status == TIDE_OK && i < f->warnings; i++) {
        text line = { 0 };
        text_add(&line, "%s%s%s", f->spectra ? "" : f->name, f->spectra ? "" : ": ", f->warning[i]);
        status = line.failed ? out_of_memory(failure) : warn(s, line.data, failure);
        text_free(&line);
    }
    return status;
}

/* `number`: of one of several; a fit of several spectra numbers them itself. */
static tide_status draw_fit(const session *s, const eis_spectrum *of, const eis_fitted *f, int64_t number,
                            tide_failure *failure) {
    char prefix[PLOT_PREFIX];
    if (!*s->options->out || !s->options->plots) return TIDE_OK;
    plot_place to = { s->options->out, plot_prefix(f->spectra ? 1 : s->measured.count, number, prefix), s->watch };
    return fitted_plots(f, of, &to, failure);
}

static tide_status put_fit(session *s, const eis_fitted *f, tide_failure *failure) {
    json_t *one = fitted_json(f);
    if (!one || json_array_append_new(s->fits, one)) return out_of_memory(failure);
    if (s->talk.length) text_add(&s->talk, "\n");
    fitted_text(f, &s->talk);
    fitted_rows(f, &s->table);
    return tell_warnings(s, f, failure);
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

/* posterior.csv, or, of several spectra, 001_posterior.csv and so on. */
static tide_status write_draws(const session *s, int64_t number, const eis_fitted *f, tide_failure *failure) {
    char name[48] = "posterior.csv";
    text draws = { 0 };
    if (!*s->options->out || !f->posterior) return TIDE_OK;
    if (s->measured.count > 1) snprintf(name, sizeof name, "%03" PRId64 "_posterior.csv", number + 1);
    posterior_table(f->posterior, &draws);
    decimal_table(s->options->decimal, &draws);
    tide_status status = draws.failed ? out_of_memory(failure)
                                      : write_file(s->options->out, name, draws.data, failure);
    text_free(&draws);
    return status;
}

/* What is wrong with a file is no matter of the others. */
static tide_status put_item(session *s, int64_t number, const fit_item *item, tide_failure *failure) {
    const measured_item *of = &s->measured.item[number];
    const char *name = of->spectrum ? of->spectrum->name : of->path;
    if (item->status == TIDE_OK) {
        tide_status status = put_fit(s, &item->fitted, failure);
        if (status == TIDE_OK) status = draw_fit(s, of->spectrum, &item->fitted, number, failure);
        return status == TIDE_OK ? write_draws(s, number, &item->fitted, failure) : status;
    }
    if (s->measured.count > 1 && item->status == TIDE_EDATA) return put_reason(s, name, &item->why, failure);
    *failure = item->why;
    return item->status;
}

/* ---- all files ---- */

typedef struct worker {
    session *s;
    bool calls; /* the thread that called: only this one asks the listener */
} worker;

static int relay(void *user, const eis_event *event) {
    const worker *w = user;
    session *s = w->s;
    if (w->calls && s->listener && s->listener(s->user, event) != 0) atomic_store(&s->stopped, true);
    return atomic_load(&s->stopped);
}

static void tell_progress(worker *w) {
    session *s = w->s;
    long long done = atomic_fetch_add(&s->done, 1) + 1;
    char line[64];
    if (!w->calls || s->measured.count == 1 || os_seconds() - s->told < told_every) return;
    s->told = os_seconds();
    snprintf(line, sizeof line, "%lld of %" PRId64 " spectra fitted", done, s->measured.count);
    eis_event event = eis_event_of(EIS_PROGRESS, line);
    event.done = done, event.total = s->measured.count;
    relay(w, &event);
}

static eis_spectrum spectrum_of(const session *s, int64_t i) {
    eis_spectrum spectrum = *s->measured.item[i].spectrum;
    if (s->options->area_cm2 > 0) spectrum.area_cm2 = s->options->area_cm2;
    return spectrum;
}

static tide_status fit_spectrum(session *s, const eis_spectrum *spectrum, worker *w, int thread, fit_item *item) {
    fit_guessed guessed;
    tide_status status = arcs_predict_starts(s->model, thread, spectrum, &guessed, &item->why);
    if (status != TIDE_OK) return status;
    return fit_measured(fit_is_auto(s->fit) ? NULL : &s->circuit, s->fit, &s->blank, spectrum, &guessed, relay, w,
                        &item->fitted, &item->why);
}

static void fit_item_of(void *of, int64_t i, int thread) {
    session *s = of;
    worker w = { s, thread == 0 };
    fit_item *item = &s->item[i];
    const measured_item *from = &s->measured.item[s->from + i];
    item->why = from->why, item->status = from->why.status;
    if (atomic_load(&s->stopped)) item->status = fail(&item->why, TIDE_ECANCELLED, "stopped");
    else if (from->spectrum) {
        eis_spectrum spectrum = spectrum_of(s, s->from + i);
        item->status = fit_spectrum(s, &spectrum, &w, thread, item);
    }
    tell_progress(&w);
}

static tide_status fit_group(session *s, tide_failure *failure) {
    int64_t count = MIN2(GROUP, s->measured.count - s->from);
    tide_status status = TIDE_OK;
    memset(s->item, 0, GROUP * sizeof *s->item);
    parallel_for(s->options->threads ? (int)s->options->threads : os_cores(), count, 1, fit_item_of, s);
    for (int64_t i = 0; i < count; i++) {
        if (status == TIDE_OK) status = put_item(s, s->from + i, &s->item[i], failure);
        eis_fitted_free(&s->item[i].fitted);
    }
    return status;
}

static tide_status fit_groups(session *s, tide_failure *failure) {
    tide_status status = TIDE_OK;
    s->item = malloc(GROUP * sizeof *s->item);
    if (!s->item) return out_of_memory(failure);
    for (; status == TIDE_OK && s->from < s->measured.count; s->from += GROUP) status = fit_group(s, failure);
    free(s->item);
    return status;
}

/* ---- all of them in one fit ---- */

static tide_status refuse_missing(const session *s, tide_failure *failure) {
    for (int64_t i = 0; i < s->measured.count; i++)
        if (!s->measured.item[i].spectrum) return *failure = s->measured.item[i].why, failure->status;
    return TIDE_OK;
}

static tide_status fit_together(session *s, tide_failure *failure) {
    int64_t count = s->measured.count;
    eis_fitted fitted;
    tide_status status = refuse_missing(s, failure);
    if (status != TIDE_OK) return status;
    eis_spectrum *all = malloc((size_t)count * sizeof *all);
    if (!all) return out_of_memory(failure);
    for (int64_t i = 0; i < count; i++) all[i] = spectrum_of(s, i);
    status = fit_measured_joint(fit_is_auto(s->fit) ? NULL : &s->circuit, s->fit, &s->blank, count, all, s->listener,
                                s->user, &fitted, failure);
    if (status == TIDE_OK) status = put_fit(s, &fitted, failure);
    if (status == TIDE_OK) status = draw_fit(s, all, &fitted, 0, failure);
    eis_fitted_free(&fitted);
    free(all);
    return status;
}

/* ---- the folder ---- */

static tide_status make_folder(const char *path, tide_failure *failure) {
    static const char *const files[] = { "fit.json", "fit.csv", NULL };
    if (mkdir(path, 0777) == 0 || errno == EEXIST) return owned_check(path, files, failure);
    return fail_at(failure, TIDE_EIO, path, 0, "out", "cannot make the folder %s: %s", path, strerror(errno));
}

/* The draws of a posterior are a table alone. */
static tide_status check_plots(const session *s, tide_failure *failure) {
    static const char *const names[] = { "posterior", "nyquist", "bode", "residuals", NULL };
    static const char *const draws[] = { "posterior", NULL };
    const char *out = s->options->out;
    return *out ? plots_check(out, s->measured.count, s->options->plots ? names : draws, failure) : TIDE_OK;
}

static tide_status fit_all(session *s, tide_failure *failure) {
    tide_status status = measured_read(s->options, s->listener, s->user, &s->measured, failure);
    for (int64_t i = 0; status == TIDE_OK && *s->options->out && i < s->measured.files; i++)
        status = owned_refuse_input(s->options->out, s->measured.path[i], failure);
    if (status == TIDE_OK) status = check_plots(s, failure);
    if (status != TIDE_OK) return status;
    return *s->fit->same ? fit_together(s, failure) : fit_groups(s, failure);
}

static bool is_one(const session *s) { return json_array_size(s->fits) == 1; }

static char *whole_json(const session *s) {
    json_t *o = is_one(s) ? json_incref(json_array_get(s->fits, 0)) : json_pack("{s:O}", "fits", s->fits);
    o = json_with(o, "schema_version", json_integer(1));
    o = json_with(o, "command", json_string("eis fit"));
    char *all = json_whole(o, JSON_INDENT(2) | JSON_REAL_PRECISION(10));
    json_decref(o);
    return all;
}

static tide_status finish(session *s, eis_result *r, tide_failure *failure) {
    const char *out = s->options->out;
    r->json = whole_json(s);
    decimal_table(s->options->decimal, &s->table);
    if (!r->json || s->talk.failed || s->table.failed) return out_of_memory(failure);
    r->text = strdup(s->talk.data);
    if (!is_one(s)) r->csv = strdup(s->table.data);
    if (!r->text || (!is_one(s) && !r->csv)) return out_of_memory(failure);
    tide_status status = *out ? write_file(out, "fit.json", r->json, failure) : TIDE_OK;
    if (status == TIDE_OK && *out) status = write_file(out, "fit.csv", s->table.data, failure);
    return status == TIDE_OK && *out && s->options->plots && !plot_available()
               ? eis_tell(s->listener, s->user, EIS_NOTE, plot_missing_note()) ? TIDE_ECANCELLED : TIDE_OK
               : status;
}

/* ---- all ---- */

static tide_status begin(session *s, tide_failure *failure) {
    if (!s->fits) return out_of_memory(failure);
    tide_status status = blank_read(s->fit->blank, s->options, &s->blank, failure);
    if (status == TIDE_OK && !fit_is_auto(s->fit)) status = fit_circuit(s->fit, &s->blank, &s->circuit, failure);
    if (status == TIDE_OK && !*s->options->spectra)
        status = fail_at(failure, TIDE_EINVAL, NULL, 0, "spectrum", "there is no `spectrum` to fit");
    if (status == TIDE_OK && *s->fit->same && *s->options->model)
        status = fail_at(failure, TIDE_EINVAL, NULL, 0, "model",
                         "`model` starts fits of one spectrum, `same` is of several: one of them");
    if (status == TIDE_OK)
        status = model_of_cells(s->options, fit_is_auto(s->fit) ? NULL : &s->circuit, &s->model, failure);
    return status == TIDE_OK && *s->options->out ? make_folder(s->options->out, failure) : status;
}

tide_status eis_fit(const eis_options *options, const eis_fit_options *fit, eis_listener listener, void *user,
                    eis_result *result, tide_failure *failure) {
    failure_clear(failure);
    tide_failure own = { 0 }, *f = failure ? failure : &own;
    tide_status good = arguments_good(options, result, f);
    if (good != TIDE_OK) return good;
    if (tide_options_check(eis_fit_table(), fit, f) != TIDE_OK) return TIDE_EINVAL;
    told to = { listener, user };
    plot_watch watch = eis_plot_watch(&to);
    session s = { .options = options, .fit = fit, .listener = listener, .user = user, .fits = json_array(),
                  .watch = &watch };
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
    arcs_predictor_free(s.model);
    measured_free(&s.measured);
    text_free(&s.talk), text_free(&s.table);
    if (status != TIDE_OK && !partly) eis_result_free(result);
    return status;
}
