/* What training tells before its first step: what it runs on, what the user should know of the data and the options,
 * the compiler's passes and the step's page if they are asked for. */
#include <inttypes.h>
#include <stdio.h>

#include "base/base.h"
#include "forecast/data/frame_reading.h"
#include "forecast/fit/graph_dump.h"
#include "forecast/report/explain.h"
#include "train/ranks.h"
#include "trainer.h"

/* 841568 as "841,568". */
static const char *grouped(int64_t n, char buffer[32]) {
    char digits[32];
    int  length = snprintf(digits, sizeof digits, "%" PRId64, n), at = 0;
    for (int i = 0; i < length; i++) {
        if (i && (length - i) % 3 == 0) buffer[at++] = ',';
        buffer[at++] = digits[i];
    }
    buffer[at] = 0;
    return buffer;
}

/* A device with memory of its own computes by itself. */
static void who_computes(const tide_graph *g, char *out, size_t size) {
    tide_device d;
    bool apart = tide_device_info(tide_graph_device(g), &d, NULL) == TIDE_OK && d.own_memory;
    int  threads = tide_graph_threads(g);
    if (apart) snprintf(out, size, "%s", d.hardware);
    else snprintf(out, size, "%d thread%s", threads, threads == 1 ? "" : "s");
}

static void tell_start(const trainer *t) {
    char        parameters[32];
    char computes[160];
    tide_memory m = tide_program_bytes(t->step.program), v = tide_program_bytes(t->validate.program);
    tide_graph *g = t->session.graph;
    tide_memory f = t->step.finish ? tide_program_bytes(t->step.finish) : (tide_memory){ 0 };
    who_computes(g, computes, sizeof computes);
    grouped(forecaster_parameters(&t->config), parameters);
    if (trainer_solved(t)) {
        listener_note(&t->listener, FORECAST_STAGE_START, "%s, %s, %s, %s parameters in closed form",
                      tide_graph_device(g), computes, tide_precision_name(t->session.precision), parameters);
        return;
    }
    listener_note(&t->listener, FORECAST_STAGE_START, "%s, %s, %s, %s parameters, %.1f MiB", tide_graph_device(g),
                  computes, tide_precision_name(t->session.precision), parameters,
                  (double)(m.total + f.arena + f.scratch + v.arena + v.scratch) / (1 << 20));
    if (t->step.parts > 1)
        listener_note(
            &t->listener, FORECAST_STAGE_VERBOSE,
            "a batch of %" PRId64 " windows runs as %" PRId64 " parts of %" PRId64 ", then %" PRId64 " kernels update",
            t->step.samples * t->step.parts, t->step.parts, t->step.samples, tide_program_kernels(t->step.finish));
    const forecast_options *o = t->options;
    listener_note(&t->listener, FORECAST_STAGE_VERBOSE,
                  "at most %" PRId64 " epochs, learning rate %g, patience %" PRId64 ", dropout %g", o->epochs,
                  o->learning_rate, o->patience, o->dropout);
    listener_note(&t->listener, FORECAST_STAGE_VERBOSE,
                  "step: %" PRId64 " kernels, %.2f GFLOP, arena %.1f MiB, variables %.1f MiB, constants %.1f MiB, "
                                   "scratch %.1f MiB; %" PRId64
                  " windows in %" PRId64 " batches of %" PRId64 ", validation in batches of %" PRId64,
                  tide_program_kernels(t->step.program), tide_program_flops(t->step.program) * 1e-9,
                  (double)m.arena / (1 << 20),
                  (double)m.variables / (1 << 20), (double)m.constants / (1 << 20), (double)m.scratch / (1 << 20),
                  t->windows, t->batches,
                  t->step.samples, t->validate.batch);
}

static void tell_known(const trainer *t) {
    const frame *f = &t->data.frame;
    char names[200];
    int64_t told = t->data.known - t->data.issued_columns - t->data.holiday_columns; /* of others more is known */
    list_columns(names, sizeof names, f->categorical, f->names + f->columns - t->data.known, told);
    if (told)
        listener_note(&t->listener, FORECAST_STAGE_NOTE,
                      "%s: treated as perfectly known %" PRId64 " rows ahead, as the file has them", names,
                      t->config.pred_len);
}

static void tell_issued(const trainer *t) {
    const dataset *d = &t->data;
    int64_t        seq = t->config.seq_len, pred = t->config.pred_len;
    int64_t        train = dataset_uninformed(d, d->split.train, seq, pred);
    int64_t        rest = dataset_uninformed(d, d->split.val, seq, pred);
    rest += dataset_uninformed(d, d->split.test, seq, pred);
    char           names[200], what[120] = "every window has all of it";
    if (!d->issued_columns) return;
    names_list(names, sizeof names, d->frame.names + d->frame.columns - d->issued_columns - d->holiday_columns,
               d->issued_columns);
    if (train + rest)
        snprintf(what, sizeof what, "%" PRId64 " windows of training and %" PRId64 " of validation and test lack some "
                                    "of it, and do not count", train, rest);
    listener_note(&t->listener, FORECAST_STAGE_NOTE,
                  "%s: at each row what had been issued by then, %.2g MiB; %s", names,
                  (double)(d->frame.rows * pred * d->issued_columns) * sizeof(float) / (1 << 20), what);
}

