/* The readers of untrusted files in one table, each with small sound files to start from. */
#ifndef TEST_IO_PARSERS_H
#define TEST_IO_PARSERS_H

#include "support.h"

typedef struct parser {
    const char *name;
    bool exact;                          /* every shortened file must be refused */
    /* Reads the file, checks what must hold whatever it contains (ends the program if it does not), frees. */
    tide_status (*read)(const char *path, tide_failure *f);
    bytes (*seed)(int i);                /* data NULL after the last */
} parser;

extern const parser parsers[];
extern const int parser_count;

/* Runs `read` on these bytes and checks that a refusal says why. */
tide_status parser_try(const parser *p, bytes input);

#endif
