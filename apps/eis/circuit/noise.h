#ifndef EIS_NOISE_H
#define EIS_NOISE_H

#include <stdbool.h>

/* "1%", "0.01": a share of |Z| from 1e-6 to 0.5. `end` receives what follows it, blanks skipped. */
bool noise_parse(const char *text, char **end, double *out);

#endif
