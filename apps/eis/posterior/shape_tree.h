/* Where the posterior is, over the two coordinates of a spectrum's shape: squares, split until none holds much of it.
 * In the other coordinates it is a normal distribution, or a few of them, in each square. */
#ifndef EIS_SHAPE_TREE_H
#define EIS_SHAPE_TREE_H

#include "sampler.h"
#include "shape.h"
#include "shape_fit.h"

typedef struct shape_square {
    double low[2], side;
    int child; /* the first of four; -1: a leaf */
    int level, modes;
    shape_fit fit[SHAPE_MODES]; /* at its middle */
    double log_mass[SHAPE_MODES], log_all; /* of the whole square: the integral over everything */
} shape_square;

typedef struct shape_tree {
    const shape_data *data;
    const fibre_rule *rule;
    shape_square *square;
    int64_t count, room;
    double log_all;
} shape_tree;

/* TIDE_ENOMEM; TIDE_EDATA where no shape comes near; TIDE_ECANCELLED. */
tide_status shape_tree_grow(const shape_data *data, const fibre_rule *rule, const stopper *stop, shape_tree *out);
void shape_tree_free(shape_tree *t);

/* ln of the integral of exp(-chi2 / 2) over ln R0, ln tau0 and Rs within its range, over its value at the fit. */
double shape_log_width(const shape_data *d, const shape_fit *f);
/* The standard deviation of Rs, R0 and tau0 being free. */
double shape_rs_deviation(const shape_fit *f);

#endif
