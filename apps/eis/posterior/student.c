#include "student.h"

#include <inttypes.h>

#include "base/base.h"

enum { TOLD = 20 };

bool student_outliers(const double *share, int64_t points, text *out) {
    int64_t count = 0, told = 0;
    for (int64_t i = 0; i < points; i++) count += share[i] < STUDENT_HARDLY;
    if (count == 0) return false;
    text_add(out, "outliers, %" PRId64 " of %" PRId64 " points, which hardly count: ", count, points);
    for (int64_t i = 0; i < points && told < TOLD; i++)
        if (share[i] < STUDENT_HARDLY) text_add(out, "%s%" PRId64, told++ ? ", " : "", i + 1);
    if (count > told) text_add(out, ", ...");
    return true;
}
