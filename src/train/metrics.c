#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <sys/stat.h>
#include <tidemill/io.h>
#include <unistd.h>

#include "base/base.h"
#include "run.h"

tide_status run_metrics_append(const run_folder *r, const char *header, const char *line, int64_t *bytes,
                               tide_failure *failure) {
    char        path[FOLDER_PATH];
    tide_status status = owned_claim_file(r->path, "metrics.csv", path, failure);
    if (status != TIDE_OK) return status;
    FILE *file = fopen(path, "a");
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

typedef struct beginning { FILE *from; int64_t bytes; } beginning;

static tide_status copy_beginning(void *user, void *stdio_file) {
    beginning *b = user;
    char       buffer[4096];
    for (int64_t left = b->bytes; left > 0;) {
        size_t got = fread(buffer, 1, (size_t)MIN2(left, (int64_t)sizeof buffer), b->from);
        if (!got || fwrite(buffer, 1, got, stdio_file) != got) return TIDE_EIO;
        left -= (int64_t)got;
    }
    return TIDE_OK;
}

/* Does a row end at `bytes`? */
static bool row_ends(FILE *file, int64_t bytes) {
    bool fine = !bytes || (fseek(file, bytes - 1, SEEK_SET) == 0 && fgetc(file) == '\n');
    rewind(file);
    return fine;
}

static tide_status cut_open(FILE *file, const char *path, int64_t bytes, tide_failure *failure) {
    struct stat info;
    if (fstat(fileno(file), &info) != 0)
        return fail_at(failure, TIDE_EIO, path, 0, NULL, "cannot be read: %s", strerror(errno));
    if (info.st_size < bytes)
        return fail_at(failure, TIDE_EDATA, path, 0, NULL,
                       "it holds %" PRId64 " bytes and the run had written %" PRId64 ": `overwrite` starts anew",
                       (int64_t)info.st_size, bytes);
    if (!row_ends(file, bytes))
        return fail_at(failure, TIDE_EDATA, path, 0, NULL,
                       "no row ends at byte %" PRId64 ", where the run was: `overwrite` starts anew", bytes);
    if (info.st_nlink > 1) return tide_file_replace(path, copy_beginning, &(beginning){ file, bytes }, failure);
    if (info.st_size == bytes || truncate(path, bytes) == 0) return TIDE_OK;
    return fail_at(failure, TIDE_EIO, path, 0, NULL, "cannot cut to %" PRId64 " bytes: %s", bytes, strerror(errno));
}

tide_status run_metrics_cut(const run_folder *r, int64_t bytes, tide_failure *failure) {
    char  path[FOLDER_PATH];
    FILE *file = fopen(folder_file(r->path, "metrics.csv", path), "rbe");
    if (!file && errno == ENOENT && bytes == 0) return TIDE_OK;
    if (!file && errno == ENOENT)
        return fail_at(failure, TIDE_EDATA, path, 0, NULL,
                       "it is gone, and the run had written it: `overwrite` starts anew");
    if (!file) return fail_at(failure, TIDE_EIO, path, 0, NULL, "cannot be read: %s", strerror(errno));
    tide_status status = cut_open(file, path, bytes, failure);
    fclose(file);
    return status;
}
