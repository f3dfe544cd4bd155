/* The statistics of a survey as sums that come to the same in any order, so that threads and processes can share them:
 * one pass counts values in a histogram, one picks those in the bins that hold a quantile. */
#ifndef EIS_SURVEY_TALLY_H
#define EIS_SURVEY_TALLY_H

#include "order.h"
#include "survey.h"

enum { PICKS = 2 * QUANTILES };

/* Of the first pass. */
typedef struct survey_counts { uint64_t *histogram; double low, high; } survey_counts;

/* What the second looks for. */
typedef struct survey_wanted {
    order_pick pick[PICKS];
    uint8_t   *in_bin;   /* [ORDER_BINS]: whether a pick is in it */
} survey_wanted;

/* Of the second. */
typedef struct survey_found { double *data; int64_t count, room; bool failed; } survey_found;  /* failed: no memory */

bool survey_counts_new(survey_counts *c);  /* false: out of memory */
void survey_counts_free(survey_counts *c);
/* The values of one ground truth, as resnorm_grid_fill has them. */
void survey_count(const survey *s, const double *data, survey_counts *to);
void survey_counts_add(const survey_counts *c, survey_counts *to);

/* From the counts of all. False: out of memory. */
bool survey_want(const survey *s, survey_counts *all, survey_wanted *out);
void survey_wanted_free(survey_wanted *w);

void survey_pick(const survey *s, const survey_wanted *w, const double *data, survey_found found[PICKS]);
void survey_found_add(const survey_found *from, survey_found *to);
void survey_found_free(survey_found found[PICKS]);

/* s->low, high and quantile, from what all have; sorts `found`. False: out of memory. */
bool survey_settle(survey *s, const survey_counts *all, const survey_wanted *w, survey_found found[PICKS]);

#endif
