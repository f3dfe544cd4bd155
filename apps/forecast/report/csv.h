/* Cells of the CSVs that are written beside a result. */
#ifndef FORECAST_CSV_H
#define FORECAST_CSV_H

#include <stdio.h>

void csv_text(FILE *out, const char *cell);      /* quoted where it must be */
void csv_number(FILE *out, double value);        /* the shortest that reads back as the same; nothing for NaN */

#endif
