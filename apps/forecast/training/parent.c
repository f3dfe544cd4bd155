/* Fine-tuning: which options the parent run decides, its parameters and scaler, and what a run that goes on still needs
 * of it. */
#include "parent.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

#include "base/base.h"
#include "forecast/data/util.h"
#include "forecast/options/quantiles.h"
#include "forecast/saved/loaded.h"
#include "forecast/saved/run_options.h"

typedef struct parent {
    tide_archive archive;
    bundle       bundle;
} parent;

void parent_free(parent *p) {
    if (!p) return;
    tide_archive_free(&p->archive);
    bundle_free(&p->bundle);
    free(p);
}

/* A failure of the run `from`, whatever it was taken for. */
static tide_status of_parent(tide_failure *failure, tide_status status) {
    if (status != TIDE_OK && failure && !strcmp(failure->column, "model")) snprintf(failure->column, 5, "from");
    return status;
}

/* ---- options ---- */

static const char *const shapes[] = { "seq-len", "pred-len", "arch",       "d-model",  "n-heads", "e-layers",
                                      "d-ff",    "activation", "use-norm", "head",    "quantiles" };
enum { SHAPES = sizeof shapes / sizeof *shapes };
typedef char shape_words[sizeof ((forecast_options *)0)->quantiles];

/* As text, in the order of `shapes`. */
static void shapes_of(const model_config *c, shape_words values[SHAPES]) {
    const int64_t sizes[SHAPES] = { c->seq_len, c->pred_len, 0, c->d_model, c->n_heads, c->e_layers, c->d_ff };
    for (int i = 0; i < SHAPES; i++) snprintf(values[i], sizeof *values, "%" PRId64, sizes[i]);
    snprintf(values[2], sizeof *values, "%s", architecture_of(c->arch)->name);
    snprintf(values[7], sizeof *values, "%s", c->relu ? "relu" : "gelu");
    snprintf(values[8], sizeof *values, "%s", c->use_norm ? "true" : "false");
    snprintf(values[9], sizeof *values, "%s", head_words[c->head]);
    quantiles_print(c->quantile, c->quantile_count, values[10], sizeof *values);
}

static tide_status adopt(forecast_options *o, const char *name, const char *value, tide_failure *failure) {
    char now[FORECAST_TEXT_SIZE];
    forecast_option_get(o, forecast_option_find(name), now, sizeof now);
    if (!forecast_option_given(o, name) || !strcmp(now, value)) return forecast_option_set(o, name, value, failure);
    return fail_at(failure, TIDE_EINVAL, NULL, 0, name,
                   "`%s` %s is not that of %.200s, %s: leave it out, for a training `from` a run has its network",
                   name, now, o->from, value);
}

/* What has no steps cannot go on with them; the members of a sum are runs of their own. */
tide_status parent_check_arch(const char *run, const char *option, const model_config *c, tide_failure *failure) {
    const architecture *of = architecture_of(c->arch);
    if (!forecaster_solved(c->arch, c->head)) return TIDE_OK;
    return fail_at(failure, TIDE_EINVAL, NULL, 0, option,
                   "%.200s is a run of `arch` %s, which is not trained by steps: %s", run, of->name,
                   c->arch == FORECAST_ARCH_AUTO ? "give one of its members (itransformer, dlinear, patchtst), a run "
                                                   "in its folder members"
                                                 : "a run of itransformer, dlinear or patchtst is, and this one is "
                                                   "solved anew by train on the new rows");
}

static tide_status settle_by_parent(forecast_options *o, tide_failure *failure) {
    char         path[FOLDER_PATH];
    shape_words   values[SHAPES];
    model_config c;
    tide_status  status = loaded_path(o->from, path, failure);
    if (status == TIDE_OK) status = bundle_sizes(path, &c, failure);
    if (status == TIDE_OK) status = parent_check_arch(o->from, "from", &c, failure);
    if (status != TIDE_OK) return of_parent(failure, status);
    shapes_of(&c, values);
    for (int i = 0; i < SHAPES && status == TIDE_OK; i++) status = adopt(o, shapes[i], values[i], failure);
    return status;
}

/* NULL where it is none: what is wrong with it is told when it is checked. */
static json_t *run_of(const forecast_options *o) {
    char path[FOLDER_PATH];
    return json_load_file(folder_file(o->out, "run.json", path), 0, NULL);
}

