/* Files to answers, answers to files. */
#include "each_sweep.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include <tidemill/io.h>

#include "base/json.h"
#include "eis/options/arguments.h"
#include "eis/options/decimal.h"
#include "eis/options/tell.h"
#include "eis/read/measured.h"
#include "eis/training/plot_told.h"
#include "files/owned.h"

enum { SCHEMA_VERSION = 1 };

typedef struct each_sweep {
    const each_sweep_kind *kind;
    const eis_options *options;
    told to;
    plot_watch watch;
    measured measured;
    int64_t spectra, unread;
    json_t *found;
    text talk, table;
    tide_failure first; /* why the first of those that could not be read could not */
} each_sweep;

static tide_status out_of_memory(const each_sweep *b, tide_failure *failure) {
    return fail(failure, TIDE_ENOMEM, "out of memory for %s", b->kind->what);
}

static tide_status tell(const each_sweep *b, eis_tone tone, const char *message, tide_failure *failure) {
    return eis_tell(b->to.listener, b->to.user, tone, message)
               ? fail(failure, TIDE_ECANCELLED, "stopped during %s", b->kind->what)
               : TIDE_OK;
}

/* The reason takes the place of the answer. */
static tide_status put_unread(each_sweep *b, const char *path, const tide_failure *why, tide_failure *failure) {
    json_t *error = json_with(json_object(), "code", json_string("bad_input"));
    error = json_with(error, "message", json_text(why->message));
    error = json_with(error, "row", json_integer(why->row));
    error = json_with(error, "column", json_text(why->column));
    b->found =
        json_with_item(b->found, json_with(json_with(json_object(), "spectrum", json_text(path)), "error", error));
    if (!b->found) return out_of_memory(b, failure);
    if (b->unread++ == 0) b->first = *why;
    text_add(&b->talk, "%s: NOT READ: %s\n", path, why->message);
    b->kind->unread(path, why->message, &b->table);
    return tell(b, EIS_WARNING, why->message, failure);
}

static bool draws(const each_sweep *b) { return b->options->plots && *b->options->out; }

static tide_status answer_spectrum(each_sweep *b, const eis_spectrum *s, int64_t number, bool *of_file,
                                   tide_failure *failure) {
    char prefix[PLOT_PREFIX];
    plot_place plots = { b->options->out, plot_prefix(b->spectra, number, prefix), &b->watch };
    each_sweep_place to = { b->options, &b->found, &b->talk, &b->table, draws(b) ? &plots : NULL };
    tide_status status = b->kind->answer(s, &to, of_file, failure);
    return status == TIDE_OK && !b->found ? out_of_memory(b, failure) : status;
}

static tide_status refuse_inputs(const each_sweep *b, tide_failure *failure) {
    tide_status status = TIDE_OK;
    for (int64_t i = 0; *b->options->out && status == TIDE_OK && i < b->measured.files; i++)
        status = owned_refuse_input(b->options->out, b->measured.path[i], failure);
    return status;
}

/* What is wrong with a file is no matter of the others. */
static tide_status answer_one(each_sweep *b, int64_t number, tide_failure *failure) {
    const measured_item *item = &b->measured.item[number];
    bool of_file = !item->spectrum;
    tide_failure why = item->why;
    if (number) text_add(&b->talk, "\n");
    tide_status status = of_file ? why.status : answer_spectrum(b, item->spectrum, number, &of_file, &why);
    const char *name = item->spectrum ? item->spectrum->name : item->path;
    if (of_file && b->spectra > 1) return put_unread(b, name, &why, failure);
    if (status != TIDE_OK) *failure = why;
    return status == TIDE_OK ? tell(b, EIS_WORKING, "", failure) : status;
}

