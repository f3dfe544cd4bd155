/* Names by which the service is asked. */
#include <arpa/inet.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "inside.h"

/* 127.0.0.0/8 as an address in full: "127.example.org" is a name that its owner lets point anywhere. */
bool access_is_loopback(const char *host) {
    unsigned char four[sizeof(struct in_addr)];
    if (inet_pton(AF_INET, host, four) == 1) return four[0] == 127;
    return strcasecmp(host, "localhost") == 0 || strcmp(host, "::1") == 0;
}

/* Nothing, or a port: ":8321". */
static bool ends_host(const char *rest) {
    return !*rest || (*rest == ':' && !rest[1 + strspn(rest + 1, "0123456789")]);
}

/* The name in "name:port" or "[address]:port". */
static bool name_of(const char *host, char *out, size_t size) {
    bool        bracket = *host == '[';
    const char *begin = host + bracket;
    size_t      length = strcspn(begin, bracket ? "]" : ":");
    if (length == 0 || length >= size || (bracket && begin[length] != ']')) return false;
    if (!ends_host(begin + length + bracket)) return false;
    memcpy(out, begin, length);
    out[length] = 0;
    return true;
}

static bool listed(const char *list, const char *name) {
    size_t length = strlen(name);
    while (*list) {
        size_t n = strcspn(list, ",");
        if (n == length && strncasecmp(list, name, n) == 0) return true;
        list += n + (list[n] == ',');
    }
    return false;
}

bool access_host_fits(const access_rules *a, const char *host) {
    char name[256];
    if (!host || !name_of(host, name, sizeof name)) return false;
    return !a->loopback || access_is_loopback(name) || listed(a->allowed, name);
}

bool access_origin_fits(const access_rules *a, const char *origin, const char *host) {
    (void)a;
    if (!origin) return true;
    const char *rest = strstr(origin, "://");
    return rest && host && strcasecmp(rest + 3, host) == 0;
}
