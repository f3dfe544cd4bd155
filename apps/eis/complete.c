/* tidemill eis complete, below the command line: options to questions, answers to files. */
#include <tidemill/eis.h>

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include <tidemill/io.h>

#include "eis/options/arguments.h"
#include "eis/options/decimal.h"
#include "eis/read/measured.h"
#include "eis/training/plot_told.h"
#include "train/run.h"
#include "eis/options/wanted_precision.h"
#include "complete.h"
#include "solve.h"

typedef struct session {
    const eis_options *options;
    int64_t      spectra;
    measured     measured;     /* of them, read */
    plot_watch  *watch;
    eis_model   *model;        /* NULL: none */
    asked        asked;
    eis_answer  *kept;         /* NULL, or where the last answer goes */
    json_t *answers;
    text    talk, table, candidates;
    int64_t      failed;       /* spectra of a batch without an answer */
    tide_failure first;        /* why, the first of them */
} session;

static tide_status out_of_memory(tide_failure *failure) {
    return fail(failure, TIDE_ENOMEM, "out of memory for the answer");
}

static tide_status note(const session *s, bool warning, const char *message, tide_failure *failure) {
    return asked_tell(&s->asked, warning ? EIS_WARNING : EIS_NOTE, message, failure);
}

/* ---- the predictor ---- */

static tide_status tell_model(const session *s, tide_failure *failure) {
    if (!s->model || !s->model->predictor) return TIDE_OK;
    const char *why = predictor_note(s->model->predictor);
    char line[RUN_LINE], warning[PRECISION_LINE];
    tide_status status = *why ? note(s, true, precision_warning(warning, why), failure) : TIDE_OK;
    return status == TIDE_OK && run_choices_told(predictor_graph(s->model->predictor), line)
               ? note(s, false, line, failure)
               : status;
}

static tide_status put_question(session *s, eis_listener listener, void *user, tide_failure *failure) {
    const eis_options *o = s->options;
    bool        spectrum = *o->spectra;
    /* What is wrong with the question is said before a model is looked for. */
    tide_status status = ask(o, spectrum, NULL, NULL, listener, user, &s->asked, failure);
    if (status == TIDE_OK && wants_model(o, spectrum)) {
        status = eis_model_load(o->model, o, &s->model, failure);
        asked_done(&s->asked);
        if (status == TIDE_OK) status = ask(o, spectrum, NULL, s->model, listener, user, &s->asked, failure);
    }
    if (status == TIDE_OK) status = tell_model(s, failure);
    if (status == TIDE_OK && *s->asked.source) status = note(s, spectrum, s->asked.source, failure);
    return status;
}

/* ---- one spectrum ---- */

static tide_status write_plots(const session *s, const answer *a, int64_t number, tide_failure *failure) {
    char prefix[32] = "";
    if (!*s->options->out || !s->options->plots) return TIDE_OK;
    if (s->spectra > 1) snprintf(prefix, sizeof prefix, "%03lld_", (long long)number + 1);
    return answer_plots(a, s->options->out, prefix, failure);
}

static tide_status tell_warnings(const session *s, const eis_answer *a, tide_failure *failure) {
    tide_status status = TIDE_OK;
    for (int64_t i = 0; status == TIDE_OK && i < a->warnings; i++) status = note(s, true, a->warning[i], failure);
    return status;
}

static tide_status put_answer(session *s, int64_t number, const eis_answer *of, tide_failure *failure) {
    answer a = *answer_of(of);
    a.watch  = s->watch;
    json_t     *json   = answer_json(&a);
    tide_status status = json && !json_array_append_new(s->answers, json) ? TIDE_OK : out_of_memory(failure);
    if (number) text_add(&s->talk, "\n");
    answer_text(&a, &s->talk);
    answer_table(&a, &s->table);
    candidate_table(&a, &s->candidates);
    if (status == TIDE_OK) status = tell_warnings(s, of, failure);
    return status == TIDE_OK ? write_plots(s, &a, number, failure) : status;
}

