/* tidemill eis complete, below the command line: options to questions, answers to files. */
#include <tidemill/eis.h>

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include <tidemill/io.h>

#include "eis/answer/answer.h"
#include "eis/options/arguments.h"
#include "eis/known/model.h"
#include "eis/predictor/predictor.h"
#include "eis/circuit/noise.h"
#include "eis/circuit/parameters.h"
#include "eis/training/plot_told.h"
#include "train/run.h"
#include "eis/options/wanted_precision.h"

enum { SCHEMA_VERSION = 1 };

typedef struct session {
    const eis_options *options;
    int64_t      spectra;
    eis_listener listener;
    void   *user;
    plot_watch *watch;
    question question;
    known_model known_model;   /* no graph: none was given */
    char    source[2 * EIS_TEXT_SIZE];  /* what a user should know of an answer that no spectrum stands behind; "" */
    json_t *answers;
    text    talk, table, candidates;
    int64_t      failed;       /* spectra of a batch without an answer */
    tide_failure first;        /* why, the first of them */
} session;

static tide_status out_of_memory(tide_failure *failure) {
    return fail(failure, TIDE_ENOMEM, "out of memory for the answer");
}

static tide_status note(const session *s, bool warning, const char *message, tide_failure *failure) {
    bool stop = s->listener && s->listener(s->user, warning ? EIS_WARNING : EIS_NOTE, message);
    return stop ? fail(failure, TIDE_ECANCELLED, "stopped") : TIDE_OK;
}

/* ---- the question ---- */

/* "1%", "0.01", "auto". */
static tide_status parse_noise(const char *given, double *out, tide_failure *failure) {
    char *end;
    *out = NAN;
    if (!*given || !strcmp(given, "auto")) return TIDE_OK;
    if (noise_parse(given, &end, out) && !*end) return TIDE_OK;
    return fail_at(failure, TIDE_EINVAL, NULL, 0, "noise",
                   "`noise` is a share of |Z| from 1e-6 to 0.5, such as 1%% or 0.01, or auto; not '%s'", given);
}

static bool is_auto(const char *given) { return !*given || !strcmp(given, "auto"); }

/* Measured spectra have a solution resistance. In a chain without a known Rsh it cannot be told from that. */
static bool auto_is_free(const eis_options *o, const question *q) {
    return *o->spectra && (q->circuit == EIS_SHUNT || q->known.is[EIS_RSH]);
}

static tide_status parse_rs(const eis_options *o, question *q, tide_failure *failure) {
    q->rs_ohm = NAN;
    if (is_auto(o->rs)) q->rs_ohm = auto_is_free(o, q) ? NAN : 0;
    if (is_auto(o->rs) || !strcmp(o->rs, "free")) return TIDE_OK;
    if (eis_quantity_parse(o->rs, "ohm", &q->rs_ohm) && q->rs_ohm >= 0 && q->rs_ohm <= RS_GIVEN_MOST) return TIDE_OK;
    return fail_at(failure, TIDE_EINVAL, NULL, 0, "rs", "`rs` is ohms from 0 to 1e6, free, or auto; not '%s'", o->rs);
}

/* A model asks for the network, and so does having no spectrum; else the answer that needs no model. */
static eis_method method_of(const eis_options *o) {
    if (o->method != EIS_METHOD_AUTO) return (eis_method)o->method;
    return *o->model || !*o->spectra ? EIS_NETWORK : EIS_REFINED;
}

static tide_status check_labels(const eis_options *o, const question *q, tide_failure *failure) {
    const eis_known *k = &q->known;
    bool all = k->is[EIS_RA] && k->is[EIS_RB] && k->is[EIS_CA] && k->is[EIS_CB];
    if (!o->canonical || !all || k->value[EIS_RA] * k->value[EIS_CA] >= k->value[EIS_RB] * k->value[EIS_CB])
        return TIDE_OK;
    return fail_at(failure, TIDE_EINVAL, NULL, 0, "canonical",
                   "`canonical`: with these values a is the faster membrane");
}

