/* Parameters that the handles of a trained model hold together: on a graph that runs nothing, counted by holders. Any
 * thread may hold, lend and release. */
#ifndef TRAIN_PARAMETERS_H
#define TRAIN_PARAMETERS_H

#include <tidemill/core.h>

typedef struct parameters parameters;

/* Takes the graph, also when there is no memory: NULL then. One holder. */
parameters *parameters_new(tide_graph *g, tide_list list);
parameters *parameters_hold(parameters *p);
void        parameters_release(parameters *p);  /* NULL is fine */

/* Makes `to`, variables without values yet, read them. */
tide_status parameters_lend(parameters *p, tide_list to, tide_failure *failure);

/* To read them: nobody else does until parameters_end. */
tide_list parameters_begin(parameters *p);
void      parameters_end(parameters *p);

#endif
