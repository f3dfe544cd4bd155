/* numpy's array files: the preamble, the header (npy_header.c), then elements in C or Fortran order, of any type
 * that has one of ours. */
#include "npy.h"

#include <inttypes.h>
#include <stdlib.h>

#include "../base/base.h"
#include "archive.h"
#include "npy_header.h"
#include "replace.h"

enum { HEADER_LIMIT = 1 << 16 };  /* longer ones describe structured arrays, which are refused anyway */

/* Magic, version and header length; leaves the source at the header. */
static tide_status read_preamble(source *s, int64_t *length, tide_failure *f) {
    static const char magic[] = "\x93NUMPY";
    unsigned char start[8], n[4] = { 0 };
    if (s->left < 10) return source_fail(s, f, "it is not a numpy array: the file is shorter than a header");
    tide_status status = source_read(s, start, 8, f);
    if (status) return status;
    if (memcmp(start, magic, 6) != 0)
        return source_fail(s, f, "it is not a numpy array: it does not begin with \\x93NUMPY");
    if (start[6] < 1 || start[6] > 3 || start[7] != 0)
        return source_fail(s, f, "its format version is %d.%d; 1.0, 2.0 and 3.0 are accepted", start[6], start[7]);
    status = source_read(s, n, start[6] == 1 ? 2 : 4, f);
    if (status) return status;
    *length = (int64_t)n[0] | (int64_t)n[1] << 8 | (int64_t)n[2] << 16 | (int64_t)n[3] << 24;
    if (*length > s->left || *length > HEADER_LIMIT)
        return source_fail(s, f, "its header claims to be %" PRId64 " bytes long; at most %" PRId64 " are possible",
                           *length,
                           MIN2(s->left, (int64_t)HEADER_LIMIT));
    return TIDE_OK;
}

static tide_status read_header(source *s, npy_header *h, tide_failure *f) {
    int64_t length = 0;
    tide_status status = read_preamble(s, &length, f);
    if (status) return status;
    char *text = bytes_new(length + 1);
    if (!text) return memory_fail(f, s->path, length + 1);
    status = source_read(s, text, length, f);
    text[status ? 0 : length] = 0;
    if (!status && (int64_t)strlen(text) != length) status = source_fail(s, f, "its header holds a zero byte");
    if (!status) status = npy_header_parse(s, text, h, f);
    free(text);
    return status;
}

/* The declared size is checked against the bytes that are there before any memory is taken. */
static tide_status check_size(const source *s, const npy_header *h, int64_t *count, tide_failure *f) {
    char text[128];
    if (shape_count_checked(h->shape, count) && s->left % h->type->size == 0 && s->left / h->type->size == *count)
        return TIDE_OK;
    return source_fail(s, f, "its shape %s of %s does not fit the %" PRId64 " bytes that follow the header",
                       shape_text(text, h->shape), h->type->npy, s->left);
}

/* Column-major to row-major. Takes `raw`. */
static void *from_fortran(void *raw, const npy_header *h, int64_t count) {
    int64_t stride[TIDE_MAX_DIMS], next = 1;
    for (int i = 0; i < h->shape.ndim; i++) {
        stride[i] = next;
        next *= h->shape.dim[i];
    }
    void *out = count ? bytes_new(count * h->type->size) : NULL;
    if (out) strided_copy(out, raw, h->type->size, h->shape, stride);
    if (count) free(raw);
    return count ? out : raw;
}

tide_status npy_read(source *s, tide_tensor *out, tide_failure *f) {
    npy_header h = { 0 };
    int64_t count = 0;
    tide_status status = read_header(s, &h, f);
    if (!status) status = check_size(s, &h, &count, f);
    if (!status) status = size_checked(s->path, count * h.type->size, f);
    if (status) return status;
    int64_t bytes = count * h.type->size;
    const char *why;
    void *data = bytes_new(bytes);
    if (!data) return memory_fail(f, s->path, bytes);
    status = source_read(s, data, bytes, f);
    if (status) {
        free(data);
        return status;
    }
    if (h.big_endian) bytes_swap(data, h.type->size, count);
    if (h.fortran && h.shape.ndim > 1 && !(data = from_fortran(data, &h, count))) return memory_fail(f, s->path, bytes);
    data = stored_widen(h.type, data, count, &status, &why);
    if (!data) return status == TIDE_ENOMEM ? memory_fail(f, s->path, bytes) : source_fail(s, f, "%s", why);
    out->type = h.type->type;
    out->shape = h.shape;
    out->data = data;
    return TIDE_OK;
}

