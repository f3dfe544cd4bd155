/* Which columns are forecast, which are inputs alone, and which of these are known ahead: the frame's columns in the
 * order inputs, targets, known. */
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/base.h"
#include "dataset.h"
#include "frame_reading.h"
#include "zone.h"

typedef enum role { INPUT, TARGET, KNOWN, ROLES } role;

static bool is_column(const frame *f, const char *item, size_t length) {
    for (int64_t c = 0; c < f->columns; c++)
        if ((strlen(f->names[c]) == length || category_base(f->categorical, f->names[c]) == length) &&
            !memcmp(f->names[c], item, length))
            return true;
    return false;
}

/* Every name of the list is a column. */
static tide_status check_list(const frame *f, const char *option, const char *list, tide_failure *failure) {
    size_t length;
    for (const char *item; (item = list_next(&list, &length));) {
        char name[128], all[320];
        if (is_column(f, item, length)) continue;
        snprintf(name, sizeof name, "%.*s", (int)MIN2(length, sizeof name - 1), item);
        const char *near = near_name(name, f->names, f->columns);
        names_list(all, sizeof all, f->names, f->columns);
        return fail_at(failure, TIDE_EDATA, f->path, f->path != NULL, option,
                       "`%s`: there is no column '%s'%s%s%s columns are %s", option, name,
                       near ? "; did you mean '" : "", near ? near : "", near ? "'? The" : "; the", all);
    }
    return TIDE_OK;
}

/* Of a category all values have its role. */
static bool has(const frame *f, const char *list, int64_t column) {
    return list_has_column(list, f->categorical, f->names[column]);
}

static tide_status refuse(tide_failure *failure, const char *option, const char *name, const char *why) {
    return fail_at(failure, TIDE_EINVAL, NULL, 0, option, "`%s`: '%.60s' %s", option, name, why);
}

static tide_status contradictions(const forecast_options *o, const frame *f, tide_failure *failure) {
    for (int64_t c = 0; c < f->columns; c++) {
        const char *name = f->names[c];
        bool target = has(f, o->targets, c), known = has(f, o->known, c);
        if (category_base(f->categorical, name) && (target || has(f, o->without_history, c)))
            return refuse(failure, "categorical", name, "is no number to forecast");
        if (target && known)
            return refuse(failure, "known", name, "is one of `targets`: what is known ahead is not forecast");
        if (has(f, o->without_history, c) && (known || (*o->targets && !target)))
            return refuse(failure, "without-history", name, "is not forecast: it names `targets`");
    }
    if (*o->targets && forecast_option_given(o, "features"))
        return fail_at(failure, TIDE_EINVAL, NULL, 0, "features",
                       "`features` and `targets` both say what is forecast: give one of them");
    if (*o->known && o->features == FORECAST_S)
        return fail_at(failure, TIDE_EINVAL, NULL, 0, "features",
                       "`features` S reads the target alone: `targets` with its name forecasts it from `known` too");
    return TIDE_OK;
}

static role role_of(const forecast_options *o, const dataset *d, int64_t column) {
    const frame *f = &d->frame;
    if (column >= f->columns - d->issued_columns - d->holiday_columns) return KNOWN;
    if (has(f, o->known, column)) return KNOWN;
    if (category_base(f->categorical, f->names[column])) return INPUT;
    if (*o->targets) return has(f, o->targets, column) ? TARGET : INPUT;
    return o->features == FORECAST_MS && column != f->target ? INPUT : TARGET;
}

/* Moves the columns into the order of their roles. */
static tide_status order(const forecast_options *o, dataset *d, int64_t count[ROLES], tide_failure *failure) {
    frame  *f     = &d->frame;
    char  **names = calloc((size_t)f->columns, sizeof *names);
    int64_t at    = 0;
    if (!names) return fail(failure, TIDE_ENOMEM, "out of memory for the series");
    for (int r = INPUT; r < ROLES; r++)
        for (int64_t c = 0; c < f->columns; c++)
            if (role_of(o, d, c) == (role)r) names[at++] = f->names[c], count[r]++;
    tide_status status = frame_select(f, f->path, names, f->columns, failure); /* names move with their columns */
    free(names);
    return status;
}

static tide_status blind(const forecast_options *o, dataset *d, tide_failure *failure) {
    const frame *f = &d->frame;
    if (!*o->without_history) return TIDE_OK;
    if (!(d->blind = calloc((size_t)f->columns, sizeof *d->blind)))
        return fail(failure, TIDE_ENOMEM, "out of memory for the series");
    for (int64_t c = 0; c < f->columns; c++) d->blind[c] = list_has(o->without_history, f->names[c]);
    return TIDE_OK;
}

