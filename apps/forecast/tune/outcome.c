/* What a search found, as result->tune. */
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "tuning.h"

/* ---- the command that trains the best again ---- */

static void add_word(text *out, const char *word) {
    static const char plain[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-/,:=+@%";
    if (*word && word[strspn(word, plain)] == 0) return text_add(out, "%s", word);
    text_add(out, "'");
    for (; *word; word++) text_add(out, *word == '\'' ? "'\\''" : "%c", *word);
    text_add(out, "'");
}

/* Every option of a training that was given or drawn, but for where it goes and what makes no difference to it. */
static char *command_of(const tuning *t) {
    const tide_option_table *table = forecast_table();
    forecast_options *o   = malloc(sizeof *o);
    text              out = { 0 };
    char              value[4200];
    if (!o || trial_options(t, &t->trial[t->best - 1], "", o, NULL) != TIDE_OK) return free(o), NULL;
    text_add(&out, "tidemill forecast train");
    for (int64_t i = 0; i < table->count; i++) {
        const tide_option *row = &table->rows[i];
        bool other = row->flags & (TIDE_OPTION_PLACE | TIDE_OPTION_HIDDEN | TIDE_OPTION_COMMAND_ON);
        if (!(row->flags & FORECAST_FOR_TRAIN) || other || !strcmp(row->name, "threads") || !o->given[i]) continue;
        text_add(&out, " `%s`=", row->name);
        add_word(&out, tide_option_get(o, row, value, sizeof value));
    }
    free(o);
    if (!out.failed) return out.data;
    text_free(&out);
    return NULL;
}

/* ---- trials and seeds ---- */

static bool take_trials(const tuning *t, forecast_tune_result *out) {
    bool fine = (out->trials = calloc((size_t)t->count, sizeof *out->trials)) != NULL;
    for (int64_t i = 0; fine && i < t->count; i++) {
        const trial *x = &t->trial[i];
        out->trials[i] = (forecast_tune_trial){ .number = x->number, .rungs = x->rungs, .epochs = x->epochs,
                                                .best_epoch = x->best_epoch, .val_loss = x->loss,
                                                .seconds = x->seconds, .settings = point_text(&t->space, &x->at),
                                                .reason = strdup(x->reason) };
        out->count++;
        fine = out->trials[i].settings && out->trials[i].reason;
    }
    return fine;
}

static void spread(const forecast_tune_seed *s, int64_t count, size_t field, double *mean, double *deviation) {
    double sum = 0, squares = 0;
#define VALUE(i) (*(const double *)((const char *)&s[i] + field))
    for (int64_t i = 0; i < count; i++) sum += VALUE(i);
    *mean = sum / (double)count;
    for (int64_t i = 0; i < count; i++) squares += (VALUE(i) - *mean) * (VALUE(i) - *mean);
    *deviation = count > 1 ? sqrt(squares / (double)(count - 1)) : (double)NAN;
#undef VALUE
}

tide_status tuning_outcome(const tuning *t, forecast_result *r, tide_failure *failure) {
    forecast_tune_result *out = r->tune;
    out->best = t->best, out->complete = t->complete, out->rung_count = t->rungs, out->seconds = t->searched_s;
    memcpy(out->rungs, t->rung, sizeof out->rungs);
    spread(out->seeds, out->seed_count, offsetof(forecast_tune_seed, mse), &out->mse_mean, &out->mse_deviation);
    spread(out->seeds, out->seed_count, offsetof(forecast_tune_seed, mae), &out->mae_mean, &out->mae_deviation);
    out->command = command_of(t);
    return out->command && take_trials(t, out) ? TIDE_OK : tuning_no_memory(failure);
}