static void tell_origins(const trainer *t) {
    const dataset *d   = &t->data;
    int64_t        seq = t->options->seq_len, pred = t->options->pred_len;
    if (d->starts)
        listener_note(&t->listener, FORECAST_STAGE_NOTE,
                      "forecasts at %s alone: %" PRId64 " windows to learn from, %" PRId64 " of validation, %" PRId64
                      " of test", t->options->origins, dataset_windows(d, d->split.train, seq, pred).count,
                      dataset_windows(d, d->split.val, seq, pred).count,
                      dataset_windows(d, d->split.test, seq, pred).count);
}

static void tell_statics(const trainer *t) {
    char list[300];
    statics_text(&t->data.statics, list, sizeof list);
    if (*list) listener_note(&t->listener, FORECAST_STAGE_NOTE, "attributes of the series: %s", list);
}

void trainer_tell_data(const trainer *t) {
    const forecast_options *o = t->options;
    tell_warnings(&t->listener, &t->data.frame);
    tell_known(t);
    tell_issued(t);
    tell_statics(t);
    tell_origins(t);
    tell_sizes(&t->listener, o);
    if (o->kind == FORECAST_CUSTOM && frame_looks_like_ett(&t->data.frame))
        listener_note(&t->listener, FORECAST_STAGE_NOTE, "for published numbers use `kind` %s",
                      t->data.frame.step.unit == UNIT_HOUR ? "etth" : "ettm");
}

static void tell_notes(const trainer *t) {
    const forecast_options *o = t->options;
    char line[RUN_LINE];
    if (*t->device.line) listener_note(&t->listener, FORECAST_STAGE_NOTE, "%s", t->device.line);
    trainer_tell_data(t);
    session_tell(&t->session, &t->listener);
    if (run_moved_told(&t->folder, o->device, line)) listener_note(&t->listener, FORECAST_STAGE_NOTE, "%s", line);
    if (run_parts_told(&t->folder, t->step.parts, line)) listener_note(&t->listener, FORECAST_STAGE_NOTE, "%s", line);
    if (train_ranks_told(&t->step, line, sizeof line)) listener_note(&t->listener, FORECAST_STAGE_NOTE, "%s", line);
    if ((o->loss_function == FORECAST_FINANCIAL || o->loss_function == FORECAST_DIRECTIONAL) && !o->direction_surrogate)
        listener_note(&t->listener, FORECAST_STAGE_NOTE,
                      "the directional losses' direction term has no gradient, so training equals MSE; "
                      "`direction-surrogate` gives one");
    if (t->config.arch == FORECAST_ARCH_LINEAR && o->loss_function != FORECAST_MSE)
        listener_note(&t->listener, FORECAST_STAGE_NOTE,
                      "`arch` linear minimises the squared error, whatever `loss-function` says");
    if (t->asked_batch)
        listener_note(&t->listener, FORECAST_STAGE_NOTE,
                      "batch-size %" PRId64 " in place of %" PRId64 ": the largest that fits %.1f MiB", o->batch_size,
                      t->asked_batch, (double)session_memory_limit(o) / (1 << 20));
    if (t->windows < o->batch_size && !trainer_solved(t))
        listener_note(&t->listener, FORECAST_STAGE_NOTE,
                      "there are only %" PRId64 " training windows: one batch of all of them", t->windows);
}

/* Before a run of before is taken away: `only_check`. */
tide_status trainer_show_passes(const trainer *t, bool only_check, tide_failure *failure) {
    tide_status (*dump)(const char *, const char *, tide_list, tide_failure *) =
        only_check ? graph_dump_check : graph_dump_write;
    bool parts = t->step.parts > 1;
    const struct { const char *name; tide_list wanted; } programs[] = {
        { "validation", TIDE_LIST(t->validate.loss) },
        { parts ? "update" : "step", TIDE_LIST(t->step.loss, t->step.norm, t->step.update) },
        { "part", TIDE_LIST(t->step.part) },
    };
    tide_status status = TIDE_OK;
    for (int i = 0; i < (trainer_solved(t) ? 1 : 2 + parts) && status == TIDE_OK; i++) {
        if (*t->options->dump_graph)
            status = dump(t->options->dump_graph, programs[i].name, programs[i].wanted, failure);
        if (status == TIDE_OK && t->options->verbose && !only_check)
            status = graph_dump_tell(&t->listener, programs[i].name, programs[i].wanted, failure);
    }
    return status;
}

static tide_status tell_explanation(trainer *t, tide_failure *failure) {
    forecast_result *r = &t->explained;
    tide_status status = explain_step(&t->session, &t->step, t->data.frame.rows, t->options->measure, r, failure);
    if (status == TIDE_OK)
        listener_tell(&t->listener, (forecast_event){ .stage = FORECAST_STAGE_EXPLAIN, .message = r->text });
    return status;
}

tide_status trainer_tell(trainer *t, tide_failure *failure) {
    tell_start(t);
    tell_notes(t);
    tide_status status = run_choices_fix(t->session.graph, failure);
    if (status == TIDE_OK) status = trainer_show_passes(t, false, failure);
    return status == TIDE_OK && t->options->explain ? tell_explanation(t, failure) : status;
}
