/* Files that clients bring: each in a file named by its identifier, with a JSON file beside it of what it is. The name
 * that a client gave is only shown. Bytes go to disk as they come, under a name that is taken away if they do not come
 * to an end. By any threads. (uploads.c) */
#ifndef SERVE_UPLOADS_H
#define SERVE_UPLOADS_H

#include "serve/store/store.h"

typedef struct uploads       uploads;
typedef struct upload_writer upload_writer;

typedef struct uploads_limits {
    int64_t file_bytes;   /* of a file */
    int64_t total_bytes;  /* of all; the oldest go when a new one needs room */
    int64_t count;        /* how many are kept; the oldest go */
} uploads_limits;

typedef struct upload_info {
    char    id[STORE_ID], name[STORE_NAME], sha256[65];  /* lower-case hexadecimal */
    int64_t bytes;
    double  created;                                     /* seconds since 1970 */
} upload_info;

/* `folder` is made if it is not there. What an earlier process left unfinished is taken away; a file whose record
 * cannot be read stays on disk and is not listed. TIDE_EINVAL, TIDE_EIO. */
tide_status uploads_open(const char *folder, const uploads_limits *limits, uploads **out, tide_failure *failure);
void        uploads_close(uploads *u);  /* after its writers; NULL is fine */

/* `name`: as the client gave it (store_plain_name), NULL: none. `expected`: bytes, if they are known, else -1.
 * TIDE_EINVAL, column "bytes": more than the limits allow. */
tide_status upload_begin(uploads *u, const char *name, int64_t expected, upload_writer **out, tide_failure *failure);
/* The same failure where a client sends more; TIDE_EIO: the disk is full. The writer is to be aborted then. */
tide_status upload_write(upload_writer *w, const void *bytes, size_t count, tide_failure *failure);
/* Gives it its identifier and releases the writer, in any case. On disk for good before it returns. */
tide_status upload_finish(upload_writer *w, upload_info *out, tide_failure *failure);
void        upload_abort(upload_writer *w);  /* NULL is fine */

/* TIDE_EINVAL, column "id": there is none. `path` of FOLDER_PATH. */
tide_status uploads_get(uploads *u, const char *id, upload_info *out, tide_failure *failure);
tide_status uploads_path(uploads *u, const char *id, char *path, upload_info *out, tide_failure *failure);
tide_status uploads_remove(uploads *u, const char *id, tide_failure *failure);
/* {"id", "name", "bytes", "sha256", "created"} and a list of them, the newest first; NULL when out of memory. */
json_t *upload_json(const upload_info *info);
json_t *uploads_list(uploads *u);

#endif
