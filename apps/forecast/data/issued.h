/* Forecasts of covariates, each with the time at which it was issued: what was known of a row at another row's time. */
#ifndef FORECAST_ISSUED_H
#define FORECAST_ISSUED_H

#include "frame.h"

/* One row of the file: `place` is that of its values. */
typedef struct issue { int64_t stamp_s, issued_s, place; } issue;
typedef struct issues {
    int64_t columns, rows;
    char  **names;
    issue  *of;        /* (rows), by stamp, then by when they were issued */
    double *values;    /* (rows, columns); NaN where one is missing */
} issues;

typedef struct issues_options {
    const char   *issued_at;   /* the column that says when; NULL: issued_at, issued, ... */
    const char   *time_name;   /* the series' time column; tried first for the stamps; NULL */
    const char   *ignore;      /* as frame_options have it */
    char          decimal;     /* '.' or ',' */
    date_shape    date_order;
    char *const  *names;       /* these columns alone, in this order (count); NULL: all */
    int64_t       count;
} issues_options;
tide_status issues_read(const char *path, const issues_options *options, issues *out, tide_failure *failure);
void        issues_free(issues *s);

/* The newest value of the row of that stamp that had been issued at `origin_s`; NaN: none had. */
double issues_value(const issues *s, int64_t stamp_s, int64_t origin_s, int64_t column);

#endif
