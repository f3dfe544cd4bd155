/* The journal of a search: a line for each trial that came through a rung, or failed, for the choice, and for each
 * seed. What is read back has the bits that were written. */
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/json.h"
#include "tuning.h"

enum { KEY = 48, LINE = JSON_COMPACT | JSON_REAL_PRECISION(17) };

/* A line's key, and what it is called among the pieces. */
typedef struct place { char key[KEY], name[PIECES_NAME]; int64_t i; } place;

static double real(const json_t *line, const char *key) {
    const json_t *v = json_object_get(line, key);
    return json_is_number(v) ? json_number_value(v) : (double)NAN;
}

static int64_t whole(const json_t *line, const char *key) { return json_integer_value(json_object_get(line, key)); }

static tide_status put(const tuning *t, const place *at, const json_t *line, tide_failure *failure) {
    char       *words  = json_whole(line, LINE);
    tide_status status = words ? pieces_put(t->pieces, at->name, at->i, words, strlen(words), failure)
                               : tuning_no_memory(failure);
    free(words);
    return status;
}

static tide_status add(tuning *t, const place *at, json_t *line, tide_failure *failure) {
    line = json_with(line, "elapsed", json_real(tuning_seconds(t)));
    if (!line) return tuning_no_memory(failure);
    if (!t->pieces) return journal_add(&t->journal, at->key, line, failure);
    tide_status status = put(t, at, line, failure);
    json_decref(line);
    return status;
}

/* ---- of other processes ---- */

static bool known(const tuning *t, const place *at) {
    return journal_find(&t->journal, at->key) || pieces_has(t->pieces, at->name, at->i);
}

