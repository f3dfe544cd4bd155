/* Changes to bytes, the same ones for the same numbers. */
#ifndef TEST_FUZZ_MUTATE_H
#define TEST_FUZZ_MUTATE_H

#include "support.h"

int64_t mutate_below(uint64_t *random, int64_t n);  /* 0 .. n - 1; 0 for n <= 0 */
void    mutate(bytes *b, uint64_t *random);         /* one to four changes */
double  mutate_seconds(void);                       /* of a clock that only goes forward */

#endif
