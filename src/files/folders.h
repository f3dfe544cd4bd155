/* Folders and the paths of files in them. */
#ifndef TIDE_FILES_FOLDERS_H
#define TIDE_FILES_FOLDERS_H

#include <tidemill/core.h>

enum { FOLDER_PATH = 1024 + 64 };  /* bytes of a path: a folder's, at most 1023, and a name of ours */

/* "FOLDER/name" into a buffer of FOLDER_PATH; returns it. */
const char *folder_file(const char *folder, const char *name, char *buffer);
/* Makes the folder and those above it; what is there stays. TIDE_EINVAL: the name is too long. TIDE_EIO: it cannot be
 * made. */
tide_status make_folders(const char *path, tide_failure *failure);

#endif
