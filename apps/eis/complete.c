/* tidemill eis complete, below the command line: options to questions, answers to files. */
#include <tidemill/eis.h>

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include <tidemill/io.h>

#include "answer.h"
#include "parameters.h"
#include "plot/plot.h"

enum { SCHEMA_VERSION = 1 };

typedef struct session {
    const eis_options *options;
    int64_t      spectra;
    eis_listener listener;
    void   *user;
    question question;
    json_t *answers;
    text    talk, table, candidates;
} session;

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
    *out = num_parse(given, &end);
    while (*end == ' ') end++;
    if (*end == '%') *out /= 100, end++;
    if (end != given && !*end && *out >= 1e-6 && *out <= 0.5) return TIDE_OK;
    return fail_at(failure, TIDE_EINVAL, NULL, 0, "noise", "--noise is a share of |Z| from 1e-6 to 0.5, such as 1%% or 0.01, or auto; not '%s'", given);
}

static tide_status parse_rs(const char *given, double *out, tide_failure *failure) {
    *out = NAN;
    if (!strcmp(given, "free")) return TIDE_OK;
    if (eis_quantity_parse(given, "ohm", out) && *out >= 0 && *out <= 1e6) return TIDE_OK;
    return fail_at(failure, TIDE_EINVAL, NULL, 0, "rs", "--rs is ohms from 0, or free; not '%s'", given);
}

static tide_status ask(const eis_options *o, question *q, tide_failure *failure) {
    *q = (question){ .circuit = (eis_circuit)o->circuit, .method = o->method == EIS_METHOD_AUTO ? EIS_REFINED : (eis_method)o->method, .top_k = o->top_k, .seed = o->seed,
                     .resnorm = (eis_resnorm_kind)o->resnorm };
    if (!*o->spectra)
        return fail_at(failure, TIDE_EINVAL, NULL, 0, "spectrum", "--spectrum FILE is needed: the known values alone cannot tell the missing ones");
    tide_status status = eis_known_parse(o->known, &q->known, failure);
    if (status == TIDE_OK) status = parse_noise(o->noise, &q->noise, failure);
    if (status == TIDE_OK) status = parse_rs(o->rs, &q->rs_ohm, failure);
    if (status == TIDE_OK && q->circuit == EIS_CHAIN && isnan(q->rs_ohm) && !q->known.is[EIS_RSH])
        status = fail_at(failure, TIDE_EINVAL, NULL, 0, "rs", "in the chain circuit only Rs + Rsh is seen: give --rs OHM or --known Rsh=...");
    bool labelled = q->known.is[EIS_RA] || q->known.is[EIS_RB] || q->known.is[EIS_CA] || q->known.is[EIS_CB];
    q->canonical  = o->canonical || !labelled;
    if (status == TIDE_OK && o->canonical && q->known.is[EIS_RA] && q->known.is[EIS_RB] && q->known.is[EIS_CA] && q->known.is[EIS_CB] &&
        q->known.value[EIS_RA] * q->known.value[EIS_CA] < q->known.value[EIS_RB] * q->known.value[EIS_CB])
        status = fail_at(failure, TIDE_EINVAL, NULL, 0, "canonical", "--canonical: with these values a is the faster membrane");
    return status;
}

/* ---- one spectrum ---- */

static tide_status out_of_memory(tide_failure *failure) { return fail(failure, TIDE_ENOMEM, "out of memory for the answer"); }

static tide_status write_plots(const session *s, const answer *a, int64_t number, tide_failure *failure) {
    char prefix[32] = "";
    if (!*s->options->out || !s->options->plots) return TIDE_OK;
    if (s->spectra > 1) snprintf(prefix, sizeof prefix, "%03lld_", (long long)number + 1);
    return answer_plots(a, s->options->out, prefix, failure);
}

