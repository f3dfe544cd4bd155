/* --level: prediction intervals around a forecast, and how they are called. */
#include <inttypes.h>
#include <stdlib.h>

#include "base/base.h"
#include "forecast/fit/calibrate.h"
#include "forecast/saved/use.h"
#include "prediction.h"

/* Before anything is computed: a run without intervals, or with those of another season. */
tide_status prediction_read_levels(prediction *p, tide_failure *failure) {
    static const char *const words[] = { "the model", "last-value", "seasonal-naive", "linear" };
    const bundle *b      = p->bundle;
    tide_status   status = levels_parse(p->options->level, &p->levels, failure);
    if (status != TIDE_OK || !p->levels.count) return status;
    if (!bands_any(&b->bands)) return use_not_kept(p->options, "prediction intervals", "level", failure);
    if (!b->bands.quantile[p->use])
        return fail_at(failure, TIDE_EINVAL, NULL, 0, "level",
                       "the run keeps no prediction intervals of %s, which could not be calibrated on its validation "
                       "windows: leave `level` out, or another `use`", words[p->use]);
    if (p->use == FORECAST_USE_SEASONAL && use_season(p->options, b) != b->record.season)
        return fail_at(failure, TIDE_EINVAL, NULL, 0, "season",
                       "the run's prediction intervals are those of `season` %" PRId64
                       ": leave `season` out, or `level`", b->record.season);
    return prediction_names_clash(p, failure);
}

tide_status prediction_make_bands(prediction *p, tide_failure *failure) {
    const model_config *c = &p->bundle->config;
    int64_t cells = c->pred_len * c->out_count, sides = 2 * p->levels.count;
    if (!sides && !p->options->paths) return TIDE_OK;
    p->scale = malloc((size_t)c->out_count * sizeof *p->scale + 1);
    p->bands = malloc((size_t)(cells * sides) * sizeof *p->bands + 1);
    if (!p->scale || !p->bands) return prediction_no_memory(failure);
    look_back window = look_back_of(&p->data, 0, c->seq_len);
    bands_scales(&p->bundle->bands, &window, p->scale);
    window_spread s = { p->scale, p->widths };
    bands_of_window(&p->bundle->bands, (int)p->use, cells, p->values, &s, p->levels.of, p->levels.count, p->bands);
    if (sides) tell_reach(&p->listener, &p->bundle->bands, (int)p->use, p->levels.of[p->levels.count - 1]);
    return TIDE_OK;
}

/* ---- how they are called and where they stand ---- */

/* Around a forecast: NAME-lo-95, NAME-lo-80, NAME, NAME-hi-80, NAME-hi-95. `place` counts from the left; the middle is
 * the forecast. */
void prediction_suffix(const prediction *p, int64_t place, char out[40]) {
    int64_t levels = p->levels.count, i = place - levels;
    char    number[32];
    *out = 0;
    if (i == 0) return;
    num_format(number, p->levels.of[(i < 0 ? -i : i) - 1], false);
    snprintf(out, 40, "-%s-%s", i < 0 ? "lo" : "hi", number);
}

double prediction_value(const prediction *p, int64_t cell, int64_t place) {
    int64_t levels = p->levels.count, i = place - levels;
    return i == 0 ? p->values[cell] : p->bands[(cell * levels + (i < 0 ? -i : i) - 1) * 2 + (i > 0)];
}

/* A bound that is called as another column is could not be told from it. */
tide_status prediction_names_clash(const prediction *p, tide_failure *failure) {
    for (int64_t place = 0; place <= 2 * p->levels.count; place++) {
        char suffix[40];
        prediction_suffix(p, place, suffix);
        size_t length = strlen(suffix);
        for (int64_t i = 0; length && i < p->series; i++) {
            const char *name = prediction_name(p, i);
            size_t      all  = strlen(name);
            for (int64_t k = 0; all > length && !strcmp(name + all - length, suffix) && k < p->series; k++) {
                const char *other = prediction_name(p, k);
                if (strlen(other) == all - length && !strncmp(other, name, all - length))
                    return fail_at(failure, TIDE_EINVAL, NULL, 0, "level",
                                   "'%.80s' would be the name of a bound of '%.80s' and is a column's: another `level`",
                                   name, other);
            }
        }
    }
    return TIDE_OK;
}