static tide_status check_needs(const eis_options *o, const question *q, tide_failure *failure) {
    if (!*o->spectra && q->method != EIS_NETWORK)
        return fail_at(failure, TIDE_EINVAL, NULL, 0, "spectrum",
                       "`spectrum` FILE is needed: the known values alone cannot tell the missing ones");
    if (*o->spectra && q->method == EIS_NETWORK && !*o->model)
        return fail_at(failure, TIDE_EINVAL, NULL, 0, "model",
                       "`method` network needs `model` RUN, the folder of a trained predictor (tidemill eis train)");
    if (*o->spectra && q->circuit == EIS_CHAIN && isnan(q->rs_ohm) && !q->known.is[EIS_RSH])
        return fail_at(failure, TIDE_EINVAL, NULL, 0, "rs",
                       "in the chain circuit only Rs + Rsh is seen: give `rs` OHM or `known` Rsh=...");
    return check_labels(o, q, failure);
}

static tide_status ask(const eis_options *o, question *q, tide_failure *failure) {
    *q = (question){ .circuit = (eis_circuit)o->circuit,
                     .method = method_of(o),
                     .top_k = o->top_k,
                     .seed = o->seed,
                     .resnorm = (eis_resnorm_kind)o->resnorm,
                     .rerank = o->rerank };
    tide_status status = eis_known_parse(o->known, &q->known, failure);
    if (status == TIDE_OK) status = parse_noise(o->noise, &q->noise, failure);
    if (status == TIDE_OK) status = parse_rs(o, q, failure);
    bool labelled = q->known.is[EIS_RA] || q->known.is[EIS_RB] || q->known.is[EIS_CA] || q->known.is[EIS_CB];
    q->canonical  = *o->spectra && (o->canonical || !labelled);
    return status == TIDE_OK ? check_needs(o, q, failure) : status;
}

/* ---- the predictor ---- */

static tide_status open_known(session *s, tide_failure *failure) {
    const eis_options *o      = s->options;
    tide_status        status = known_model_load(o->model, &s->known_model, failure);
    const known_card  *card   = &s->known_model.card;
    if (status != TIDE_OK || !card->circuit_given) return status;
    if (eis_option_given(o, "circuit") && card->circuit != s->question.circuit)
        return fail_at(failure, TIDE_EINVAL, o->model, 0, "circuit",
                       "%s is a predictor of the %s circuit; leave `circuit` out", o->model,
                       card->circuit == EIS_SHUNT ? "shunt" : "chain");
    s->question.circuit = card->circuit;
    return TIDE_OK;
}

static tide_status open_model(session *s, tide_failure *failure) {
    const eis_options *o = s->options;
    if (s->question.method != EIS_NETWORK || !*o->model) return TIDE_OK;
    if (known_model_is(o->model)) return open_known(s, failure);
    const predictor_settings with = { .device = o->device, .threads = (int)o->threads,
                                      .precision = wanted_precision(o), .strict = o->strict,
                                       .mode = wanted_mode(o) };
    tide_status status = predictor_open(o->model, &with, &s->question.predictor, failure);
    if (status != TIDE_OK) return status;
    const char *why = predictor_note(s->question.predictor);
    char line[RUN_LINE], warning[PRECISION_LINE];
    if (*why) status = note(s, true, precision_warning(warning, why), failure);
    return status == TIDE_OK && run_choices_told(predictor_graph(s->question.predictor), line)
               ? note(s, false, line, failure)
               : status;
}

static tide_status tell_source(session *s, tide_failure *failure) {
    static const char remedy[] =
        "Add the measured spectrum and they can be determined: complete it with `spectrum` FILE";
    const eis_options *o = s->options;
    bool known = s->known_model.graph != NULL, spectrum = *o->spectra;
    if (s->question.method != EIS_NETWORK || (spectrum && !known)) return TIDE_OK;
    if (spectrum)
        snprintf(s->source, sizeof s->source, "%s is told the known values alone: the spectrum is not used. `method` "
                                              "refined uses it",
                 o->model);
    else if (known)
        snprintf(s->source, sizeof s->source,
                 "from the known values alone, as %s learned them. Independent known values carry no information on "
                 "the missing ones. %s",
                 o->model, remedy);
    else
        snprintf(s->source, sizeof s->source, "independent known values carry no information on the missing ones: "
                                              "this is the prior. %s",
                 remedy);
    return note(s, spectrum, s->source, failure);
}

