/* Devices by name. */
#include "backend.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>

#include "../base/os/os.h"
#include "../base/words.h"

enum { MOST_BACKENDS = 15 };

static tide_status unknown(const char *device, tide_failure *why) {
    text all = { 0 };
    char word[32];
    snprintf(word, sizeof word, "%.*s", (int)strcspn(device, ":"), device);
    nearest near = { .word = word };
    for (const tide_backend *const *b = backend_all; *b; b++) {
        text_add(&all, "%s%s", all.length ? ", " : "", (*b)->name);
        nearest_try(&near, (*b)->name);
    }
    if (near.found) text_add(&all, "; did you mean '%s'?", near.found);
    /* chosen above the engine, by timing */
    const char *chosen = strcmp(device, "auto") ? "" : ": it is for training and for what answers by a trained run";
    tide_status status = fail(why, TIDE_EDEVICE, "unknown device '%s'%s; available: %s", device, chosen,
                              all.failed ? "" : all.data);
    text_free(&all);
    return status;
}

/* What stands behind the colon: a plain number. */
static bool read_index(const char *digits, int32_t *index) {
    size_t length = strspn(digits, "0123456789");
    if (length < 1 || length > 4 || digits[length]) return false;
    *index = atoi(digits);
    return true;
}

static const tide_backend *named(const char *name, size_t length) {
    for (const tide_backend *const *b = backend_all; *b; b++)
        if (strlen((*b)->name) == length && !memcmp((*b)->name, name, length)) return *b;
    return NULL;
}

/* "cuda:0,1", "cuda:0-3" */
static bool several(const char *device) {
    const char *index = strchr(device, ':'), *dash = index ? strchr(index, '-') : NULL;
    return strchr(device, ',') || (dash && dash > index + 1);
}

const tide_backend *backend_find(const char *device, int32_t *index, tide_failure *why) {
    size_t length = strcspn(device, ":");
    const tide_backend *b = named(device, length);
    *index = 0;
    if (several(device)) {
        fail(why, TIDE_EDEVICE, "'%s' names several devices: only training takes more than one", device);
        return NULL;
    }
    if (!b) return unknown(device, why), NULL;
    if (!device[length]) return b;
    if (b->memory && read_index(device + length + 1, index)) return b;
    if (b->memory)
        fail(why, TIDE_EDEVICE, "unknown device '%s': behind '%s:' stands a number from 0 to 9999", device, b->name);
    else fail(why, TIDE_EDEVICE, "unknown device '%s': there is one '%s' alone, without a number", device, b->name);
    return NULL;
}

/* ---- for the public ---- */

static const char *names[MOST_BACKENDS + 1];

static void fill_names(void) {
    for (int i = 0; backend_all[i] && i < MOST_BACKENDS; i++) names[i] = backend_all[i]->name;
}

const char *const *tide_devices(void) {
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    pthread_once(&once, fill_names);
    return names;
}

/* A device's memory does not change, and opening it may take a driver some tenths of a second: what was told once of
 * one that has memory of its own is kept. */
enum { MOST_KEPT = 16 };
static pthread_mutex_t kept_lock = PTHREAD_MUTEX_INITIALIZER;
static tide_device kept[MOST_KEPT];
static int kept_count;

static bool find_kept(const char *name, tide_device *out) {
    bool found = false;
    pthread_mutex_lock(&kept_lock);
    for (int i = 0; i < kept_count && !found; i++)
        if ((found = strcmp(kept[i].name, name) == 0)) *out = kept[i];
    pthread_mutex_unlock(&kept_lock);
    return found;
}

static void keep(const tide_device *d) {
    pthread_mutex_lock(&kept_lock);
    if (kept_count < MOST_KEPT) kept[kept_count++] = *d;
    pthread_mutex_unlock(&kept_lock);
}

/* Opens it, where it has memory of its own. */
static tide_status look(const char *device, tide_device *out, tide_failure *why) {
    int32_t index;
    void *opened = NULL;
    tide_allocator system = mem_system();
    const tide_backend *b = backend_find(device, &index, why);
    if (!b) return why->status;
    if (!b->memory) {
        char model[sizeof out->hardware] = "";
        os_model(model, sizeof model);
        snprintf(out->hardware, sizeof out->hardware, "%s", model + strspn(model, " "));
        out->memory_bytes = os_memory_bytes();
        return TIDE_OK;
    }
    if (b->memory->open(index, &system, &opened, why) != TIDE_OK) return why->status;
    out->own_memory = true;
    if (b->describe) b->describe(opened, out);
    b->memory->close(opened);
    return TIDE_OK;
}

static tide_status named_failure(tide_failure *failure, const tide_failure *why) {
    return why->status ? fail_at(failure, why->status, NULL, 0, "device", "%s", why->message) : TIDE_OK;
}

tide_status tide_device_info(const char *device, tide_device *out, tide_failure *failure) {
    tide_failure why = { 0 };
    tide_device none, *d = out ? out : &none;
    failure_clear(failure);
    if (!device) device = "cpu";
    if (find_kept(device, d)) return TIDE_OK;
    *d = (tide_device){ 0 };
    snprintf(d->name, sizeof d->name, "%s", device);
    if (look(device, d, &why) == TIDE_OK && d->own_memory) keep(d);
    return named_failure(failure, &why);
}

tide_status tide_device_check(const char *device, tide_failure *failure) {
    tide_failure why = { 0 };
    tide_device none = { 0 };
    failure_clear(failure);
    look(device ? device : "cpu", &none, &why);
    return named_failure(failure, &why);
}

const tide_product_library *tide_products(const char *device) {
    static const tide_product_library none;
    int32_t index;
    const tide_backend *b = device ? backend_find(device, &index, NULL) : NULL;
    return b && b->products ? b->products() : &none;
}
