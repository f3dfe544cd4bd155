/* A line taken apart into cells, and cells as numbers. */
#ifndef EIS_CELLS_OF_LINE_H
#define EIS_CELLS_OF_LINE_H

#include "lines.h"

enum { CELLS_MOST = 512 };
typedef struct row_cells { slice cell[CELLS_MOST]; int count; } row_cells;

/* In the order in which they are tried: what is rarer inside a name or a number comes first. ' ' stands for runs of
 * blanks. */
#define SEPARATORS "\t;|, "

/* Cells without the blanks and quotes around them. A line that is one quoted text is taken out of its quotes first; a
 * quote inside a cell (Z") stands for itself; empty cells at the end are left out. */
void cells_split(slice line, char separator, row_cells *out);

/* Which mark the decimals of a table have, as far as its cells have shown. */
typedef enum decimal { DECIMAL_OPEN, DECIMAL_POINT, DECIMAL_COMMA } decimal;
typedef enum number_fault { NUMBER_GOOD, NUMBER_NONE, NUMBER_MIXED } number_fault;

/* A decimal number of at most 60 characters, whatever the locale; d or D may stand for e. The first mark that is met
 * settles *mark; the other one is then NUMBER_MIXED. */
number_fault cell_number(slice cell, decimal *mark, double *value);
bool         cell_is_number(slice cell, decimal mark);

#endif
