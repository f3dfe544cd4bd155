/* Element types as files name them, and turning stored elements into a tensor's: little-endian, row-major, one of
 * ours. */
#ifndef IO_STORED_TYPE_H
#define IO_STORED_TYPE_H

#include <tidemill/io.h>

typedef struct stored_type {
    const char *npy;          /* "f4"; NULL if numpy has no such type */
    const char *safetensors;  /* "F32" */
    const char *torch;        /* "FloatStorage"; NULL if PyTorch has no such storage */
    tide_dtype  type;         /* what it becomes */
    int32_t     size;         /* bytes of a stored element */
    bool        exact;        /* stored as it is in memory: nothing to convert */
    /* Copies n elements into the wider type; the number done: fewer than n where one does not fit. NULL if exact. */
    int64_t   (*widen)(void *out, const void *in, int64_t n);
} stored_type;

const stored_type *stored_by_npy(const char *name);
const stored_type *stored_by_safetensors(const char *name);
const stored_type *stored_by_torch(const char *name);
const stored_type *stored_exact(tide_dtype type);  /* how our own type is written; never NULL */

void bytes_swap(void *data, int32_t size, int64_t count);

/* Gathers an array with the given strides (in elements) into row-major order. */
void strided_copy(void *out, const void *in, int32_t size, tide_shape shape, const int64_t *stride);

/* Turns `raw` (from malloc; taken over in every case) into the elements of `type->type`. Returns NULL and a sentence in
 * `why` (a fixed text) if an element does not fit or memory is short: *status says which. */
void *stored_widen(const stored_type *type, void *raw, int64_t count, tide_status *status, const char **why);

#endif
