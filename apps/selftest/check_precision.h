/* Products in 16 bits on one device. */
#ifndef SELFTEST_CHECK_PRECISION_H
#define SELFTEST_CHECK_PRECISION_H

#include "check_op.h"

/* Large products whose operands the 16-bit type holds exactly, either operand lying either way round: what remains is
 * the rounding of F32 sums. Where the device has no such products the same holds in F32. */
check_result check_precision(tide_precision precision, const char *device);

#endif