/* ---- one spectrum ---- */

static tide_status write_plots(const session *s, const answer *a, int64_t number, tide_failure *failure) {
    char prefix[32] = "";
    if (!*s->options->out || !s->options->plots) return TIDE_OK;
    if (s->spectra > 1) snprintf(prefix, sizeof prefix, "%03lld_", (long long)number + 1);
    return answer_plots(a, s->options->out, prefix, failure);
}

/* The first of an answer's notes, if it is that the circuit does not fit. */
static tide_status warn_of_circuit(const session *s, const answer *a, tide_failure *failure) {
    text notes = { 0 }, line = { 0 };
    fit_verdict verdict = a->completion->verdict;
    if (!a->spectrum || verdict == FIT_OPEN || verdict == FIT_ADEQUATE) return TIDE_OK;
    answer_notes(a, &notes);
    if (notes.data) text_add(&line, "%s: %.*s", a->path, (int)strcspn(notes.data, "\n"), notes.data);
    tide_status status =
        notes.failed || line.failed || !line.data ? out_of_memory(failure) : note(s, true, line.data, failure);
    text_free(&notes), text_free(&line);
    return status;
}

static tide_status warn_of_misfit(const session *s, const answer *a, tide_failure *failure) {
    char message[EIS_TEXT_SIZE + 256];
    const completion *c = a->completion;
    bool exact = s->question.method == EIS_EXACT, proposed = c->recipe && !isnan(c->grid_chi2);
    if ((!exact && !proposed) || c->grid_adequate) return warn_of_circuit(s, a, failure);
    snprintf(message, sizeof message,
             exact ? "%s: no grid cell fits (reduced chi2 %.2g): the grid is coarser than your data"
                   : "%s: none of the network's cells fits (reduced chi2 %.2g): the grid is coarser than your data, or "
                     "the network "
                     "missed the right ones",
             a->path, c->grid_chi2);
    tide_status status = note(s, true, message, failure);
    return status == TIDE_OK ? warn_of_circuit(s, a, failure) : status;
}

static tide_status warn_of_range(const session *s, const char *path, const completion *c, tide_failure *failure) {
    text        line   = { 0 };
    tide_status status = TIDE_OK;
    if (!c->range.count) return TIDE_OK;
    text_add(&line, "%s: outside the training range of this predictor:", path);
    for (int i = 0; i < c->range.count; i++) text_add(&line, "%s %s", i ? ";" : "", c->range.reason[i]);
    status = line.failed ? out_of_memory(failure) : note(s, true, line.data, failure);
    text_free(&line);
    return status;
}

static tide_status find_answer(const session *s, const eis_spectrum *spectrum, completion *c, tide_failure *failure) {
    const question *q = &s->question;
    if (q->method != EIS_NETWORK || (q->predictor && spectrum)) return complete_one(q, spectrum, c, failure);
    return complete_known(q, s->known_model.graph ? (known_model *)&s->known_model : NULL, c, failure);
}

/* `spectrum` NULL: there is none. */
static tide_status put_answer(session *s, const char *path, int64_t number, const eis_spectrum *spectrum,
                              const completion *c,
                              tide_failure *failure) {
    bool unused = s->known_model.graph != NULL, in_rsh = is_auto(s->options->rs) && path && !isnan(s->question.rs_ohm);
    answer      a      = { path, &s->question, s->options, unused ? NULL : spectrum, c, s->source, in_rsh, s->watch };
    json_t     *json   = answer_json(&a);
    tide_status status = json && !json_array_append_new(s->answers, json) ? TIDE_OK : out_of_memory(failure);
    if (number) text_add(&s->talk, "\n");
    answer_text(&a, &s->talk);
    answer_table(&a, &s->table);
    candidate_table(&a, &s->candidates);
    if (status == TIDE_OK) status = warn_of_misfit(s, &a, failure);
    if (status == TIDE_OK) status = warn_of_range(s, path, c, failure);
    return status == TIDE_OK ? write_plots(s, &a, number, failure) : status;
}

