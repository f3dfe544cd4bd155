/* The threads of a GPU's group as fibers of one processor. */
#ifndef TEST_GPU_GROUP_H
#define TEST_GPU_GROUP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { GROUP_MOST_THREADS = 1024, GROUP_WARP = 32 };

/* What a built text has for each of its kernels: one thread of one group. */
typedef void group_entry(char *const *blocks, const int64_t *table, uint32_t first, uint32_t group, uint32_t thread);

typedef struct group_launch {
    group_entry   *entry;
    char *const   *blocks;
    const int64_t *table;
    uint32_t       first;
    int32_t        threads;
    int64_t        groups;
    char          *local;       /* the group's memory, filled anew with bytes 0xFF for each group: NaN in any float */
    size_t         local_bytes;
    bool           backwards;   /* groups, and a group's threads, from the last to the first: what depends on the order,
                                   for want of a barrier, then differs */
} group_launch;

/* False, and why (a clause), if some of a group's threads wait at a barrier for others that have ended or wait at
 * another. One launch at a time. */
bool group_run(const group_launch *l, char *why, size_t size);

/* The barriers of all threads and of a warp's, which the text calls with its line, and which thread it is that calls.
 * Groups whose warps wait are of whole warps. */
void group_sync(int line);
void group_warp_sync(int line);
unsigned group_thread(void);

#endif
