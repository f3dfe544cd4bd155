/* forecast_tune: a space searched, the best trained to its end and scored. */
#include <stdlib.h>

#include "base/base.h"
#include "forecast/fit/resolve.h"
#include "forecast/options/duration.h"
#include "forecast/tune/tuning.h"

/* What each trial has of the options: nothing of the search's own, and no plots. */
static void settle_base(const forecast_options *given, forecast_options *out) {
    *out = *given;
    out->resume = FORECAST_RESUME_AUTO, out->overwrite = out->plots = out->ranks = out->join = false;
}

/* The budget is the search's, no trial's. */
static tide_status take_budget(tuning *t, tide_failure *failure) {
    char budget[sizeof t->asked->budget];
    memcpy(budget, t->asked->budget, sizeof budget);
    *t->asked->budget = 0;
    t->asked->given[forecast_option_find("budget") - forecast_option_table(NULL)] = false;
    return *budget ? duration_parse(budget, "budget", &t->budget_s, failure) : TIDE_OK;
}

static tide_status search(tuning *t, forecast_result *r, tide_failure *failure) {
    tide_status status = t->joined ? tuning_join_check(t, failure) : TIDE_OK;
    if (status == TIDE_OK) status = ground_open(t->options, &t->ground, failure);
    if (status == TIDE_OK) status = space_read(&t->ground, &t->space, failure);
    if (status == TIDE_OK) status = tuning_folder_open(t, failure);
    if (status == TIDE_OK) status = t->joined ? tuning_join(t, failure) : tuning_journal_open(t, failure);
    if (status == TIDE_OK) status = tuning_search(t, failure);
    if (status == TIDE_OK) status = tuning_finish(t, r, failure);
    if (status == TIDE_OK) status = tuning_outcome(t, r, failure);
    return status == TIDE_OK ? tuning_tables(t, r, failure) : status;
}

static void tuning_free(tuning *t, bool over) {
    if (!t) return;
    tuning_leave(t, over);
    tuning_folder_close(t);
    pthread_mutex_destroy(&t->mutex);
    free(t->trial);
    free(t->base), free(t->asked);
    free(t);
}

tide_status forecast_tune(const forecast_options *options, forecast_progress progress, void *user,
                          forecast_result *result, tide_failure *failure) {
    failure_clear(failure);
    if (arguments_sound(options, result, failure) != TIDE_OK) return TIDE_EINVAL;
    tuning *t = calloc(1, sizeof *t);
    if (!t) return tuning_no_memory(failure);
    pthread_mutex_init(&t->mutex, NULL);
    t->lock = -1, t->journal.file = -1, t->doing = "";
    t->listener    = (listener){ progress, user, os_seconds(), &t->memory };
    t->joined      = options->join;
    t->threads     = options->threads ? (int)options->threads : os_cores();
    t->base        = malloc(sizeof *t->base);
    t->options     = t->asked = malloc(sizeof *t->asked);
    result->tune   = calloc(1, sizeof *result->tune);
    tide_status status = t->base && t->asked && result->tune ? TIDE_OK : tuning_no_memory(failure);
    if (t->asked) *t->asked = *options;
    if (status == TIDE_OK) status = take_budget(t, failure);
    if (status == TIDE_OK) settle_base(t->asked, t->base);
    if (status == TIDE_OK) status = search(t, result, failure);
    tide_failure ignored = { 0 }, *why = status == TIDE_OK ? failure : &ignored;
    tide_status  closed  = journal_close(&t->journal, why);
    tuning_free(t, status == TIDE_OK);
    return status == TIDE_OK ? closed : status;
}
