/* Bytes in memory in the place of a file. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "../base/base.h"
#include "source.h"

static int64_t pull_memory(void *handle, void *out, int64_t bytes) {
    memory_in *m = handle;
    memcpy(out, m->at, (size_t)bytes);
    m->at += bytes;
    return bytes;
}

source source_of_memory(memory_in *m, const void *bytes, size_t size) {
    m->at = bytes;
    return (source){ .path = MEMORY_NAME, .part = "", .left = (int64_t)size, .handle = m, .pull = pull_memory };
}

tide_status memory_checked(const void *bytes, size_t size, tide_failure *f) {
    if (bytes && size <= (size_t)INT64_MAX) return TIDE_OK;
    return argument_fail(f, MEMORY_NAME, "block of bytes to read");
}

tide_status memory_write(tide_status (*write)(void *user, void *stdio_file), void *user, void **bytes, size_t *size,
                         tide_failure *f) {
    char *block = NULL;
    size_t length = 0;
    if (!bytes || !size) return argument_fail(f, MEMORY_NAME, "place for the bytes");
    *bytes = NULL, *size = 0;
    FILE *file = open_memstream(&block, &length);
    if (!file) return system_fail(f, MEMORY_NAME, "write", ENOMEM);
    bool written = write(user, file) == TIDE_OK;
    if (fclose(file) == 0 && written) {
        *bytes = block, *size = length;
        return TIDE_OK;
    }
    free(block);
    return system_fail(f, MEMORY_NAME, "write", ENOMEM);
}
