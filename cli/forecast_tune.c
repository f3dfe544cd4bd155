/* A search as a page of tables: rungs, the best trials, those that failed; seeds, and what trains the best again. */
#include "forecast_tune.h"

#include <inttypes.h>
#include <math.h>
#include <stdlib.h>

enum { SHOWN = 10 };

static void put_rungs(FILE *out, const forecast_tune_result *t) {
    fprintf(out, "rung  epochs  trials  failed  go on  lowest validation loss\n");
    for (int64_t i = 0; i < t->rung_count; i++) {
        const forecast_tune_rung *r = &t->rungs[i];
        char share[24] = "all";
        if (r->parts > 1) snprintf(share, sizeof share, "1/%" PRId64, r->parts);
        fprintf(out, "%4" PRId64 "  %6s  %6" PRId64 "  %6" PRId64 "  %5" PRId64, i + 1, share, r->trials, r->failed,
                r->kept);
        if (!isnan(r->best)) fprintf(out, "  %.5f", r->best);
        putc('\n', out);
    }
}

/* Where the budget ended it. */
static void put_unreached(FILE *out, const forecast_tune_result *t) {
    for (int64_t i = 0; !t->complete && i < t->rung_count; i++) {
        const forecast_tune_rung *r = &t->rungs[i];
        int64_t left = r->trials - r->through - r->failed;
        if (r->trials && !left) continue;
        fprintf(out, "the budget ended the search in rung %" PRId64 " of %" PRId64 ", which %" PRId64
                     " trials were not through; the best of what was reached was trained to its end\n",
                i + 1, t->rung_count, left);
        return;
    }
}

/* The lowest loss first; those without one are no rows of it. */
static int by_loss(const void *a, const void *b) {
    const forecast_tune_trial *x = *(const forecast_tune_trial *const *)a, *y = *(const forecast_tune_trial *const *)b;
    if (isnan(x->val_loss) != isnan(y->val_loss)) return isnan(x->val_loss) ? 1 : -1;
    if (x->val_loss < y->val_loss || x->val_loss > y->val_loss) return x->val_loss < y->val_loss ? -1 : 1;
    return x->number < y->number ? -1 : 1;
}

static void put_best(FILE *out, const forecast_tune_result *t) {
    const forecast_tune_trial **all = malloc((size_t)t->count * sizeof *all + 1);
    if (!all) return;
    for (int64_t i = 0; i < t->count; i++) all[i] = &t->trials[i];
    qsort(all, (size_t)t->count, sizeof *all, by_loss);
    fprintf(out, "trial  rungs  epochs  validation  settings\n");
    for (int64_t i = 0; i < t->count && i < SHOWN && !isnan(all[i]->val_loss); i++)
        fprintf(out, "%5" PRId64 "  %5" PRId64 "  %6" PRId64 "  %10.5f  %s\n", all[i]->number, all[i]->rungs,
                all[i]->epochs, all[i]->val_loss, all[i]->number == 1 ? "as given" : all[i]->settings);
    free(all);
}

static void put_failed(FILE *out, const forecast_tune_result *t) {
    int64_t shown = 0, more = 0;
    for (int64_t i = 0; i < t->count; i++) {
        if (!*t->trials[i].reason) continue;
        if (shown == SHOWN) more++;
        else shown++, fprintf(out, "trial %" PRId64 " failed: %s (%s)\n", t->trials[i].number, t->trials[i].reason,
                              t->trials[i].settings);
    }
    if (more) fprintf(out, "and %" PRId64 " more, in trials.csv\n", more);
}

void forecast_tune_put(FILE *out, const forecast_tune_result *t) {
    put_rungs(out, t);
    put_unreached(out, t);
    putc('\n', out);
    put_best(out, t);
    put_failed(out, t);
    fprintf(out, "\nthe best, trial %" PRId64 ", on test rows that no choice looked at:\n", t->best);
}

static void put_seeds(FILE *out, const forecast_tune_result *t) {
    if (t->seed_count < 2) return;
    fprintf(out, "seed        validation   test mse   test mae\n");
    for (int64_t i = 0; i < t->seed_count; i++)
        fprintf(out, "%-10" PRId64 "  %10.5f  %9.4f  %9.4f\n", t->seeds[i].seed, t->seeds[i].val_loss, t->seeds[i].mse,
                t->seeds[i].mae);
    fprintf(out, "mean of %-2" PRId64 "  %10s  %9.4f  %9.4f\n", t->seed_count, "", t->mse_mean, t->mae_mean);
    fprintf(out, "deviation   %10s  %9.4f  %9.4f\n", "", t->mse_deviation, t->mae_deviation);
}

void forecast_tune_put_end(FILE *out, const forecast_result *r) {
    put_seeds(out, r->tune);
    fprintf(out, "%" PRId64 " trials in %.1f s; run: %s\nto train it again: %s\n", r->tune->count, r->tune->seconds,
            r->run, r->tune->command);
}
