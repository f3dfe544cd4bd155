/* The cache: a file is there whole and right, or not at all. */
#include "data.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include <tidemill/io.h>

#include "base/base.h"
#include "download.h"

static const char base_url[] =
    "https://raw.githubusercontent.com/zhouhaoyi/ETDataset/1d16c8f4f943005d613b5bc962e9eeb06058cf07/ETT-small";

static const char *env_or(const char *name, const char *otherwise) {
    const char *value = getenv(name);
    return value && *value ? value : otherwise;
}

static tide_status make_folders(const char *path, tide_failure *failure) {
    int code = os_make_folders(path);
    return code ? fail_at(failure, TIDE_EIO, path, 0, NULL, "cannot make the cache folder of %s: %s", path,
                          strerror(code))
                : TIDE_OK;
}

/* Leaves room for the ending of a file that is still being fetched. */
static tide_status cache_path(const data_source *source, char *path, tide_failure *failure) {
    if (os_cache_path(path, DATA_PATH_SIZE - 8, source->file)) return TIDE_OK;
    return fail(failure, TIDE_EIO, "no place for downloads: XDG_CACHE_HOME and HOME are not set, or too long");
}

static bool is_whole(const char *path, const data_source *source) {
    char found[65];
    return access(path, R_OK) == 0 && tide_file_sha256(path, found, NULL) == TIDE_OK &&
           strcmp(found, source->sha256) == 0;
}

/* Fetches into a new file beside `path` and gives it the name only when it is the one expected. */
static tide_status fetch(const data_source *source, data_progress progress, void *user, const char *path,
                         tide_failure *failure) {
    char url[DATA_PATH_SIZE], part[DATA_PATH_SIZE], found[65];
    const char *base = env_or("TIDEMILL_DATA_URL", base_url);
    if (snprintf(url, sizeof url, "%s/%s", base, source->file) >= (int)sizeof url)
        return fail(failure, TIDE_EINVAL, "TIDEMILL_DATA_URL is too long");
    snprintf(part, sizeof part, "%s.XXXXXX", path);
    int handle = mkstemp(part);
    FILE *file = handle < 0 ? NULL : fdopen(handle, "wb");
    if (!file) return fail_at(failure, TIDE_EIO, part, 0, NULL, "cannot write %s: %s", part, strerror(errno));

    tide_status status = download(url, base != base_url, file, progress, user, failure);
    if (fclose(file) != 0 && status == TIDE_OK)
        status = fail_at(failure, TIDE_EIO, part, 0, NULL, "cannot write %s: %s", part, strerror(errno));
    if (status == TIDE_OK) status = tide_file_sha256(part, found, failure);
    if (status == TIDE_OK && strcmp(found, source->sha256) != 0)
        status = fail_at(failure, TIDE_EDATA, url, 0, NULL, "%s is not the file expected: its sha256 is %s, wanted %s",
                         url, found, source->sha256);
    if (status == TIDE_OK && rename(part, path) != 0)
        status = fail_at(failure, TIDE_EIO, path, 0, NULL, "cannot write %s: %s", path, strerror(errno));
    if (status != TIDE_OK) unlink(part);
    return status;
}

tide_status data_get(const data_source *source, data_progress progress, void *user, char *path, tide_failure *failure) {
    tide_status status = cache_path(source, path, failure);
    if (status != TIDE_OK || is_whole(path, source)) return status;
    status = make_folders(path, failure);
    return status == TIDE_OK ? fetch(source, progress, user, path, failure) : status;
}
