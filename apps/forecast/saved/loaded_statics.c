/* Attributes of the series that a run is asked about: those that it keeps, or others in their place. */
#include <stdio.h>

#include "base/base.h"
#include "loaded.h"

static tide_status fail_missing(const bundle *b, tide_failure *failure) {
    char list[300];
    statics_text(&b->statics, list, sizeof list);
    return fail_at(failure, TIDE_EDATA, NULL, 0, "static",
                   "the run goes by attributes of its series (%s), and nothing tells those of the others: `static` "
                   "FILE has a row for each", list);
}

/* As the run's training file had it, unless another is given. */
static char decimal_of(const forecast_options *o, const bundle *b) {
    const char *kept = json_string_value(json_object_get(b->reading, "decimal"));
    return *o->decimal ? *o->decimal : kept ? *kept : 0;
}

tide_status loaded_statics(const forecast_options *o, bundle *b, const static_table *own, tide_failure *failure) {
    static_table   file    = { 0 };
    static_columns columns = { b->names, b->config.columns, b->config.out_first, b->config.out_count, &b->form };
    if (*o->statics && !b->statics.count)
        return fail_at(failure, TIDE_EINVAL, NULL, 0, "static",
                       "the run knows no attributes of its series: `static` in training makes inputs of them");
    if (!b->statics.count) return TIDE_OK;
    if (!*o->statics && own) return statics_fill(&b->statics, own, columns, failure);
    if (!*o->statics) return o->other_columns ? fail_missing(b, failure) : TIDE_OK;
    tide_status status = static_table_read(o->statics, decimal_of(o, b), &b->form, &file, failure);
    if (status == TIDE_OK) status = statics_fill(&b->statics, &file, columns, failure);
    static_table_free(&file);
    return status;
}

void loaded_statics_tell(const bundle *b, const listener *l) {
    tell_each_line(l, b->statics.notes);
}
