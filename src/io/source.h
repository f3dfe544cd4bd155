/* Bytes from outside, read in order and counted: a plain file or a member of a ZIP archive. */
#ifndef IO_SOURCE_H
#define IO_SOURCE_H

#include <stdio.h>
#include <tidemill/io.h>

typedef struct source {
    const char *path;   /* for messages: the file */
    const char *part;   /* for messages: the array in it, or "" */
    int64_t     left;   /* bytes not read yet; known before the first read */
    void       *handle;
    int64_t   (*pull)(void *handle, void *out, int64_t bytes);  /* bytes read, fewer only at the end; < 0: refused */
} source;

/* Opens a regular file for reading and tells its size. Folders, pipes and devices are refused. */
tide_status file_open(const char *path, FILE **out, int64_t *size, tide_failure *f);
source      source_of_file(const char *path, FILE *file, int64_t size);

/* Bytes in memory, called "memory" in messages; `m` outlives the source. */
typedef struct memory_in { const char *at; } memory_in;
#define MEMORY_NAME "memory"
source      source_of_memory(memory_in *m, const void *bytes, size_t size);
/* TIDE_EINVAL where there are no bytes, or more than any memory has. */
tide_status memory_checked(const void *bytes, size_t size, tide_failure *f);

/* What `write` puts into a FILE, as a block of memory: free(). */
tide_status memory_write(tide_status (*write)(void *user, void *stdio_file), void *user, void **bytes, size_t *size,
                         tide_failure *f);

/* Reads exactly `bytes`; asking for more than is left is a failure that says so. */
tide_status source_read(source *s, void *out, int64_t bytes, tide_failure *f);

/* Fails with TIDE_EDATA, naming file and part. */
tide_status source_fail(const source *s, tide_failure *f, const char *format, ...) TIDE_PRINTF(3, 4);

/* Fails with TIDE_EIO: "cannot open this file: permission denied". `err` is an errno. */
tide_status system_fail(tide_failure *f, const char *path, const char *doing, int err);

/* Fails with TIDE_EINVAL: "there is no path", for a NULL where the caller should have given something. path may be
 * NULL. */
tide_status argument_fail(tide_failure *f, const char *path, const char *what);

/* Before memory is taken for it: what a file claims to hold, unpacked, against the memory that this process may use.
 * TIDE_ENOMEM. */
tide_status size_checked(const char *path, int64_t bytes, tide_failure *f);

/* Memory the caller frees with free(); one byte at least, NULL if there is none. */
void       *bytes_new(int64_t bytes);
tide_status memory_fail(tide_failure *f, const char *path, int64_t bytes);

#endif
