#include "folders.h"

#include <errno.h>
#include <stdio.h>
#include <sys/stat.h>

#include "base/base.h"

const char *folder_file(const char *folder, const char *name, char *buffer) {
    snprintf(buffer, FOLDER_PATH, "%s/%s", folder, name);
    return buffer;
}

tide_status make_folders(const char *path, tide_failure *failure) {
    char part[FOLDER_PATH];
    if (snprintf(part, sizeof part, "%s", path) >= 1024)
        return fail_at(failure, TIDE_EINVAL, NULL, 0, "out",
                       "the name of the folder is longer than 1023 bytes: %.64s...", path);
    for (char *at = part + 1;; at++) {
        if (*at && *at != '/') continue;
        char kept = *at;
        *at       = 0;
        if (mkdir(part, 0777) && errno != EEXIST)
            return fail_at(failure, TIDE_EIO, path, 0, NULL, "cannot make the folder %s: %s", part, strerror(errno));
        if (!kept) break;
        *at = kept;
    }
    struct stat s;
    if (stat(path, &s) || !S_ISDIR(s.st_mode))
        return fail_at(failure, TIDE_EIO, path, 0, NULL, "%s is not a folder", path);
    return TIDE_OK;
}
