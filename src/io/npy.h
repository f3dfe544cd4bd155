/* numpy's array format, read from and written to anything. */
#ifndef IO_NPY_H
#define IO_NPY_H

#include "source.h"

enum { NPY_HEADER_MAX = 512 };  /* bytes that npy_header_write needs at most */

/* Reads one array that must fill the source. Sets type, shape and data of `out`; its name is left alone. */
tide_status npy_read(source *s, tide_tensor *out, tide_failure *f);

/* Writes the version 1 header into `buffer` and returns its length; 0 if numpy has no such type (bf16). */
int64_t npy_header_write(char buffer[NPY_HEADER_MAX], const tide_tensor *t);

#endif