tide_status dataset_roles(const forecast_options *o, dataset *d, tide_failure *failure) {
    int64_t      count[ROLES] = { 0 };
    const frame *f            = &d->frame;
    if (!*o->targets && !*o->known && !*o->without_history && !f->categorical && !d->holiday_columns &&
        !d->issued_columns)
        return TIDE_OK;
    tide_status status = check_list(f, "targets", o->targets, failure);
    if (status == TIDE_OK) status = check_list(f, "known", o->known, failure);
    if (status == TIDE_OK) status = check_list(f, "without-history", o->without_history, failure);
    if (status == TIDE_OK) status = contradictions(o, f, failure);
    if (status == TIDE_OK) status = order(o, d, count, failure);
    if (status == TIDE_OK && !count[TARGET])
        status = fail_at(failure, TIDE_EDATA, f->path, f->path != NULL, "known",
                         "every column is known ahead: none is left to forecast");
    d->out_first = count[INPUT], d->out_count = count[TARGET], d->known = count[KNOWN];
    if (f->target < d->out_first || f->target >= d->out_first + d->out_count)
        d->frame.target = d->out_first + d->out_count - 1;
    return status == TIDE_OK ? blind(o, d, failure) : status;
}

/* ---- holidays ---- */

static tide_status note_end(dataset *d, tide_failure *failure) {
    char last[40];
    int64_t end = zone_label(d->frame.zone, d->frame.time[d->frame.file_rows - 1]);
    if (!holidays_end_before(&d->holidays, end)) return TIDE_OK;
    holidays_last(&d->holidays, last);
    bool told = notes_add(&d->frame.warnings, "the series goes on after the last of `holidays`, %s: no day counts as "
                                              "one from there on\n", last);
    return told ? TIDE_OK : fail(failure, TIDE_ENOMEM, "out of memory for the series");
}

static tide_status check_names(const frame *f, char *const *names, int64_t count, const char *file,
                               tide_failure *failure) {
    for (int64_t c = 0; c < f->columns; c++)
        for (int64_t i = 0; i < count; i++)
            if (!strcmp(f->names[c], names[i]))
                return fail_at(failure, TIDE_EDATA, f->path, f->path != NULL, names[i],
                               "there is a column '%.60s', and `holidays` %s makes one of this name: rename the "
                               "column", names[i], file);
    return TIDE_OK;
}

tide_status dataset_add_holidays(const forecast_options *o, dataset *d, tide_failure *failure) {
    frame  *f     = &d->frame;
    char  **names = NULL;
    int64_t count = 0;
    if (!f->time)
        return fail_at(failure, TIDE_EDATA, f->path, 0, "holidays",
                       "`holidays` go by time stamps, and no column holds any: `time-column` names one");
    tide_status status = holidays_read(o->holidays, (date_shape)o->date_order, &d->holidays, failure);
    if (status != TIDE_OK) return status;
    bool fine = holidays_columns(&d->holidays, f, &names, &count);
    if (fine) status = check_names(f, names, count, o->holidays, failure);
    if (fine && status == TIDE_OK) fine = holidays_append(&d->holidays, names, count, f);
    d->holiday_columns = count;
    for (int64_t i = 0; names && i < count; i++) free(names[i]);
    free(names);
    if (!fine) return fail(failure, TIDE_ENOMEM, "out of memory for the holidays");
    return status == TIDE_OK ? note_end(d, failure) : status;
}

/* ---- the rows to come ---- */

/* No value of a category is 0 in all of its columns. */
static bool only_known(const dataset *d, int64_t row) {
    const frame *f = &d->frame;
    for (int64_t c = 0; c < f->columns - d->known; c++) {
        double value = f->values[row * f->columns + c];
        if (!isnan(value) && !(value == 0 && category_base(f->categorical, f->names[c]))) return false;
    }
    return true;
}

tide_status dataset_take_ahead(dataset *d, int64_t pred_len, tide_failure *failure) {
    frame  *f    = &d->frame;
    int64_t rows = 0, first = f->columns - d->known;
    bool asked = d->known > d->issued_columns + d->holiday_columns; /* other files do not make rows */
    while (asked && rows < f->file_rows && only_known(d, f->file_rows - 1 - rows)) rows++;
    if (!rows) return TIDE_OK;
    if (rows < pred_len)
        return fail_at(failure, TIDE_EDATA, f->path, 0, f->names[first],
                       "the last %" PRId64 " rows hold nothing but what is known ahead, and a forecast has %" PRId64
                       ": all of them, or none", rows, pred_len);
    f->file_rows -= rows;
    f->rows = MIN2(f->rows, f->file_rows);
    if (!(d->ahead = malloc((size_t)(pred_len * d->known) * sizeof *d->ahead + 1)))
        return fail(failure, TIDE_ENOMEM, "out of memory for the series");
    for (int64_t i = 0; i < pred_len; i++)
        memcpy(d->ahead + i * d->known, f->values + (f->file_rows + i) * f->columns + first,
               (size_t)d->known * sizeof *d->ahead);
    f->gaps = frame_gaps(f);
    bool told = notes_add(&f->warnings, "the last %" PRId64 " rows hold nothing but what is known ahead: these are the "
                                        "rows to come, and no gaps\n", rows);
    return told ? TIDE_OK : fail(failure, TIDE_ENOMEM, "out of memory for the series");
}
