/* Presets, advice and compatibility applied to the options as given, and contradictions told by the options' names. */
#include "resolve.h"

#include <inttypes.h>
#include <stdio.h>

#include "base/base.h"
#include "forecast/data/frame_reading.h"
#include "forecast/data/origins.h"
#include "forecast/models/ensemble.h"
#include "forecast/options/duration.h"
#include "forecast/options/levels.h"
#include "forecast/options/quantiles.h"
#include "options/options.h"
#include "session.h"
#include "train/device.h"

/* The published names mean the Mac guide's formulas under --compat mac. */
static int mac_rule(int rule) {
    switch (rule) {
    case FORECAST_LR_AUTO:
    case FORECAST_LR_TYPE1: return FORECAST_LR_MAC_TYPE1;
    case FORECAST_LR_TYPE2: return FORECAST_LR_MAC_TYPE2;
    case FORECAST_LR_COSINE: return FORECAST_LR_MAC_COSINE;
    default: return rule;
    }
}

/* Lists that cannot both be meant, whatever the file holds. */
static tide_status column_contradictions(const forecast_options *o, tide_failure *failure) {
    if (*o->target && list_has(o->ignore, o->target))
        return fail_at(failure, TIDE_EINVAL, NULL, 0, "ignore", "`ignore` leaves out the `target`, %s", o->target);
    if (*o->target && *o->columns && !list_has(o->columns, o->target))
        return fail_at(failure, TIDE_EINVAL, NULL, 0, "target", "`target` %s is not among `columns` %.300s", o->target,
                       o->columns);
    if (*o->time_column && !strcmp(o->time_column, o->target))
        return fail_at(failure, TIDE_EINVAL, NULL, 0, "target", "`target` and `time-column` are both %s", o->target);
    if (*o->columns && *o->ignore)
        return fail_at(failure, TIDE_EINVAL, NULL, 0, "ignore",
                       "`columns` and `ignore` contradict each other: `columns` alone says which to keep");
    return TIDE_OK;
}

/* What goes by steps of training is not of those that are solved. */
static tide_status solved_contradictions(const forecast_options *o, tide_failure *failure) {
    const architecture *of     = architecture_of(o->arch);
    const char         *option = o->refit            ? "refit"
                                 : o->explain        ? "explain"
                                 : *o->dump_graph    ? "dump-graph"
                                 : o->sample_columns ? "sample-columns"
                                                     : NULL;
    if (!option || !forecaster_solved(o->arch, o->head)) return TIDE_OK;
    return fail_at(failure, TIDE_EINVAL, NULL, 0, option,
                   "`%s` is of training steps, and `arch` %s takes none: leave it out, or `arch` itransformer, "
                   "dlinear or patchtst", option, of->name);
}

/* Each of `members` is a network, and no ensemble. */
static tide_status members_check(const forecast_options *o, tide_failure *failure) {
    const char *list = o->members, *word;
    size_t      length;
    while (*o->members && (word = list_next(&list, &length)) != NULL) {
        char name[32];
        snprintf(name, sizeof name, "%.*s", (int)MIN2(length, sizeof name - 1), word);
        int arch = architecture_named(name);
        if (arch >= 0 && arch < ENSEMBLE_MEMBERS) continue;
        return fail_at(failure, TIDE_EINVAL, NULL, 0, "members",
                       "`members` names '%s', which is no network to train: itransformer, dlinear, patchtst, linear, "
                       "seasonal-naive and last-value are", name);
    }
    return TIDE_OK;
}

/* What is of `arch` auto alone, and what it has in the place of others. */
static tide_status auto_contradictions(const forecast_options *o, tide_failure *failure) {
    bool        is_auto = o->arch == FORECAST_ARCH_AUTO;
    const char *option  = *o->budget ? "budget" : *o->members ? "members" : NULL;
    double      seconds;
    if (!is_auto && option)
        return fail_at(failure, TIDE_EINVAL, NULL, 0, option, "`%s` is of `arch` auto, and this is `arch` %s%s", option,
                       architecture_of(o->arch)->name, *o->budget ? ": `max-minutes` limits the training of one" : "");
    if (is_auto && o->max_minutes > 0)
        return fail_at(failure, TIDE_EINVAL, NULL, 0, "max-minutes",
                       "`max-minutes` is of one training: `arch` auto has `budget`, such as 5m, for all");
    if (is_auto && !strcmp(o->data, "-"))
        return fail_at(failure, TIDE_EINVAL, NULL, 0, "data",
                       "`arch` auto reads `data` once for each member, and standard input is read once: give a file");
    if (*o->budget && duration_parse(o->budget, "budget", &seconds, failure) != TIDE_OK) return TIDE_EINVAL;
    return members_check(o, failure);
}

/* Does one of the networks look at attributes of the series? */
static bool takes_statics(const forecast_options *o) {
    size_t      length;
    const char *list = o->members, *word;
    bool        some = architecture_of(o->arch)->takes_statics && !*o->members;
    while (*o->members && (word = list_next(&list, &length)) != NULL)
        for (int arch = 0; arch < ENSEMBLE_MEMBERS; arch++) {
            const architecture *of = architecture_of(arch);
            some = some || (of->takes_statics && strlen(of->name) == length && !memcmp(of->name, word, length));
        }
    return some;
}

static tide_status static_contradictions(const forecast_options *o, tide_failure *failure) {
    const char *option = *o->statics ? "static" : *o->static_columns ? "static-columns" : NULL;
    if (!option || takes_statics(o)) return TIDE_OK;
    return fail_at(failure, TIDE_EINVAL, NULL, 0, option,
                   "`%s` needs `arch` itransformer, patchtst or auto with one of them: what is solved in closed form, "
                   "and dlinear, treat all series alike", option);
}

