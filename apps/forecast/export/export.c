/* forecast_export: which format, may the files be written, and the writing. */
#include <inttypes.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/base.h"
#include "base/json.h"
#include "exported.h"
#include "files/owned.h"
#include "forecast/fit/calibrate.h"
#include "forecast/fit/resolve.h"
#include "forecast/saved/loaded.h"

typedef struct format {
    const char   *name, *ending;
    export_writer write;
    bool          ending_needed, header;  /* header: a second file, NAME.h */
} format;

static const format formats[] = {
    [FORECAST_FORMAT_C]    = { "c", ".c", export_c, .ending_needed = true, .header = true },
    [FORECAST_FORMAT_ONNX] = { "onnx", ".onnx", export_onnx },
    [FORECAST_FORMAT_PTH]  = { "pth", ".pth", export_pth },
};
enum { FORMATS = sizeof formats / sizeof *formats };

static bool ends_with(const char *path, const char *ending) {
    size_t a = strlen(path), b = strlen(ending);
    return a > b && !strcmp(path + a - b, ending);
}

static tide_status choose(int asked, const char *path, const format **out, tide_failure *failure) {
    *out = NULL;
    if (asked < 0 || asked >= FORMATS) return fail(failure, TIDE_EINVAL, "there is no format %d", asked);
    if (!*path || !strcmp(path, "-"))
        return fail_at(failure, TIDE_EINVAL, NULL, 0, "output",
                       "no file is given to write the model to: `output` FILE");
    for (int i = 1; i < FORMATS; i++)
        if (i == asked || (!asked && ends_with(path, formats[i].ending))) *out = &formats[i];
    if (!*out)
        return fail_at(failure, TIDE_EINVAL, NULL, 0, "format",
                       "%.200s does not end in .c, .onnx or .pth: `format` says what to write", path);
    if ((*out)->ending_needed && !ends_with(path, (*out)->ending))
        return fail_at(failure, TIDE_EINVAL, NULL, 0, "output", "%.200s does not end in %s, as `format` %s needs", path,
                       (*out)->ending, (*out)->name);
    return TIDE_OK;
}

/* The published program has points alone, and nothing beside the series. */
static tide_status check_published(const exported *e, tide_failure *failure) {
    const model_config *c = &e->bundle.config;
    if (c->head != FORECAST_HEAD_POINT)
        return fail_at(failure, TIDE_EINVAL, NULL, 0, "format",
                       "a published checkpoint has no head %s: `format` c or onnx holds it", head_words[c->head]);
    if (c->statics)
        return fail_at(failure, TIDE_EINVAL, NULL, 0, "format",
                       "a published checkpoint has no attributes of series, such as '%.60s': `format` c or onnx holds "
                       "them", e->bundle.statics.of[0].name);
    if (e->levels.count)
        return fail_at(failure, TIDE_EINVAL, NULL, 0, "level",
                       "a published checkpoint has no place for intervals: leave `level` out, or take `format` c or "
                       "onnx");
    return TIDE_OK;
}

tide_status export_pth(const exported *e, const char *path, tide_failure *failure) {
    char         name[WEIGHT_NAME];
    tide_archive a = { 0 };
    tide_shape   shape;
    const model_config *c      = &e->bundle.config;
    tide_status         status = check_published(e, failure);
    if (status != TIDE_OK) return status;
    const architecture *of = architecture_of(c->arch);
    for (int64_t i = 0; status == TIDE_OK && of->weight(c, i, name, &shape); i++)
        status = tide_archive_add(&a, name, TIDE_F32, shape, tide_archive_find(&e->archive, name)->data);
    if (status != TIDE_OK) fail(failure, status, "out of memory for the model's parameters");
    else status = tide_pth_write(path, &a, failure);
    tide_archive_free(&a);
    return status;
}

/* ---- the command ---- */

typedef struct export_files { char path[FOLDER_PATH], *output, *header; } export_files;

static tide_status check_file(const forecast_options *o, const export_files *f, const char *file,
                              tide_failure *failure) {
    return output_check(file, "output", o->overwrite, o->model, (const char *const[]){ f->path, NULL }, failure);
}

static tide_status told_text(const exported *e, const export_files *f, forecast_result *r, tide_failure *failure) {
    const model_config *c = &e->bundle.config;
    text t = { 0 };
    text_add(&t, "wrote %s%s%s: %" PRId64 " rows of %" PRId64 " columns to %" PRId64 " rows of %" PRId64 ", %" PRId64
                 " parameters\n", f->header ? f->header : "", f->header ? " and " : "", f->output, c->seq_len,
             c->columns, c->pred_len, c->out_count, r->parameters);
    r->text = t.data;
    return t.failed ? fail(failure, TIDE_ENOMEM, "out of memory for the result") : TIDE_OK;
}

