/* A batch as one page: report.html, which needs nothing but itself. */
#ifndef EIS_BATCH_PAGE_H
#define EIS_BATCH_PAGE_H

#include "base/base.h"
#include "rows.h"

/* The thread's locale must have the decimal point of the C locale. */
void batch_page(const batch_rows *rows, text *out);

#endif
