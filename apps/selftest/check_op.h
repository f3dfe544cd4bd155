/* One row of the op table, with one set of shapes, on one device. */
#ifndef SELFTEST_CHECK_OP_H
#define SELFTEST_CHECK_OP_H

#include "cases.h"

typedef struct check_result {
    bool   passed;
    double error;         /* the largest, relative to max(1, |truth|) */
    char   detail[256];   /* what is wrong; "" if nothing is */
} check_result;

/* F32 on `device` against F64 on "ref", with the same inputs. special: NaN, infinities and zeros among the inputs. */
check_result check_values(const op_case *c, const tide_shape *shapes, const char *device, bool special);

/* The derivative in F64 on `device` against central differences along random directions. */
check_result check_derivative(const op_case *c, const tide_shape *shapes, const char *device);

int case_inputs(const op_case *c);

#endif