static tide_status answer_all(each_sweep *b, tide_failure *failure) {
    tide_status status = measured_read(b->options, b->to.listener, b->to.user, &b->measured, failure);
    b->spectra = b->measured.count;
    if (status == TIDE_OK) status = refuse_inputs(b, failure);
    if (status == TIDE_OK && draws(b)) status = plots_check(b->options->out, b->spectra, b->kind->plots, failure);
    for (int64_t i = 0; status == TIDE_OK && i < b->spectra; i++) status = answer_one(b, i, failure);
    return status;
}

static tide_status make_out(const each_sweep *b, tide_failure *failure) {
    const char *folder = b->options->out;
    if (mkdir(folder, 0777) && errno != EEXIST)
        return fail_at(failure, TIDE_EIO, folder, 0, "out", "cannot make the folder %s: %s", folder, strerror(errno));
    return owned_check(folder, (const char *const[]){ b->kind->table, NULL }, failure);
}

static tide_status write_table(void *user, void *stdio_file) {
    const text *t = user;
    return fwrite(t->data, t->length, 1, stdio_file) == 1 ? TIDE_OK : TIDE_EIO;
}

static tide_status write_out(each_sweep *b, tide_failure *failure) {
    char path[FOLDER_PATH];
    tide_status status = owned_claim_file(b->options->out, b->kind->table, path, failure);
    if (status == TIDE_OK) status = tide_file_replace(path, write_table, &b->table, failure);
    if (status == TIDE_OK && b->options->plots && !plot_available())
        status = tell(b, EIS_NOTE, plot_missing_note(), failure);
    return status;
}

static tide_status finish(each_sweep *b, eis_result *result, tide_failure *failure) {
    json_t *o = json_with(json_object(), "schema_version", json_integer(SCHEMA_VERSION));
    o = json_with(json_with(o, "command", json_string(b->kind->command)), "spectra", json_incref(b->found));
    result->json = json_whole(o, JSON_INDENT(2) | JSON_REAL_PRECISION(10));
    json_decref(o);
    decimal_table(b->options->decimal, &b->table);
    if (!result->json || b->talk.failed || b->table.failed) return out_of_memory(b, failure);
    tide_status status = *b->options->out ? write_out(b, failure) : TIDE_OK;
    if (status != TIDE_OK) return status;
    result->text = b->talk.data, b->talk = (text){ 0 };
    if (b->spectra > 1) result->csv = b->table.data, b->table = (text){ 0 };
    return TIDE_OK;
}

static tide_status run(each_sweep *b, eis_result *result, tide_failure *failure) {
    const eis_options *o = b->options;
    if (!*o->spectra) return fail_at(failure, TIDE_EINVAL, NULL, 0, "spectrum", "there is no `spectrum`");
    if (!b->found) return out_of_memory(b, failure);
    tide_status status = *o->out ? make_out(b, failure) : TIDE_OK;
    b->kind->header(&b->table);
    if (status == TIDE_OK) status = answer_all(b, failure);
    if (status == TIDE_OK) status = finish(b, result, failure);
    if (*o->out) owned_release(o->out);
    if (status == TIDE_OK && b->unread)
        return fail_at(failure, TIDE_EDATA, b->first.file, b->first.row, b->first.column,
                       "%lld of %lld spectra could not be read; the first of them: %s", (long long)b->unread,
                       (long long)b->spectra, b->first.message);
    if (status != TIDE_OK) eis_result_free(result);
    return status;
}

tide_status each_sweep_run(const each_sweep_kind *kind, const eis_options *options, eis_listener listener, void *user,
                      eis_result *result, tide_failure *failure) {
    failure_clear(failure);
    tide_failure own = { 0 };
    tide_status good = arguments_good(options, result, failure);
    if (good != TIDE_OK) return good;
    each_sweep b = { .kind = kind, .options = options, .to = { listener, user }, .found = json_array() };
    b.watch = eis_plot_watch(&b.to);
    tide_status status = run(&b, result, failure ? failure : &own);
    json_decref(b.found);
    measured_free(&b.measured);
    text_free(&b.talk), text_free(&b.table);
    return status;
}
