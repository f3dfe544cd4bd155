#include <inttypes.h>
#include <math.h>
#include <stdio.h>

#include "base/base.h"
#include "draw/plot.h"
#include "train/run.h"
#include "trainer.h"

static const char *const recipe_names[] = { [EIS_RECIPE_LAB] = "lab", [EIS_RECIPE_GRID] = "grid" };

json_t *spectrum_description(const spectrum_trainer *t) {
    const spectrum_settings *s = &t->settings;
    const eis_options       *o = t->options;
    json_t *all =
        json_pack("{s:s, s:s, s:s, s:s, s:s, s:I, s:I, s:f, s:f, s:I, s:I, s:f, s:s}", "command", "eis train",
                  "version", TIDE_VERSION, "inputs", "spectrum", "recipe", recipe_names[s->network.recipe], "circuit",
                  "shunt", "width", (json_int_t)s->network.width, "batch_size", (json_int_t)s->batch, "learning_rate",
                  t->rate, "weight_decay", s->weight_decay, "pool_spectra", (json_int_t)(t->pool.block * POOL_BLOCKS),
                  "seed", (json_int_t)s->seed, "keep_out", t->model.keep_out, "device", s->device);
    json_object_set_new(all, "n_epochs", json_integer((json_int_t)t->epochs));
    json_object_set_new(all, "precision",
                        json_string(tide_precision_name(tide_program_precision(t->session.train.program, NULL))));
    json_object_set_new(all, "max_minutes", json_real(o->max_minutes));
    json_object_set_new(all, "choices", run_choices_json(t->session.graph));
    return all;
}

static int64_t parameter_count(tide_list params) {
    int64_t count = 0;
    for (int64_t i = 0; i < params.count; i++) count += tide_shape_count(tide_shape_of(params.items[i]));
    return count;
}

static json_t *number_or_null(double v) { return isfinite(v) ? json_real(v) : json_null(); }

static json_t *result_json(const spectrum_trainer *t) {
    json_t *o = spectrum_description(t);
    if (!o) return NULL;
    const struct { const char *key; double value; } reals[] = {
        { "best_val_loss", t->at.best }, { "train_loss", t->at.train_loss }, { "val_loss", t->at.val_loss },
        { "train_acc", t->at.train_acc },
        { "val_acc", t->at.val_acc }, { "best_possible_acc", t->ceiling }, { "seconds", trainer_elapsed(t) },
        { "spectra_per_s", t->own_steps ? (double)(t->own_steps * t->settings.batch) / (os_seconds() - t->began) : (double)NAN },
        { "step_ms", t->own_steps ? 1e3 * t->step_seconds / (double)t->own_steps : (double)NAN },
        { "peak_rss_mib", (double)os_peak_rss_bytes() / (1 << 20) },
    };
    json_object_del(o, "choices");
    json_object_set_new(o, "schema_version", json_integer(1));
    json_object_set_new(o, "folder", json_text(t->folder.path));
    json_object_set_new(o, "parameters", json_integer((json_int_t)parameter_count(t->session.params)));
    json_object_set_new(o, "epochs", json_integer((json_int_t)(t->at.epoch - 1)));
    json_object_set_new(o, "best_epoch", json_integer((json_int_t)t->at.best_epoch));
    json_object_set_new(o, "steps", json_integer((json_int_t)t->at.step));
    json_object_set_new(o, "spectra_visited", json_integer((json_int_t)(t->at.step * t->settings.batch)));
    json_object_set_new(o, "spectra_made", json_integer((json_int_t)(t->pool.made * t->pool.block)));
    for (size_t i = 0; i < sizeof reals / sizeof *reals; i++)
        json_object_set_new(o, reals[i].key, number_or_null(reals[i].value));
    return o;
}

static tide_status draw(const spectrum_trainer *t, tide_failure *failure) {
    if (!t->options->plots) return TIDE_OK;
    tide_status status = plot_available() ? TIDE_OK : trainer_tell(t, EIS_NOTE, plot_missing_note(), failure);
    return status == TIDE_OK ? training_log_plot(&t->folder, t->at.best_epoch, t->listener, t->user, failure) : status;
}

tide_status spectrum_report(const spectrum_trainer *t, eis_result *result, tide_failure *failure) {
    text        talk   = { 0 };
    json_t     *json   = result_json(t);
    tide_status status = draw(t, failure);
    result->json       = json ? json_dumps(json, JSON_INDENT(2) | JSON_REAL_PRECISION(10)) : NULL;
    json_decref(json);
    text_add(&talk, "%s: spectrum predictor, recipe %s, %" PRId64 " parameters\n", t->folder.path,
             recipe_names[t->settings.network.recipe],
             parameter_count(t->session.params));
    text_add(&talk, "%.1f M visits to %.1f M spectra in %.0f s; best epoch %" PRId64 ", validation loss %.4f, "
                                                                                     "accuracy %.2f %%",
             (double)(t->at.step * t->settings.batch) * 1e-6, (double)(t->pool.made * t->pool.block) * 1e-6,
             trainer_elapsed(t), t->at.best_epoch, t->at.best,
             100 * t->at.val_acc);
    if (!isnan(t->ceiling)) text_add(&talk, " (best possible %.2f %%)", 100 * t->ceiling);
    text_add(&talk, "\nnow: tidemill eis evaluate --model %s\n", t->folder.path);
    result->text = talk.data;
    return status == TIDE_OK && (!result->json || talk.failed)
               ? fail(failure, TIDE_ENOMEM, "out of memory for the report")
               : status;
}