static tide_status take(tuning *t, const place *at, tide_failure *failure) {
    char        path[FOLDER_PATH];
    void       *words = NULL;
    size_t      length = 0;
    if (!t->pieces || journal_find(&t->journal, at->key)) return TIDE_OK;
    tide_status status = pieces_get(t->pieces, at->name, at->i, &words, &length, failure);
    if (status != TIDE_OK) return status;
    json_t *line = json_loadb(words, length, 0, NULL);
    free(words);
    if (json_is_object(line)) return journal_add(&t->journal, at->key, line, failure);
    json_decref(line);
    return fail_at(failure, TIDE_EDATA, pieces_path(t->pieces, at->name, at->i, path), 0, NULL,
                   "%s is damaged: remove it and run again", path);
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
json_t *tuning_head(const tuning *t) {
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

static const char name[] = "tune.jsonl";

void tuning_recall_clock(tuning *t) {
    const char *key;
    json_t     *line;
    json_object_foreach(t->journal.line, key, line) t->before = fmax(t->before, real(line, "elapsed"));
    t->clocked = os_seconds();
}

tide_status tuning_journal_open(tuning *t, tide_failure *failure) {
    char    path[FOLDER_PATH];
    json_t *head = tuning_head(t);
    if (!head) return tuning_no_memory(failure);
    tide_status status = owned_claim_file(t->folder, name, path, failure);
    if (status == TIDE_OK) status = journal_open(path, head, t->options->overwrite, 0, &t->journal, failure);
    json_decref(head);
    if (status == TIDE_OK) tuning_recall_clock(t);
    return status;
}

tide_status tuning_journal_peek(const tuning *t, journal *out, tide_failure *failure) {
    char    path[FOLDER_PATH];
    json_t *head = tuning_head(t);
    if (!head) return tuning_no_memory(failure);
    tide_status status = journal_peek(folder_file(t->folder, name, path), head, out, failure);
    json_decref(head);
    return status;
}

/* What the file lacks, in the order in which it came. */
tide_status tuning_commit(const tuning *t, tide_failure *failure) {
    const double seldom = 1e9; /* it is synced when it is closed */
    char         path[FOLDER_PATH];
    journal      file   = { .file = -1 };
    json_t      *head   = tuning_head(t), *line;
    const char  *key;
    tide_status  status = head ? owned_claim_file(t->folder, name, path, failure) : tuning_no_memory(failure);
    if (status == TIDE_OK) status = journal_open(path, head, false, seldom, &file, failure);
    json_decref(head);
    json_object_foreach(t->journal.line, key, line)
        if (status == TIDE_OK && !journal_find(&file, key))
            status = journal_add(&file, key, json_deep_copy(line), failure);
    tide_failure ignored = { 0 };
    tide_status  closed  = journal_close(&file, status == TIDE_OK ? failure : &ignored);
    return status == TIDE_OK ? closed : status;
}

/* ---- a trial ---- */

static place place_of(const trial *x, int rung) {
    place at = { .i = x->number };
    snprintf(at.key, KEY, "trial %" PRId64 " rung %d", x->number, rung + 1);
    snprintf(at.name, sizeof at.name, "rung%d", rung + 1);
    return at;
}

bool tuning_recorded(const tuning *t, const trial *x, int rung) {
    place at = place_of(x, rung);
    return known(t, &at);
}

tide_status tuning_take(tuning *t, const trial *x, int rung, tide_failure *failure) {
    place at = place_of(x, rung);
    return take(t, &at, failure);
}

bool tuning_recall(const tuning *t, trial *x, int rung) {
    place         at   = place_of(x, rung);
    const json_t *line = journal_find(&t->journal, at.key);
    if (!line) return false;
    const char *reason = json_string_value(json_object_get(line, "failed"));
    x->epochs = whole(line, "epochs"), x->best_epoch = whole(line, "best_epoch");
    x->loss = real(line, "val_loss"), x->seconds = real(line, "seconds");
    snprintf(x->reason, sizeof x->reason, "%s", reason ? reason : "");
    x->rungs = reason ? MAX2(rung, 0) : rung + 1;
    return true;
}

tide_status tuning_record(tuning *t, const trial *x, int rung, tide_failure *failure) {
    place   at   = place_of(x, rung);
    json_t *line = json_pack("{s:I, s:I, s:o, s:o}", "epochs", (json_int_t)x->epochs, "best_epoch",
                             (json_int_t)x->best_epoch, "val_loss", json_finite(x->loss), "seconds",
                             json_finite(x->seconds));
    if (*x->reason) line = json_with(line, "failed", json_text(x->reason));
    return add(t, &at, line, failure);
}

/* ---- the choice ---- */

static const place choice = { .key = "best", .name = "choice" };

tide_status tuning_take_best(tuning *t, tide_failure *failure) { return take(t, &choice, failure); }

void tuning_recall_best(tuning *t) {
    const json_t *line = journal_find(&t->journal, choice.key);
    int64_t best = whole(line, "trial");
    t->best     = best > 0 && best <= t->count ? best : 0; /* the file may be anyone's by now */
    t->complete = json_is_true(json_object_get(line, "complete"));
    t->searched_s = real(line, "elapsed");
}

tide_status tuning_record_best(tuning *t, tide_failure *failure) {
    if (journal_find(&t->journal, choice.key)) return TIDE_OK;
    return add(t, &choice, json_pack("{s:I, s:b}", "trial", (json_int_t)t->best, "complete", t->complete), failure);
}

/* ---- seeds ---- */

static place place_of_seed(int64_t seed) {
    place at = { .name = "seed", .i = seed };
    snprintf(at.key, KEY, "seed %" PRId64, seed);
    return at;
}

bool tuning_recorded_seed(const tuning *t, int64_t seed) {
    place at = place_of_seed(seed);
    return known(t, &at);
}

tide_status tuning_take_seed(tuning *t, int64_t seed, tide_failure *failure) {
    place at = place_of_seed(seed);
    return take(t, &at, failure);
}

bool tuning_recall_seed(const tuning *t, forecast_tune_seed *s) {
    place         at   = place_of_seed(s->seed);
    const json_t *line = journal_find(&t->journal, at.key);
    s->val_loss = real(line, "val_loss"), s->mse = real(line, "mse"), s->mae = real(line, "mae");
    return line != NULL;
}

tide_status tuning_record_seed(tuning *t, const forecast_tune_seed *s, tide_failure *failure) {
    place at = place_of_seed(s->seed);
    return add(t, &at, json_pack("{s:o, s:o, s:o}", "val_loss", json_finite(s->val_loss), "mse", json_finite(s->mse),
                                 "mae", json_finite(s->mae)), failure);
}
