/* Numbers as text, fast: long arrays are most of what a request and its answer hold. */
#ifndef SERVE_NUMBERS_H
#define SERVE_NUMBERS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/base.h"

/* A JSON number at *at, which then points behind it; false: there is none. As strtod to the last bit. */
bool number_scan(const char **at, double *out);

enum { NUMBER_TEXT = 32 };
/* As printf("%.*g") with 1 to 15 digits, digit by digit; null where it is none or infinite. Returns the length. */
int number_print(char out[NUMBER_TEXT], double value, int digits);
/* [1,2.5,null], each number with so many digits (0: as few as read back to the same bits); `stride` in numbers. */
void numbers_print(text *t, const double *values, int64_t count, int64_t stride, int digits);

#endif
