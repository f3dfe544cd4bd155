/* The Python dictionary in front of a numpy array: {'descr': '<f4', 'fortran_order': False, 'shape': (3, 4), } */
#ifndef IO_NPY_HEADER_H
#define IO_NPY_HEADER_H

#include "source.h"
#include "stored_type.h"

typedef struct npy_header {
    const stored_type *type;
    bool       big_endian, fortran;
    tide_shape shape;
} npy_header;

/* `text` is NUL-terminated. `s` is for messages only. */
tide_status npy_header_parse(const source *s, const char *text, npy_header *out, tide_failure *f);

#endif
