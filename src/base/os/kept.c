/* Files of a cache. Each is named by a hash of what it was made from and stands beside its length and check sum: one
 * that is cut short, as after a full disk, is not believed. The folder must be ours and no one else's to write, all
 * names are looked up in it as it was checked, and the descriptor that was summed is what is read. */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "os.h"

bool os_kept_find(os_kept *k, const char *folder, uint64_t hash, const char *ending, const char *draft, char *reason,
                  size_t size) {
    char path[1024];
    int  process = (int)getpid();
    k->folder = -1;
    snprintf(k->file, sizeof k->file, "%016" PRIx64 ".%s", hash, ending);
    snprintf(k->sum, sizeof k->sum, "%016" PRIx64 ".sum", hash);
    snprintf(k->fresh, sizeof k->fresh, "%016" PRIx64 ".%d.%s", hash, process, ending);
    snprintf(k->draft, sizeof k->draft, "%016" PRIx64 ".%d.%s", hash, process, draft);
    if (!os_cache_path(path, sizeof path, folder))
        return snprintf(reason, size, "there is no place to keep them: neither XDG_CACHE_HOME nor HOME is set"), false;
    k->folder = os_private_folder(path, true);
    if (k->folder < 0) snprintf(reason, size, "the cache folder cannot be used (%s)", os_private_why(errno));
    return k->folder >= 0;
}

/* Length and check sum of an open file, as a line; false: it is empty or cannot be read. */
static bool describe(int file, char line[64]) {
    unsigned char buffer[4096];
    uint64_t hash = 0xcbf29ce484222325, total = 0;
    ssize_t n;
    for (; (n = pread(file, buffer, sizeof buffer, (off_t)total)) > 0; total += (uint64_t)n)
        for (ssize_t i = 0; i < n; i++) hash = (hash ^ buffer[i]) * 0x100000001b3;
    snprintf(line, 64, "%" PRIu64 " %016" PRIx64 "\n", total, hash);
    return n == 0 && total > 0;
}

int os_kept_open(const os_kept *k) {
    char expected[64], found[64] = "";
    int  sum = os_private_open(k->folder, k->sum), file = os_private_open(k->folder, k->file);
    ssize_t length = sum < 0 ? 0 : read(sum, found, sizeof found - 1);
    if (sum >= 0) close(sum);
    if (length > 0 && file >= 0 && describe(file, expected) && strcmp(expected, found) == 0) return file;
    if (file >= 0) close(file);
    return -1;
}

bool os_kept_write(const os_kept *k, const char *name, const void *content, size_t bytes) {
    int   fd = os_private_create(k->folder, name);
    FILE *f = fd < 0 ? NULL : fdopen(fd, "wb");
    if (fd >= 0 && !f) close(fd);
    bool good = f && fwrite(content, 1, bytes, f) == bytes;
    return f && fclose(f) == 0 && good;
}

/* The sum is written first: a file is believed only beside its own. */
int os_kept_store(const os_kept *k) {
    char line[64];
    int  made = openat(k->folder, k->fresh, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
    bool ours = made >= 0 && fchmod(made, 0600) == 0;
    if (made >= 0) close(made);
    int  file = ours ? os_private_open(k->folder, k->fresh) : -1;
    if (file >= 0 && describe(file, line) && os_kept_write(k, k->draft, line, strlen(line)) &&
        renameat(k->folder, k->draft, k->folder, k->sum) == 0 &&
        renameat(k->folder, k->fresh, k->folder, k->file) == 0)
        return file;
    if (file >= 0) close(file);
    return -1;
}

void os_kept_clean(const os_kept *k) {
    unlinkat(k->folder, k->draft, 0);
    unlinkat(k->folder, k->fresh, 0);
}
