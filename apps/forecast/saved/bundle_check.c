/* The weights of a model file, before any memory is taken for a model. */
#include <inttypes.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>

#include "base/base.h"
#include "bundle.h"

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

tide_status bundle_check_weights(const char *path, const tide_archive *a, const model_config *c,
                                 tide_failure *failure) {
    const architecture *of = architecture_of(c->arch);
    model_config        larger = *c;
    char                name[WEIGHT_NAME];
    tide_shape          shape;
    tide_status         status = TIDE_OK;
    int64_t             count  = 0;
    for (; status == TIDE_OK && of->weight(c, count, name, &shape); count++)
        status = check_weight(path, a, name, shape, failure);
    larger.e_layers++;
    if (status == TIDE_OK && of->weight(&larger, count, name, &shape) && tide_archive_find(a, name))
        return bundle_damaged(path, "model.e_layers", failure, "is %d, and the file holds more", (int)c->e_layers);
    return status;
}
