/* A batch as one page: report.html, which needs nothing but itself. */
#ifndef EIS_BATCH_PAGE_H
#define EIS_BATCH_PAGE_H

#include "base/base.h"
#include "groups.h"

/* out->failed: out of memory. */
void batch_page(const batch_rows *rows, const batch_groups *groups, text *out);

/* ---- between its files ---- */

/* A quantity or parameter of the circuit, as a column of the table and a trend. */
typedef struct page_column {
    const char *name, *unit;
    bool per_area;
    double thousand; /* the table counts in thousand of prefix and unit */
    const char *prefix;
} page_column;

enum { PAGE_COLUMNS = 8 };
typedef struct page_columns {
    page_column of[PAGE_COLUMNS];
    int count;
} page_columns;

/* TER and TEC, and what else most of the answers determine; failed->failed: out of memory. (page_columns.c) */
void page_columns_of(const batch_rows *rows, page_columns *out, text *failed);
typedef struct page_value {
    double value, error;
    eis_fit_state state;
} page_value;
bool page_value_of(const batch_row *r, const page_column *c, page_value *out); /* false: it has none */
/* "TER (kohm cm2)" */
void page_column_title(const page_column *c, text *out);
/* "431.7 +- 1.9", without a unit: two digits of the error; "-" for none. */
void page_column_value(const batch_row *r, const page_column *c, text *out);

/* As a table; nothing where there are none. (page_groups.c) */
void page_groups(const batch_groups *groups, text *out);

/* Each column against time or order. (page_trends.c) */
void page_trends(const batch_rows *rows, const page_columns *columns, text *out);

/* Each spectrum's Nyquist plot and what its fit leaves, of those that are chosen: all if there is room, else first
 * those that someone should look at. NULL: out of memory; free. (page_panels.c) */
bool *page_choose(const batch_rows *rows);
void page_panels(const batch_rows *rows, const bool *chosen, text *out);

/* What makes an answer doubtful: data with a fault, or a circuit that cannot have made them. */
bool page_is_doubtful(const batch_row *r);
/* "day1.csv, sweep 2": of a path its end. Escaped. */
void page_name(const batch_row *r, text *out);

#endif