static tide_status told_json(const exported *e, const export_files *f, const format *as, forecast_result *r,
                             tide_failure *failure) {
    json_t *files = json_with_item(json_array(), json_text(f->output));
    if (f->header) files = json_with_item(files, json_text(f->header));
    json_t *o = json_pack("{s:i, s:s, s:s, s:I, s:I, s:I, s:I, s:s}", "schema_version", 1, "command",
                          "forecast export", "format", as->name, "columns", (json_int_t)r->columns, "seq_len",
                          (json_int_t)r->seq_len, "pred_len", (json_int_t)r->pred_len, "parameters",
                          (json_int_t)r->parameters, "model_sha256", e->sha256);
    o       = json_with(json_with(o, "run", json_text(r->run)), "files", files);
    r->json = json_whole(o, JSON_INDENT(2));
    json_decref(o);
    return r->json ? TIDE_OK : fail(failure, TIDE_ENOMEM, "out of memory for the result");
}

/* What whoever uses the file should know of the model. */
static void tell_model(const listener *l, const exported *e) {
    const bundle *b = &e->bundle;
    if (record_best(&b->record) != FORECAST_USE_MODEL)
        listener_note(l, FORECAST_STAGE_WARNING,
                      "on the test windows a baseline was better than the model (`use` best of predict gives it): what "
                      "was written is the model");
    if (e->levels.count) tell_reach(l, &b->bands, FORECAST_USE_MODEL, e->levels.of[e->levels.count - 1]);
}

static tide_status tell(const forecast_options *o, const exported *e, const export_files *f, const format *as,
                        const listener *l, forecast_result *r, tide_failure *failure) {
    const model_config *c = &e->bundle.config;
    snprintf(r->run, sizeof r->run, "%s", o->model);
    r->parameters = forecaster_parameters(c), r->columns = c->columns;
    r->seq_len = c->seq_len, r->pred_len = c->pred_len;
    const char *files[] = { f->header, f->output };
    for (int i = 0; i < 2; i++) {
        if (!files[i]) continue;
        output_remember(o->model, files[i]);
        listener_tell(l, (forecast_event){ .stage = FORECAST_STAGE_FILE, .message = files[i] });
    }
    tell_model(l, e);
    tide_status status = told_text(e, f, r, failure);
    return status == TIDE_OK ? told_json(e, f, as, r, failure) : status;
}

static tide_status export_run(const forecast_options *o, const listener *l, forecast_result *r, exported *e,
                              export_files *f, tide_failure *failure) {
    const format *as;
    tide_status   status = loaded_path(o->model, f->path, failure);
    if (status == TIDE_OK) status = choose(o->format, o->output, &as, failure);
    if (status == TIDE_OK) status = levels_parse(o->level, &e->levels, failure);
    if (status != TIDE_OK) return status;
    f->output = strdup(o->output);
    f->header = as->header ? export_c_header(o->output) : NULL;
    if (!f->output || (as->header && !f->header))
        return fail(failure, TIDE_ENOMEM, "out of memory for the file's name");
    if (f->header) status = check_file(o, f, f->header, failure);
    if (status == TIDE_OK) status = check_file(o, f, f->output, failure);
    if (status == TIDE_OK) status = exported_read(f->path, e, failure);
    if (status == TIDE_OK) status = as->write(e, f->output, failure);
    return status == TIDE_OK ? tell(o, e, f, as, l, r, failure) : status;
}

tide_status forecast_export(const forecast_options *options, forecast_progress progress, void *user,
                            forecast_result *result, tide_failure *failure) {
    failure_clear(failure);
    if (arguments_sound(options, result, failure) != TIDE_OK) return TIDE_EINVAL;
    listener     l      = { progress, user, os_seconds(), NULL };
    exported     e      = { 0 };
    export_files f      = { 0 };
    tide_status  status = export_run(options, &l, result, &e, &f, failure);
    exported_free(&e);
    free(f.output);
    free(f.header);
    return status;
}

tide_status forecast_model_export_levels(const forecast_model *m, forecast_format format_asked, const char *path,
                                         const double *levels, int64_t level_count, forecast_progress progress,
                                         void *user, tide_failure *failure) {
    failure_clear(failure);
    void         *bytes = NULL;
    size_t        size  = 0;
    exported      e     = { 0 };
    const format *as;
    if (!path) return fail(failure, TIDE_EINVAL, "there is no path to write the model to");
    tide_status status = choose((int)format_asked, path, &as, failure);
    if (status == TIDE_OK && level_count) status = levels_take(levels, level_count, &e.levels, failure);
    if (status == TIDE_OK) status = forecast_model_save_memory(m, &bytes, &size, failure);
    if (status == TIDE_OK) status = exported_take(bytes, size, &e, failure);
    if (status == TIDE_OK) status = as->write(&e, path, failure);
    if (status == TIDE_OK) tell_model(&(listener){ progress, user, os_seconds(), NULL }, &e);
    exported_free(&e);
    tide_free(bytes);
    return status;
}

tide_status forecast_model_export(const forecast_model *m, forecast_format format_asked, const char *path,
                                  tide_failure *failure) {
    return forecast_model_export_levels(m, format_asked, path, NULL, 0, NULL, NULL, failure);
}
