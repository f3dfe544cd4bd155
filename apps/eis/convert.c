/* tidemill eis convert: any file of spectra to our CSV, a file for each sweep. */
#include <tidemill/eis.h>

#include <errno.h>
#include <jansson.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

#include <tidemill/io.h>

#include "base/base.h"
#include "base/json.h"
#include "eis/options/arguments.h"
#include "eis/read/measured.h"
#include "files/owned.h"

enum { FILE_NAME = 200 };

typedef struct conversion {
    const eis_options *options;
    measured measured;
    char  (*name)[FILE_NAME];  /* of each sweep's file in `out` */
    json_t *list;
    text    talk;
    int64_t failed;
    const tide_failure *first; /* why, the first of them */
} conversion;

static tide_status out_of_memory(tide_failure *failure) {
    return fail(failure, TIDE_ENOMEM, "out of memory for the spectra");
}

/* ---- a spectrum as CSV ---- */

static void put_cell(text *out, double v, const char *end) {
    char number[32];
    num_format(number, v, false);
    text_add(out, "%s%s", number, end);
}

static void put_csv(const eis_spectrum *s, text *out) {
    text_add(out, "frequency_hz,z_re_ohm,z_im_ohm%s\n", s->sigma ? ",sigma_re_ohm,sigma_im_ohm" : "");
    for (int64_t i = 0; i < s->count; i++) {
        put_cell(out, s->freq_hz[i], ",");
        put_cell(out, s->z[i].re, ",");
        put_cell(out, s->z[i].im, s->sigma ? "," : "\n");
        if (!s->sigma) continue;
        put_cell(out, s->sigma[i].re, ",");
        put_cell(out, s->sigma[i].im, "\n");
    }
}

static tide_status write_text(void *user, void *stdio_file) {
    const text *t = user;
    return fwrite(t->data, 1, t->length, stdio_file) == t->length ? TIDE_OK : TIDE_EIO;
}

static tide_status write_csv(const eis_spectrum *s, const char *path, tide_failure *failure) {
    text csv = { 0 };
    put_csv(s, &csv);
    tide_status status = csv.failed ? out_of_memory(failure) : tide_file_replace(path, write_text, &csv, failure);
    text_free(&csv);
    return status;
}

/* ---- where it goes ---- */

static bool is_plain(char c) {
    return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || c == '.' || c == '-';
}

static void put_plain(char *out, const char *words, size_t length) {
    size_t used = strlen(out);
    for (size_t i = 0; i < length && used + 8 < FILE_NAME; i++) out[used++] = is_plain(words[i]) ? words[i] : '_';
    out[used] = 0;
}

/* "plate.txt", its second sweep or the one called "A1 Run.1": plate-2.csv, plate-A1_Run.1.csv */
static void make_name(const measured_item *item, char out[FILE_NAME]) {
    const char *slash = strrchr(item->path, '/'), *base = slash ? slash + 1 : item->path, *dot = strrchr(base, '.');
    const char *name = item->spectrum->name, *number = strrchr(name, '#');
    size_t      stem = dot && dot > base ? (size_t)(dot - base) : strlen(base);
    *out = 0;
    put_plain(out, base, stem);
    if (strcmp(name, item->path) != 0) {
        bool own = number && (size_t)(number - name) == strlen(base) && strncmp(name, base, strlen(base)) == 0;
        strcat(out, "-");
        put_plain(out, own ? number + 1 : name, strlen(own ? number + 1 : name));
    }
    strcat(out, ".csv");
}

static void path_of(const conversion *c, int64_t i, char path[2 * EIS_TEXT_SIZE]) {
    const eis_options *o = c->options;
    if (*o->output) snprintf(path, 2 * EIS_TEXT_SIZE, "%s", o->output);
    else snprintf(path, 2 * EIS_TEXT_SIZE, "%s/%s", o->out, c->name[i]);
}

/* All names are settled before the first file is written: two of the same, or one that is there, end it. */
static tide_status plan(conversion *c, tide_failure *failure) {
    char path[2 * EIS_TEXT_SIZE];
    c->name = calloc((size_t)MAX2(c->measured.count, 1), sizeof *c->name);
    if (!c->name) return out_of_memory(failure);
    for (int64_t i = 0; i < c->measured.count; i++) {
        const measured_item *item = &c->measured.item[i];
        if (!item->spectrum) continue;
        make_name(item, c->name[i]);
        for (int64_t k = 0; k < i; k++)
            if (strcmp(c->name[k], c->name[i]) == 0)
                return fail_at(failure, TIDE_EINVAL, NULL, 0, "out",
                               "%s and %s would both become %s: convert them into two folders",
                               c->measured.item[k].path, item->path, c->name[i]);
        path_of(c, i, path);
        tide_status status = output_check(path, *c->options->output ? "output" : "out", c->options->overwrite, NULL,
                                          (const char *const[]){ item->path, NULL }, failure);
        if (status != TIDE_OK) return status;
    }
    return TIDE_OK;
}

static tide_status make_folder(const char *path, tide_failure *failure) {
    if (mkdir(path, 0777) == 0 || errno == EEXIST) return TIDE_OK;
    return fail_at(failure, TIDE_EIO, path, 0, "out", "cannot make the folder %s: %s", path, strerror(errno));
}

