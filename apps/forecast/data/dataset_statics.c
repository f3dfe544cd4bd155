/* Attributes of the series of a training. */
#include "base/base.h"
#include "dataset.h"
#include "frame_reading.h"
#include "util.h"

static tide_status no_memory(tide_failure *failure) {
    return fail(failure, TIDE_ENOMEM, "out of memory for the attributes of the series");
}

static tide_status contradictions(const forecast_options *o, const frame *f, tide_failure *failure) {
    if (!*o->static_columns) return TIDE_OK;
    if (*o->statics)
        return fail_at(failure, TIDE_EINVAL, NULL, 0, "static-columns",
                       "`static` and `static-columns` both say what the attributes of the series are: give one of "
                       "them");
    if (f->statics) return TIDE_OK;
    return fail_at(failure, TIDE_EDATA, f->path, 0, "static-columns",
                   "`static-columns` are columns of a table in long format (`id`), and this has a column for each "
                   "series: `static` FILE has a row for each");
}

/* Each is a column or an attribute. */
static tide_status check_categories(const forecast_options *o, const frame *f, const static_table *t,
                                    tide_failure *failure) {
    const char *list = o->categorical;
    size_t      length;
    for (const char *item; (item = list_next(&list, &length));) {
        bool there = false;
        for (int64_t c = 0; c < t->columns; c++)
            there = there || (strlen(t->names[c]) == length && !memcmp(t->names[c], item, length));
        for (int64_t c = 0; c < f->columns; c++) there = there || category_base(f->categorical, f->names[c]) == length;
        if (there) continue;
        char names[300];
        names_list(names, sizeof names, t->names, t->columns);
        return fail_at(failure, TIDE_EDATA, t->path, 0, "categorical",
                       "`categorical`: there is neither a column nor an attribute '%.*s'; the attributes are %s",
                       (int)MIN2(length, 60), item, names);
    }
    return TIDE_OK;
}

tide_status dataset_add_statics(const forecast_options *o, dataset *d, tide_failure *failure) {
    static_table   file = { 0 };
    frame         *f    = &d->frame;
    static_columns columns = { f->names, f->columns, d->out_first, d->out_count, &f->form };
    tide_status    status  = contradictions(o, f, failure);
    char           decimal = *o->decimal ? *o->decimal : f->found_decimal;
    if (status != TIDE_OK || (!*o->statics && !*o->static_columns)) return status;
    if (*o->statics) status = static_table_read(o->statics, decimal, &f->form, &file, failure);
    const static_table *t = *o->statics ? &file : f->statics;
    if (status == TIDE_OK) status = check_categories(o, f, t, failure);
    if (status == TIDE_OK)
        status = statics_learn(t, columns, o->categorical, &d->statics, failure);
    if (status == TIDE_OK && d->statics.notes && !notes_add(&f->warnings, "%s", d->statics.notes))
        status = no_memory(failure);
    static_table_free(&file);
    return status;
}
