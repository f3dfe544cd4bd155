/* The command: what is coming, the statistics, the files, the report. */
#include <tidemill/eis.h>

#include <inttypes.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "app_npz.h"
#include "eis/options/arguments.h"
#include "eis/options/tell.h"
#include "files/pieces.h"
#include "base/base.h"
#include "generate.h"
#include "survey_device.h"
#include "train/device.h"
#include "train/run.h"

enum { SCHEMA_VERSION = 1 };
#define DISK_BYTES_A_SECOND 2e8  /* assumed */
#define CSV_ROWS_A_SECOND   5e5  /* of a thread, about */

typedef struct job {
    const eis_options *options;
    survey             survey;
    shard_run          shards;
    bool               csv;
    int                lock;
    bool               joined;   /* other processes take part */
    int64_t            made;     /* shards by this one, then */
    int64_t            bytes;    /* of the data; 0: none is written */
    eis_listener       listener;
    void              *user;
} job;

static json_t *statistics_json(const survey *s) {
    json_t *r = json_pack("{s:f}", "min", s->low);
    for (int q = 0; q < QUANTILES; q++) json_object_set_new(r, survey_quantiles[q].name, json_real(s->quantile[q]));
    json_object_set_new(r, "max", json_real(s->high));
    return r;
}

static char *report_json(const job *j, double seconds) {
    const survey *s = &j->survey;
    json_t *all = json_pack("{s:i, s:s, s:s, s:s, s:s, s:s, s:I, s:I, s:I, s:I, s:f}", "schema_version",
                            SCHEMA_VERSION, "command", "eis generate", "profile",
                            s->profile, "circuit", s->grid.circuit == EIS_CHAIN ? "chain" : "shunt", "grid",
                            s->full ? "full" : "symmetric", "resnorm_kind",
                            eis_resnorm_name(s->grid.kind), "points", (json_int_t)s->grid.points, "frequencies",
                            (json_int_t)s->grid.frequencies,
                            "ground_truths", (json_int_t)s->truths, "rows", (json_int_t)s->rows, "seconds", seconds);
    json_object_set_new(all, "resnorm", statistics_json(s));
    if (j->bytes)
        json_object_set_new(all, "written", json_pack("{s:s, s:s, s:I, s:I, s:I}", "folder", j->options->data_dir,
                                                      "format", j->csv ? "csv" : "shards", "bytes",
                                                      (json_int_t)j->bytes, "files",
                                                      (json_int_t)(j->csv ? 1 : j->shards.count), "present_before",
                                                      (json_int_t)j->shards.found));
    char *text = json_dumps(all, JSON_INDENT(2) | JSON_REAL_PRECISION(14));
    json_decref(all);
    return text;
}

static void put_statistics(const survey *s, text *t) {
    text_add(t, "%s: min %.4f", eis_resnorm_name(s->grid.kind), s->low);
    for (int q = 0; q < QUANTILES; q++) text_add(t, "  %s %.4f", survey_quantiles[q].name, s->quantile[q]);
    text_add(t, "  max %.4f\n", s->high);
}

static char *report_text(const job *j, double seconds) {
    const survey *s = &j->survey;
    text t = { 0 };
    text_add(&t, "%" PRId64 " rows of %" PRId64 " ground truths in %.2f s (%.0f million rows/s)\n", s->rows, s->truths,
             seconds,
             1e-6 * (double)s->rows / seconds);
    put_statistics(s, &t);
    if (j->bytes)
        text_add(&t, "%.1f MB of %s in %s\n", 1e-6 * (double)j->bytes, j->csv ? "CSV" : "shards", j->options->data_dir);
    if (j->joined)
        text_add(&t, "this process made %" PRId64 " of %" PRId64 " shards\n", j->made, j->shards.count);
    if (t.failed) text_free(&t);
    return t.data;
}

