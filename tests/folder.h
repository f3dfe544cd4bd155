/* A test's folder of its own: make_folder and remove_folder are cmocka's set-up and tear-down, of a test or a group. */
#ifndef TEST_FOLDER_H
#define TEST_FOLDER_H

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static char folder[64];

static inline int make_folder(void **state) {
    strcpy(folder, "/tmp/tidemill-test-XXXXXX");
    *state = folder;
    return mkdtemp(folder) ? 0 : -1;
}

/* With all that is in it. */
static inline int remove_folder(void **state) {
    char command[96];
    (void)state;
    snprintf(command, sizeof command, "rm -rf '%s'", folder);
    return system(command);
}

#endif
