/* The devices of this build, by name. */
#include "backend.h"

static const tide_backend *const backends[] = { &tide_backend_ref, &tide_backend_check, &tide_backend_cpu };
enum { BACKENDS = sizeof backends / sizeof *backends };

const tide_backend *backend_find(const char *device) {
    for (int i = 0; i < BACKENDS; i++)
        if (!strcmp(backends[i]->name, device)) return backends[i];
    return NULL;
}

const char *const *tide_devices(void) {
    static const char *const names[] = { "ref", "check", "cpu", NULL };
    return names;
}

const tide_product_library *tide_products(const char *device) {
    static const tide_product_library none;
    const tide_backend *b = device ? backend_find(device) : NULL;
    return b && b->products ? b->products() : &none;
}
