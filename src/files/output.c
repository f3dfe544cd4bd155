/* Files that the user names: --output, --save-predictions and the like. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <tidemill/io.h>
#include <unistd.h>

#include "base/base.h"
#include "owned.h"

#define OUTPUTS OWNED_FOLDER "/outputs"

/* "SHA256 PATH\n" of the file as it is, malloc'ed; NULL: it cannot be said. */
static char *line_of(const char *path) {
    char  sum[65], *line = NULL, *real = realpath(path, NULL);
    bool  fine = real && !strchr(real, '\n') && tide_file_sha256(path, sum, &(tide_failure){ 0 }) == TIDE_OK;
    if (fine && asprintf(&line, "%s %s\n", sum, real) < 0) line = NULL;
    free(real);
    return line;
}

static bool remembered(const char *folder, const char *path) {
    char  name[FOLDER_PATH], *line = NULL, *wanted = NULL;
    size_t room  = 0;
    bool   found = false;
    FILE  *file  = folder ? fopen(folder_file(folder, OUTPUTS, name), "re") : NULL;
    if (file) wanted = line_of(path);
    while (file && wanted && !found && getline(&line, &room, file) > 0) found = !strcmp(line, wanted);
    if (file) fclose(file);
    free(line);
    free(wanted);
    return found;
}

void output_remember(const char *folder, const char *path) {
    char name[FOLDER_PATH];
    if (!owned_lists(folder, "run.json") || remembered(folder, path)) return;
    char *line = line_of(path);
    int file =
        line ? open(folder_file(folder, OUTPUTS, name), O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0666)
             : -1;
    if (file >= 0 && write(file, line, strlen(line)) < 0) errno = 0; /* then --overwrite will be asked for: no harm is
                                                                        done */
    if (file >= 0) close(file);
    free(line);
}

/* "-" is what standard input was redirected from. */
static bool same_file(const struct stat *a, const char *other) {
    struct stat b;
    return *other && stat(strcmp(other, "-") ? other : "/dev/stdin", &b) == 0 && a->st_dev == b.st_dev &&
           a->st_ino == b.st_ino;
}

/* Is it, or what it links to, a file of ours in a folder of ours, there or yet to be made, or one of the folder's
 * list? */
static bool of_a_run(const char *path) {
    char        folder[FOLDER_PATH];
    char       *real  = realpath(path, NULL);
    const char *file = real && strlen(real) < sizeof folder ? real : path, *slash = strrchr(file, '/'),
               *name = slash ? slash + 1 : file;
    snprintf(folder, sizeof folder, "%.*s", slash ? (int)(slash - file) + 1 : 1, slash ? file : ".");
    char *place = realpath(folder, NULL), *last = place ? strrchr(place, '/') : NULL;
    bool  ours  = owned_lists(folder, name) || (last && !strcmp(last, "/" OWNED_FOLDER));
    free(place);
    free(real);
    return ours;
}

tide_status output_check(const char *path, const char *option, bool overwrite, const char *folder,
                         const char *const *inputs,
                         tide_failure *failure) {
    struct stat info;
    if (!path || !*path) return fail_at(failure, TIDE_EINVAL, NULL, 0, option, "there is no path");
    bool there = stat(path, &info) == 0;
    if (!there && lstat(path, &info) == 0)
        return fail_at(failure, TIDE_EINVAL, path, 0, option, "%s is a link that leads nowhere: give another name",
                       path);
    if (there && S_ISDIR(info.st_mode))
        return fail_at(failure, TIDE_EINVAL, path, 0, option, "%s is a folder: give the name of a file", path);
    if (there && !S_ISREG(info.st_mode)) return TIDE_OK;
    for (const char *const *input = inputs; there && *input; input++)
        if (same_file(&info, *input))
            return fail_at(failure, TIDE_EINVAL, path, 0, option, "%s is read by this command: give another name",
                           path);
    if (of_a_run(path))
        return fail_at(failure, TIDE_EINVAL, path, 0, option, "%s belongs to the run in its folder: give another name",
                       path);
    if (!there || overwrite || remembered(folder, path)) return TIDE_OK; /* what keeps it from being made is told when
                                                                            it is */
    return fail_at(failure, TIDE_EINVAL, path, 0, option, "%s is there already: `overwrite` replaces it", path);
}
