/* tidemill eis batch, below the command line: a folder of spectra to tables and a page. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include <tidemill/io.h>

#include "base/json.h"
#include "eis/batch/groups.h"
#include "eis/batch/inputs.h"
#include "eis/batch/joined.h"
#include "eis/batch/page.h"
#include "eis/batch/run.h"
#include "eis/batch/table.h"
#include "eis/batch/told.h"
#include "eis/options/arguments.h"
#include "eis/options/decimal.h"
#include "eis/options/tell.h"
#include "model.h"

typedef struct session {
    batch_run run;
    tide_allocator system;
    text list; /* the files */
    batch_groups groups;
    text table, groups_table, page, talk;
    int lock; /* on `out`; -1: none */
} session;

static tide_status out_of_memory(tide_failure *failure) {
    return fail(failure, TIDE_ENOMEM, "out of memory for the batch");
}

/* ---- before the work ---- */

static const double sync_every = 1; /* seconds of answers that a loss of power may cost */

/* Those that share it lock it with the journal. */
static tide_status open_folder(session *s, tide_failure *failure) {
    const char *out = s->run.options->out;
    tide_status status = make_folders(out, failure);
    if (status == TIDE_OK) status = owned_check(out, batch_files, failure);
    char path[FOLDER_PATH];
    if (status == TIDE_OK && s->run.joined) return owned_claim(out, (const char *const[]){ NULL }, failure);
    if (status == TIDE_OK) status = owned_claim_file(out, BATCH_JOURNAL, path, failure);
    if (status == TIDE_OK) s->lock = owned_lock(out, failure);
    return status == TIDE_OK && s->lock < 0 ? TIDE_EINVAL : status;
}

/* Not the file's name: it may have changed. */
static json_t *blank_json(const blank *b) {
    text values = { 0 };
    for (int i = 0; b && i < b->count; i++) text_add(&values, "%s%.17g", i ? " " : "", b->value[i]);
    json_t *o = values.failed ? NULL : json_string(values.data ? values.data : "");
    text_free(&values);
    return o;
}

/* A row of the fit's options each, and what else makes the bits. */
static json_t *options_json(const batch_run *run, const char *model) {
    const tide_option_table *t = eis_fit_table();
    const eis_fit_options *fit = run->fit;
    char value[EIS_TEXT_SIZE];
    json_t *o = json_with(json_object(), "version", json_string(TIDE_VERSION));
    for (int64_t i = 0; i < t->count; i++)
        o = json_with(o, t->rows[i].name, json_text(tide_option_get(fit, &t->rows[i], value, sizeof value)));
    o = json_with(o, "blank", blank_json(run->blanks.count ? &run->blanks.of[0]->is : NULL));
    o = json_with(o, "model", json_string(model));
    return json_with(o, "screen", json_string(run->options->screen ? "true" : ""));
}

static tide_status open_alone(session *s, tide_failure *failure) {
    const eis_options *o = s->run.options;
    journal *j = &s->run.journal;
    char path[FOLDER_PATH];
    folder_file(o->out, BATCH_JOURNAL, path);
    tide_status status = journal_open(path, s->run.head, o->overwrite, sync_every, j, failure);
    if (status == TIDE_OK && o->overwrite) pieces_clear(o->out);
    return status == TIDE_OK ? batch_take_left(o->out, s->run.head, j, failure) : status;
}

static tide_status open_journal(session *s, tide_failure *failure) {
    batch_run *run = &s->run;
    const eis_options *o = run->options;
    char model[65] = "";
    if (!*o->out) return journal_memory(&run->journal, failure);
    tide_status status = run->model ? arcs_predictor_digest(run->model, model, failure) : TIDE_OK;
    if (status != TIDE_OK) return status;
    run->head = options_json(run, model);
    if (!run->head) return out_of_memory(failure);
    return run->joined ? batch_joined_open(o->out, run->head, o->overwrite, &run->journal, &s->lock, failure)
                       : open_alone(s, failure);
}

static tide_status read_inputs(session *s, tide_failure *failure) {
    batch_run *run = &s->run;
    const eis_options *o = run->options;
    tide_status status =
        *o->samples ? plate_read(o->samples, run->listener, run->user, &run->plate, failure) : TIDE_OK;
    if (status == TIDE_OK) status = inputs_list(o, run->listener, run->user, &s->list, failure);
    if (status == TIDE_OK)
        status = measured_read_list(s->list.data, o, run->listener, run->user, &run->measured, failure);
    for (int64_t i = 0; *o->out && status == TIDE_OK && i < run->measured.files; i++)
        status = owned_refuse_input(o->out, run->measured.path[i], failure);
    if (status != TIDE_OK || !*o->samples) return status;
    status = plate_match(&run->plate, &run->measured, failure);
    return status == TIDE_OK
               ? blanks_of_plate(&run->blanks, run->fit, o, &run->plate, &run->measured, failure)
               : status;
}

