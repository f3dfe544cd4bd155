/* What a trained network of known values is worth, beside the best possible and chance: JSON, text, a verdict. */
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/base.h"
#include "eis/training/curves.h"
#include "trainer.h"

enum { SCHEMA_VERSION = 1 };

static const char held_out[] = "ground truths that were held out",
                  same_truths[] = "other draws of rows of the ground truths trained on";

typedef struct outcome {
    known_score by_truth, by_row;
    bool has_truth;
    double main, possible;
} outcome;

void known_verdict(double accuracy, double possible, bool uniform, char *out, size_t size) {
    static const double MEETS = 0.01;
    snprintf(out, size, "Validation accuracy %.1f %%; the best possible here is %.1f %%.%s", 100 * accuracy,
             100 * possible,
             uniform && fabs(accuracy - possible) <= MEETS
                 ? " Nothing is wrong with your training: in these data the missing values are drawn independently of "
                   "the known ones, so the known values alone do not determine them. The measured spectrum does: "
                   "complete it with `spectrum` FILE"
                 : "");
}

/* ---- JSON ---- */

static json_t *number_or_null(double v) { return isfinite(v) ? json_real(v) : json_null(); }

static void put_accuracy(json_t *o, const known_accuracy *a) {
    json_object_set_new(o, "accuracy", number_or_null(a->top1));
    json_object_set_new(o, "top5", number_or_null(a->top5));
    json_object_set_new(o, "joint_top1", number_or_null(a->joint_top1));
    json_object_set_new(o, "joint_top5", number_or_null(a->joint_top5));
}

static json_t *score_json(const known_score *s, const char *what, int64_t samples) {
    json_t *o = json_pack("{s:s, s:I}", "what", what, "samples", (json_int_t)samples);
    put_accuracy(o, &s->accuracy);
    json_object_set_new(o, "loss", number_or_null(s->loss));
    json_object_set_new(o, "cross_entropy", number_or_null(s->cross_entropy));
    json_object_set_new(o, "resnorm_mse", number_or_null(s->mse));
    json_object_set_new(o, "resnorm_r2", number_or_null(s->r2));
    return o;
}

static void put_run(json_t *o, const known_trainer *t) {
    const fit_progress *at = fit_at(t->run.fit);
    fit_account own = fit_account_of(t->run.fit);
    const struct { const char *key; int64_t value;
    } whole[] = {
        { "threads", tide_graph_threads(t->session.graph) },
        { "parameters", known_network_count(&t->session.network) },
        { "ground_truths", t->task.data.truths },
        { "ground_truths_held_out", t->task.held_count },
        { "rows", t->task.data.rows },
        { "pool_rows", t->task.pool.count },
        { "training_samples", t->samples },
        { "batch_size", t->session.batch },
        { "epochs", at->epoch - 1 },
        { "best_epoch", at->best_epoch },
        { "steps", at->step },
        { "resumed_from_step", own.resumed_from },
    };
    const struct { const char *key; double value; } reals[] = {
        { "best_val_loss", at->best },
        { "samples_per_s", own.steps ? (double)(own.steps * t->session.batch) / own.step_seconds : (double)NAN },
        { "step_ms", own.steps ? 1e3 * own.step_seconds / (double)own.steps : (double)NAN },
        { "seconds", own.elapsed },
        { "peak_rss_mib", (double)os_peak_rss_bytes() / (1 << 20) },
    };
    for (size_t i = 0; i < sizeof whole / sizeof *whole; i++)
        json_object_set_new(o, whole[i].key, json_integer((json_int_t)whole[i].value));
    for (size_t i = 0; i < sizeof reals / sizeof *reals; i++)
        json_object_set_new(o, reals[i].key, number_or_null(reals[i].value));
}

