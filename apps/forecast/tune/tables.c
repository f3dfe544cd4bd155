/* A search as trials.csv and tune.json. */
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <tidemill/io.h>

#include "base/json.h"
#include "forecast/report/csv.h"
#include "tuning.h"

enum { SCHEMA_VERSION = 1 };

/* ---- trials.csv ---- */

static const char *state_of(const tuning *t, const trial *x) {
    if (*x->reason) return "failed";
    if (x->number == t->best) return "best";
    return x->rungs ? x->rungs == t->rungs ? "complete" : "pruned" : "not reached";
}

/* A row a trial, without times: the same bytes however often the search was killed. */
static tide_status write_trials(void *user, void *stdio_file) {
    const tuning *t   = user;
    FILE         *out = stdio_file;
    fputs("trial,state,rungs,epochs,best_epoch,val_loss", out);
    for (int i = 0; i < t->space.count; i++) fprintf(out, ",%s", t->space.of[i].row->name);
    fputs(",reason\n", out);
    for (int64_t k = 0; k < t->count; k++) {
        const trial *x = &t->trial[k];
        char loss[32]  = "";
        if (isfinite(x->loss)) num_format(loss, x->loss, false);
        fprintf(out, "%" PRId64 ",%s,%d,%" PRId64 ",%" PRId64 ",%s", x->number, state_of(t, x), x->rungs, x->epochs,
                x->best_epoch, loss);
        for (int i = 0; i < t->space.count; i++) putc(',', out), csv_text(out, x->at.value[i]);
        putc(',', out), csv_text(out, x->reason), putc('\n', out);
    }
    return ferror(out) ? TIDE_EIO : TIDE_OK;
}

/* ---- tune.json ---- */

static json_t *settings_json(const tuning *t, const trial *x) {
    json_t *o = json_object();
    for (int i = 0; i < t->space.count; i++)
        if (*x->at.value[i]) o = json_with(o, t->space.of[i].row->name, json_string(x->at.value[i]));
    return o;
}

static json_t *trial_json(const tuning *t, const trial *x) {
    return json_pack("{s:I, s:s, s:i, s:I, s:I, s:o, s:o, s:o, s:o}", "trial", (json_int_t)x->number, "state",
                     state_of(t, x), "rungs", x->rungs, "epochs", (json_int_t)x->epochs, "best_epoch",
                     (json_int_t)x->best_epoch, "val_loss", json_finite(x->loss), "seconds", json_finite(x->seconds),
                     "settings", settings_json(t, x), "reason", *x->reason ? json_text(x->reason) : json_null());
}

static json_t *rung_json(const forecast_tune_rung *r) {
    return json_pack("{s:I, s:I, s:I, s:I, s:I, s:o}", "parts", (json_int_t)r->parts, "trials", (json_int_t)r->trials,
                     "through", (json_int_t)r->through, "failed", (json_int_t)r->failed, "kept", (json_int_t)r->kept,
                     "best_val_loss", json_finite(r->best));
}

static json_t *seeds_json(const forecast_tune_result *f) {
    json_t *list = json_array();
    for (int64_t i = 0; i < f->seed_count; i++)
        list = json_with_item(list, json_pack("{s:I, s:o, s:o, s:o}", "seed", (json_int_t)f->seeds[i].seed, "val_loss",
                                              json_finite(f->seeds[i].val_loss), "mse", json_finite(f->seeds[i].mse),
                                              "mae", json_finite(f->seeds[i].mae)));
    return json_pack("{s:o, s:o, s:o, s:o, s:o}", "each", list, "mse_mean", json_finite(f->mse_mean), "mse_deviation",
                     json_finite(f->mse_deviation), "mae_mean", json_finite(f->mae_mean), "mae_deviation",
                     json_finite(f->mae_deviation));
}

/* `run`: what forecast_train says of the best. */
static json_t *search_json(const tuning *t, const forecast_result *r) {
    json_t *trials = json_array(), *rungs = json_array();
    for (int64_t i = 0; i < t->count; i++) trials = json_with_item(trials, trial_json(t, &t->trial[i]));
    for (int i = 0; i < t->rungs; i++) rungs = json_with_item(rungs, rung_json(&t->rung[i]));
    return json_pack("{s:i, s:s, s:s, s:b, s:o, s:I, s:o, s:o, s:o, s:o, s:o}", "schema_version", SCHEMA_VERSION,
                     "command", "forecast tune", "folder", t->folder, "complete", t->complete, "seconds",
                     json_finite(r->tune->seconds), "best", (json_int_t)t->best, "settings",
                     settings_json(t, &t->trial[t->best - 1]), "rungs", rungs, "trials", trials, "seeds",
                     seeds_json(r->tune), "run", json_loads(r->json, 0, NULL));
}

static tide_status write_json(void *user, void *stdio_file) {
    const forecast_result *r = user;
    return fprintf(stdio_file, "%s\n", r->json) < 0 ? TIDE_EIO : TIDE_OK;
}

static tide_status write_file(const tuning *t, const char *name, tide_status (*write)(void *, void *), void *user,
                              tide_failure *failure) {
    char        path[FOLDER_PATH];
    tide_status status = owned_claim_file(t->folder, name, path, failure);
    if (status == TIDE_OK) status = tide_file_replace(path, write, user, failure);
    if (status == TIDE_OK)
        listener_tell(&t->listener, (forecast_event){ .stage = FORECAST_STAGE_FILE, .message = path });
    return status;
}

static tide_status write_files(tuning *t, void *user, tide_failure *failure) {
    tide_status status = t->joined ? tuning_commit(t, failure) : TIDE_OK;
    if (status == TIDE_OK) status = write_file(t, "trials.csv", write_trials, t, failure);
    return status == TIDE_OK ? write_file(t, "tune.json", write_json, user, failure) : status;
}

tide_status tuning_tables(tuning *t, forecast_result *r, tide_failure *failure) {
    json_t *o    = search_json(t, r);
    char   *text = json_whole(o, JSON_INDENT(2) | JSON_REAL_PRECISION(17));
    json_decref(o);
    if (!text) return tuning_no_memory(failure);
    free(r->json);
    r->json = text;
    return tuning_once(t, "writing the tables", write_files, r, failure);
}
