/* A file that is being written: it gets its name when it is whole. Where the system can, it has no name until then, so
 * that a process that is killed leaves nothing. Elsewhere it is `.tidemill/t-PID-N` in a folder of ours
 * (src/files/owned.h), which the next command there takes away, or TARGET.tmp-PID-N beside the target, which nobody
 * does: it might be somebody's. */
#ifndef IO_PART_H
#define IO_PART_H

#include <sys/stat.h>

#include "../base/base.h"

typedef struct part {
    char *named;            /* its name in a folder, malloc'ed; NULL: it has none that others see */
    char  opens[OS_OPENS];  /* then this opens it */
    int   fd;
} part;

/* An empty file that can become `target`; `old` is what is there now, whose mode is kept, or NULL. Returns 0 or an
 * errno. */
int  part_open(const char *target, const struct stat *old, part *p);
const char *part_name(const part *p);  /* to open it for writing */
/* Syncs it and puts it in the place of `target`. Returns 0 or an errno; part_close is needed in any case. */
int  part_publish(part *p, const char *target, bool exists);
void part_close(part *p);

#endif
