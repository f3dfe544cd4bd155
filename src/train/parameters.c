#include "parameters.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>

struct parameters {
    atomic_int      holders;
    pthread_mutex_t lock;   /* a graph is used by one thread at a time */
    tide_graph     *graph;
    tide_list       list;
};

parameters *parameters_new(tide_graph *g, tide_list list) {
    parameters *p = calloc(1, sizeof *p);
    if (!p) return tide_graph_free(g), NULL;
    p->graph = g, p->list = list;
    atomic_init(&p->holders, 1);
    pthread_mutex_init(&p->lock, NULL);
    return p;
}

parameters *parameters_hold(parameters *p) {
    atomic_fetch_add(&p->holders, 1);
    return p;
}

void parameters_release(parameters *p) {
    if (!p || atomic_fetch_sub(&p->holders, 1) != 1) return;
    tide_graph_free(p->graph);
    pthread_mutex_destroy(&p->lock);
    free(p);
}

tide_list parameters_begin(parameters *p) {
    pthread_mutex_lock(&p->lock);
    return p->list;
}

void parameters_end(parameters *p) { pthread_mutex_unlock(&p->lock); }

tide_status parameters_lend(parameters *p, tide_list to, tide_failure *failure) {
    tide_status status = tide_variables_share(to, parameters_begin(p), failure);
    parameters_end(p);
    return status;
}