/* path NULL: there is no spectrum. *of_file: the file itself is why there is no answer. */
static tide_status answer_one(session *s, const char *path, int64_t number, bool *of_file, tide_failure *failure) {
    eis_spectrum spectrum = { 0 };
    completion   c = { 0 };
    tide_status  status = path ? eis_spectrum_read(path, s->options->flip_im, &spectrum, failure) : TIDE_OK;
    if (status == TIDE_OK) status = find_answer(s, path ? &spectrum : NULL, &c, failure);
    *of_file = status == TIDE_EDATA;
    if (status == TIDE_OK) status = put_answer(s, path, number, path ? &spectrum : NULL, &c, failure);
    completion_free(&c);
    eis_spectrum_free(&spectrum);
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

/* What is wrong with a file is no matter of the others; a full disk is of all. */
static tide_status answer_all(session *s, tide_failure *failure) {
    bool of_file;
    if (!*s->options->spectra) return answer_one(s, NULL, 0, &of_file, failure);
    char       *list = strdup(s->options->spectra), *rest = list;
    tide_status status = list ? TIDE_OK : out_of_memory(failure);
    for (const char *c = list; c && *c; c++) s->spectra += *c == '\n' || !c[1];
    for (int64_t i = 0; status == TIDE_OK && i < s->spectra; i++) {
        tide_failure why  = { 0 };
        const char  *path = strsep(&rest, "\n");
        status = answer_one(s, path, i, &of_file, &why);
        if (of_file) name_file(path, &why);
        if (s->spectra > 1 && of_file) status = put_reason(s, path, i, &why, failure);
        else if (status != TIDE_OK) *failure = why;
    }
    free(list);
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

static char *final_json(const session *s) {
    json_t *o = json_pack("{s:i, s:s}", "schema_version", SCHEMA_VERSION, "command", "eis complete");
    if (json_array_size(s->answers) == 1) json_object_update(o, json_array_get(s->answers, 0));
    else json_object_set(o, "spectra", s->answers);
    char *all = json_dumps(o, JSON_INDENT(2) | JSON_REAL_PRECISION(10));
    json_decref(o);
    return all;
}

static tide_status finish(session *s, eis_result *r, tide_failure *failure) {
    tide_status status = TIDE_OK;
    text        json   = { 0 };
    r->json = final_json(s);
    if (!r->json || s->talk.failed || s->table.failed) return out_of_memory(failure);
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

tide_status eis_complete(const eis_options *options, eis_listener listener, void *user, eis_result *result,
                         tide_failure *failure) {
    failure_clear(failure);
    if (arguments_good(options, result, failure) != TIDE_OK) return TIDE_EINVAL;
    told         to    = { listener, user };
    plot_watch   watch = eis_plot_watch(&to);
    session s = { .options = options, .listener = listener, .user = user, .watch = &watch, .answers = json_array() };
    tide_failure own = { 0 }, *f = failure ? failure : &own;
    tide_status status = s.answers ? ask(options, &s.question, f) : out_of_memory(f);
    if (status == TIDE_OK) status = open_model(&s, f);
    if (status == TIDE_OK) status = tell_source(&s, f);
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
    predictor_free(s.question.predictor);
    known_model_free(&s.known_model);
    json_decref(s.answers);
    text_free(&s.talk), text_free(&s.table), text_free(&s.candidates);
    if (status != TIDE_OK && !partly) eis_result_free(result);
    return status;
}

void eis_result_free(eis_result *r) {
    if (!r) return;
    free(r->json);
    free(r->text);
    free(r->csv);
    *r = (eis_result){ 0 };
}
