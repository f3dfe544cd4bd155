/* A shard mapped into memory: its header is held to the file's size and to its own check sum before a column is
 * touched; shard_check reads the columns' sums. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zlib.h>

#include "base/base.h"
#include "bounded.h"
#include "shard.h"

enum { SHARD_ROWS_MOST = 40 * 40 * 40 * 40 * 40 };  /* the circuits of the largest grid, --points 40 */

static tide_status refuse(const shard *s, tide_failure *f, const char *what) {
    return fail_at(f, TIDE_EDATA, s->path, 0, NULL,
                   "%s: %s; remove this file and run 'eis generate' again to make it anew", s->path, what);
}

static tide_status map_file(shard *s, tide_failure *f) {
    struct stat info;
    int fd = open(s->path, O_RDONLY | O_CLOEXEC | O_NONBLOCK), err = fd < 0 || fstat(fd, &info) != 0 ? errno : 0;
    bool small = !err && (!S_ISREG(info.st_mode) || info.st_size < SHARD_PREFIX);
    if (!err && !small) {
        s->map = mmap(NULL, (size_t)info.st_size, PROT_READ, MAP_SHARED, fd, 0);
        err    = s->map == MAP_FAILED ? errno : 0;
        if (err) s->map = NULL;
        else s->bytes = (size_t)info.st_size;
    }
    if (fd >= 0) close(fd);
    if (err) return fail_at(f, TIDE_EIO, s->path, 0, NULL, "%s: cannot read this file: %s", s->path, strerror(err));
    return small ? refuse(s, f, "this is not a whole shard: it is shorter than a header") : TIDE_OK;
}

static tide_status read_header(shard *s, uint32_t *length, tide_failure *f) {
    const uint32_t *start = s->map;
    const char     *text  = (const char *)s->map + SHARD_PREFIX;
    if (memcmp(start, SHARD_MAGIC, 8) != 0)
        return refuse(s, f, "this is not a shard: it does not begin with " SHARD_MAGIC);
    if (start[2] != SHARD_VERSION)
        return fail_at(f, TIDE_EDATA, s->path, 0, NULL,
                       "%s has version %u of the format; this program reads version %d", s->path, start[2],
                       SHARD_VERSION);
    *length = start[3];
    if (*length > s->bytes - SHARD_PREFIX) return refuse(s, f, "the header is cut short");
    if (crc32_z(0, (const Bytef *)text, *length) != start[4]) return refuse(s, f, "the header is corrupted (checksum)");
    s->header = json_loadb(text, *length, 0, NULL);
    return json_is_object(s->header) ? TIDE_OK : refuse(s, f, "the header is not a JSON object");
}

static tide_status read_truths(shard *s, tide_failure *f) {
    const json_t *list = json_object_get(s->header, "ground_truths");
    size_t        count = json_array_size(list);
    tide_status   status = TIDE_OK;
    if (count > TRUTHS_MOST) return refuse(s, f, "there are more ground truths than a data set has");
    s->truths  = (int64_t)count;
    s->truth   = calloc(count + 1, sizeof *s->truth);
    s->resnorm = calloc(count + 1, sizeof *s->resnorm);
    if (!s->truth || !s->resnorm) return fail(f, TIDE_ENOMEM, "out of memory for %s", s->path);
    for (int64_t i = 0; i < s->truths && status == TIDE_OK; i++)
        status = truth_from_json(s->path, json_array_get(list, (size_t)i), i + 1, &s->truth[i], f);
    return status;
}

/* Where a column is follows from those before it: what the header says must agree. */
static tide_status place_columns(shard *s, uint32_t length, tide_failure *f) {
    const json_t *list = json_object_get(s->header, "columns");
    const char   *type = json_string_value(json_object_get(json_object_get(s->header, "options"), "dtype"));
    int64_t begin = round_up(SHARD_PREFIX + (int64_t)length, SHARD_ALIGN), at = begin, end = begin,
            size = (int64_t)s->bytes;
    s->rows   = json_integer_value(json_object_get(s->header, "rows"));
    s->single = type && !strcmp(type, "f32");
    if (!type || (!s->single && strcmp(type, "f64")) || s->rows < 1 || s->rows > SHARD_ROWS_MOST ||
        (int64_t)json_array_size(list) != EIS_COUNT + s->truths)
        return refuse(s, f, "the header lacks rows, columns, ground truths or dtype f32 or f64");
    for (int64_t c = 0; c < EIS_COUNT + s->truths; c++) {
        int64_t width = c < EIS_COUNT ? 1 : s->single ? 4 : 8;
        if (json_integer_value(json_object_get(json_array_get(list, (size_t)c), "offset")) != at - begin)
            return refuse(s, f, "the columns overlap or leave holes");
        if (at > size || s->rows > (size - at) / width) return refuse(s, f, "the file is truncated");
        const char *data = (const char *)s->map + at;
        if (c < EIS_COUNT) s->index[c] = (const uint8_t *)data;
        else s->resnorm[c - EIS_COUNT] = data;
        end = at + s->rows * width;
        at  = round_up(end, SHARD_ALIGN);
    }
    return end == size ? TIDE_OK : refuse(s, f, "there are bytes after the last column");
}

tide_status shard_open(const char *path, shard *s, tide_failure *f) {
    uint32_t length = 0;
    *s = (shard){ 0 };
    if (snprintf(s->path, sizeof s->path, "%s", path) >= (int)sizeof s->path)
        return fail_at(f, TIDE_EINVAL, NULL, 0, "data-dir", "the path of a shard is longer than %zu bytes: %s",
                       sizeof s->path - 1, path);
    tide_status status = map_file(s, f);
    if (status == TIDE_OK) status = read_header(s, &length, f);
    if (status == TIDE_OK) status = read_truths(s, f);
    if (status == TIDE_OK) status = place_columns(s, length, f);
    if (status != TIDE_OK) shard_close(s);
    return status;
}

tide_status shard_check(const shard *s, tide_failure *f) {
    const json_t *list = json_object_get(s->header, "columns");
    for (int64_t c = 0; c < EIS_COUNT + s->truths; c++) {
        const json_t *column = json_array_get(list, (size_t)c);
        const char *sum = json_string_value(json_object_get(column, "crc32")),
                   *name = json_string_value(json_object_get(column, "name"));
        const void   *data = c < EIS_COUNT ? (const void *)s->index[c] : s->resnorm[c - EIS_COUNT];
        size_t        bytes = (size_t)s->rows * (c < EIS_COUNT ? 1u : s->single ? 4u : 8u);
        char          got[SHARD_CRC_DIGITS + 1], what[128];
        snprintf(got, sizeof got, "%08x", (unsigned)crc32_z(0, data, bytes));
        snprintf(what, sizeof what, "column \"%s\" is corrupted (checksum)", name ? name : "");
        if (!sum || strcmp(sum, got) != 0) return refuse(s, f, what);
    }
    return TIDE_OK;
}

void shard_close(shard *s) {
    if (s->map) munmap(s->map, s->bytes);
    json_decref(s->header);
    free(s->truth);
    free(s->resnorm);
    s->map     = NULL;
    s->header  = NULL;
    s->truth   = NULL;
    s->resnorm = NULL;
}
