#include "csv.h"

#include <math.h>

#include "base/base.h"

void csv_text(FILE *out, const char *cell) {
    if (!strpbrk(cell, ",\"\n\r")) {
        fputs(cell, out);
        return;
    }
    putc('"', out);
    for (; *cell; cell++) fputs(*cell == '"' ? "\"\"" : (char[]){ *cell, 0 }, out);
    putc('"', out);
}

void csv_number(FILE *out, double value) {
    char cell[40];
    if (isnan(value)) return;
    num_format(cell, value, false);
    fputs(cell, out);
}
