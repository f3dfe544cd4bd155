/* Example series: public ones, fetched once and kept, and one that is made here, without a network. */
#ifndef DATA_H
#define DATA_H

#include <tidemill/core.h>

#define DATA_PATH_SIZE 1024

/* A public series that `data get` knows. */
typedef struct data_source {
    const char *name;      /* "etth1" */
    const char *file;      /* "ETTh1.csv": under the base address, and in the cache */
    const char *sha256;    /* of the whole file; anything else is refused */
    int64_t     bytes;
    const char *about;     /* one line: what it holds, size, licence */
} data_source;

/* All of them. */
const data_source *data_sources(int64_t *count);
const data_source *data_find(const char *name);  /* capitals do not matter; NULL */

/* Called now and then while bytes arrive; non-zero stops (TIDE_ECANCELLED). total is -1 while unknown. */
typedef int (*data_progress)(void *user, int64_t bytes, int64_t total);

/* The local path of a source: from the cache ($XDG_CACHE_HOME/tidemill, else ~/.cache/tidemill) if it is there and
 * whole, else fetched through HTTPS, checked and kept. TIDEMILL_DATA_URL replaces the base address, http allowed.
 *   path      DATA_PATH_SIZE bytes
 *   progress  may be NULL
 * Fails with TIDE_EIO (network, disk), TIDE_EDATA (not the file that was expected), TIDE_EDEVICE (no libcurl here);
 * nothing is left in the cache then. */
tide_status data_get(const data_source *source, data_progress progress, void *user, char *path, tide_failure *failure);

/* Writes `rows` hours of the sea level of five ports (cm), with wind and air pressure, as CSV: harmonic constituents
 * with amplitudes and phases per port, plus autoregressive weather that pushes the water. The same seed gives the same
 * bytes everywhere. Fails with TIDE_EINVAL for rows < 1 and, unless `overwrite`, for a file that is there; TIDE_EIO. */
tide_status data_make_tide(const char *path, int64_t rows, uint64_t seed, bool overwrite, tide_failure *failure);

#endif