/* What is said of fits has no place where there are none. */
static tide_status check_screen(const batch_run *run, tide_failure *failure) {
    const tide_option_table *t = eis_fit_table();
    if (!*run->options->model)
        return fail_at(failure, TIDE_EINVAL, NULL, 0, "screen",
                       "`screen` needs `model` RUN, a predictor that was trained with `recipe` cell");
    for (int64_t i = 0; i < t->count; i++)
        if (tide_option_given(t, run->fit, t->rows[i].name))
            return fail_at(failure, TIDE_EINVAL, NULL, 0, t->rows[i].name,
                           "`screen` is without fits: leave `%s` out, or `screen`", t->rows[i].name);
    return TIDE_OK;
}

static tide_status choose_circuit(session *s, tide_failure *failure) {
    batch_run *run = &s->run;
    if (run->options->screen) return check_screen(run, failure);
    tide_status status = blanks_begin(run->fit, run->options, &run->blanks, failure);
    if (status == TIDE_OK && !fit_is_auto(run->fit)) run->circuit = &run->blanks.of[0]->circuit;
    return status;
}

static tide_status begin(session *s, tide_failure *failure) {
    batch_run *run = &s->run;
    if (*run->fit->same)
        return fail_at(failure, TIDE_EINVAL, NULL, 0, "same", "`same` is of a fit: a batch fits each spectrum alone");
    tide_status status = choose_circuit(s, failure);
    if (status == TIDE_OK && run->options->join && !*run->options->out)
        status = fail_at(failure, TIDE_EINVAL, NULL, 0, "join", "`join` needs `out`, a folder that all processes see");
    if (status == TIDE_OK && !*run->options->spectra)
        status = fail_at(failure, TIDE_EINVAL, NULL, 0, "spectrum", "there is no `spectrum`: name files or a folder");
    if (status == TIDE_OK) status = model_of_cells(run->options, run->circuit, &run->model, failure);
    if (status == TIDE_OK && *run->options->out) status = open_folder(s, failure);
    if (status == TIDE_OK) status = read_inputs(s, failure);
    return status == TIDE_OK ? open_journal(s, failure) : status;
}

/* ---- after it ---- */

static tide_status tell_rows(const session *s, tide_failure *failure) {
    const batch_run *run = &s->run;
    char line[1536];
    for (int64_t i = 0; i < run->rows.count; i++) {
        const batch_row *r = &run->rows.row[i];
        const char *what = *r->reason ? r->reason : run->plate.path && isnan(r->area_cm2) ? r->note : "";
        snprintf(line, sizeof line, "%.400s%s%.200s: %.800s", r->file, *r->sweep ? ", " : "", r->sweep, what);
        if (*what && eis_tell(run->listener, run->user, EIS_WARNING, line))
            return fail(failure, TIDE_ECANCELLED, "stopped");
    }
    return TIDE_OK;
}

static tide_status write_text(void *user, void *stdio_file) {
    const text *t = user;
    return fwrite(t->data, 1, t->length, stdio_file) == t->length ? TIDE_OK : TIDE_EIO;
}

static tide_status write_file(const session *s, const char *name, text *what, tide_failure *failure) {
    char path[FOLDER_PATH];
    tide_status status = owned_claim_file(s->run.options->out, name, path, failure);
    return status == TIDE_OK ? tide_file_replace(path, write_text, what, failure) : status;
}

static tide_status write_out(session *s, char *json, tide_failure *failure) {
    text whole = { .data = json, .length = strlen(json) };
    tide_status status = write_file(s, BATCH_TABLE, &s->table, failure);
    if (status == TIDE_OK) status = write_file(s, BATCH_JSON, &whole, failure);
    if (status == TIDE_OK) status = write_file(s, BATCH_PAGE, &s->page, failure);
    if (!s->run.rows.plate) owned_clear(s->run.options->out, (const char *const[]){ BATCH_GROUPS, NULL });
    return status == TIDE_OK && s->run.rows.plate ? write_file(s, BATCH_GROUPS, &s->groups_table, failure) : status;
}

typedef struct ending { session *s; char *json; } ending;

static tide_status end_piece(void *user, int64_t i, int thread, tide_failure *failure) {
    const ending *e = user;
    const batch_run *run = &e->s->run;
    (void)i, (void)thread;
    tide_status status = batch_joined_commit(run->options->out, run->head, &run->journal, failure);
    return status == TIDE_OK ? write_out(e->s, e->json, failure) : status;
}

