/* A ZIP archive that libzip writes straight into a file; by itself it writes beside it under a name of its own, which
 * stays when the process is killed. */
#ifndef IO_ZIP_OUT_H
#define IO_ZIP_OUT_H

#include <stdbool.h>
#include <zip.h>

#include <tidemill/io.h>

/* Adds a member made of `count` parts, which are borrowed until the archive is written, packed or as it is. Its date is
 * always the same: the bytes must not depend on the clock. */
bool zip_out_add(zip_t *zip, const char *name, const zip_buffer_fragment_t *parts, int count, bool deflate);

/* A new archive of one member at least into the file that `temporary` opens (replace.h): `add` adds the members. `path`
 * is its name in failures. */
typedef bool (*zip_out_members)(void *user, zip_t *zip);
tide_status zip_out_write(zip_out_members add, void *user, const char *temporary, const char *path, tide_failure *f);

#endif
