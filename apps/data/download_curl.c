/* A download through libcurl, which is opened when the first one is asked for. Only https, unless http is allowed. */
#include <curl/curl.h>
#include <dlfcn.h>

#include "base/base.h"
#include "download.h"

/* No file of ours is larger; a server that sends more is not the one we want. */
enum { LARGEST_BYTES = 256 << 20, CONNECT_S = 20, STALL_S = 30, REDIRECTS = 5 };

typedef struct curl_calls {
    CURLcode    (*global_init)(long flags);
    CURL       *(*easy_init)(void);
    CURLcode    (*easy_setopt)(CURL *, CURLoption, ...);
    CURLcode    (*easy_perform)(CURL *);
    void        (*easy_cleanup)(CURL *);
    const char *(*easy_strerror)(CURLcode);
    CURLcode    (*easy_getinfo)(CURL *, CURLINFO, ...);
} curl_calls;

typedef struct watch {
    data_progress progress;
    void         *user;
} watch;

static bool find(void *library, const char *name, void *function) {
    void *symbol = dlsym(library, name);
    memcpy(function, &symbol, sizeof symbol);
    return symbol != NULL;
}

static bool open_curl(curl_calls *c) {
    static const char *const names[] = { "libcurl.so.4", "libcurl-gnutls.so.4", "libcurl.4.dylib" };
    void *library = NULL;
    for (size_t i = 0; i < sizeof names / sizeof *names && !library; i++)
        library = dlopen(names[i], RTLD_NOW | RTLD_LOCAL);
    return library && find(library, "curl_global_init", &c->global_init) &&
           find(library, "curl_easy_init", &c->easy_init) && find(library, "curl_easy_setopt", &c->easy_setopt) &&
           find(library, "curl_easy_perform", &c->easy_perform) &&
           find(library, "curl_easy_cleanup", &c->easy_cleanup) &&
           find(library, "curl_easy_strerror", &c->easy_strerror) &&
           find(library, "curl_easy_getinfo", &c->easy_getinfo);
}

static int on_progress(void *user, curl_off_t total, curl_off_t now, curl_off_t up_total, curl_off_t up_now) {
    const watch *w = user;
    (void)up_total;
    (void)up_now;
    return w->progress ? w->progress(w->user, now, total > 0 ? total : -1) : 0;
}

static void set_protocols(const curl_calls *c, CURL *h, bool http_allowed) {
#if LIBCURL_VERSION_NUM >= 0x075500
    c->easy_setopt(h, CURLOPT_PROTOCOLS_STR, http_allowed ? "https,http" : "https");
    c->easy_setopt(h, CURLOPT_REDIR_PROTOCOLS_STR, http_allowed ? "https,http" : "https");
#else
    long protocols = CURLPROTO_HTTPS | (http_allowed ? CURLPROTO_HTTP : 0);
    c->easy_setopt(h, CURLOPT_PROTOCOLS, protocols);
    c->easy_setopt(h, CURLOPT_REDIR_PROTOCOLS, protocols);
#endif
}

static void set_up(const curl_calls *c, CURL *h, const char *url, bool http_allowed, FILE *out, watch *w,
                   char *message) {
    c->easy_setopt(h, CURLOPT_URL, url);
    c->easy_setopt(h, CURLOPT_WRITEDATA, out);
    c->easy_setopt(h, CURLOPT_ERRORBUFFER, message);
    c->easy_setopt(h, CURLOPT_USERAGENT, "tidemill/" TIDE_VERSION);
    c->easy_setopt(h, CURLOPT_FAILONERROR, 1L);
    c->easy_setopt(h, CURLOPT_FOLLOWLOCATION, 1L);
    c->easy_setopt(h, CURLOPT_MAXREDIRS, (long)REDIRECTS);
    set_protocols(c, h, http_allowed);
    c->easy_setopt(h, CURLOPT_NOSIGNAL, 1L);
    c->easy_setopt(h, CURLOPT_CONNECTTIMEOUT, (long)CONNECT_S);
    c->easy_setopt(h, CURLOPT_LOW_SPEED_LIMIT, 64L);
    c->easy_setopt(h, CURLOPT_LOW_SPEED_TIME, (long)STALL_S);
    c->easy_setopt(h, CURLOPT_MAXFILESIZE_LARGE, (curl_off_t)LARGEST_BYTES);
    c->easy_setopt(h, CURLOPT_NOPROGRESS, 0L);
    c->easy_setopt(h, CURLOPT_XFERINFOFUNCTION, on_progress);
    c->easy_setopt(h, CURLOPT_XFERINFODATA, w);
}

static tide_status explain(const curl_calls *c, CURL *h, CURLcode code, const char *url, const char *message,
                           tide_failure *failure) {
    curl_off_t received = 0;
    if (code == CURLE_OK) return TIDE_OK;
    if (code == CURLE_ABORTED_BY_CALLBACK) return fail(failure, TIDE_ECANCELLED, "download stopped");
    c->easy_getinfo(h, CURLINFO_SIZE_DOWNLOAD_T, &received);
    return fail_at(failure, TIDE_EIO, url, 0, NULL, "cannot fetch %s: %s (after %lld bytes)", url,
                   *message ? message : c->easy_strerror(code), (long long)received);
}

tide_status download(const char *url, bool http_allowed, FILE *out, data_progress progress, void *user,
                     tide_failure *failure) {
    curl_calls c;
    char message[CURL_ERROR_SIZE] = "";
    watch w = { progress, user };
    if (!open_curl(&c) || c.global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK)
        return fail(failure, TIDE_EDEVICE,
                    "downloads need libcurl (Debian: apt-get install libcurl4); or fetch %s yourself and "
                    "give it with `data`",
                    url);
    CURL *h = c.easy_init();
    if (!h) return fail(failure, TIDE_ENOMEM, "download: out of memory");
    set_up(&c, h, url, http_allowed, out, &w, message);
    tide_status status = explain(&c, h, c.easy_perform(h), url, message, failure);
    c.easy_cleanup(h);
    return status;
}
