#include <inttypes.h>
#include <math.h>
#include <stdio.h>

#include "base/base.h"
#include "eis/training/curves.h"
#include "trainer.h"

int64_t spectrum_parameters(const spectrum_trainer *t) {
    int64_t count = 0;
    for (int64_t i = 0; i < t->session.params.count; i++)
        count += tide_shape_count(tide_shape_of(t->session.params.items[i]));
    return count;
}

json_t *spectrum_description(const spectrum_trainer *t) {
    const spectrum_settings *s = &t->settings;
    const eis_options       *o = &t->run.options;
    json_t *all =
        json_pack("{s:s, s:s, s:s, s:s, s:s, s:I, s:I, s:f, s:f, s:I, s:I, s:f, s:s}", "command", "eis train",
                  "version", TIDE_VERSION, "inputs", "spectrum", "recipe", recipe_kinds[s->network.recipe].name,
                  "circuit",
                  "shunt", "width", (json_int_t)s->network.width, "batch_size", (json_int_t)s->batch, "learning_rate",
                  t->run.rate, "weight_decay", o->weight_decay, "pool_spectra",
                  (json_int_t)(t->pool.block * POOL_BLOCKS), "seed", (json_int_t)o->seed, "keep_out",
                  t->model.keep_out, "device", o->device);
    json_object_set_new(all, "n_epochs", json_integer((json_int_t)t->epochs));
    json_object_set_new(all, "precision",
                        json_string(tide_precision_name(tide_program_precision(t->session.step.program, NULL))));
    json_object_set_new(all, "max_minutes", json_real(o->max_minutes));
    json_object_set_new(all, "choices", run_choices_json(t->session.graph));
    return all;
}

static json_t *number_or_null(double v) { return isfinite(v) ? json_real(v) : json_null(); }

static json_t *result_json(const spectrum_trainer *t) {
    json_t *o = spectrum_description(t);
    const fit_progress *at  = fit_at(t->run.fit);
    fit_account         own = fit_account_of(t->run.fit);
    if (!o) return NULL;
    const struct { const char *key; double value; } reals[] = {
        { "best_val_loss", at->best }, { "train_loss", at->train_loss }, { "val_loss", at->val_loss },
        { "train_acc", at->train_metric }, { "val_acc", at->val_metric }, { "best_possible_acc", t->run.possible },
        { "seconds", own.elapsed },
        { "spectra_per_s", own.steps ? (double)(own.steps * t->settings.batch) / own.seconds : (double)NAN },
        { "step_ms", own.steps ? 1e3 * own.step_seconds / (double)own.steps : (double)NAN },
        { "peak_rss_mib", (double)os_peak_rss_bytes() / (1 << 20) },
    };
    json_object_del(o, "choices");
    json_object_set_new(o, "schema_version", json_integer(1));
    json_object_set_new(o, "folder", json_text(t->run.folder.path));
    json_object_set_new(o, "parameters", json_integer((json_int_t)spectrum_parameters(t)));
    json_object_set_new(o, "epochs", json_integer((json_int_t)(at->epoch - 1)));
    json_object_set_new(o, "best_epoch", json_integer((json_int_t)at->best_epoch));
    json_object_set_new(o, "steps", json_integer((json_int_t)at->step));
    json_object_set_new(o, "spectra_visited", json_integer((json_int_t)(at->step * t->settings.batch)));
    json_object_set_new(o, "spectra_made", json_integer((json_int_t)(t->pool.made * t->pool.block)));
    json_object_set_new(o, "spectra_made_by", json_string(t->maker ? t->run.options.device : "cpu"));
    for (size_t i = 0; i < sizeof reals / sizeof *reals; i++)
        json_object_set_new(o, reals[i].key, number_or_null(reals[i].value));
    return o;
}

static char *result_text(const spectrum_trainer *t) {
    const fit_progress *at   = fit_at(t->run.fit);
    text                talk = { 0 };
    text_add(&talk, "%s: spectrum predictor, recipe %s, %" PRId64 " parameters\n", t->run.folder.path,
             recipe_kinds[t->settings.network.recipe].name,
             spectrum_parameters(t));
    text_add(&talk, "%.1f M visits to %.1f M spectra in %.0f s; best epoch %" PRId64 ", validation loss %.4f, "
                                                                                     "accuracy %.2f %%",
             (double)(at->step * t->settings.batch) * 1e-6, (double)(t->pool.made * t->pool.block) * 1e-6,
             fit_account_of(t->run.fit).elapsed, at->best_epoch, at->best,
             100 * at->val_metric);
    if (!isnan(t->run.possible)) text_add(&talk, " (best possible %.2f %%)", 100 * t->run.possible);
    text_add(&talk, "\nnow: tidemill eis evaluate, `model` %s\n", t->run.folder.path);
    if (talk.failed) text_free(&talk);
    return talk.data;
}

tide_status spectrum_report(training *run, training_report *out, tide_failure *failure) {
    const spectrum_trainer *t = (const spectrum_trainer *)run;
    tide_status status = training_draw(run, failure);
    if (status != TIDE_OK) return status;
    out->json = result_json(t);
    out->text = result_text(t);
    return out->json && out->text ? TIDE_OK : fail(failure, TIDE_ENOMEM, "out of memory for the report");
}
