/* One row of the op table, with one set of shapes, on one device. */
#ifndef SELFTEST_CHECK_OP_H
#define SELFTEST_CHECK_OP_H

#include "cases.h"

/* What is tested: a device, and what its matrix products multiply. */
typedef struct check_on {
    const char    *device;
    tide_precision precision;  /* F32 (or 0), BF16 or F16 */
} check_on;

static inline bool check_rounds(check_on on) { return on.precision > TIDE_PRECISION_F32; }
/* What a result may be apart: `f32`, or, where products round their operands to 16 bits, some four of bf16's roundings.
 */
static inline double check_allowed(check_on on, double f32) { return check_rounds(on) ? 2e-2 : f32; }

typedef struct check_result {
    bool   passed;
    double error;         /* the largest, relative to max(1, |truth|); in 16 bits to the largest |truth|, or 1 */
    char   detail[256];   /* what is wrong; "" if nothing is */
} check_result;

/* F32 on the device against F64 on "ref", with the same inputs. special: NaN, infinities and zeros among the inputs. */
check_result check_values(const op_case *c, const tide_shape *shapes, check_on on, bool special);

/* The derivative in F64 on the device against central differences along random directions. */
check_result check_derivative(const op_case *c, const tide_shape *shapes, check_on on);

/* The same in F32 against the derivative in F64 on "ref". */
check_result check_gradient(const op_case *c, const tide_shape *shapes, check_on on);

int case_inputs(const op_case *c);

#endif
