/* Training on some of the columns, others in each step (Liu et al., ICLR 2024, section 4.2): attention over N columns
 * in place of all, while every column is learned in turn. Which ones is a function of (seed, step). */
#ifndef FORECAST_SAMPLED_H
#define FORECAST_SAMPLED_H

#include "forecast/models/forecaster.h"
#include "train/step.h"

/* Zero: all columns. */
typedef struct sampled {
    tide_val chosen;    /* input (count): the columns of a step */
    int32_t *drawn;     /* (columns): a permutation, whose first `count` are fed */
    int64_t  columns, count;
} sampled;

/* Steps of such a model take `count` of its columns. TIDE_EINVAL where these are not fewer, or not all alike. */
tide_status sampled_new(tide_graph *g, const model_config *c, bool blind, int64_t count, sampled *out,
                        tide_failure *failure);
void        sampled_free(sampled *s);
/* Draws the columns of a step, and feeds them: 1, or 0 where all are taken. The feed holds until the next call. */
int         sampled_feed(sampled *s, uint64_t seed, int64_t step, train_feed *out);
/* The chosen ones along an axis of x. */
tide_val    sampled_of(const sampled *s, tide_val x, int axis);

#endif
