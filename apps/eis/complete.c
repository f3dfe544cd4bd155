/* tidemill eis complete, below the command line: options to questions, answers to files. */
#include <tidemill/eis.h>

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include <tidemill/io.h>

#include "eis/options/arguments.h"
#include "eis/options/decimal.h"
#include "eis/options/joined.h"
#include "eis/read/measured.h"
#include "eis/training/plot_told.h"
#include "train/run.h"
#include "eis/options/wanted_precision.h"
#include "base/json.h"
#include "complete.h"
#include "completions.h"
#include "solve.h"

static const double told_every = 0.2; /* seconds */

typedef struct session {
    const eis_options *options;
    int64_t      spectra;
    measured     measured;     /* of them, read */
    plot_watch  *watch;
    eis_model   *model;        /* NULL: none */
    asked        asked;
    eis_answer  *kept;         /* NULL, or where the last answer goes */
    bool         joined;       /* several processes share the spectra */
    joined_folder folder;
    double       told;
    completions  all, *to;     /* `to`: where an answer goes */
} session;

static tide_status out_of_memory(tide_failure *failure) {
    return fail(failure, TIDE_ENOMEM, "out of memory for the answer");
}

static tide_status note(const session *s, bool warning, const char *message, tide_failure *failure) {
    return asked_tell(&s->asked, warning ? EIS_WARNING : EIS_NOTE, message, failure);
}

/* Where answers are kept apart, whoever puts them together tells it. */
static tide_status warn(const session *s, const char *message, tide_failure *failure) {
    if (s->to == &s->all) return note(s, true, message, failure);
    text_put(&s->to->warnings, message, strlen(message) + 1);
    return TIDE_OK;
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
    for (int64_t i = 0; status == TIDE_OK && i < a->warnings; i++) status = warn(s, a->warning[i], failure);
    return status;
}

