/* How a request is put. Where two programs could disagree on where it ends, or whom it is for, it is refused: that is
 * what requests hidden in requests are made of (RFC 9112, sections 3.2 and 6.3). */
#include <ctype.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "inside.h"

/* Headers of which the first may mean something to us and the last to a proxy. */
enum { HOST, LENGTH, ENCODING, ORIGIN, TOKEN, TYPE, CODING, SINGLE };
static const struct { const char *name, *several; } single[SINGLE] = {
    [HOST]     = { "Host", "The request has several Host headers." },
    [LENGTH]   = { "Content-Length", "The request has several Content-Length headers." },
    [ENCODING] = { "Transfer-Encoding", "The request has several Transfer-Encoding headers." },
    [ORIGIN]   = { "Origin", "The request has several Origin headers." },
    [TOKEN]    = { "Authorization", "The request has several Authorization headers." },
    [TYPE]     = { "Content-Type", "The request has several Content-Type headers." },
    [CODING]   = { "Content-Encoding", "The request has several Content-Encoding headers." },
};

typedef struct counts { int of[SINGLE]; const char *value[SINGLE]; bool no_name; size_t bytes; } counts;

/* RFC 9110, section 5.6.2. A space before the colon is where readers differ. */
static bool is_token(const char *name) {
    static const char more[] = "!#$%&'*+-.^_`|~";
    const char *c = name;
    while (isalnum((unsigned char)*c) || (*c && strchr(more, *c))) c++;
    return c > name && !*c;
}

static enum MHD_Result count(void *user, enum MHD_ValueKind kind, const char *name, const char *value) {
    counts *c = user;
    (void)kind;
    c->no_name = c->no_name || !is_token(name);
    c->bytes += strlen(name) + (value ? strlen(value) : 0);
    for (int i = 0; i < SINGLE; i++)
        if (strcasecmp(name, single[i].name) == 0) c->of[i]++, c->value[i] = value ? value : "";
    return MHD_YES;
}

static const char *several(const counts *n) {
    for (int i = 0; i < SINGLE; i++)
        if (n->of[i] > 1) return single[i].several;
    return NULL;
}

typedef struct names { const char *seen[HTTP_QUERIES]; int count; bool twice, many; } names;

static enum MHD_Result name_once(void *user, enum MHD_ValueKind kind, const char *name, const char *value) {
    names *n = user;
    (void)kind, (void)value;
    for (int i = 0; i < n->count; i++) n->twice = n->twice || strcmp(n->seen[i], name) == 0;
    n->many = n->many || n->count == HTTP_QUERIES;
    if (!n->many) n->seen[n->count++] = name;
    return n->twice || n->many ? MHD_NO : MHD_YES;
}

static const char *query_fault(struct MHD_Connection *c) {
    names n = { 0 };
    MHD_get_connection_values(c, MHD_GET_ARGUMENT_KIND, name_once, &n);
    if (n.many) return "The query has too many parameters.";
    return n.twice ? "The query has a parameter twice." : NULL;
}

const char *framing_fault(struct MHD_Connection *c, const char *version, int *status) {
    counts n = { 0 };
    MHD_get_connection_values(c, MHD_HEADER_KIND, count, &n);
    *status = 400;
    if (n.no_name) return "The request has a header whose name is none.";
    if (several(&n)) return several(&n);
    if (n.of[LENGTH] && n.of[ENCODING]) return "The request has both Content-Length and Transfer-Encoding.";
    if (!n.of[HOST]) return "The request has no Host header.";
    if (n.of[ENCODING] && strcmp(version, "HTTP/1.1") != 0) return "Only HTTP/1.1 has Transfer-Encoding.";
    if (query_fault(c)) return query_fault(c);
    *status = 431;
    if (n.bytes > HTTP_HEADERS) return "The headers have more than 32 KiB together.";
    *status = 415;
    if (n.of[CODING] && strcasecmp(n.value[CODING], "identity") != 0)
        return "Bodies are read as they are: no Content-Encoding.";
    *status = 501;
    return n.of[ENCODING] && strcasecmp(n.value[ENCODING], "chunked") != 0
               ? "Of transfer encodings only chunked is read." : NULL;
}

bool framing_length(struct MHD_Connection *c, uint64_t *length) {
    const char *text = MHD_lookup_connection_value(c, MHD_HEADER_KIND, "Content-Length");
    if (!text) return false;
    *length = strtoull(text, NULL, 10);
    return true;
}