/* spectrum NULL: there is none. *of_file: the file itself is why there is no answer. */
static tide_status answer_one(session *s, const eis_spectrum *spectrum, int64_t number, bool *of_file,
                              tide_failure *failure) {
    eis_answer a = { 0 };
    s->asked.number = number + 1, s->asked.count = MAX2(s->spectra, 1);
    tide_status status = solve(&s->asked, spectrum, &a, failure);
    *of_file = status == TIDE_EDATA;
    if (status == TIDE_OK) status = put_answer(s, number, &a, failure);
    if (status == TIDE_OK && s->kept) eis_answer_free(s->kept), *s->kept = a, a = (eis_answer){ 0 };
    eis_answer_free(&a);
    return status;
}

/* Plots leave their numbers in --out: a file of them can be read again, but not while it is written anew. */
static tide_status refuse_inputs(const session *s, tide_failure *failure) {
    char       *list = strdup(s->options->spectra), *rest = list;
    tide_status status = list ? TIDE_OK : out_of_memory(failure);
    for (const char *path; status == TIDE_OK && (path = strsep(&rest, "\n"));)
        status = owned_refuse_input(s->options->out, path, failure);
    free(list);
    return status;
}

/* The reason takes the place of the answer. */
static tide_status put_reason(session *s, const char *path, int64_t number, const tide_failure *why,
                              tide_failure *failure) {
    json_t *one = json_pack("{s:o, s:{s:s, s:o, s:I, s:o}}", "spectrum", json_text(path), "error", "code", "bad_input",
                            "message",
                            json_text(why->message), "row", (json_int_t)why->row, "column", json_text(why->column));
    if (!one || json_array_append_new(s->answers, one)) return out_of_memory(failure);
    if (s->failed++ == 0) s->first = *why;
    text_add(&s->talk, "%sNO ANSWER: %s\n", number ? "\n" : "", why->message);
    answer_table_failed(path, why->message, &s->table);
    return note(s, true, why->message, failure);
}

static void name_file(const char *path, tide_failure *why) {
    tide_failure unnamed = *why;
    if (strstr(why->message, path)) return;
    why->status = TIDE_OK;
    fail_at(why, unnamed.status, path, unnamed.row, unnamed.column, "%s: %s", path, unnamed.message);
}

static tide_status answer_item(session *s, int64_t number, tide_failure *failure) {
    const measured_item *item = &s->measured.item[number];
    tide_failure why     = item->why;
    bool         of_file = !item->spectrum;
    tide_status  status  = of_file ? why.status : answer_one(s, item->spectrum, number, &of_file, &why);
    const char  *name    = item->spectrum ? item->spectrum->name : item->path;
    if (of_file) name_file(name, &why);
    if (s->spectra > 1 && of_file) return put_reason(s, name, number, &why, failure);
    if (status != TIDE_OK) *failure = why;
    return status;
}

/* What is wrong with a file is no matter of the others; a full disk is of all. */
static tide_status answer_all(session *s, tide_failure *failure) {
    bool of_file;
    if (!*s->options->spectra) return answer_one(s, NULL, 0, &of_file, failure);
    tide_status status = measured_read(s->options, s->asked.listener, s->asked.user, &s->measured, failure);
    s->spectra = s->measured.count;
    for (int64_t i = 0; status == TIDE_OK && i < s->spectra; i++) status = answer_item(s, i, failure);
    return status;
}

/* ---- all ---- */

static tide_status make_folder(const char *path, tide_failure *failure) {
    static const char *const files[] = { "completion.json", "completion.csv", "candidates.csv", NULL };
    if (mkdir(path, 0777) == 0 || errno == EEXIST) return owned_check(path, files, failure);
    return fail_at(failure, TIDE_EIO, path, 0, "out", "cannot make the folder %s: %s", path, strerror(errno));
}

