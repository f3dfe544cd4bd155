/* Writing a file so that a reader sees the old one or the new one, never a part. */
#ifndef IO_REPLACE_H
#define IO_REPLACE_H

#include <tidemill/io.h>

/* `write` fills the file that the name `temporary` opens; it exists and is empty (part.h). It reports its own failure.
 * Afterwards the file is synced and takes the place of `path`, or is gone. The target must be new or a regular file. */
typedef tide_status (*path_writer)(void *user, const char *temporary, const char *path, tide_failure *f);
tide_status replace_path(const char *path, path_writer write, void *user, tide_failure *f);

#endif
