/* batch.csv: a row a spectrum, with the same columns whatever the rows hold. */
#ifndef EIS_BATCH_TABLE_H
#define EIS_BATCH_TABLE_H

#include "base/base.h"
#include "eis/equivalent/equivalent.h"
#include "rows.h"

/* A cell of text: in quotes where it would be read as a number or taken apart. */
void table_cell(const char *s, text *out);
void table_number(double v, text *out); /* NaN and infinite: an empty cell */
void table_time(const char *s, text *out); /* as a number where it is one */

/* Of rows that are not screened: where `circuit` is NULL, columns are of all parameters that the rows have, by their
 * first appearance. */
void table_rows(const batch_rows *rows, const equivalent *circuit, arena *memory, text *out);

#endif
