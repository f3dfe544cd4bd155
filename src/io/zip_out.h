/* A ZIP archive that libzip writes straight into a file; by itself it writes beside it under a name of its own, which
 * stays when the process is killed. */
#ifndef IO_ZIP_OUT_H
#define IO_ZIP_OUT_H

#include <stdio.h>
#include <zip.h>

/* A new archive into `file`, which is empty, and stays the caller's. NULL with *error set. */
zip_t *zip_out_open(FILE *file, zip_error_t *error);

#endif
