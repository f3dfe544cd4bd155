/* The op table as checks: what is built from inputs of which shapes and values. */
#ifndef SELFTEST_CASES_H
#define SELFTEST_CASES_H

#include <tidemill/tidemill.h>

enum { CASE_INPUTS = 3, CASE_SHAPES = 4 };

typedef struct op_case {
    const char *name;
    tide_val  (*unary)(tide_val);             /* one of these three */
    tide_val  (*binary)(tide_val, tide_val);
    tide_val  (*build)(const tide_val *x);
    double      low, high;                    /* range of the inputs; 0, 0: -2 to 2 */
    double      tolerance;                    /* of F32 against F64, relative; 0: 4e-6, some 32 roundings */
    bool        flat;                         /* no derivative, or none that differences could see */
    bool        large;                        /* enough for 16 bits, and for kernels that a GPU has for it: derivatives
                                                 in F32 too */
    tide_shape  shape[CASE_INPUTS];           /* of build's inputs */
    int         inputs;
} op_case;

extern const op_case op_cases[];
extern const int     op_case_count;

/* Unary and binary rows are run with each of these sets of shapes: scalar, odd, empty, broadcast. */
extern const tide_shape unary_shapes[CASE_SHAPES];
extern const tide_shape binary_shapes[CASE_SHAPES][2];

#endif
