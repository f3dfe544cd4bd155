/* The files of `spectra`, read: a sweep each, or the reason why a file has none. */
#ifndef EIS_MEASURED_H
#define EIS_MEASURED_H

#include <tidemill/eis.h>

#include "base/sha256.h"

typedef struct measured_item {
    const char         *path;
    const eis_spectrum *spectrum;  /* NULL: the file cannot be read; `why` says why, TIDE_EDATA */
    tide_failure        why;
} measured_item;

typedef struct measured {
    measured_item  *item;
    int64_t      count;
    char        *list;         /* the paths */
    const char **path;
    eis_spectra *file;
    int64_t      files;
} measured;

/* In the order of the files and of their sweeps. Notes go to the listener. What is no matter of a file's content ends
 * it. */
tide_status measured_read(const eis_options *options, eis_listener listener, void *user, measured *out,
                       tide_failure *failure);
/* The same of these files, a line each. */
tide_status measured_read_list(const char *list, const eis_options *options, eis_listener listener, void *user,
                               measured *out, tide_failure *failure);
/* All of a spectrum that an answer may depend on. */
void        measured_hash(sha256 *h, const eis_spectrum *s);
/* A SHA-256 of the spectra, their names and why others were not read: equal ones, the same answers. */
void        measured_digest(const measured *b, char hex[65]);
void        measured_free(measured *b);

#endif