/* dataset_summary.txt */
static char *summary_text(const survey *s) {
    text t = { 0 };
    text_add(&t,
             "Dataset summary\n\nRows: %" PRId64 "\nGround truths: %" PRId64 "\nCircuit: %s\nGrid: %s, %" PRId64
             " values of each parameter\n"
             "Frequencies: %" PRId64 ", %g to %g Hz\n\nRanges\n",
             s->rows, s->truths, s->grid.circuit == EIS_CHAIN ? "chain" : "shunt", s->full ? "full" : "symmetric",
             s->grid.points, s->grid.frequencies, s->grid.freq_hz[0], s->grid.freq_hz[s->grid.frequencies - 1]);
    for (int k = 0; k < EIS_COUNT; k++) text_add(&t, "%s: %s\n", eis_parameters[k].name, eis_parameters[k].range);
    text_add(&t, "\nResnorm (%s)\nmin: %.4f\n", eis_resnorm_name(s->grid.kind), s->low);
    for (int q = 0; q < QUANTILES; q++) text_add(&t, "%s: %.4f\n", survey_quantiles[q].name, s->quantile[q]);
    text_add(&t, "max: %.4f\n", s->high);
    if (t.failed) text_free(&t);
    return t.data;
}

/* ---- what is coming ---- */

/* From the time that one ground truth takes. */
static double expected_seconds(const job *j) {
    const survey *s = &j->survey;
    double *room = malloc((size_t)s->grid.values * sizeof *room),
           *scratch = malloc((size_t)resnorm_grid_scratch(&s->grid) * sizeof *scratch);
    double  begin = os_seconds(), passes = s->kept ? 1 : 3;
    if (room && scratch) resnorm_grid_fill(&s->grid, s->truth[0].p, room, scratch);
    double one = os_seconds() - begin;
    free(room);
    free(scratch);
    return passes * one * (double)s->truths / s->threads +
           (j->csv ? (double)s->rows / CSV_ROWS_A_SECOND / s->threads : (double)j->bytes / DISK_BYTES_A_SECOND);
}

/* What the files of other programs do not say of themselves. */
static void describe_import(const survey *s, const char *path, char *line, size_t size) {
    static const char *const names[] = { "was not among its rows and was found from its resnorms; as a spectrum leaves "
                                         "one direction open, it is one of the "
                                         "circuits with this spectrum",
                                         "is its row of resnorm 0" };
    const double *p = s->truth[0].p;
    if (is_dataset_csv(path))
        snprintf(line, size,
                 "%s does not name its circuit: taken as chain, 1 Hz to 1 MHz x 50, mean-abs; up to %d of its "
                 "resnorms, computed anew, agree; "
                 "the whole grid of its %" PRId64 " ground truths is generated, whatever rows it has",
                 path, DATASET_CHECKS, s->truths);
    else
        snprintf(line, size,
                 "%s does not name its circuit: taken as shunt, its parameters as Rsh, Ra, Ca, Rb, Cb, its resnorms as "
                 "mean-abs; up to %d of them, computed "
                 "anew, agree. The ground truth Rsh=%.6g, Ra=%.6g, Rb=%.6g, Ca=%.6g, Cb=%.6g %s. Its whole grid is "
                 "generated, whatever rows the file has",
                 path, DATASET_CHECKS, p[EIS_RSH], p[EIS_RA], p[EIS_RB], p[EIS_CA], p[EIS_CB],
                 names[strncmp(s->truth[0].id, "row_", 4) == 0]);
}

static tide_status tell_import(const job *j, tide_failure *f) {
    char        line[EIS_TEXT_SIZE + 768];
    const char *path = j->options->ground_truths;
    if (!j->listener || (!is_dataset_csv(path) && !is_app_npz(path))) return TIDE_OK;
    describe_import(&j->survey, path, line, sizeof line);
    return eis_tell(j->listener, j->user, EIS_NOTE, line)
               ? fail(f, TIDE_ECANCELLED, "stopped before anything was written")
               : TIDE_OK;
}

static tide_status announce(const job *j, tide_failure *f) {
    char line[256], already[96] = "";
    if (!j->listener) return TIDE_OK;
    if (!j->csv && j->shards.found)
        snprintf(already, sizeof already, "; %" PRId64 " of %" PRId64 " shards are there already", j->shards.found,
                 j->shards.count);
    snprintf(line, sizeof line, "%" PRId64 " rows, %.1f MB, about %.0f s%s",
             j->csv ? j->survey.rows : j->survey.truths * j->survey.circuits, 1e-6 * (double)j->bytes,
             expected_seconds(j) + 0.5, already);
    return eis_tell(j->listener, j->user, EIS_NOTE, line)
               ? fail(f, TIDE_ECANCELLED, "stopped before anything was written")
               : TIDE_OK;
}

