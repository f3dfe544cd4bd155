/* What a device's compiler made, kept in $XDG_CACHE_HOME/tidemill: a file begins with the hash of all that its content
 * follows from. A convenience: whatever fails with it, the text is there. */
#ifndef TIDE_GPU_CACHE_H
#define TIDE_GPU_CACHE_H

#include "base/base.h"

typedef struct gpu_cached { char key[65]; os_kept kept; } gpu_cached;

/* `folder` has a slash at its end, key is a SHA-256 in hexadecimal. False: there is no cache. Whoever it is true for
 * closes it. */
bool  gpu_cache_open(gpu_cached *c, const char *folder, const char *key);
void  gpu_cache_close(gpu_cached *c);
void *gpu_cache_read(const gpu_cached *c, size_t *bytes);  /* the caller frees it; NULL: it has none */
/* `whole` has GPU_CACHE_KEY bytes of room before the content of so many bytes. */
void  gpu_cache_write(const gpu_cached *c, char *whole, size_t bytes);
enum { GPU_CACHE_KEY = 64 };

#endif