/* The one array of a source that is a file of its own. */
static tide_status read_named(source *s, tide_tensor *out, tide_failure *failure) {
    tide_status status = npy_read(s, out, failure);
    if (status) return status;
    out->name = calloc(1, 1);
    if (out->name) return TIDE_OK;
    tensor_free(out);
    return memory_fail(failure, s->path, 1);
}

tide_status tide_npy_read(const char *path, tide_tensor *out, tide_failure *failure) {
    failure_clear(failure);
    FILE *file;
    int64_t size;
    if (!out) return argument_fail(failure, path, "array to read into");
    *out = (tide_tensor){ 0 };
    tide_status status = file_open(path, &file, &size, failure);
    if (status) return status;
    source s = source_of_file(path, file, size);
    status = read_named(&s, out, failure);
    fclose(file);
    return status;
}

tide_status tide_npy_read_memory(const void *bytes, size_t size, tide_tensor *out, tide_failure *failure) {
    failure_clear(failure);
    memory_in m;
    if (!out) return argument_fail(failure, MEMORY_NAME, "array to read into");
    *out = (tide_tensor){ 0 };
    tide_status status = memory_checked(bytes, size, failure);
    if (status) return status;
    source s = source_of_memory(&m, bytes, size);
    return read_named(&s, out, failure);
}

static bool single_byte(tide_dtype type) { return tide_dtype_size(type) == 1; }

int64_t npy_header_write(char buffer[NPY_HEADER_MAX], const tide_tensor *t) {
    const stored_type *type = stored_exact(t->type);
    if (!type->npy) return 0;
    int n = 10 + snprintf(buffer + 10, NPY_HEADER_MAX - 10, "{'descr': '%c%s', 'fortran_order': False, 'shape': (",
                          single_byte(t->type) ? '|' : '<', type->npy);
    for (int i = 0; i < t->shape.ndim; i++)
        n += snprintf(buffer + n, (size_t)(NPY_HEADER_MAX - n), "%s%" PRId64, i ? ", " : "", t->shape.dim[i]);
    n += snprintf(buffer + n, (size_t)(NPY_HEADER_MAX - n), t->shape.ndim == 1 ? ",), }" : "), }");
    int padded = (int)round_up(n + 1, 64);
    memset(buffer + n, ' ', (size_t)(padded - n - 1));
    buffer[padded - 1] = '\n';
    memcpy(buffer, "\x93NUMPY\1\0", 8);
    buffer[8] = (char)((padded - 10) & 255);
    buffer[9] = (char)((padded - 10) >> 8);
    return padded;
}

static tide_status write_array(void *user, void *stdio_file) {
    const tide_tensor *t = user;
    char header[NPY_HEADER_MAX];
    size_t length = (size_t)npy_header_write(header, t);
    size_t bytes = (size_t)tide_shape_count(t->shape) * tide_dtype_size(t->type);
    bool written = fwrite(header, 1, length, stdio_file) == length && fwrite(t->data, 1, bytes, stdio_file) == bytes;
    return written ? TIDE_OK : TIDE_EIO;
}

tide_status tide_npy_write(const char *path, const tide_tensor *tensor, tide_failure *failure) {
    failure_clear(failure);
    char header[NPY_HEADER_MAX];
    if (!tensor || !tensor_sound(tensor)) return argument_fail(failure, path, "sound array to write");
    tide_tensor copy = *tensor;
    if (npy_header_write(header, tensor) == 0)
        return fail_at(failure, TIDE_ETYPE, path, 0, NULL,
                       "numpy has no bf16 type: cast the array to f32, or write a .safetensors file");
    return tide_file_replace(path, write_array, &copy, failure);
}
