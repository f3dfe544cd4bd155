/* How well quantiles of a quantity did against the truth. */
#ifndef EIS_TALLY_H
#define EIS_TALLY_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

struct text;

enum { LOW_95, LOW_80, MEDIAN, HIGH_80, HIGH_95, SHARES };
extern const double tally_shares[SHARES];

/* Errors are |log10 (median / truth)| and widths log10 (high / low); of linear quantities differences. */
typedef struct tally {
    int64_t count, in_80, in_95;
    double *error, *width;
} tally;

bool tally_new(tally *s, int64_t most); /* false: out of memory */
void tally_free(tally *s);
void tally_add(tally *s, bool linear, const double at[SHARES], double truth);

/* `linear`: NULL, or what its differences are in, "ohm" or "". */
json_t *tally_json(const tally *s, const char *quantity, const char *linear);
void tally_text(const tally *s, struct text *out);
double tally_median(const double *v, int64_t count); /* NaN of none */

#endif
