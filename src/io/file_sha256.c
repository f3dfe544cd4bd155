#include <errno.h>

#include "../base/base.h"
#include "../base/sha256.h"
#include "source.h"

tide_status tide_file_sha256(const char *path, char hex[65], tide_failure *failure) {
    failure_clear(failure);
    sha256 h;
    unsigned char chunk[32768];
    FILE *file;
    int64_t size;
    size_t got;
    if (!hex) return argument_fail(failure, path, "place for the digits");
    hex[0] = 0;
    tide_status status = file_open(path, &file, &size, failure);
    if (status) return status;
    sha256_begin(&h);
    while ((got = fread(chunk, 1, sizeof chunk, file)) > 0) sha256_add(&h, chunk, got);
    if (ferror(file)) status = system_fail(failure, path, "read", errno);
    fclose(file);
    if (!status) sha256_end(&h, hex);
    return status;
}
