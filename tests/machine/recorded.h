/* A probe that answers from recorded text. */
#ifndef MACHINE_RECORDED_H
#define MACHINE_RECORDED_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "machine/machine.h"

typedef struct recorded { const char *question, *answer; } recorded;  /* lists end with a NULL question */

enum { LISTS = 3 };
typedef struct recording { const recorded *lists[LISTS]; } recording;  /* the first that knows answers */

static inline char *recorded_answer(void *user, const char *question) {
    const recording *r = user;
    for (int i = 0; i < LISTS; i++)
        for (const recorded *one = r->lists[i]; one && one->question; one++)
            if (strcmp(one->question, question) == 0) return one->answer ? strdup(one->answer) : NULL;
    return NULL;
}

static inline machine detect_recorded(const recorded *first, const recorded *second, const recorded *third) {
    machine       m;
    recording     r = { { first, second, third } };
    machine_probe p = { recorded_answer, &r };
    machine_detect(&p, &m);
    return m;
}

typedef struct named { const char *name; } named;  /* of a test without a table */

/* Both name the case `c` that they stand in. */
#define EXPECT_TEXT(what, got, expected) \
    do { \
        if (strcmp(got, expected) != 0) fail_msg("%s: %s: got \"%s\", expected \"%s\"", c->name, what, got, expected); \
    } while (0)
#define EXPECT_INT(what, got, expected)                                                                                \
    do {                                                                                                               \
        if ((long long)(got) != (long long)(expected))                                                                 \
            fail_msg("%s: %s: got %lld, expected %lld", c->name, what, (long long)(got), (long long)(expected));       \
    } while (0)

#endif
