#include "advice.h"

#include <inttypes.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>

#include "base/base.h"

static void add(forecast_result *r, const char *format, ...) TIDE_PRINTF(2, 3);
static void add(forecast_result *r, const char *format, ...) {
    size_t  used = strlen(r->advice);
    va_list args;
    va_start(args, format);
    vsnprintf(r->advice + used, sizeof r->advice - used, format, args);
    va_end(args);
}

/* As a shell wants it: quoted unless it is made of harmless letters. */
static void add_word(forecast_result *r, const char *word) {
    const char *harmless = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_./:,+-=@%";
    if (*word && strspn(word, harmless) == strlen(word)) {
        add(r, " %s", word);
        return;
    }
    add(r, " '");
    for (; *word; word++) add(r, *word == '\'' ? "'\\''" : "%c", *word);
    add(r, "'");
}

/* The lowest error among model (0) and baselines; the model where it is as good as any. */
static forecast_use best_of(const forecast_result *r) {
    forecast_use best  = FORECAST_USE_MODEL;
    double       least = r->model.mse;
    for (int i = 0; i < 3; i++)
        if (r->baselines[i].present && r->baselines[i].mse < least)
            least = r->baselines[i].mse, best = (forecast_use)(i + 1);
    return best;
}

static const char *const words[] = { "model", "last-value", "seasonal-naive", "linear" };

static void add_use(forecast_result *r, const char *data, int64_t season) {
    forecast_use best = best_of(r);
    if (best == FORECAST_USE_MODEL || !r->model.present) return;
    add(r, "%s (%.4g) forecasts better here than the model (%.4g): tidemill forecast predict", words[best],
        r->baselines[best - 1].mse, r->model.mse);
    add_word(r, r->run);
    if (*data) add(r, " `data`"), add_word(r, data);
    add(r, " `use` %s", words[best]);
    if (season && best == FORECAST_USE_SEASONAL) add(r, " `season` %" PRId64, season);
    add(r, "\n");
}

/* Rules that fall by the epoch stand still after a few: more epochs alone would change nothing. */
static bool falls(int rule) {
    return rule != FORECAST_LR_COSINE && rule != FORECAST_LR_CONSTANT && rule != FORECAST_LR_MAC_COSINE;
}

void advise_training(forecast_result *r, const forecast_options *o) {
    *r->advice = 0;
    if (r->best_epoch == o->epochs)
        add(r, "the best epoch is the last: `epochs` %" PRId64 "%s goes further (with `overwrite`, or another `out`)\n",
            2 * o->epochs, falls(o->lradj) ? " `lradj` cosine" : "");
    add_use(r, "", 0);
}

void advise_evaluation(forecast_result *r, const forecast_options *o, const bundle *b) {
    const char *data = strcmp(o->data, "-") ? o->data : "";
    *r->advice = 0;
    if (best_of(r) == FORECAST_USE_LINEAR && !b->record.linear && r->model.present)
        add(r, "linear (%.4g) forecasts better here than the model (%.4g), but this run keeps none: a run trained "
               "anew does\n",
            r->baselines[2].mse, r->model.mse);
    else add_use(r, data, r->season == b->record.season ? 0 : r->season);
}
