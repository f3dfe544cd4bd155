#include "target.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

void fuzz_require(bool holds, const char *what, const tide_failure *why) {
    if (holds) return;
    fprintf(stderr, "broken: %s (%s: %s)\n", what, tide_status_name(why->status), why->message);
    abort();
}

void fuzz_refusal(tide_status status, const tide_failure *why) {
    if (status == TIDE_OK) return;
    fuzz_require(*why->message, "a refusal that says nothing", why);
    fuzz_require(status == why->status, "a refusal of another status than its message", why);
    fuzz_require(status == TIDE_EDATA || status == TIDE_EINVAL || status == TIDE_ENOMEM,
                 "a refusal that blames neither the file nor the memory", why);
}

static char folder[64];

static void remove_folder(void) {
    char command[128];
    snprintf(command, sizeof command, "rm -rf '%s'", folder);
    if (system(command) != 0) fprintf(stderr, "%s stays\n", folder);
}

const char *fuzz_folder(void) {
    if (*folder) return folder;
    strcpy(folder, access("/dev/shm", W_OK) == 0 ? "/dev/shm/tidemill-fuzz-XXXXXX" : "/tmp/tidemill-fuzz-XXXXXX");
    if (!mkdtemp(folder)) abort();
    atexit(remove_folder);
    return folder;
}

const char *fuzz_path(const char *name) {
    static char paths[4][160];
    static int  next;
    char       *path = paths[next++ % 4];
    snprintf(path, sizeof paths[0], "%s/%s", fuzz_folder(), name);
    return path;
}

char *fuzz_text(const uint8_t **data, size_t *size) {
    const uint8_t *end    = *size ? memchr(*data, 0, *size) : NULL;
    size_t         length = end ? (size_t)(end - *data) : *size;
    char          *text   = malloc(length + 1);
    if (!text) abort();
    if (length) memcpy(text, *data, length);
    text[length] = 0;
    *data += end ? length + 1 : length;
    *size -= end ? length + 1 : length;
    return text;
}

enum { RECORD = 12 };

static void leave_out(tide_archive *a, int64_t at) {
    free(a->tensors[at].name);
    free(a->tensors[at].data);
    memmove(a->tensors + at, a->tensors + at + 1, (size_t)(a->count - at - 1) * sizeof *a->tensors);
    a->count--;
}

static void overwrite(tide_tensor *t, int64_t element, const uint8_t *value) {
    size_t size = tide_dtype_size(t->type);
    memcpy((char *)t->data + (size_t)(element % tide_shape_count(t->shape)) * size, value, size < 8 ? size : 8);
}

void fuzz_patch(tide_archive *a, const uint8_t *data, size_t size) {
    for (; size >= RECORD && a->count; data += RECORD, size -= RECORD) {
        int64_t      at = data[0] % a->count;
        tide_tensor *t  = &a->tensors[at];
        if (tide_shape_count(t->shape) == 0) continue;
        if (data[1] % 8 == 0) leave_out(a, at);
        else if (data[1] % 8 == 1) t->shape = TIDE_SHAPE(1, tide_shape_count(t->shape)); /* the same bytes */
        else overwrite(t, data[2] + 256 * data[3], data + 4);
    }
}
