#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <unistd.h>

#include "base/base.h"
#include "run.h"

tide_status run_metrics_append(const run_folder *r, const char *header, const char *line, int64_t *bytes, tide_failure *failure) {
    char  path[RUN_PATH];
    FILE *file = fopen(run_folder_file(r->path, "metrics.csv", path), "a");
    bool  fine = file && fseek(file, 0, SEEK_END) == 0;
    if (fine && ftell(file) == 0) fine = fputs(header, file) >= 0;
    fine = fine && fputs(line, file) >= 0 && fflush(file) == 0 && fsync(fileno(file)) == 0;
    int64_t length = fine ? ftell(file) : 0;
    int     error  = errno;
    if (file && fclose(file)) fine = false;
    if (!fine && file && truncate(path, *bytes)) error = errno; /* no half row stays */
    if (fine) *bytes = length;
    return fine ? TIDE_OK : fail_at(failure, TIDE_EIO, path, 0, NULL, "cannot write: %s", strerror(error));
}

tide_status run_metrics_cut(const run_folder *r, int64_t bytes, tide_failure *failure) {
    char path[RUN_PATH];
    if (truncate(run_folder_file(r->path, "metrics.csv", path), bytes) == 0 || (errno == ENOENT && bytes == 0)) return TIDE_OK;
    return fail_at(failure, TIDE_EIO, path, 0, NULL, "cannot cut to %" PRId64 " bytes: %s", bytes, strerror(errno));
}
