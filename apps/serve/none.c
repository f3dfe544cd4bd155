/* A build without the libraries of the service. */
#include <tidemill/serve.h>

#include "base/base.h"
#include "serve/serve_lacks.h"  /* made by Meson: which they are */

tide_status serve_open(const serve_options *options, serve_listener listener, void *user, serve **out,
                       tide_failure *failure) {
    (void)options, (void)listener, (void)user;
    failure_clear(failure);
    if (out) *out = NULL;
    return fail(failure, TIDE_EDEVICE, "this build has no service: it was made without %s", SERVE_LACKS);
}

int serve_port(const serve *s) {
    (void)s;
    return 0;
}
void  serve_stop(serve *s, double patience_s) { (void)s, (void)patience_s; }
void  serve_close(serve *s) { (void)s; }
char *serve_openapi(void) { return NULL; }
