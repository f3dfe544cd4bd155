/* The weights of a model file, before any memory is taken for a model. */
#include <inttypes.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>

#include "base/base.h"
#include "bundle.h"
#include "forecast/models/ensemble.h"

tide_status bundle_damaged(const char *path, const char *where, tide_failure *failure, const char *format, ...) {
    char    what[300];
    va_list args;
    va_start(args, format);
    vsnprintf(what, sizeof what, format, args);
    va_end(args);
    return fail_at(failure, TIDE_EDATA, path, 0, where, "the model is damaged: %.100s %s; train again or copy the run "
                                                        "anew",
                   where, what);
}

static tide_status check_weight(const char *path, const tide_archive *a, const char *name, tide_shape shape,
                                tide_failure *failure) {
    const tide_tensor *t = tide_archive_find(a, name);
    if (!t) return bundle_damaged(path, name, failure, "is not in it");
    if (t->type != TIDE_F32)
        return bundle_damaged(path, name, failure, "is %s where f32 is needed", tide_dtype_name(t->type));
    if (!tide_shape_equal(t->shape, shape))
        return bundle_damaged(path, name, failure, "does not have the shape that the model's sizes give");
    int64_t count = tide_shape_count(shape);
    for (int64_t i = 0; i < count; i++)
        if (!isfinite(((const float *)t->data)[i]))
            return bundle_damaged(path, name, failure, "holds a value that is not finite");
    return TIDE_OK;
}

/* Is there a weight of one block more? `before`: what stands in front of the names. */
static bool has_block(const tide_archive *a, const model_config *c, const char *before) {
    const architecture *of     = architecture_of(c->arch);
    model_config        larger = *c;
    char                name[WEIGHT_NAME], full[2 * WEIGHT_NAME];
    tide_shape          shape;
    int64_t             count = 0;
    while (of->weight(c, count, name, &shape)) count++;
    larger.e_layers++;
    if (!of->weight(&larger, count, name, &shape)) return false;
    snprintf(full, sizeof full, "%s%s", before, name);
    return tide_archive_find(a, full) != NULL;
}

static bool holds_more(const tide_archive *a, const model_config *c) {
    int  arch[ENSEMBLE_MEMBERS], count = ensemble_members(c->members, arch);
    bool more = c->arch != FORECAST_ARCH_AUTO && has_block(a, c, "");
    for (int i = 0; i < count && !more; i++) {
        model_config one = ensemble_config(c, arch[i]);
        char         before[WEIGHT_NAME];
        snprintf(before, sizeof before, "%s.", architecture_of(arch[i])->name);
        more = has_block(a, &one, before);
    }
    return more;
}

tide_status bundle_check_weights(const char *path, const tide_archive *a, const model_config *c,
                                 tide_failure *failure) {
    char        name[WEIGHT_NAME];
    tide_shape  shape;
    tide_status status = TIDE_OK;
    for (int64_t i = 0; status == TIDE_OK && forecaster_weight(c, i, name, &shape); i++)
        status = check_weight(path, a, name, shape, failure);
    if (status == TIDE_OK && holds_more(a, c))
        return bundle_damaged(path, "model.e_layers", failure, "is %d, and the file holds more", (int)c->e_layers);
    return status;
}
