/* Where the kernel keeps no account that a user may read. */
#include "parts.h"

bool account_new_peak(void) { return false; }

bool account_energy(double *microjoules, double *range) {
    *microjoules = *range = 0;
    return false;
}
