/* The part of Python's pickle format that PyTorch state dictionaries use. Nothing is ever executed: three kinds of
 * names are known (an ordered dictionary, a tensor, a storage type) and any other is refused. */
#ifndef IO_PICKLE_H
#define IO_PICKLE_H

#include "source.h"
#include "stored_type.h"

typedef struct pickle_text {
    const char *at;  /* in the pickle itself, not NUL-terminated */
    int32_t length;
} pickle_text;

typedef struct pickle_storage {
    const stored_type *type;
    pickle_text key;
    int64_t count;  /* elements, not yet checked against anything */
} pickle_storage;

/* A view of a storage. Sizes, offset and strides are as the pickle gave them: none is negative, nothing else is
 * sure. */
typedef struct pickle_tensor {
    pickle_text    name;
    pickle_storage storage;
    int64_t        offset;
    tide_shape     shape;
    int64_t        stride[TIDE_MAX_DIMS];
} pickle_tensor;

typedef struct pickle_dict {
    pickle_tensor *tensors;  /* in the order of the dictionary; free() */
    int64_t        count;
} pickle_dict;

/* Reads a dictionary of name -> tensor. `code` is followed by a zero byte and must outlive
 * `out`. `s` is for messages only. */
tide_status pickle_read(const source *s, const unsigned char *code, int64_t length, pickle_dict *out, tide_failure *f);

#endif