/* By one of those that share it. */
static tide_status put_out(session *s, char *json, tide_failure *failure) {
    ending e = { s, json };
    const pieces_task end = { .count = 1, .threads = 1, .make = end_piece, .user = &e };
    return s->run.joined ? pieces_do(s->run.pieces, &end, NULL, failure) : write_out(s, json, failure);
}

static tide_status make_tables(session *s, tide_failure *failure) {
    batch_run *run = &s->run;
    if (setjmp(run->no_memory)) return out_of_memory(failure);
    if (run->rows.plate) groups_of(&run->rows, &run->memory, &s->groups);
    /* Blanks may add elements, each its own. */
    const equivalent *alike = run->blanks.count > 1 ? NULL : run->circuit;
    table_rows(&run->rows, alike, &run->memory, &s->table);
    groups_table(&s->groups, &s->groups_table);
    told_text(&run->rows, &s->groups, &s->talk);
    batch_page(&run->rows, &s->groups, &s->page);
    decimal_table(run->options->decimal, &s->table);
    decimal_table(run->options->decimal, &s->groups_table);
    bool failed = s->table.failed || s->groups_table.failed || s->talk.failed || s->page.failed;
    return failed ? out_of_memory(failure) : TIDE_OK;
}

static tide_status finish(session *s, eis_result *result, tide_failure *failure) {
    tide_status status = make_tables(s, failure);
    if (status != TIDE_OK) return status;
    json_t *o = told_json(&s->run.rows, &s->groups);
    result->json = json_whole(o, JSON_INDENT(2) | JSON_REAL_PRECISION(10));
    json_decref(o);
    if (!result->json) return out_of_memory(failure);
    status = *s->run.options->out ? put_out(s, result->json, failure) : TIDE_OK;
    if (status == TIDE_OK) status = tell_rows(s, failure);
    if (status != TIDE_OK) return status;
    result->csv = s->table.data, s->table = (text){ 0 };
    result->text = s->talk.data, s->talk = (text){ 0 };
    return TIDE_OK;
}

/* The first row without an answer stands for the others. */
static tide_status partly(const batch_rows *rows, tide_failure *failure) {
    int64_t i = 0;
    if (rows->answered == rows->count) return TIDE_OK;
    while (!*rows->row[i].reason) i++;
    return fail(failure, TIDE_EDATA, "%lld of %lld spectra have no answer; the first of them, %s: %s",
                (long long)(rows->count - rows->answered), (long long)rows->count, rows->row[i].file,
                rows->row[i].reason);
}

static void leave_folder(session *s, bool over) {
    const char *out = s->run.options->out;
    pieces_leave(s->run.pieces, over);
    if (s->run.joined) {
        owned_unlock_shared(out, s->lock);
    } else {
        if (*out) owned_release(out);
        owned_unlock(out, s->lock);
    }
}

static void close_all(session *s, bool over) {
    batch_run *run = &s->run;
    leave_folder(s, over);
    json_decref(run->head);
    arcs_predictor_free(run->model);
    measured_free(&run->measured);
    plate_free(&run->plate);
    blanks_free(&run->blanks);
    arena_free(&run->memory);
    text_free(&s->list), text_free(&s->table), text_free(&s->groups_table);
    text_free(&s->page), text_free(&s->talk);
}

tide_status eis_batch(const eis_options *options, const eis_fit_options *fit, eis_listener listener, void *user,
                      eis_result *result, tide_failure *failure) {
    failure_clear(failure);
    tide_failure own = { 0 }, *f = failure ? failure : &own;
    tide_status good = arguments_good(options, result, f);
    if (good != TIDE_OK) return good;
    if (tide_options_check(eis_fit_table(), fit, f) != TIDE_OK) return TIDE_EINVAL;
    session s = { .run = { .options = options, .fit = fit, .listener = listener, .user = user,
                           .joined = *options->out && options->join },
               .lock = -1 };
    s.system = mem_system();
    s.run.memory = (arena){ .allocator = &s.system, .oom = &s.run.no_memory };
    tide_status status = begin(&s, f);
    if (status == TIDE_OK) status = run_rows(&s.run, f);
    if (status == TIDE_OK) status = finish(&s, result, f);
    tide_failure ignored = { 0 };
    tide_status closed = journal_close(&s.run.journal, status == TIDE_OK ? f : &ignored);
    if (status == TIDE_OK) status = closed;
    bool made = status == TIDE_OK;
    if (made) status = partly(&s.run.rows, f);
    close_all(&s, made);
    if (!made) eis_result_free(result);
    return status;
}
