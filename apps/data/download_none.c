/* Built where libcurl's headers are absent. */
#include "base/base.h"
#include "download.h"

tide_status download(const char *url, bool http_allowed, FILE *out, data_progress progress, void *user,
                     tide_failure *failure) {
    (void)http_allowed;
    (void)out;
    (void)progress;
    (void)user;
    return fail(failure, TIDE_EDEVICE, "this build has no libcurl: fetch %s yourself and give it with `data`", url);
}