static tide_status write_text(void *user, void *stdio_file) {
    const text *t = user;
    return fwrite(t->data, 1, t->length, stdio_file) == t->length ? TIDE_OK : TIDE_EIO;
}

static tide_status write_file(const char *folder, const char *name, text *t, tide_failure *failure) {
    char path[EIS_TEXT_SIZE + 64];
    if (t->failed) return out_of_memory(failure);
    tide_status status = owned_claim_file(folder, name, path, failure);
    return status == TIDE_OK ? tide_file_replace(path, write_text, t, failure) : status;
}

static char *final_json(session *s) {
    json_t *o   = answer_result(s->answers);
    char   *all = o ? json_dumps(o, JSON_INDENT(2) | JSON_REAL_PRECISION(10)) : NULL;
    s->answers = NULL;
    json_decref(o);
    return all;
}

static tide_status finish(session *s, eis_result *r, tide_failure *failure) {
    tide_status status = TIDE_OK;
    text        json   = { 0 };
    r->json = final_json(s);
    decimal_table(s->options->decimal, &s->table);
    decimal_table(s->options->decimal, &s->candidates);
    if (!r->json || s->candidates.failed || s->talk.failed || s->table.failed) return out_of_memory(failure);
    if (*s->options->out) {
        text_add(&json, "%s\n", r->json);
        status = write_file(s->options->out, "completion.json", &json, failure);
        if (status == TIDE_OK) status = write_file(s->options->out, "completion.csv", &s->table, failure);
        if (status == TIDE_OK) status = write_file(s->options->out, "candidates.csv", &s->candidates, failure);
        text_free(&json);
    }
    if (status == TIDE_OK && *s->options->out && s->options->plots && !plot_available())
        status = note(s, false, plot_missing_note(), failure);
    r->text = strdup(s->talk.data);
    if (s->spectra > 1) r->csv = strdup(s->table.data);
    return status != TIDE_OK || r->text ? status : out_of_memory(failure);
}

tide_status complete_keeping(const eis_options *options, eis_listener listener, void *user, eis_result *result,
                             eis_answer *kept, tide_failure *f) {
    told         to    = { listener, user };
    plot_watch   watch = eis_plot_watch(&to);
    session s = { .options = options, .watch = &watch, .kept = kept, .answers = json_array() };
    tide_status status = s.answers ? put_question(&s, listener, user, f) : out_of_memory(f);
    if (status == TIDE_OK && *options->out) status = make_folder(options->out, f);
    if (status == TIDE_OK && *options->out) status = refuse_inputs(&s, f);
    answer_table_header(&s.table);
    candidate_table_header(&s.candidates);
    if (status == TIDE_OK) status = answer_all(&s, f);
    if (status == TIDE_OK) status = finish(&s, result, f);
    if (*options->out) owned_release(options->out);
    bool partly = status == TIDE_OK && s.failed;
    if (partly)
        status = fail_at(f, TIDE_EDATA, s.first.file, s.first.row, s.first.column,
                         "%lld of %lld spectra have no answer; the first of them: %s",
                         (long long)s.failed, (long long)s.spectra, s.first.message);
    asked_done(&s.asked);
    eis_model_free(s.model);
    measured_free(&s.measured);
    json_decref(s.answers);
    text_free(&s.talk), text_free(&s.table), text_free(&s.candidates);
    if (status != TIDE_OK && !partly) eis_result_free(result);
    return status;
}

tide_status eis_complete(const eis_options *options, eis_listener listener, void *user, eis_result *result,
                         tide_failure *failure) {
    failure_clear(failure);
    tide_failure own = { 0 }, *f = failure ? failure : &own;
    tide_status good = arguments_good(options, result, failure);
    if (good != TIDE_OK) return good;
    return complete_keeping(options, listener, user, result, NULL, f);
}

void eis_result_free(eis_result *r) {
    if (!r) return;
    free(r->json);
    free(r->text);
    free(r->csv);
    *r = (eis_result){ 0 };
}