/* ---- what is told ---- */

static tide_status tell_item(conversion *c, const eis_spectrum *s, const char *path, tide_failure *failure) {
    double low = INFINITY, high = 0;
    for (int64_t i = 0; i < s->count; i++) low = fmin(low, s->freq_hz[i]), high = fmax(high, s->freq_hz[i]);
    text_add(&c->talk, "%s: %lld points, %g to %g Hz%s%s\n", s->name, (long long)s->count, low, high,
             *path ? ", written to " : "", path);
    json_t *one = json_pack("{s:o, s:o, s:I, s:f, s:f}", "spectrum", json_text(s->name), "file",
                            *path ? json_text(path) : json_null(), "points", (json_int_t)s->count, "frequency_low_hz",
                            low, "frequency_high_hz", high);
    return one && !json_array_append_new(c->list, one) ? TIDE_OK : out_of_memory(failure);
}

static tide_status tell_reason(conversion *c, const measured_item *item, tide_failure *failure) {
    if (c->failed++ == 0) c->first = &item->why;
    text_add(&c->talk, "NOT CONVERTED: %s\n", item->why.message);
    json_t *one = json_pack("{s:o, s:{s:s, s:o, s:I, s:o}}", "spectrum", json_text(item->path), "error", "code",
                            "bad_input", "message", json_text(item->why.message), "row", (json_int_t)item->why.row,
                            "column", json_text(item->why.column));
    return one && !json_array_append_new(c->list, one) ? TIDE_OK : out_of_memory(failure);
}

static tide_status convert_all(conversion *c, eis_result *result, tide_failure *failure) {
    const eis_options *o = c->options;
    bool        files  = *o->output || *o->out;
    tide_status status = files ? plan(c, failure) : TIDE_OK;
    for (int64_t i = 0; i < c->measured.count && status == TIDE_OK; i++) {
        const measured_item *item = &c->measured.item[i];
        char path[2 * EIS_TEXT_SIZE] = "";
        text csv = { 0 };
        if (!item->spectrum) {
            status = tell_reason(c, item, failure);
            continue;
        }
        if (files) path_of(c, i, path), status = write_csv(item->spectrum, path, failure);
        else put_csv(item->spectrum, &csv), result->csv = csv.data;
        if (csv.failed) status = out_of_memory(failure);
        if (status == TIDE_OK) status = tell_item(c, item->spectrum, path, failure);
    }
    return status;
}

/* ---- the command ---- */

static tide_status check(const eis_options *o, tide_failure *failure) {
    if (!*o->spectra)
        return fail_at(failure, TIDE_EINVAL, NULL, 0, "spectrum",
                       "which file is to be converted? `spectrum` is needed");
    if (*o->output && *o->out)
        return fail_at(failure, TIDE_EINVAL, NULL, 0, "output", "`output` is one file, `out` a folder: one of them");
    return TIDE_OK;
}

/* One file, or standard output, takes one spectrum. */
static tide_status check_count(const conversion *c, tide_failure *failure) {
    const measured_item *first = c->measured.item;
    if (*c->options->out || (c->measured.count == 1 && first->spectrum)) return TIDE_OK;
    if (c->measured.count == 1) {
        if (failure) *failure = first->why;
        return TIDE_EDATA;
    }
    return fail_at(failure, TIDE_EINVAL, NULL, 0, "out",
                   "%lld spectra do not go into one file: `out` names a folder for them, `sweep` chooses one",
                   (long long)c->measured.count);
}

static tide_status give(conversion *c, eis_result *result, tide_failure *failure) {
    json_t *all = json_pack("{s:i, s:s, s:O}", "schema_version", 1, "command", "eis convert", "spectra", c->list);
    result->json = json_whole(all, JSON_INDENT(2) | JSON_REAL_PRECISION(10));
    json_decref(all);
    if (c->talk.failed || !result->json) return out_of_memory(failure);
    result->text = c->talk.data, c->talk = (text){ 0 };
    if (!c->failed) return TIDE_OK;
    return fail_at(failure, TIDE_EDATA, c->first->file, c->first->row, c->first->column,
                   "%lld of %lld spectra were not converted; the first of them: %s", (long long)c->failed,
                   (long long)c->measured.count, c->first->message);
}

tide_status eis_convert(const eis_options *options, eis_listener listener, void *user, eis_result *result,
                        tide_failure *failure) {
    failure_clear(failure);
    tide_status good = arguments_good(options, result, failure);
    if (good != TIDE_OK) return good;
    conversion  c      = { .options = options, .list = json_array() };
    tide_status status = c.list ? check(options, failure) : out_of_memory(failure);
    if (status == TIDE_OK) status = measured_read(options, listener, user, &c.measured, failure);
    if (status == TIDE_OK) status = check_count(&c, failure);
    if (status == TIDE_OK && *options->out) status = make_folder(options->out, failure);
    if (status == TIDE_OK) status = convert_all(&c, result, failure);
    bool done = status == TIDE_OK;
    if (done) status = give(&c, result, failure);
    if (status != TIDE_OK && !(done && status == TIDE_EDATA)) eis_result_free(result);
    measured_free(&c.measured);
    json_decref(c.list);
    text_free(&c.talk);
    free(c.name);
    return status;
}
