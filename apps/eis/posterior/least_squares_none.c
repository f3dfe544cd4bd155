#include "base/base.h"
#include "least_squares.h"

tide_status least_squares_solve(const least_squares *p, double *x, double *scratch, double *sum,
                                tide_failure *failure) {
    (void)p, (void)x, (void)scratch, (void)sum;
    return fail(failure, TIDE_EDEVICE,
                "this build has no cminpack, which `method` refined and noise from the data need: "
                "use `method` exact with `noise`, or install cminpack and build again");
}
