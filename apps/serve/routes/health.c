/* Is it there, and does it take requests? */
#include "service.h"

static const char well[] = "{\"status\":\"ok\",\"version\":\"" TIDE_VERSION "\"}";

void route_healthz(void *user, http_request *r) {
    (void)user;
    http_reply_constant(r, 200, "application/json", well, sizeof well - 1);
}

void route_readyz(void *user, http_request *r) {
    serve *s = user;
    if (atomic_load(&s->stopping)) reply_say(r, 503, "stopping", "The service is stopping.");
    else http_reply_constant(r, 200, "application/json", well, sizeof well - 1);
}
