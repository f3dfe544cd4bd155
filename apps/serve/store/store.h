/* What the service keeps on disk: identifiers, small JSON files, folders of its own. All of it lies in one folder that
 * no other user may write to, and only names made here are ever taken away. (store.c) */
#ifndef SERVE_STORE_H
#define SERVE_STORE_H

#include <jansson.h>

#include "base/base.h"
#include "files/folders.h"

enum {
    STORE_ID   = 17,  /* bytes of an identifier: 16 of 0-9 and a-z without i, l, o, u; 80 bits by chance */
    STORE_NAME = 128  /* bytes of a shown name */
};

/* TIDE_EIO: libsodium, which draws identifiers, cannot be set up. To be called before the others. */
tide_status store_begin(tide_failure *failure);
void store_id_new(char id[STORE_ID]);
/* Of the alphabet and length, so that it can be a part of a path whoever sent it. NULL: no. */
bool store_id_valid(const char *id);
/* TIDE_EINVAL, column "id": there is no `what` ("job") of that identifier. */
tide_status store_no_such(const char *what, const char *id, tide_failure *failure);
/* A file's name as a client gave it, of any bytes: what follows its last slash, of letters, digits and ". _ -", with
 * '_' for all else, no dot in front, an ending kept. */
void store_plain_name(const char *given, char name[STORE_NAME]);

/* Makes the folder if it is not there, for its owner alone, and marks it as a store's; what is in it may then be swept
 * and taken away. TIDE_EINVAL: it is another user's, or may be written by others, or it has files and no mark. `path`
 * becomes absolute, without links. */
tide_status store_folder(char path[FOLDER_PATH], tide_failure *failure);
/* Writes the object so that a reader sees the old one or the new one, and that it is there after a loss of power. */
tide_status store_write_json(const char *path, const json_t *object, tide_failure *failure);
/* The object of at most 16 MiB; NULL: TIDE_EIO, or TIDE_EDATA for what is none. */
json_t     *store_read_json(const char *path, tide_failure *failure);
/* Takes away FOLDER/NAME, a file of ours or a folder with all that is in it, links themselves and not what they lead
 * to. It is gone at once for whoever looks; a process that is killed meanwhile leaves the rest to store_sweep. */
tide_status store_remove(const char *folder, const char *name, tide_failure *failure);
/* A name for what is being made in a folder, ".new-ID"; store_sweep takes it away. */
void        store_new_name(const char *id, char name[STORE_ID + 8]);
void        store_sweep(const char *folder);
double      store_now(void);  /* seconds since 1970 */

#endif
