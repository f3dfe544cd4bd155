#include "cache.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

enum { MOST_BYTES = 1 << 28 };

static pthread_mutex_t writing = PTHREAD_MUTEX_INITIALIZER;  /* threads of a process share the names of drafts */

bool gpu_cache_open(gpu_cached *c, const char *folder, const char *key) {
    char start[17], ignored[256];
    memcpy(c->key, key, sizeof c->key);
    snprintf(start, sizeof start, "%.16s", key);
    return os_kept_find(&c->kept, folder, strtoull(start, NULL, 16), "bin", "part", ignored, sizeof ignored);
}

void gpu_cache_close(gpu_cached *c) { close(c->kept.folder); }

void *gpu_cache_read(const gpu_cached *c, size_t *bytes) {
    struct stat s;
    char key[GPU_CACHE_KEY];
    int  file = os_kept_open(&c->kept);
    void *content = NULL;
    if (file < 0) return NULL;
    bool ours = fstat(file, &s) == 0 && s.st_size > GPU_CACHE_KEY && s.st_size <= MOST_BYTES &&
                pread(file, key, GPU_CACHE_KEY, 0) == GPU_CACHE_KEY && memcmp(key, c->key, GPU_CACHE_KEY) == 0;
    *bytes = ours ? (size_t)s.st_size - GPU_CACHE_KEY : 0;
    if (ours) content = malloc(*bytes);
    if (content && pread(file, content, *bytes, GPU_CACHE_KEY) != (ssize_t)*bytes) free(content), content = NULL;
    close(file);
    return content;
}

void gpu_cache_write(const gpu_cached *c, char *whole, size_t bytes) {
    if (!bytes || bytes > MOST_BYTES) return;
    memcpy(whole, c->key, GPU_CACHE_KEY);
    pthread_mutex_lock(&writing);
    bool written = os_kept_write(&c->kept, c->kept.fresh, whole, GPU_CACHE_KEY + bytes);
    int  file = written ? os_kept_store(&c->kept) : -1;
    if (file >= 0) close(file);
    os_kept_clean(&c->kept);
    pthread_mutex_unlock(&writing);
}
