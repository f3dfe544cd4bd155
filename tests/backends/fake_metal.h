/* What a test tells the make-believe Metal (fake_metal.c) and learns of it: the library's `fake`. */
#ifndef TEST_FAKE_METAL_H
#define TEST_FAKE_METAL_H

#include <stdbool.h>
#include <stdint.h>

typedef struct fake_metal {
    /* The machine. */
    int      devices;
    bool     unlisted;          /* the one device is the default, and in no list */
    bool     old;               /* a system before macOS 15 */
    uint64_t threads;           /* of a group */
    uint64_t pipeline_threads;  /* of a pipeline's group; 0: what its text says */
    uint64_t local_bytes, most_bytes, most_block_bytes;
    /* What fails, once and `more` times, after so many others: our name of a message, a function's, or "run", a command
     * buffer; NULL: nothing, or it has. */
    const char *fail;
    int      after, more;
    /* What was. */
    int64_t  launches, copies, command_buffers;
    uint64_t language;          /* of the last compile options, */
    int64_t  math, functions;   /* -1 for what was not set */
    bool     fast;
    char     label[300];        /* of the last command buffer */
    int64_t (*live)(void);      /* objects that somebody still holds, besides devices that nobody holds */
    bool    (*possible)(void);  /* whether texts can be compiled here */
} fake_metal;

#endif