/* A series that is forecast by itself has nothing else to go by. */
static tide_status arch_contradictions(const forecast_options *o, tide_failure *failure) {
    const architecture *of = architecture_of(o->arch);
    const char *option = *o->known             ? "known"
                         : *o->holidays        ? "holidays"
                         : *o->issued          ? "issued"
                         : *o->categorical     ? "categorical"
                         : *o->without_history ? "without-history"
                                               : NULL;
    bool alone = !of->takes_known || (*o->members && !list_has(o->members, arch_itransformer.name));
    if (!option || !alone) return TIDE_OK;
    return fail_at(failure, TIDE_EINVAL, NULL, 0, option,
                   "`%s` needs `arch` itransformer: %s forecasts each series from its own past", option, of->name);
}

/* A head of more than points has a loss of its own, and a network that learns it by steps. */
static tide_status head_contradictions(const forecast_options *o, tide_failure *failure) {
    const architecture *of     = architecture_of(o->arch);
    bool                points = o->head == FORECAST_HEAD_POINT;
    char                word[32];
    quantiles           ignored;
    if (*o->quantiles && o->head != FORECAST_HEAD_QUANTILE)
        return fail_at(failure, TIDE_EINVAL, NULL, 0, "quantiles", "`quantiles` are of `head` quantile, and this is "
                       "`head` %s", forecast_option_get(o, forecast_option_find("head"), word, sizeof word));
    if (points) return TIDE_OK;
    if (!forecaster_takes_heads(o->arch))
        return fail_at(failure, TIDE_EINVAL, NULL, 0, "head",
                       "`arch` %s %s: `head` point, or `arch` itransformer, dlinear, patchtst or linear", of->name,
                       o->arch == FORECAST_ARCH_AUTO ? "weighs points of its members" : "learns nothing of its errors");
    if (o->loss_function != FORECAST_MSE)
        return fail_at(failure, TIDE_EINVAL, NULL, 0, "loss-function",
                       "`loss-function` is of `head` point: a head of quantiles learns by their pinball loss, "
                       "student-t by its likelihood; leave it out");
    return o->head == FORECAST_HEAD_QUANTILE ? quantiles_parse(o->quantiles, &ignored, failure) : TIDE_OK;
}

static tide_status contradictions(const forecast_options *o, tide_failure *failure) {
    if (o->d_model % o->n_heads)
        return fail_at(failure, TIDE_EINVAL, NULL, 0, "n-heads",
                       "`n-heads` %" PRId64 " does not divide `d-model` %" PRId64, o->n_heads, o->d_model);
    if (o->direction_surrogate && o->loss_function != FORECAST_DIRECTIONAL && o->loss_function != FORECAST_FINANCIAL)
        return fail_at(failure, TIDE_EINVAL, NULL, 0, "direction-surrogate",
                       "`direction-surrogate` needs `loss-function` financial or directional");
    if (o->features == FORECAST_S && o->kind == FORECAST_PEMS && !*o->target)
        return fail_at(failure, TIDE_EINVAL, NULL, 0, "target",
                       "`features` S with `kind` pems needs `target`, the number of a node");
    if (*o->memory_limit && o->memory_limit_mib)
        return fail_at(failure, TIDE_EINVAL, NULL, 0, "memory-limit",
                       "`memory-limit` and `memory-limit-mib` both set a limit: give one of them");
    levels       ignored;
    origin_rules rules;
    if (origins_parse(o->origins, &rules, failure) != TIDE_OK) return TIDE_EINVAL;
    if (levels_parse(o->level, &ignored, failure) != TIDE_OK) return TIDE_EINVAL;
    tide_status status = arch_contradictions(o, failure);
    if (status == TIDE_OK) status = static_contradictions(o, failure);
    if (status == TIDE_OK) status = auto_contradictions(o, failure);
    if (status == TIDE_OK) status = head_contradictions(o, failure);
    if (status == TIDE_OK) status = solved_contradictions(o, failure);
    return status == TIDE_OK ? column_contradictions(o, failure) : status;
}

tide_status options_resolve(const forecast_options *given, forecast_options *out, unsigned *compat,
                            tide_failure *failure) {
    *out               = *given;
    tide_status status = *given->preset ? forecast_preset(out, given->preset, failure) : TIDE_OK;
    if (status == TIDE_OK && out->auto_size) status = auto_size(out, failure);
    option_plain(forecast_option_find("compat"), out->compat, out->compat, sizeof out->compat);
    if (status == TIDE_OK) status = forecast_compat_parse(out->compat, compat, failure);
    if (status == TIDE_OK && (*compat & FORECAST_COMPAT_MAC)) out->lradj = mac_rule(out->lradj);
    int64_t bytes;
    if (status == TIDE_OK && *out->memory_limit)
        status = train_memory_limit(out->memory_limit, train_device_now(out->device), &bytes, failure);
    if (status == TIDE_OK) status = contradictions(out, failure);
    return status == TIDE_OK ? train_device_there(out->device, failure) : status; /* before data are read */
}

tide_status forecast_options_resolve(const forecast_options *given, forecast_options *out, tide_failure *failure) {
    failure_clear(failure);
    unsigned compat;
    if (!out) return fail(failure, TIDE_EINVAL, "there are no options to fill");
    if (options_sound(given, failure) != TIDE_OK) return TIDE_EINVAL;
    return options_resolve(given, out, &compat, failure);
}

void tell_each_line(const listener *l, const char *lines) {
    for (const char *line = lines; line && *line;) {
        size_t length = strcspn(line, "\n");
        listener_note(l, FORECAST_STAGE_WARNING, "%.*s", (int)length, line);
        line += length + (line[length] == '\n');
    }
}

void tell_warnings(const listener *l, const frame *f) { tell_each_line(l, f->warnings); }
