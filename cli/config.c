/* --config FILE: a JSON object with the options' names as keys, or a run.json. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "cli.h"

/* The file is named, and what was refused in it. */
static tide_status bad(tide_failure *f, const char *path, const tide_failure *why) {
    *f = (tide_failure){ .status = TIDE_EINVAL, .row = why->row };
    snprintf(f->file, sizeof f->file, "%s", path);
    snprintf(f->column, sizeof f->column, "%s", why->column);
    snprintf(f->message, sizeof f->message, "`config` %s: %.390s", path, why->message);
    return TIDE_EINVAL;
}

enum { LARGEST_FILE = 16 << 20 };

/* The whole file, malloc'ed; NULL with the message set. */
static char *read_text(const char *path, size_t *length, char message[640]) {
    struct stat info;
    FILE *file = fopen(path, "rbe");
    char *text = file ? malloc(LARGEST_FILE + 1) : NULL;
    int   error = errno;
    *length = text ? fread(text, 1, LARGEST_FILE + 1, file) : 0;
    bool folder = file && fstat(fileno(file), &info) == 0 && S_ISDIR(info.st_mode),
         fine = text && !ferror(file) && *length <= LARGEST_FILE;
    if (file) fclose(file);
    if (fine) return text;
    snprintf(message, 640, "%s",
             !file                    ? strerror(error)
             : folder                 ? "this is a folder: give a JSON file"
             : !text                  ? "out of memory"
             : *length > LARGEST_FILE ? "it is longer than 16 MiB, which no set of options is"
                                      : "cannot be read");
    free(text);
    return NULL;
}

tide_status config_read(const char *path, const tide_option_reader *reader, tide_failure *failure) {
    tide_failure why = { 0 };
    size_t       length;
    char        *text = read_text(path, &length, why.message);
    tide_status  status = text ? tide_options_read(text, length, reader, &why) : TIDE_EINVAL;
    free(text);
    return status == TIDE_OK ? TIDE_OK : bad(failure, path, &why);
}
