/* Charts on one sheet: an SVG that needs nothing but itself, in two columns, each chart in the shorter one. No program
 * is started and no file is written. */
#ifndef DRAW_SHEET_H
#define DRAW_SHEET_H

#include <locale.h>

#include "base/base.h"
#include "plot.h"

typedef struct chart_sheet {
    text     charts;
    int64_t  count;
    int      height[2];    /* of the columns */
    locale_t own, before;
} chart_sheet;

/* From here to the end the thread has the decimal point of the C locale. */
void chart_sheet_begin(chart_sheet *s);
/* Memory that is not there is told at the end. */
void chart_sheet_add(chart_sheet *s, const plot *p);
/* `status` is that of what was drawn: with a failure the sheet is thrown away, and it is returned. Else *svg is the
 * sheet, tide_free(*svg). TIDE_EINVAL: there is nothing on it. *svg is NULL on failure. */
tide_status chart_sheet_end(chart_sheet *s, tide_status status, char **svg, tide_failure *failure);

#endif
