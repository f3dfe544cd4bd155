/* A ZIP archive from outside: sizes are checked before anything is unpacked. */
#ifndef IO_ZIP_IN_H
#define IO_ZIP_IN_H

#include <zip.h>

#include "source.h"

typedef struct zip_in {
    zip_t      *zip;
    const char *path;
    int64_t     count;
    int64_t     bytes;  /* of all members, unpacked */
} zip_in;

/* Refuses archives whose members could not unpack to the sizes they claim: stored or deflated only, no encryption, no
 * more than deflate's best ratio, no more packed bytes than the file has (overlapping members). `wanted` says what the
 * file should be: "a .npz file". */
tide_status zip_in_open(zip_in *z, const char *path, const char *wanted, tide_failure *f);
/* The same of bytes in memory, borrowed until it is closed. */
tide_status zip_in_open_memory(zip_in *z, const void *bytes, size_t size, const char *wanted, tide_failure *f);
void        zip_in_close(zip_in *z);

const char *zip_in_name(const zip_in *z, int64_t i);
int64_t     zip_in_size(const zip_in *z, int64_t i);  /* unpacked */

/* `part` names the member in messages. Close with member_close, which also checks that nothing is left and the
 * checksum; `status` is what happened so far. */
tide_status member_open(const zip_in *z, int64_t i, const char *part, source *out, tide_failure *f);
tide_status member_close(source *s, tide_status status, tide_failure *f);

#endif
