/* The journal of a search: a line for each trial that came through a rung, or failed, for the choice, and for each
 * seed. What is read back has the bits that were written. */
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/json.h"
#include "tuning.h"

enum { KEY = 48 };

static double real(const json_t *line, const char *key) {
    const json_t *v = json_object_get(line, key);
    return json_is_number(v) ? json_number_value(v) : (double)NAN;
}

static int64_t whole(const json_t *line, const char *key) { return json_integer_value(json_object_get(line, key)); }

static tide_status add(tuning *t, const char *key, json_t *line, tide_failure *failure) {
    line = json_with(line, "elapsed", json_real(tuning_seconds(t)));
    return line ? journal_add(&t->journal, key, line, failure) : tuning_no_memory(failure);
}

/* ---- opening ---- */

/* "64,128" or "0.0001..0.003 log": malloc'ed; NULL when out of memory. */
static char *dimension_text(const dimension *d) {
    char low[32], high[32];
    text words = { 0 };
    num_format(low, d->low, false), num_format(high, d->high, false);
    if (!d->count) text_add(&words, "%s..%s%s", low, high, d->log ? " log" : "");
    for (int i = 0; i < d->count; i++) text_add(&words, "%s%s", i ? "," : "", d->value[i]);
    if (!words.failed) return words.data;
    text_free(&words);
    return NULL;
}

/* What makes the bits of a trial and which trials there are; a search may go on with other threads and another
 * budget. */
static json_t *head_of(const tuning *t) {
    const tide_option_table *table = forecast_table();
    const unsigned passed_over = TIDE_OPTION_MAY_DIFFER | TIDE_OPTION_NO_EFFECT;
    char    value[4200];
    json_t *o = json_with(json_object(), "version", json_string(TIDE_VERSION));
    o = json_with(o, "data", json_string(t->ground.sum));
    for (int64_t i = 0; i < table->count; i++) {
        const tide_option *row = &table->rows[i];
        bool counts = (row->flags & FORECAST_FOR_TRAIN && !(row->flags & passed_over)) || !strcmp(row->name, "trials");
        if (counts) o = json_with(o, row->name, json_text(tide_option_get(t->options, row, value, sizeof value)));
    }
    for (int i = 0; i < t->space.count; i++) {
        char  name[64];
        char *values = dimension_text(&t->space.of[i]);
        snprintf(name, sizeof name, "space %s", t->space.of[i].row->name);
        o = json_with(o, name, values ? json_string(values) : NULL);
        free(values);
    }
    return o;
}

tide_status tuning_journal_open(tuning *t, tide_failure *failure) {
    char    path[FOLDER_PATH];
    json_t *head = head_of(t);
    if (!head) return tuning_no_memory(failure);
    tide_status status = owned_claim_file(t->folder, "tune.jsonl", path, failure);
    if (status == TIDE_OK) status = journal_open(path, head, t->options->overwrite, 0, &t->journal, failure);
    json_decref(head);
    const char *key;
    json_t     *line;
    if (status != TIDE_OK) return status;
    json_object_foreach(t->journal.line, key, line) t->before = fmax(t->before, real(line, "elapsed"));
    t->clocked = os_seconds();
    return TIDE_OK;
}

/* ---- a trial ---- */

static const char *key_of(const trial *x, int rung, char key[KEY]) {
    snprintf(key, KEY, "trial %" PRId64 " rung %d", x->number, rung + 1);
    return key;
}

bool tuning_recall(const tuning *t, trial *x, int rung) {
    char          key[KEY];
    const json_t *line = journal_find(&t->journal, key_of(x, rung, key));
    if (!line) return false;
    const char *reason = json_string_value(json_object_get(line, "failed"));
    x->epochs = whole(line, "epochs"), x->best_epoch = whole(line, "best_epoch");
    x->loss = real(line, "val_loss"), x->seconds = real(line, "seconds");
    snprintf(x->reason, sizeof x->reason, "%s", reason ? reason : "");
    x->rungs = reason ? MAX2(rung, 0) : rung + 1;
    return true;
}

tide_status tuning_record(tuning *t, const trial *x, int rung, tide_failure *failure) {
    char    key[KEY];
    json_t *line = json_pack("{s:I, s:I, s:o, s:o}", "epochs", (json_int_t)x->epochs, "best_epoch",
                             (json_int_t)x->best_epoch, "val_loss", json_finite(x->loss), "seconds",
                             json_finite(x->seconds));
    if (*x->reason) line = json_with(line, "failed", json_text(x->reason));
    return add(t, key_of(x, rung, key), line, failure);
}

/* ---- the choice ---- */

void tuning_recall_best(tuning *t) {
    const json_t *line = journal_find(&t->journal, "best");
    int64_t best = whole(line, "trial");
    t->best     = best > 0 && best <= t->count ? best : 0; /* the file may be anyone's by now */
    t->complete = json_is_true(json_object_get(line, "complete"));
    t->searched_s = real(line, "elapsed");
}

tide_status tuning_record_best(tuning *t, tide_failure *failure) {
    return add(t, "best", json_pack("{s:I, s:b}", "trial", (json_int_t)t->best, "complete", t->complete), failure);
}

/* ---- seeds ---- */

static const char *seed_key(const forecast_tune_seed *s, char key[KEY]) {
    snprintf(key, KEY, "seed %" PRId64, s->seed);
    return key;
}

bool tuning_recall_seed(const tuning *t, forecast_tune_seed *s) {
    char          key[KEY];
    const json_t *line = journal_find(&t->journal, seed_key(s, key));
    s->val_loss = real(line, "val_loss"), s->mse = real(line, "mse"), s->mae = real(line, "mae");
    return line != NULL;
}

tide_status tuning_record_seed(tuning *t, const forecast_tune_seed *s, tide_failure *failure) {
    char key[KEY];
    return add(t, seed_key(s, key), json_pack("{s:o, s:o, s:o}", "val_loss", json_finite(s->val_loss), "mse",
                                              json_finite(s->mse), "mae", json_finite(s->mae)), failure);
}