static tide_status warn_of_misfit(const session *s, const char *path, const completion *c, tide_failure *failure) {
    char message[EIS_TEXT_SIZE];
    bool exact = s->question.method == EIS_EXACT;
    if (exact ? c->grid_adequate : c->circuit_adequate) return TIDE_OK;
    if (exact) snprintf(message, sizeof message, "%s: no grid cell fits (reduced chi2 %.2g): the grid is coarser than your data", path, c->grid_chi2);
    else snprintf(message, sizeof message, "%s: no circuit of this kind with these known values fits (reduced chi2 %.2g)", path, c->chi2);
    return note(s, true, message, failure);
}

static tide_status answer_one(session *s, const char *path, int64_t number, tide_failure *failure) {
    eis_spectrum spectrum = { 0 };
    completion   c = { 0 };
    tide_status  status = eis_spectrum_read(path, s->options->flip_im, &spectrum, failure);
    if (status == TIDE_OK) status = complete_one(&s->question, &spectrum, &c, failure);
    if (status == TIDE_OK) {
        answer  a = { path, &s->question, s->options, &spectrum, &c };
        json_t *json = answer_json(&a);
        if (!json || json_array_append_new(s->answers, json)) status = out_of_memory(failure);
        if (number) text_add(&s->talk, "\n");
        answer_text(&a, &s->talk);
        answer_table(&a, &s->table);
        candidate_table(&a, &s->candidates);
        if (status == TIDE_OK) status = warn_of_misfit(s, path, &c, failure);
        if (status == TIDE_OK) status = write_plots(s, &a, number, failure);
    }
    completion_free(&c);
    eis_spectrum_free(&spectrum);
    return status;
}

static tide_status answer_all(session *s, tide_failure *failure) {
    char       *list = strdup(s->options->spectra), *rest = list;
    tide_status status = list ? TIDE_OK : out_of_memory(failure);
    for (const char *c = list; c && *c; c++) s->spectra += *c == '\n' || !c[1];
    for (int64_t i = 0; status == TIDE_OK && i < s->spectra; i++) status = answer_one(s, strsep(&rest, "\n"), i, failure);
    free(list);
    return status;
}

/* ---- all ---- */

static tide_status make_folder(const char *path, tide_failure *failure) {
    if (mkdir(path, 0777) == 0 || errno == EEXIST) return TIDE_OK;
    return fail_at(failure, TIDE_EIO, path, 0, "out", "cannot make the folder %s: %s", path, strerror(errno));
}

static tide_status write_text(void *user, void *stdio_file) {
    const text *t = user;
    return fwrite(t->data, 1, t->length, stdio_file) == t->length ? TIDE_OK : TIDE_EIO;
}

static tide_status write_file(const char *folder, const char *name, text *t, tide_failure *failure) {
    char path[EIS_TEXT_SIZE + 64];
    if (t->failed) return out_of_memory(failure);
    snprintf(path, sizeof path, "%s/%s", folder, name);
    return tide_file_replace(path, write_text, t, failure);
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
    if (status == TIDE_OK && *s->options->out && s->options->plots && !plot_available()) status = note(s, false, plot_missing_note(), failure);
    r->text = strdup(s->talk.data);
    if (s->spectra > 1) r->csv = strdup(s->table.data);
    return status != TIDE_OK || r->text ? status : out_of_memory(failure);
}

tide_status eis_complete(const eis_options *options, eis_listener listener, void *user, eis_result *result, tide_failure *failure) {
    session      s = { .options = options, .listener = listener, .user = user, .answers = json_array() };
    tide_failure own = { 0 }, *f = failure ? failure : &own;
    *result = (eis_result){ 0 };
    tide_status status = s.answers ? ask(options, &s.question, f) : out_of_memory(f);
    if (status == TIDE_OK && *options->out) status = make_folder(options->out, f);
    answer_table_header(&s.table);
    candidate_table_header(&s.candidates);
    if (status == TIDE_OK) status = answer_all(&s, f);
    if (status == TIDE_OK) status = finish(&s, result, f);
    json_decref(s.answers);
    text_free(&s.talk), text_free(&s.table), text_free(&s.candidates);
    if (status != TIDE_OK) eis_result_free(result);
    return status;
}

void eis_result_free(eis_result *r) {
    free(r->json);
    free(r->text);
    free(r->csv);
    *r = (eis_result){ 0 };
}
