/* What every layer stands on: memory, strings, failures, the operating system. Knows nothing of graphs. */
#ifndef TIDE_BASE_H
#define TIDE_BASE_H

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include "../../include/tidemill/core.h"

/* ---- memory ------------------------------------------------------------------------------------------- */

/* Zeroed, 64-byte aligned memory; NULL if there is none. bytes 0 is allowed. */
void *mem_new(const tide_allocator *a, size_t bytes);
void  mem_free(const tide_allocator *a, void *memory, size_t bytes);  /* the same bytes; NULL is fine */
tide_allocator mem_system(void);

/* A growing arena: allocations live until arena_free. Zeroed memory. On exhaustion arena_alloc jumps to `oom` if
 * that is set, else returns NULL. */
typedef struct arena_chunk arena_chunk;
typedef struct arena {
    const tide_allocator *allocator;
    arena_chunk *chunks;
    jmp_buf *oom;
} arena;

void *arena_alloc(arena *a, size_t bytes);
void  arena_free(arena *a);
char *arena_printf(arena *a, const char *format, ...) TIDE_PRINTF(2, 3);
/* Where an arena has come to; what was allocated since can be given back at once. */
typedef struct arena_mark { arena_chunk *chunk; size_t used; } arena_mark;
arena_mark arena_here(const arena *a);
void       arena_rewind(arena *a, arena_mark to);
#define arena_new(a, type, count) ((type *)arena_alloc((a), sizeof(type) * (size_t)(count)))

/* ---- text --------------------------------------------------------------------------------------------- */

/* A growing string in malloc memory. `failed` sticks after an allocation fails. */
typedef struct text { char *data; size_t length, capacity; bool failed; } text;
void text_add(text *t, const char *format, ...) TIDE_PRINTF(2, 3);
void text_put(text *t, const char *bytes, size_t length);
void text_free(text *t);
uint64_t text_hash(const char *bytes);  /* FNV-1a */

/* strtod and %.*g in the C locale, whatever the host set. */
double num_parse(const char *s, char **end);
/* Shortest decimal that reads back as the same double (float if single). Returns the length; buffer of 32. */
int num_format(char *buffer, double value, bool single);

/* ---- failures ----------------------------------------------------------------------------------------- */

/* What a public function does first: a failure of an earlier call that `f` (may be NULL) still holds is no cause of
 * this one's. */
static inline void failure_clear(tide_failure *f) {
    if (f) *f = (tide_failure){ 0 };
}

/* Fills `f` (may be NULL) if it holds no failure yet, and returns the status: `return fail(f, TIDE_EDATA, "...")`. */
tide_status fail(tide_failure *f, tide_status status, const char *format, ...) TIDE_PRINTF(3, 4);
/* The same with a place. file and column may be NULL, row 0. */
tide_status fail_at(tide_failure *f, tide_status status, const char *file, int64_t row, const char *column,
                    const char *format, ...) TIDE_PRINTF(6, 7);

/* ---- shapes ------------------------------------------------------------------------------------------- */

#define MAX2(a, b) ((a) > (b) ? (a) : (b))
#define MIN2(a, b) ((a) < (b) ? (a) : (b))
static inline int64_t ceil_div(int64_t a, int64_t b) { return (a + b - 1) / b; }
static inline int64_t round_up(int64_t a, int64_t b) { return ceil_div(a, b) * b; }
bool  shape_count_checked(tide_shape s, int64_t *count);  /* false on a negative size or overflow */
char *shape_text(char buffer[128], tide_shape s);         /* "(32, 96, 7)" */

/* ---- lists of values, as a caller hands them in --------------------------------------------------------- */

/* There are items if they are counted. Nodes have 32 bits, so no list is longer. */
static inline bool list_readable(tide_list l) {
    return l.count >= 0 && l.count <= INT32_MAX && (l.items || l.count == 0);
}

/* The graph of the first item that has one; NULL: none has. */
static inline tide_graph *list_graph(tide_list l) {
    for (int64_t i = 0; list_readable(l) && i < l.count; i++)
        if (l.items[i].graph) return l.items[i].graph;
    return NULL;
}

