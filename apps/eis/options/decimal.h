/* Tables for spreadsheets that have a decimal comma. */
#ifndef EIS_DECIMAL_H
#define EIS_DECIMAL_H

#include <tidemill/eis.h>

#include "base/base.h"

/* CSV with commas and decimal points, rewritten as eis_options.decimal says: with EIS_DECIMAL_COMMA cells are separated
 * by semicolons, and numbers that stand without quotes have a comma. table->failed when out of memory. */
void decimal_table(int decimal, text *table);

#endif
