/* How a request is put. Where two programs could disagree on where it ends, or whom it is for, it is refused: that is
 * what requests hidden in requests are made of (RFC 9112, sections 3.2 and 6.3). */
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "inside.h"

typedef struct counts { int lengths, encodings, hosts; bool chunked; } counts;

static enum MHD_Result count(void *user, enum MHD_ValueKind kind, const char *name, const char *value) {
    counts *c = user;
    (void)kind;
    if (strcasecmp(name, "Content-Length") == 0) c->lengths++;
    if (strcasecmp(name, "Host") == 0) c->hosts++;
    if (strcasecmp(name, "Transfer-Encoding") == 0) {
        c->encodings++;
        c->chunked = value && strcasecmp(value, "chunked") == 0;
    }
    return MHD_YES;
}

const char *framing_fault(struct MHD_Connection *c, const char *version, int *status) {
    counts n = { 0 };
    MHD_get_connection_values(c, MHD_HEADER_KIND, count, &n);
    *status = 400;
    if (n.lengths > 1) return "The request has several Content-Length headers.";
    if (n.encodings > 1) return "The request has several Transfer-Encoding headers.";
    if (n.lengths && n.encodings) return "The request has both Content-Length and Transfer-Encoding.";
    if (n.hosts != 1) return n.hosts ? "The request has several Host headers." : "The request has no Host header.";
    if (n.encodings && strcmp(version, "HTTP/1.1") != 0) return "Only HTTP/1.1 has Transfer-Encoding.";
    *status = 501;
    return n.encodings && !n.chunked ? "Of transfer encodings only chunked is read." : NULL;
}

bool framing_length(struct MHD_Connection *c, uint64_t *length) {
    const char *text = MHD_lookup_connection_value(c, MHD_HEADER_KIND, "Content-Length");
    if (!text) return false;
    *length = strtoull(text, NULL, 10);
    return true;
}
