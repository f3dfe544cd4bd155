/* One HTTP(S) transfer. libcurl is opened at the first download, so that no other command loads it. */
#ifndef DATA_DOWNLOAD_H
#define DATA_DOWNLOAD_H

#include <stdio.h>

#include "data.h"

/* The body at `url` into `out`. Plain http only where `http_allowed`. */
tide_status download(const char *url, bool http_allowed, FILE *out, data_progress progress, void *user,
                     tide_failure *failure);

#endif
