/* Which route a path is. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "inside.h"

/* Does the path follow the pattern? Parts in braces are copied into `parameter`. */
static bool follows(const char *pattern, const char *path, char *parameter[HTTP_PARAMETERS]) {
    int count = 0;
    while (*pattern) {
        if (*pattern != '{') {
            if (*pattern++ != *path++) return false;
            continue;
        }
        bool   rest   = strcmp(pattern, "{path}") == 0;
        size_t length = rest ? strlen(path) : strcspn(path, "/");
        if (length == 0 || count == HTTP_PARAMETERS) return false;
        free(parameter[count]);
        if (!(parameter[count++] = strndup(path, length))) return false;
        path += length;
        pattern += strcspn(pattern, "}") + 1;
    }
    return *path == 0;
}

/* GET answers HEAD too: libmicrohttpd leaves the body out. */
static bool takes(const http_route *route, const char *method) {
    return strcmp(route->method, method) == 0 || (strcmp(method, "HEAD") == 0 && strcmp(route->method, "GET") == 0);
}

static void allow(char *allowed, size_t size, const char *method) {
    size_t used = strlen(allowed);
    snprintf(allowed + used, size - used, "%s%s%s", used ? ", " : "", method,
             strcmp(method, "GET") == 0 ? ", HEAD" : "");
}

const http_route *match_route(http_request *r, const http_route *routes, char *allowed, size_t size) {
    *allowed = 0;
    for (const http_route *route = routes; route->method; route++) {
        if (!follows(route->path, r->path, r->parameter)) continue;
        if (takes(route, r->method)) return route;
        allow(allowed, size, route->method);
    }
    return NULL;
}