/* Those of its own run.json, as far as they are not given; that those are the same is checked with all others. */
static tide_status settle_by_run(forecast_options *o, tide_failure *failure) {
    json_t     *run    = run_of(o);
    tide_status status = TIDE_OK;
    const char *from   = json_string_value(json_object_get(json_object_get(run, "options"), "from"));
    if (from && *from) {
        status = run_option_take(run, "from", o, failure);
        if (status == TIDE_OK) status = run_option_take(run, "keep-scaler", o, failure);
        for (int i = 0; i < SHAPES && status == TIDE_OK; i++) status = run_option_take(run, shapes[i], o, failure);
    }
    json_decref(run);
    return status;
}

static bool goes_on(const forecast_options *o) {
    return o->resume && *o->out && !o->overwrite && run_folder_present(o->out);
}

tide_status parent_settle(forecast_options *o, tide_failure *failure) {
    tide_status status = goes_on(o) ? settle_by_run(o, failure) : *o->from ? settle_by_parent(o, failure) : TIDE_OK;
    if (status != TIDE_OK) return status;
    if (o->keep_scaler && !*o->from)
        return fail_at(failure, TIDE_EINVAL, NULL, 0, "keep-scaler",
                       "`keep-scaler` keeps that of the run `from`, and none is given: `from` RUN, or leave it out");
    if (!o->refit || !*o->from) return TIDE_OK;
    return fail_at(failure, TIDE_EINVAL, NULL, 0, "refit",
                   "`refit` learns once more from new parameters, and `from` goes on with those of a run: leave one of "
                   "them out");
}

/* ---- the file ---- */

static tide_status no_memory(tide_failure *failure) {
    return fail(failure, TIDE_ENOMEM, "out of memory for the run to begin with");
}

/* The deviations are of its columns by their names. */
static tide_status keep_scaler(trainer *t, const bundle *b, tide_failure *failure) {
    const frame *f    = &t->data.frame;
    scaler       kept = { 0 };
    if (!scaler_copy(&t->data.scaler, &kept)) return no_memory(failure);
    for (int64_t i = 0; i < f->columns; i++) {
        int64_t at = names_find(b->names, b->config.columns, f->names[i]);
        if (at < 0) {
            scaler_free(&kept);
            return fail_at(failure, TIDE_EINVAL, NULL, 0, "keep-scaler",
                           "'%.100s' is no column of %.200s, which has no mean and deviation for it: leave "
                           "`keep-scaler` out, then those of the training rows count", f->names[i], t->options->from);
        }
        kept.mean[i] = b->scaler.mean[at], kept.std[i] = b->scaler.std[at];
    }
    return dataset_rescale(&t->data, kept, failure);
}

/* The scaler of a run that goes on is in its own model, which is there before the first checkpoint. */
static tide_status keep_own_scaler(trainer *t, tide_failure *failure) {
    char        path[FOLDER_PATH];
    bundle      own    = { 0 };
    tide_status status = bundle_read(folder_file(t->options->out, "model.safetensors", path), &own, failure);
    if (status == TIDE_OK) status = keep_scaler(t, &own, failure);
    bundle_free(&own);
    return status;
}

/* A run that was killed before its first checkpoint begins again, with the same parameters or not at all. */
static tide_status check_sum(const trainer *t, tide_failure *failure) {
    json_t     *run  = goes_on(t->options) ? run_of(t->options) : NULL;
    const char *was  = json_string_value(json_object_get(run, "from_sha256"));
    bool        same = !was || !strcmp(was, t->from.sha256);
    json_decref(run);
    if (same) return TIDE_OK;
    return fail_at(failure, TIDE_EDATA, t->from.path, 0, "from",
                   "the run in %.200s was begun with another model than this one now is (its sha256 differs), and has "
                   "no checkpoint yet: `overwrite` begins anew", t->options->out);
}

static tide_status read_parent(trainer *t, tide_failure *failure) {
    parent *p = t->parent = calloc(1, sizeof *p);
    if (!p) return no_memory(failure);
    tide_status status = loaded_path(t->options->from, t->from.path, failure);
    if (status == TIDE_OK) status = tide_file_sha256(t->from.path, t->from.sha256, failure);
    if (status == TIDE_OK) status = check_sum(t, failure);
    if (status == TIDE_OK) status = tide_safetensors_read(t->from.path, &p->archive, failure);
    if (status == TIDE_OK) status = bundle_take(t->from.path, &p->archive, &p->bundle, failure);
    return of_parent(failure, status);
}

static bool has_checkpoint(const forecast_options *o) {
    char        path[FOLDER_PATH];
    struct stat s;
    return goes_on(o) && stat(folder_file(o->out, "state.safetensors", path), &s) == 0;
}