/* ---- operating system (os/) -------------------------------------------------------------------- */

double  os_seconds(void);          /* monotonic */
double  os_thread_seconds(void);   /* of processor time that this thread has had: what others do on the machine hardly
                                      counts */
int64_t os_preemptions(void);      /* how often the system took a core from a thread of ours that wanted to go on */
int64_t os_rss_bytes(void);        /* resident now; on macOS the physical footprint, which has a GPU's blocks in it */
int64_t os_peak_rss_bytes(void);   /* the highest of it so far, children excluded */
int     os_cores(void);            /* physical performance cores this process may use: affinity and cgroup counted */
int64_t os_memory_bytes(void);     /* memory this process may use: cgroup and ulimit -v counted */

/* Files under /proc and /sys: the content, malloc'ed, or NULL. A test hands in recorded ones. */
typedef struct os_files { char *(*read)(void *user, const char *path); void *user; } os_files;

/* What control groups grant this process (cgroup.c): processors' worth of time, bytes; 0: no limit. version: of the
 * limits, 0: none. */
typedef struct os_group_limits { double cpus; int64_t memory; int version; } os_group_limits;
os_group_limits os_group_limits_of(const os_files *files);

/* The two that follow from the limits, for what the system has. */
int     os_cores_within(int cores, const os_group_limits *limits);
int64_t os_memory_within(int64_t machine, const os_group_limits *limits, int64_t address_space, int64_t mapped,
                         int64_t resident);
/* Where the running program's file is, absolute, without links. False: that is not known, or the path is too long. */
bool    os_program_path(char *path, size_t size);
/* What it computes on, "Linux x86_64 MODEL": for the names of files that belong to one machine. */
void    os_machine(char *out, size_t size);
/* $XDG_CACHE_HOME/tidemill/NAME, else ~/.cache/tidemill/NAME. False: neither is set, or the path is too long. */
bool    os_cache_path(char *path, size_t size, const char *name);
/* A file in the folder that has no name yet and is gone with its descriptor: `opens` is a path that opens it in this
 * process. -1 where the system has none. os_name_file gives what `opens` opens a name; 0, or errno (EEXIST: the name is
 * taken). */
enum { OS_OPENS = 32 };
int     os_unnamed_file(const char *folder, char opens[OS_OPENS]);
int     os_name_file(const char *opens, const char *path);
int     os_make_folders(const char *path);  /* those above the file `path`, for the user alone; 0, or errno */

/* What another user may have written is not believed (private.c). Descriptors, or -1 and errno: EPERM for what is not
 * ours alone, ENOTDIR or ELOOP for a link. */
int         os_private_folder(const char *path, bool make);     /* the folder of the file `path` */
int         os_private_open(int folder, const char *name);      /* a file of it, to read */
int         os_private_create(int folder, const char *name);    /* a new one, to write, in place of an old one */
const char *os_private_why(int code);                           /* a clause for errno */

/* A file of a cache folder, named by a hash over what it was made from; believed only beside its own length and check
 * sum (kept.c). What is new is written under names with the process's number: its content `fresh`, the rest `draft`. */
typedef struct os_kept { int folder; char file[24], sum[24], fresh[40], draft[40]; } os_kept;

/* `folder` as for os_cache_path, with a slash at its end. False, and why: there is no folder that is ours alone. The
 * caller closes k->folder. */
bool os_kept_find(os_kept *k, const char *folder, uint64_t hash, const char *ending, const char *draft, char *reason,
                  size_t size);
int  os_kept_open(const os_kept *k);   /* the file, which is as its sum says; -1 */
bool os_kept_write(const os_kept *k, const char *name, const void *content, size_t bytes);
int  os_kept_store(const os_kept *k);  /* keeps what is `fresh`: its descriptor, to read; -1: it is not kept */
void os_kept_clean(const os_kept *k);  /* leaves neither fresh nor draft */

/* The library that a descriptor reads, whatever its name leads to by now; NULL. Keep the descriptor open as long as it
 * is loaded: the system may know the library by its number. */
void *os_load_library(int fd);

#endif
