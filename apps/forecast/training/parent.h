/* `from`: the run whose parameters a training begins with. */
#ifndef FORECAST_PARENT_H
#define FORECAST_PARENT_H

#include "trainer.h"

/* Before options are resolved: what makes the network what it is (sizes, look-back, horizon, arch, activation,
 * use_norm) becomes the parent's, and options that contradict it are refused by name. Of a run that goes on it is what
 * its run.json says, and the parent is not looked at. Without `from`: nothing. */
tide_status parent_settle(forecast_options *o, tide_failure *failure);

/* Reads the parent into t->parent and t->from, unless the run that goes on has a checkpoint of its own, and rescales
 * the data by it with `keep_scaler`. Needs t->data. */
tide_status parent_open(trainer *t, tide_failure *failure);
/* Before anything is made: it is a network of the kind that t->config is. */
tide_status parent_check(const trainer *t, tide_failure *failure);
/* The first parameters in place, told and saved: from here on the run is complete without the parent. */
tide_status parent_begin(trainer *t, tide_failure *failure);
/* Where no epoch came below the validation loss that training began with: told. */
void        parent_tell_end(const trainer *t);
/* Refuses networks without steps; `run` was given as `option`. */
tide_status parent_check_arch(const char *run, const char *option, const model_config *c, tide_failure *failure);
void        parent_free(struct parent *p);  /* NULL is fine */

#endif