tide_status parent_open(trainer *t, tide_failure *failure) {
    const forecast_options *o = t->options;
    t->first_loss = (double)NAN;
    if (!*o->from) return TIDE_OK;
    if (has_checkpoint(o)) return o->keep_scaler ? keep_own_scaler(t, failure) : TIDE_OK;
    tide_status status = read_parent(t, failure);
    if (status == TIDE_OK && o->keep_scaler) status = keep_scaler(t, &t->parent->bundle, failure);
    return status;
}

tide_status parent_check(const trainer *t, tide_failure *failure) {
    const model_config *now = &t->config, *was = t->parent ? &t->parent->bundle.config : now;
    if (t->parent && (now->statics || was->statics))
        return fail_at(failure, TIDE_EINVAL, NULL, 0, "from",
                       "attributes of the series (`static`) are not handed on by `from`: train anew without it%s",
                       was->statics ? "; `update` goes on with the run's own" : ", or leave `static` out");
    if (!now->known == !was->known) return TIDE_OK;
    char list[200];
    if (!was->known)
        return fail_at(failure, TIDE_EINVAL, NULL, 0, "from",
                       "%.200s has learned nothing of columns that are known ahead: leave `known`, `holidays` and "
                       "`issued` out, or train anew without `from`", t->options->from);
    names_list(list, sizeof list, t->parent->bundle.names + was->columns - was->known, was->known);
    return fail_at(failure, TIDE_EINVAL, NULL, 0, "from",
                   "%.200s goes by columns that are known ahead (%s), and here none is: say with `known`, `holidays` "
                   "or `issued` which, or train anew without `from`", t->options->from, list);
}

/* ---- the beginning ---- */

static bool ends_with_gap(const char *name) {
    static const char end[] = "gap_embedding.weight";
    size_t            size  = strlen(name);
    return size >= sizeof end - 1 && !strcmp(name + size - (sizeof end - 1), end);
}

tide_status trainer_put_parameters(trainer *t, const tide_archive *a, tide_failure *failure) {
    tide_list all   = t->session.params;
    tide_val *here  = malloc((size_t)all.count * sizeof *here + 1);
    int64_t   count = 0;
    if (!here) return no_memory(failure);
    for (int64_t i = 0; i < all.count; i++) {
        const char *name = tide_name_of(all.items[i]);
        if (tide_archive_find(a, name) || !ends_with_gap(name)) here[count++] = all.items[i];
    }
    tide_status status = tide_load_archive((tide_list){ here, count }, a, failure);
    free(here);
    return status;
}

/* Columns that the run does not have: a note, since a wrong file is easily given. */
static void tell_columns(const trainer *t) {
    const frame  *f = &t->data.frame;
    const bundle *b = &t->parent->bundle;
    int64_t       others = 0, first = -1;
    for (int64_t i = 0; i < f->columns; i++)
        if (names_find(b->names, b->config.columns, f->names[i]) < 0) first = others++ ? first : i;
    if (others)
        listener_note(&t->listener, FORECAST_STAGE_NOTE,
                      "%" PRId64 " of %" PRId64 " columns, '%.60s' the first, are none of the %" PRId64 " of %.200s: "
                      "its parameters are shared by all columns, and learn these now", others, f->columns,
                      f->names[first], b->config.columns, t->options->from);
}

tide_status parent_begin(trainer *t, tide_failure *failure) {
    if (!t->parent) return TIDE_OK;
    tide_status status = trainer_put_parameters(t, &t->parent->archive, failure);
    if (status == TIDE_OK) status = trainer_measure(t, failure);
    if (status != TIDE_OK) return status;
    t->first_loss = t->solved_loss;
    tell_columns(t);
    parent_free(t->parent);
    t->parent = NULL;
    listener_note(&t->listener, FORECAST_STAGE_NOTE,
                  "the first parameters are those of %.200s; with them the validation loss is %.5f", t->options->from,
                  t->first_loss);
    return trainer_write_model(t, NULL, failure);
}

void parent_tell_end(const trainer *t) {
    const fit_progress *at = fit_at(t->fit);
    if (at->best > t->first_loss)
        listener_note(&t->listener, FORECAST_STAGE_WARNING,
                      "no epoch came below the validation loss that training began with, %.5f (the best, %" PRId64
                      ": %.5f): a lower `learning-rate` may, or %.200s is as good as it gets", t->first_loss,
                      at->best_epoch, at->best, t->options->from);
}