static json_t *result_json(const known_trainer *t, const outcome *r, const char *verdict) {
    const known_task *k = &t->task;
    json_t *o =
        json_pack("{s:i, s:s, s:s, s:s, s:s, s:s, s:s, s:s}", "schema_version", SCHEMA_VERSION, "command", "eis train",
                  "inputs", "known", "folder", t->run.folder.path, "device", tide_graph_device(t->session.graph),
                  "circuit", k->data.circuit == EIS_CHAIN ? "chain" : "shunt", "pool", t->run.options.pool, "split",
                  k->held_count ? "truth" : "row");
    json_t *possible = json_object(), *validation = json_object();
    put_run(o, t);
    json_object_set_new(o, "precision",
                        json_string(tide_precision_name(tide_program_precision(t->session.step.program, NULL))));
    put_accuracy(possible, &k->ceiling);
    json_object_set_new(o, "val_acc", number_or_null(r->main));
    json_object_set_new(validation, "by_truth",
                        r->has_truth ? score_json(&r->by_truth, held_out, k->by_truth.count) : json_null());
    json_object_set_new(validation, "by_row", score_json(&r->by_row, same_truths, k->by_row.count));
    json_object_set_new(o, "validation", validation);
    json_object_set_new(o, "best_possible", possible);
    json_object_set_new(o, "resnorm_target", json_string(k->scale.log ? "log10, standardised" : "raw"));
    json_object_set_new(o, "message", json_string(verdict));
    return o;
}

/* ---- text ---- */

static void put_row(text *t, const char *name, const known_accuracy *a, double r2) {
    const double cell[5] = { 100 * a->top1, 100 * a->top5, 100 * a->joint_top1, 100 * a->joint_top5, r2 };
    text_add(t, "%-52s", name);
    for (int i = 0; i < 5; i++)
        if (!isnan(cell[i])) text_add(t, i < 2 ? "%8.1f %%" : i < 4 ? "%10.1f %%" : "%12.3f", cell[i]);
        else if (i < 4) text_add(t, "%12s", "");
    text_add(t, "\n");
}

static char *result_text(const known_trainer *t, const outcome *r, const char *verdict) {
    const known_task *k = &t->task;
    double  n = (double)k->data.points;
    text    out = { 0 };
    const fit_progress *at = fit_at(t->run.fit);
    fit_account    own    = fit_account_of(t->run.fit);
    known_accuracy chance = { 1 / n, fmin(5 / n, 1), 1 / (n * n), fmin(5 / (n * n), 1) };
    text_add(&out,
             "%s: predictor from known values, %" PRId64 " parameters\n%" PRId64 " steps of %" PRId64
             " in %.1f s, best epoch %" PRId64 " of %" PRId64 ", loss %.4f",
             t->run.folder.path, known_network_count(&t->session.network), at->step, t->session.batch, own.elapsed,
             at->best_epoch, at->epoch - 1, at->best);
    if (own.step_seconds > 0)
        text_add(&out, "; %.0f samples/s", (double)(own.steps * t->session.batch) / own.step_seconds);
    text_add(&out, "\n\n%-52s%10s%10s%12s%12s%12s\n", "share right", "top 1", "top 5", "pair top 1", "pair top 5",
             "resnorm R2");
    if (r->has_truth) put_row(&out, held_out, &r->by_truth.accuracy, r->by_truth.r2);
    put_row(&out, same_truths, &r->by_row.accuracy, r->by_row.r2);
    put_row(&out, "best possible on these rows", &k->ceiling, (double)NAN);
    put_row(&out, "chance", &chance, (double)NAN);
    text_add(&out, "\n%s\n", verdict);
    if (out.failed) text_free(&out);
    return out.data;
}

tide_status known_report(training *run, training_report *out, tide_failure *failure) {
    known_trainer *t   = (known_trainer *)run;
    outcome     r      = { .has_truth = t->task.by_truth.count > 0, .possible = t->task.ceiling.top1 };
    tide_status status = known_session_score(&t->session, &t->task.by_row, &r.by_row, failure);
    if (status == TIDE_OK && r.has_truth)
        status = known_session_score(&t->session, &t->task.by_truth, &r.by_truth, failure);
    if (status == TIDE_OK) status = training_draw(run, failure);
    if (status != TIDE_OK) return status;
    r.main = r.has_truth ? r.by_truth.accuracy.top1 : r.by_row.accuracy.top1;
    known_verdict(r.main, r.possible, t->task.best == 0, out->message, sizeof out->message);
    out->json = result_json(t, &r, out->message);
    out->text = result_text(t, &r, out->message);
    return out->json && out->text ? TIDE_OK : fail(failure, TIDE_ENOMEM, "out of memory for the report");
}