static tide_status put_answer(session *s, int64_t number, const eis_answer *of, tide_failure *failure) {
    answer       a  = *answer_of(of);
    completions *to = s->to;
    a.watch = s->watch;
    json_t     *json   = answer_json(&a);
    tide_status status = json && !json_array_append_new(to->answers, json) ? TIDE_OK : out_of_memory(failure);
    if (number) text_add(&to->talk, "\n");
    answer_text(&a, &to->talk);
    answer_table(&a, &to->table);
    candidate_table(&a, &to->candidates);
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
    if (!one || json_array_append_new(s->to->answers, one)) return out_of_memory(failure);
    if (s->to->failed++ == 0) s->to->first = *why;
    text_add(&s->to->talk, "%sNO ANSWER: %s\n", number ? "\n" : "", why->message);
    answer_table_failed(path, why->message, &s->to->table);
    return warn(s, why->message, failure);
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

/* ---- with other processes ---- */

static const char answers_name[] = "answer";

static json_t *words_of(const session *s) {
    char    hex[65];
    json_t *o = pieces_options(eis_table(), s->options, EIS_FOR_COMPLETE);
    measured_digest(&s->measured, hex);
    o = json_with(o, "spectrum", json_sprintf("%lld, SHA-256 %s", (long long)s->spectra, hex));
    return json_with(o, "model", joined_model(s->options->model));
}

static bool has_answer(void *user, int64_t i) { return pieces_has(((session *)user)->folder.pieces, answers_name, i); }

static tide_status make_answer(void *user, int64_t i, int thread, tide_failure *failure) {
    session    *s = user;
    completions apart;
    text        packed = { 0 };
    (void)thread;
    s->to = &apart;
    tide_status status = completions_new(&apart) ? answer_item(s, i, failure) : out_of_memory(failure);
    s->to = &s->all;
    if (status == TIDE_OK && !completions_pack(&apart, &packed)) status = out_of_memory(failure);
    if (status == TIDE_OK)
        status = pieces_put(s->folder.pieces, answers_name, i, packed.data, packed.length, failure);
    completions_free(&apart), text_free(&packed);
    return status;
}

static bool tell_shared(void *user, int64_t done) {
    session *s = user;
    char     line[80];
    if (os_seconds() - s->told < told_every) return false;
    s->told = os_seconds();
    snprintf(line, sizeof line, "%lld of %lld spectra answered, by all processes", (long long)done,
             (long long)s->spectra);
    return asked_tell(&s->asked, EIS_PROGRESS, line, NULL) != TIDE_OK;
}

static tide_status tell_kept(session *s, tide_failure *failure) {
    tide_status status = TIDE_OK;
    text       *w      = &s->all.warnings;
    for (size_t at = 0; status == TIDE_OK && at < w->length; at += strlen(w->data + at) + 1)
        status = note(s, true, w->data + at, failure);
    w->length = 0;
    return status;
}

static tide_status take_answer(session *s, int64_t i, tide_failure *failure) {
    char        path[FOLDER_PATH];
    void       *data;
    size_t      bytes;
    tide_status status = pieces_get(s->folder.pieces, answers_name, i, &data, &bytes, failure);
    if (status == TIDE_OK && !completions_add(&s->all, data, bytes))
        status = fail_at(failure, TIDE_EDATA, pieces_path(s->folder.pieces, answers_name, i, path), 0, NULL,
                         "%s is damaged: remove it and run again", path);
    free(data);
    if (status == TIDE_OK && !completions_good(&s->all)) status = out_of_memory(failure);
    return status == TIDE_OK ? tell_kept(s, failure) : status;
}

/* A piece is a spectrum, with its plots: they take most of the time. */
static tide_status answer_joined(session *s, tide_failure *failure) {
    const pieces_task task = { .count = s->spectra, .threads = 1, .is_made = has_answer, .make = make_answer,
                               .stop = tell_shared, .user = s };
    tide_status status = joined_enter(s->options->out, words_of(s), &s->folder, failure);
    if (status == TIDE_OK) status = pieces_do(s->folder.pieces, &task, NULL, failure);
    for (int64_t i = 0; status == TIDE_OK && i < s->spectra; i++) status = take_answer(s, i, failure);
    return status;
}

/* What is wrong with a file is no matter of the others; a full disk is of all. */
static tide_status answer_all(session *s, tide_failure *failure) {
    bool of_file;
    if (!*s->options->spectra) return answer_one(s, NULL, 0, &of_file, failure);
    tide_status status = measured_read(s->options, s->asked.listener, s->asked.user, &s->measured, failure);
    s->spectra = s->measured.count;
    if (status == TIDE_OK && s->joined) return answer_joined(s, failure);
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
    json_t *o   = answer_result(s->all.answers);
    char   *all = o ? json_dumps(o, JSON_INDENT(2) | JSON_REAL_PRECISION(10)) : NULL;
    s->all.answers = NULL;
    json_decref(o);
    return all;
}

typedef struct ending { session *s; text json; } ending;

static tide_status write_out(void *user, tide_failure *failure) {
    ending      *e      = user;
    session     *s      = e->s;
    const char  *folder = s->options->out;
    tide_status  status = write_file(folder, "completion.json", &e->json, failure);
    if (status == TIDE_OK) status = write_file(folder, "completion.csv", &s->all.table, failure);
    return status == TIDE_OK ? write_file(folder, "candidates.csv", &s->all.candidates, failure) : status;
}

static tide_status finish(session *s, eis_result *r, tide_failure *failure) {
    tide_status status = TIDE_OK;
    ending      e      = { .s = s };
    r->json = final_json(s);
    decimal_table(s->options->decimal, &s->all.table);
    decimal_table(s->options->decimal, &s->all.candidates);
    if (!r->json || s->all.candidates.failed || s->all.talk.failed || s->all.table.failed)
        return out_of_memory(failure);
    if (*s->options->out) {
        text_add(&e.json, "%s\n", r->json);
        status = s->joined ? joined_once(&s->folder, write_out, &e, failure) : write_out(&e, failure);
        text_free(&e.json);
    }
    if (status == TIDE_OK && *s->options->out && s->options->plots && !plot_available())
        status = note(s, false, plot_missing_note(), failure);
    r->text = strdup(s->all.talk.data);
    if (s->spectra > 1) r->csv = strdup(s->all.table.data);
    return status != TIDE_OK || r->text ? status : out_of_memory(failure);
}

static tide_status refuse_join(tide_failure *failure) {
    return fail_at(failure, TIDE_EINVAL, NULL, 0, "join",
                   "`join` shares the spectra of a folder: it needs `spectrum`, several of them, and `out`");
}

static tide_status complete(session *s, bool joins, eis_listener listener, void *user, eis_result *result,
                            tide_failure *f) {
    const eis_options *o = s->options;
    s->joined = joins && *o->out && *o->spectra;
    tide_status status = completions_new(&s->all) ? TIDE_OK : out_of_memory(f);
    if (status == TIDE_OK && o->join && !s->joined) status = refuse_join(f);
    if (status == TIDE_OK) status = put_question(s, listener, user, f);
    if (status == TIDE_OK && *o->out) status = make_folder(o->out, f);
    if (status == TIDE_OK && *o->out) status = refuse_inputs(s, f);
    if (status == TIDE_OK && *o->out && !s->joined) joined_forget(o->out);
    answer_table_header(&s->all.table);
    candidate_table_header(&s->all.candidates);
    if (status == TIDE_OK) status = answer_all(s, f);
    if (status == TIDE_OK) status = finish(s, result, f);
    joined_leave(&s->folder, status == TIDE_OK);
    if (*o->out && !s->joined) owned_release(o->out);
    return status;
}

/* `joins`: other processes may share it. */
static tide_status complete_keeping_of(const eis_options *options, bool joins, eis_listener listener, void *user,
                                       eis_result *result, eis_answer *kept, tide_failure *f) {
    told         to    = { listener, user };
    plot_watch   watch = eis_plot_watch(&to);
    session s = { .options = options, .watch = &watch, .kept = kept, .to = &s.all, .folder = { .lock = -1 } };
    tide_status status = complete(&s, joins, listener, user, result, f);
    const completions *all = &s.all;
    bool partly = status == TIDE_OK && all->failed;
    if (partly)
        status = fail_at(f, TIDE_EDATA, all->first.file, all->first.row, all->first.column,
                         "%lld of %lld spectra have no answer; the first of them: %s",
                         (long long)all->failed, (long long)s.spectra, all->first.message);
    asked_done(&s.asked);
    eis_model_free(s.model);
    measured_free(&s.measured);
    completions_free(&s.all);
    if (status != TIDE_OK && !partly) eis_result_free(result);
    return status;
}

tide_status complete_keeping(const eis_options *options, eis_listener listener, void *user, eis_result *result,
                             eis_answer *kept, tide_failure *f) {
    return complete_keeping_of(options, false, listener, user, result, kept, f);
}

tide_status eis_complete(const eis_options *options, eis_listener listener, void *user, eis_result *result,
                         tide_failure *failure) {
    failure_clear(failure);
    tide_failure own = { 0 }, *f = failure ? failure : &own;
    tide_status good = arguments_good(options, result, failure);
    if (good != TIDE_OK) return good;
    return complete_keeping_of(options, options->join, listener, user, result, NULL, f);
}

void eis_result_free(eis_result *r) {
    if (!r) return;
    free(r->json);
    free(r->text);
    free(r->csv);
    *r = (eis_result){ 0 };
}
