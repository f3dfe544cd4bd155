/* `arch` auto from the inside: members that are trained, each as a run of its own, and weighed. */
#ifndef FORECAST_TRAINING_ENSEMBLE_H
#define FORECAST_TRAINING_ENSEMBLE_H

#include <tidemill/io.h>

#include "forecast/models/ensemble.h"
#include "forecast/score/stacking.h"
#include "trainer.h"

/* In the order in which they are trained: the cheap ones first. */
typedef struct ensemble_training {
    int             count;
    int             arch[ENSEMBLE_MEMBERS];
    forecast_member told[ENSEMBLE_MEMBERS];
    tide_archive    learned[ENSEMBLE_MEMBERS];  /* parameters of those that were trained */
    bool            waits[ENSEMBLE_MEMBERS];    /* too slow for its share, for what the others may leave */
    double          budget_s, spent_s;          /* budget_s 0: no limit */
    unsigned        trained, kept;              /* a bit for each network */
    float          *weights;                    /* (kept members in the order of their bits, out columns) */
    stacking_rule   rule;
} ensemble_training;

/* In the place of the rest of opening a trainer whose data are read: trains the members, weighs them and puts the
 * network that is kept into t->session. `from` as for trainer_open. */
tide_status ensemble_open(trainer *t, forecast_options *o, const tide_frame *from, bool in_folder,
                          tide_failure *failure);
void        ensemble_training_free(ensemble_training *e);  /* NULL is fine */

/* members.c: which there are, and their training, as far as the budget goes. A member that cannot be trained is left
 * out, and told[].note says why; one that `members` names is a failure. */
tide_status members_choose(trainer *t, tide_failure *failure);
tide_status members_train(trainer *t, const tide_frame *from, bool in_folder, tide_failure *failure);
/* The parameters of the networks in `members` into an ensemble's session. */
tide_status members_load(const ensemble_training *e, session *s, tide_failure *failure);

/* weigh.c: fills weights, kept, rule, and what is told of the members, from the windows of validation; of those of the
 * test only what is told. */
tide_status members_weigh(trainer *t, tide_failure *failure);

#endif
