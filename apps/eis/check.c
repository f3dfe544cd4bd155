/* tidemill eis check, below the command line: files to verdicts, verdicts to files. */
#include <tidemill/eis.h>

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include <tidemill/io.h>

#include "base/json.h"
#include "eis/check/checked.h"
#include "eis/options/arguments.h"
#include "eis/options/tell.h"
#include "eis/read/measured.h"
#include "eis/training/plot_told.h"
#include "files/owned.h"

enum { SCHEMA_VERSION = 1 };
static const char table_name[] = "check.csv";

typedef struct batch {
    const eis_options *options;
    told to;
    plot_watch watch;
    measured measured;
    int64_t spectra, unread;
    json_t *found;
    text talk, table;
    tide_failure first; /* why the first of those that could not be read could not */
} batch;

static tide_status out_of_memory(tide_failure *failure) {
    return fail(failure, TIDE_ENOMEM, "out of memory for the check");
}

static tide_status tell(const batch *b, eis_tone tone, const char *message, tide_failure *failure) {
    return eis_tell(b->to.listener, b->to.user, tone, message)
               ? fail(failure, TIDE_ECANCELLED, "stopped while spectra were checked")
               : TIDE_OK;
}

static tide_status put_found(batch *b, int64_t number, const eis_checked *c, tide_failure *failure) {
    char prefix[32] = "";
    b->found = json_with_item(b->found, checked_json(c));
    if (number) text_add(&b->talk, "\n");
    checked_text(c, &b->talk);
    checked_row(c, &b->table);
    if (!b->found) return out_of_memory(failure);
    if (!*b->options->out || !b->options->plots) return TIDE_OK;
    if (b->spectra > 1) snprintf(prefix, sizeof prefix, "%03lld_", (long long)number + 1);
    return checked_plots(c, b->options->out, prefix, &b->watch, failure);
}

/* The reason takes the place of the verdict. */
static tide_status put_unread(batch *b, const char *path, int64_t number, const tide_failure *why,
                              tide_failure *failure) {
    json_t *error = json_with(json_object(), "code", json_string("bad_input"));
    error = json_with(error, "message", json_text(why->message));
    error = json_with(error, "row", json_integer(why->row));
    error = json_with(error, "column", json_text(why->column));
    b->found =
        json_with_item(b->found, json_with(json_with(json_object(), "spectrum", json_text(path)), "error", error));
    if (!b->found) return out_of_memory(failure);
    if (b->unread++ == 0) b->first = *why;
    text_add(&b->talk, "%s%s: NOT READ: %s\n", number ? "\n" : "", path, why->message);
    checked_row_failed(path, why->message, &b->table);
    return tell(b, EIS_WARNING, why->message, failure);
}

static tide_status check_one(batch *b, const eis_spectrum *s, int64_t number, bool *of_file, tide_failure *failure) {
    eis_checked c = { 0 };
    tide_status status = eis_check_spectrum(s, &c, failure);
    *of_file = status == TIDE_EDATA;
    if (status == TIDE_OK) status = put_found(b, number, &c, failure);
    eis_checked_free(&c);
    return status;
}

static tide_status refuse_inputs(const batch *b, tide_failure *failure) {
    tide_status status = TIDE_OK;
    for (int64_t i = 0; *b->options->out && status == TIDE_OK && i < b->measured.files; i++)
        status = owned_refuse_input(b->options->out, b->measured.path[i], failure);
    return status;
}

/* What is wrong with a file is no matter of the others. */
static tide_status answer_one(batch *b, int64_t number, tide_failure *failure) {
    const measured_item *item = &b->measured.item[number];
    bool of_file = !item->spectrum;
    tide_failure why = item->why;
    tide_status status = of_file ? why.status : check_one(b, item->spectrum, number, &of_file, &why);
    const char *name = item->spectrum ? item->spectrum->name : item->path;
    if (of_file && b->spectra > 1) return put_unread(b, name, number, &why, failure);
    if (status != TIDE_OK) *failure = why;
    return status == TIDE_OK ? tell(b, EIS_WORKING, "", failure) : status;
}

static tide_status answer_all(batch *b, tide_failure *failure) {
    tide_status status = measured_read(b->options, b->to.listener, b->to.user, &b->measured, failure);
    b->spectra = b->measured.count;
    if (status == TIDE_OK) status = refuse_inputs(b, failure);
    for (int64_t i = 0; status == TIDE_OK && i < b->spectra; i++) status = answer_one(b, i, failure);
    return status;
}

static tide_status make_out(const char *folder, tide_failure *failure) {
    if (mkdir(folder, 0777) && errno != EEXIST)
        return fail_at(failure, TIDE_EIO, folder, 0, "out", "cannot make the folder %s: %s", folder, strerror(errno));
    return owned_check(folder, (const char *const[]){ table_name, NULL }, failure);
}

static tide_status write_table(void *user, void *stdio_file) {
    const text *t = user;
    return fwrite(t->data, t->length, 1, stdio_file) == 1 ? TIDE_OK : TIDE_EIO;
}

static tide_status write_out(batch *b, tide_failure *failure) {
    char path[FOLDER_PATH];
    tide_status status = owned_claim_file(b->options->out, table_name, path, failure);
    if (status == TIDE_OK) status = tide_file_replace(path, write_table, &b->table, failure);
    if (status == TIDE_OK && b->options->plots && !plot_available())
        status = tell(b, EIS_NOTE, plot_missing_note(), failure);
    return status;
}

static tide_status finish(batch *b, eis_result *result, tide_failure *failure) {
    json_t *o = json_with(json_object(), "schema_version", json_integer(SCHEMA_VERSION));
    o = json_with(json_with(o, "command", json_string("check")), "spectra", json_incref(b->found));
    result->json = json_whole(o, JSON_INDENT(2) | JSON_REAL_PRECISION(10));
    json_decref(o);
    if (!result->json || b->talk.failed || b->table.failed) return out_of_memory(failure);
    tide_status status = *b->options->out ? write_out(b, failure) : TIDE_OK;
    if (status != TIDE_OK) return status;
    result->text = b->talk.data, b->talk = (text){ 0 };
    if (b->spectra > 1) result->csv = b->table.data, b->table = (text){ 0 };
    return TIDE_OK;
}

static tide_status run(batch *b, eis_result *result, tide_failure *failure) {
    const eis_options *o = b->options;
    if (!*o->spectra) return fail_at(failure, TIDE_EINVAL, NULL, 0, "spectrum", "there is no `spectrum` to check");
    if (!b->found) return out_of_memory(failure);
    tide_status status = *o->out ? make_out(o->out, failure) : TIDE_OK;
    checked_table_header(&b->table);
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

tide_status eis_check(const eis_options *options, eis_listener listener, void *user, eis_result *result,
                      tide_failure *failure) {
    failure_clear(failure);
    tide_failure own = { 0 };
    if (arguments_good(options, result, failure) != TIDE_OK) return TIDE_EINVAL;
    batch b = { .options = options, .to = { listener, user }, .found = json_array() };
    b.watch = eis_plot_watch(&b.to);
    tide_status status = run(&b, result, failure ? failure : &own);
    json_decref(b.found);
    measured_free(&b.measured);
    text_free(&b.talk), text_free(&b.table);
    return status;
}