/* What several processes cannot share. */
static tide_status check_joined(const job *j, tide_failure *f) {
    const eis_options *o = j->options;
    if (!j->joined) return TIDE_OK;
    if (o->stats_only || j->csv)
        return fail_at(f, TIDE_EINVAL, NULL, 0, o->stats_only ? "stats-only" : "format",
                       "%s is not shared by several processes, shards are: start it once, without `join` and mpirun",
                       o->stats_only ? "`stats-only`" : "`format` csv");
    if (strcmp(train_device_now(o->device), "cpu") != 0)
        return fail_at(f, TIDE_EINVAL, NULL, 0, "device",
                       "several processes make residual norms on cpu: start it once, without `join` and mpirun, for "
                       "`device` %s", o->device);
    return TIDE_OK;
}

static tide_status prepare(job *j, tide_failure *f) {
    const eis_options *o = j->options;
    if (o->stats_only) return TIDE_OK;
    tide_status status = j->csv      ? folder_open(o->data_dir, false, &j->lock, f)
                         : j->joined ? shard_run_join(o, &j->survey, &j->shards, f)
                                     : shard_run_begin(o, &j->survey, &j->shards, f);
    if (status == TIDE_OK && !j->joined) pieces_clear(o->data_dir);
    j->bytes = j->csv ? csv_bytes(&j->survey) : j->shards.bytes;
    if (status == TIDE_OK && j->csv) status = csv_check(&j->survey, o->data_dir, f);
    if (status == TIDE_OK && j->csv && *o->ground_truths) status = owned_refuse_input(o->data_dir, o->ground_truths, f);
    if (status == TIDE_OK && j->csv) status = folder_room(o->data_dir, j->bytes, f);
    return status == TIDE_OK ? announce(j, f) : status;
}

/* Residual norms on the device that was named; what it leaves to the processor, survey_run computes. */
static tide_status compute_there(job *j, tide_failure *f) {
    const eis_options *o      = j->options;
    const char        *device = train_device_now(o->device);
    char               note[SURVEY_NOTE];
    int64_t            limit;
    if (!strcmp(device, "cpu")) return TIDE_OK;
    tide_status status = train_memory_limit(o->memory_limit, device, &limit, f);
    if (status == TIDE_OK) status = survey_fill_on(&j->survey, device, limit, note, f);
    bool stop = status == TIDE_OK && *note && eis_tell(j->listener, j->user, EIS_NOTE, note);
    return stop ? fail(f, TIDE_ECANCELLED, "stopped before anything was written") : status;
}

static tide_status write_data(job *j, tide_failure *f) {
    if (j->options->stats_only) return TIDE_OK;
    if (!j->csv) return shard_run_write(&j->shards, j->listener, j->user, f);
    char       *summary = summary_text(&j->survey);
    tide_status status  = csv_write(&j->survey, j->options->data_dir, summary, j->listener, j->user, f);
    free(summary);
    return status;
}

tide_status eis_generate(const eis_options *options, eis_listener listener, void *user, eis_result *result,
                         tide_failure *failure) {
    failure_clear(failure);
    tide_status good = arguments_good(options, result, failure);
    if (good != TIDE_OK) return good;
    job j = {
        .options = options, .csv = options->format == EIS_FORMAT_CSV, .lock = -1, .listener = listener, .user = user,
        .joined = options->join
    };
    double begin = 0;
    tide_failure own = { 0 };
    failure = failure ? failure : &own;
    tide_status status = train_device_there(options->device, failure);
    if (status == TIDE_OK) status = check_joined(&j, failure);
    if (status == TIDE_OK) status = survey_new(options, &j.survey, failure);
    if (status == TIDE_OK) status = tell_import(&j, failure);
    if (status == TIDE_OK) status = prepare(&j, failure);
    if (status == TIDE_OK) {
        begin  = os_seconds();
        status = compute_there(&j, failure);
    }
    if (status == TIDE_OK && j.joined)
        status = generate_joined(options, &j.survey, &j.shards, listener, user, &j.made, failure);
    if (status == TIDE_OK && !j.joined) status = survey_run(&j.survey, failure);
    if (status == TIDE_OK && !j.joined) status = write_data(&j, failure);
    if (status == TIDE_OK) {
        double seconds = os_seconds() - begin;
        result->json = report_json(&j, seconds);
        result->text = report_text(&j, seconds);
        if (!result->json || !result->text) status = fail(failure, TIDE_ENOMEM, "out of memory for the report");
    }
    shard_run_free(&j.shards);
    if (j.lock >= 0) close(j.lock);
    survey_free(&j.survey);
    if (status != TIDE_OK) eis_result_free(result);
    return status;
}
