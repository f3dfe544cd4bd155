/* The web page: files that were gzipped and put into the program when it was built. It is open to all, as it holds
 * nothing: it asks for a token itself, and sends that with what it asks. */
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <zlib.h>

#include "base/base.h"
#include "service.h"

#define POLICY "default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"

/* Addresses in the page are relative: it must be asked for as the folder that the root path is. */
void route_root(void *user, http_request *r) {
    const serve *s = user;
    char         where[sizeof s->options.root_path + 1];
    snprintf(where, sizeof where, "%s/", s->options.root_path);
    http_answer_header(r, "Location", where);
    http_reply(r, 308, NULL, NULL, 0);
}

/* Said of the page and of what is there in its place. Older browsers know X-Frame-Options alone. */
static void answer_guards(http_request *r, const char *policy) {
    http_answer_header(r, "Content-Security-Policy", policy);
    http_answer_header(r, "Referrer-Policy", "no-referrer");
    http_answer_header(r, "X-Frame-Options", "DENY");
}

#ifdef TIDE_HAVE_PAGE
#include "page_files.inc"

#define PAGE_POLICY POLICY "; script-src 'self'; style-src 'self'; img-src 'self' data: blob:; connect-src 'self'"

static const page_file *page_find(const char *path) {
    for (int i = 0; i < PAGE_FILES; i++)
        if (strcmp(page_files[i].path, path) == 0) return &page_files[i];
    return NULL;
}

/* The next part of a list between commas, without spaces around it; NULL: there is none. */
static const char *next_part(const char **list, int *length) {
    const char *from = *list + strspn(*list, ", \t");
    size_t      n    = strcspn(from, ",");
    *list = from + n;
    while (n && (from[n - 1] == ' ' || from[n - 1] == '\t')) n--;
    *length = (int)MIN2(n, (size_t)INT_MAX);
    return n ? from : NULL;
}

/* How much a coding is wanted, 0 to 1; -1: the list does not name it. (RFC 9110, 12.5.3) */
static double wanted(const char *list, const char *coding) {
    const char *part;
    int         length;
    while (list && (part = next_part(&list, &length))) {
        size_t name = strcspn(part, "; \t,");
        if (name != strlen(coding) || strncasecmp(part, coding, name) != 0) continue;
        const char *q = memmem(part, (size_t)length, "q=", 2);
        return q ? strtod(q + 2, NULL) : 1;
    }
    return -1;
}

static bool takes_gzip(const char *list) {
    double named = wanted(list, "gzip");
    return named >= 0 ? named > 0 : wanted(list, "*") > 0;
}

/* If-None-Match compares weakly: W/ counts for nothing. (RFC 9110, 13.1.2) */
static bool has_tag(const char *list, const char *tag) {
    const char *part;
    int         length;
    while (list && (part = next_part(&list, &length))) {
        if (length == 1 && *part == '*') return true;
        if (strncmp(part, "W/", 2) == 0) part += 2, length -= 2;
        if (length == (int)strlen(tag) && strncmp(part, tag, (size_t)length) == 0) return true;
    }
    return false;
}

/* malloc'ed; NULL: out of memory. */
static char *unpacked(const page_file *f) {
    enum { GZIP_WINDOW = 16 + MAX_WBITS };
    char    *out = malloc(f->bytes);
    z_stream z   = { .next_in = (Bytef *)(uintptr_t)f->gzip, .avail_in = (uInt)f->gzip_bytes, .next_out = (Bytef *)out,
                     .avail_out = (uInt)f->bytes };
    if (!out || inflateInit2(&z, GZIP_WINDOW) != Z_OK) return free(out), NULL;
    bool whole = inflate(&z, Z_FINISH) == Z_STREAM_END && z.total_out == f->bytes;
    inflateEnd(&z);
    if (!whole) free(out), out = NULL;
    return out;
}

/* Each form of a file has a tag of its own, as caches between hold both. What cannot be sent is not to be kept either:
 * headers come last. */
static void reply_file(http_request *r, const page_file *f) {
    bool packed = takes_gzip(http_header(r, "Accept-Encoding"));
    char tag[48];
    snprintf(tag, sizeof tag, "\"%.32s%s\"", f->sha256, packed ? "-gzip" : "");
    bool  same  = has_tag(http_header(r, "If-None-Match"), tag);
    char *plain = same || packed ? NULL : unpacked(f);
    if (!same && !packed && !plain) {
        reply_say(r, 503, "memory", "There is no memory at the moment.");
        return;
    }
    answer_guards(r, PAGE_POLICY);
    http_answer_header(r, "ETag", tag);
    http_answer_header(r, "Vary", "Accept-Encoding");
    http_answer_header(r, "Cache-Control", f->hashed ? "public, max-age=31536000, immutable" : "no-cache");
    if (packed && !same) http_answer_header(r, "Content-Encoding", "gzip");
    if (same) http_reply(r, 304, NULL, NULL, 0);
    else if (packed) http_reply_constant(r, 200, f->type, f->gzip, f->gzip_bytes);
    else http_reply(r, 200, f->type, plain, f->bytes);
}

void route_page(void *user, http_request *r) {
    (void)user;
    reply_file(r, page_find("index.html"));
}

void route_page_asset(void *user, http_request *r) {
    const page_file *f = page_find(http_path(r) + 1);
    (void)user;
    if (f) reply_file(r, f);
    else reply_say(r, 404, "not_found", "The page has no such file.");
}

#else

void route_page(void *user, http_request *r) {
    static const char lacks[] =
        "<!doctype html><html lang=\"en\"><meta charset=\"utf-8\"><title>tidemill serve</title>"
        "<meta name=\"viewport\" content=\"width=device-width\"><h1>tidemill serve</h1>"
        "<p>This program was built without its web page. To have it, run <code>tools/page.sh</code> in the sources (it "
        "needs Node.js 18 or later) and build again; or run <code>./demo serve</code>, which does both.</p>"
        "<p>The service answers all the same: its interface is described under <a href=\"docs\">docs</a>.</p></html>\n";
    (void)user;
    answer_guards(r, POLICY);
    http_reply_constant(r, 501, "text/html; charset=utf-8", lacks, sizeof lacks - 1);
}

void route_page_asset(void *user, http_request *r) {
    (void)user;
    reply_say(r, 404, "not_found", "This program was built without its web page.");
}

#endif
