/* Tables for spreadsheets that have a decimal comma. */
#ifndef EIS_DECIMAL_H
#define EIS_DECIMAL_H

#include <tidemill/eis.h>

#include "base/base.h"

/* CSV with commas and decimal points, rewritten as eis_options.decimal says: with "," cells are separated by
 * semicolons, and numbers that stand without quotes have a comma. table->failed when out of memory. */
void decimal_table(const char *decimal, text *table);

#endif
