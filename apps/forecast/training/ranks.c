/* A training on several ranks, which mpirun or srun started, or which are threads of this process, one for each device:
 * rank 0 settles the options and has the folder, the others do their share of every batch and of validations, in memory
 * and silent. */
#include <stdio.h>
#include <stdlib.h>

#include "base/base.h"
#include "forecast/fit/plan.h"
#include "options/options.h"
#include "train/ranks.h"
#include "trainer.h"

/* What has no steps to share, and what would differ from rank to rank. */
static tide_status check(const ranks *r, const forecast_options *o, tide_failure *failure) {
    if (o->arch == FORECAST_ARCH_AUTO)
        return fail_at(failure, TIDE_EINVAL, NULL, 0, "arch",
                       "`arch` auto trains several networks one after the other, which ranks cannot share: start it "
                       "on one device and without mpirun, or name one network");
    if (strcmp(o->data, "-") == 0)
        return fail_at(failure, TIDE_EINVAL, NULL, 0, "data",
                       "`data` - is standard input, which only rank 0 of %d has: name a file", ranks_count(r));
    return train_ranks_mode(r, (tide_program_mode)(TIDE_MODE_DEFAULT + o->compile_mode), failure);
}

/* What is rank 0's alone: where and over what the run is written, what is shown of it. */
static void leave_to_lead(forecast_options *o) {
    options_leave_places(forecast_table(), o);
    o->resume = FORECAST_RESUME_NO, o->overwrite = o->plots = o->explain = o->verbose = o->refit = false;
}

static tide_status settle(ranks *r, forecast_options *o, tide_failure *failure) {
    bool        open   = !forecast_option_given(o, "accumulate");
    tide_status status = check(r, o, failure);
    if (status == TIDE_OK && ranks_lead(r)) status = plan_of_run(o, failure);
    o->accumulate = train_ranks_parts(r, o->accumulate, open);
    status = ranks_meet(r, status, NULL, failure);
    if (status == TIDE_OK) status = train_ranks_begin(r, o, sizeof *o, failure);
    train_ranks_own_device(r, o->device, sizeof o->device);
    if (!ranks_lead(r)) leave_to_lead(o);
    return status;
}

tide_status trainer_join(trainer *t, forecast_options *o, tide_failure *failure) {
    tide_status status = o->ranks || rank_group_entered() ? ranks_join(&t->ranks, failure) : TIDE_OK;
    if (status != TIDE_OK || !t->ranks) return status;
    return settle(t->ranks, o, failure);
}

/* ---- several devices of this machine ---- */

typedef struct crew { const forecast_options *options; unsigned compat; const tide_frame *from; } crew;

static tide_status open_member(void *user, const char *device, void **out) {
    const crew       *c = user;
    trainer          *t = NULL;
    forecast_options *o = malloc(sizeof *o);
    if (!o) return TIDE_ENOMEM;
    *o = *c->options;
    snprintf(o->device, sizeof o->device, "%s", device);
    tide_status status = trainer_start(o, c->compat, c->from, false, NULL, NULL, &t, NULL);
    *out = t;
    return status;
}

static void call_member(void *handle, train_team_call what, int64_t steps) {
    trainer *t = handle;
    switch (what) {
    case TRAIN_TEAM_RUN: trainer_learn(t, steps, NULL); break;
    case TRAIN_TEAM_SCORE: fit_end(t->fit, NULL); break;
    case TRAIN_TEAM_FREE: forecast_trainer_free(t); break;
    }
}

tide_status trainer_start_on(const train_devices *d, forecast_options *o, unsigned compat, const tide_frame *from,
                             bool in_folder, forecast_progress progress, void *user, trainer **out,
                             tide_failure *failure) {
    static const train_team_work work = { open_member, call_member };
    train_team       *team  = NULL;
    forecast_options *theirs = malloc(sizeof *theirs);
    crew              all   = { theirs, compat, from };
    if (!theirs) return free(o), fail(failure, TIDE_ENOMEM, "out of memory for the training run");
    *theirs = *o;
    tide_status status = train_team_new(d, &work, &all, &team, failure);
    if (status == TIDE_OK) status = trainer_start(o, compat, from, in_folder, progress, user, out, failure);
    else free(o);
    if (status == TIDE_OK) train_team_end(team), (*out)->team = team;
    else train_team_free(team);
    free(theirs);
    return status;
}

/* That it went well everywhere, before the ranks work together; on the same numbers. */
tide_status trainer_meet(trainer *t, tide_status mine, tide_failure *failure) {
    if (!t->ranks) return mine;
    if (mine == TIDE_OK && trainer_solved(t))
        mine = fail_at(failure, TIDE_EINVAL, NULL, 0, "arch",
                       "this network is solved in closed form, without steps that ranks could share: start it on one "
                       "device and without mpirun");
    tide_status status = ranks_meet(t->ranks, mine, NULL, failure);
    if (status == TIDE_OK)
        status = train_ranks_same(t->ranks, "the sha256 of the data", t->data.frame.sha256, failure);
    if (status == TIDE_OK)
        status = train_ranks_same_kind(t->ranks, tide_graph_device(t->session.graph), failure);
    return status;
}

/* The device that rank 0 found fastest. */
tide_status trainer_same_device(trainer *t, forecast_options *o, tide_status mine, tide_failure *failure) {
    tide_status status = ranks_meet(t->ranks, mine, NULL, failure);
    return status == TIDE_OK ? ranks_tell(t->ranks, o->device, sizeof o->device, failure) : status;
}

tide_status trainer_part(trainer *t, tide_status mine, tide_failure *failure) {
    return t->team ? mine : ranks_meet(t->ranks, mine, NULL, failure);
}
