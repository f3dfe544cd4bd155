/* Weights for a sum of forecasts: stacked regression (Wolpert, Stacked generalization, Neural Networks 1992; Breiman,
 * Stacked regressions, Machine Learning 1996, whose weights are non-negative too).
 *
 * The weights of a column are not negative and sum to one, and are those of the least squared error on the validation
 * windows, where each member's own squared error counts 1 + `pull` times: a large pull leaves of the products of
 * errors those with themselves alone, and makes weights that fall as the members' mean squared errors rise (Bates and
 * Granger, The combination of forecasts, Operational Research Quarterly 1969). They follow from the sums of products
 * of the members' errors, so no window is looked at twice. Whether columns share their weights or have their own, and
 * the pull, are chosen by leaving out: the windows fall into STACKING_BLOCKS blocks one after the other, and each is
 * forecast with weights of those whose windows share no row that is forecast with its own. Own weights are fitted to
 * the column's products and to those of all together, which count as much as STACKING_PRIOR spans of pred_len rows. */
#ifndef FORECAST_STACKING_H
#define FORECAST_STACKING_H

#include <stdbool.h>
#include <stdint.h>

enum { STACKING_MOST = 6, STACKING_BLOCKS = 8, STACKING_PRIOR = 10 };

typedef struct stacking stacking;
stacking *stacking_new(int members, int64_t columns, int64_t pred_len, int64_t windows,
                       int64_t apart);                   /* rows from one to the next at least. NULL: out of memory */
void      stacking_free(stacking *s);                                                    /* NULL is fine */
/* Window `at` of them: forecasts (members, columns, pred_len), truth (pred_len, columns), NaN where it is not known. */
void   stacking_add(stacking *s, int64_t at, const float *forecasts, const float *truth);
double stacking_mse(const stacking *s, int member);  /* over all truths; not finite where a forecast is not */

/* How weights were found: by columns together or each, and with which pull. */
typedef struct stacking_rule { bool by_column; double pull; double left_out_mse; } stacking_rule;
/* weights (members, columns), 0 for those not in `used` (a bit each, at least one, all with finite errors). Where there
 * are too few windows to leave any out, the columns share weights of a pull of 1. false: out of memory. */
bool stacking_solve(const stacking *s, unsigned used, float *weights, stacking_rule *rule);

#endif
