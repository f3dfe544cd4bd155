/* Text from a file, a .gz or standard input: unpacked with a limit, checked for what is no text at all, repaired
 * where bytes are not UTF-8. */
#include "text_in.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zlib.h>

#include "../base/base.h"
#include "source.h"
#include "utf8.h"

/* What unpacks to more than this is refused: a packed megabyte can claim to be a gigabyte. */
#define TEXT_LIMIT ((int64_t)1 << 31)

/* ---- bytes --------------------------------------------------------------------------------------------- */

static tide_status open_text(const char *path, gzFile *out, tide_failure *f) {
    struct stat info;
    if (!path) return argument_fail(f, path, "path");
    bool standard = strcmp(path, "-") == 0;
    if (!standard && stat(path, &info) != 0) return system_fail(f, path, "open", errno);
    if (!standard && S_ISDIR(info.st_mode)) return system_fail(f, path, "open", EISDIR);
    int fd = standard ? dup(STDIN_FILENO) : -1;
    if (standard && fd < 0) return system_fail(f, path, "open", errno);
    errno = 0;
    *out = standard ? gzdopen(fd, "rb") : gzopen(path, "rb");
    if (*out) {
        gzbuffer(*out, 1 << 17);
        return TIDE_OK;
    }
    int err = errno ? errno : ENOMEM;
    if (fd >= 0) close(fd);
    return system_fail(f, path, "open", err);
}

static tide_status unpack_fail(gzFile file, const char *path, tide_failure *f) {
    int code, err = errno;
    gzerror(file, &code);
    if (code == Z_ERRNO) return system_fail(f, path, "read", err);
    if (code == Z_MEM_ERROR) return memory_fail(f, path, TEXT_LIMIT);
    return fail_at(f, TIDE_EDATA, path, 0, NULL, "this gzip file is damaged or cut short");
}

static tide_status read_all(gzFile file, const char *path, text_in *out, tide_failure *f) {
    int64_t capacity = 0;
    for (;;) {
        if (capacity - out->length < 2) {
            int64_t wanted = capacity ? capacity * 2 : 1 << 16;
            char *grown = realloc(out->data, (size_t)wanted);
            if (!grown) return memory_fail(f, path, wanted);
            out->data = grown;
            capacity = wanted;
        }
        int64_t room = MIN2(capacity - out->length - 1, (int64_t)1 << 30);
        int got = gzread(file, out->data + out->length, (unsigned)room);
        if (got < 0) return unpack_fail(file, path, f);
        if (got == 0) break;
        out->length += got;
        if (out->length > TEXT_LIMIT)
            return fail_at(f, TIDE_EDATA, path, 0, NULL, "this text is longer than 2 GiB; shorter ones are accepted");
        tide_status status = size_checked(path, 2 * out->length, f); /* as text and as a table */
        if (status) return status;
    }
    out->data[out->length] = 0;
    return TIDE_OK;
}

static tide_status read_file(const char *path, text_in *out, tide_failure *f) {
    gzFile file = NULL;
    tide_status status = open_text(path, &file, f);
    if (status) return status;
    status = read_all(file, path, out, f);
    /* A cut gzip file shows when it is closed. */
    if (gzclose_r(file) != Z_OK && !status)
        status = fail_at(f, TIDE_EDATA, path, 0, NULL, "this gzip file is damaged or cut short");
    return status;
}

/* ---- UTF-8 --------------------------------------------------------------------------------------------- */

static int64_t count_bad_bytes(const text_in *t) {
    int64_t bad = 0;
    for (int64_t i = 0; i < t->length;) {
        i += utf8_ascii_run(t->data + i, t->length - i);
        if (i == t->length) break;
        int n = utf8_sequence((const unsigned char *)t->data + i);
        bad += n == 0;
        i += n ? n : 1;
    }
    return bad;
}

/* Each stray byte becomes the Latin-1 character it most likely was, two bytes long. */
static tide_status repair(text_in *t, const char *path, tide_failure *f) {
    int64_t bad = count_bad_bytes(t);
    if (bad == 0) return TIDE_OK;
    unsigned char *fixed = bytes_new(t->length + bad + 1), *out = fixed;
    if (!fixed) return memory_fail(f, path, t->length + bad + 1);
    for (int64_t i = 0; i < t->length;) {
        const unsigned char *p = (const unsigned char *)t->data + i;
        int n = utf8_sequence(p);
        if (n == 0) {
            *out++ = (unsigned char)(0xc0 | *p >> 6);
            *out++ = (unsigned char)(0x80 | (*p & 0x3f));
        }
        for (int k = 0; k < n; k++) *out++ = p[k];
        i += n ? n : 1;
    }
    *out = 0;
    free(t->data);
    *t = (text_in){ (char *)fixed, out - fixed, true };
    return TIDE_OK;
}

/* Files that hold tables but are no text, by their first bytes. */
static const struct { const char *bytes, *what, *remedy; } binaries[] = {
    { "PK\3\4", "a zip archive or an Excel workbook (.xlsx)", "unpack it, or save the sheet as CSV" },
    { "\xd0\xcf\x11\xe0", "an old Excel workbook (.xls)", "save the sheet as CSV" },
    { "PAR1", "a Parquet file", "write it as CSV (pandas: read_parquet, then to_csv with index=False)" },
    { "ARROW1", "a Feather or Arrow file", "write it as CSV (pandas: read_feather, then to_csv with index=False)" },
    { "\x89HDF", "an HDF5 or NetCDF file", "write the series as CSV" },
    { "CDF", "a NetCDF file", "write the series as CSV" },
    { "\x93NUMPY", "a numpy array (.npy)", "write it as CSV (numpy.savetxt with delimiter and header)" },
    { "SQLite format 3", "an SQLite database", "export the table as CSV" },
    { "BZh", "packed with bzip2", "unpack it, or pack it with gzip" },
    { "\xfd" "7zXZ", "packed with xz", "unpack it, or pack it with gzip" },
    { "\x28\xb5\x2f\xfd", "packed with zstd", "unpack it, or pack it with gzip" },
    { "%PDF", "a PDF document", "save the table as CSV" },
};

/* The short magics could begin a text too: then a byte that no text holds must follow soon. */
static bool is_binary(const text_in *t, const char *bytes) {
    int64_t length = (int64_t)strlen(bytes);
    if (t->length <= length || memcmp(t->data, bytes, (size_t)length) != 0) return false;
    for (int64_t i = 0; i < MIN2(t->length, 512); i++)
        if ((unsigned char)t->data[i] < 9) return true;
    return *bytes == '%';
}

static tide_status check_binary(const text_in *t, const char *path, tide_failure *f) {
    for (size_t i = 0; i < sizeof binaries / sizeof *binaries; i++)
        if (is_binary(t, binaries[i].bytes))
            return fail_at(f, TIDE_EDATA, path, 0, NULL, "this is no text but %s: %s", binaries[i].what,
                           binaries[i].remedy);
    return TIDE_OK;
}

static tide_status check_text(text_in *t, const char *path, tide_failure *f) {
    if (t->length >= 2 && (memcmp(t->data, "\xff\xfe", 2) == 0 || memcmp(t->data, "\xfe\xff", 2) == 0))
        return fail_at(f, TIDE_EDATA, path, 1, NULL, "this text is UTF-16; save it as UTF-8");
    if (t->length >= 3 && memcmp(t->data, "\xef\xbb\xbf", 3) == 0) {
        t->length -= 3;
        memmove(t->data, t->data + 3, (size_t)t->length + 1);
    }
    const char *zero = memchr(t->data, 0, (size_t)t->length);
    if (!zero) return TIDE_OK;
    int64_t line = 1;
    for (const char *p = t->data; p < zero; p++) line += *p == '\n';
    return fail_at(f, TIDE_EDATA, path, line, NULL, "this is not a text: it holds a zero byte");
}

static tide_status keep_text(text_in *t, const char *path, tide_status status, tide_failure *f) {
    if (!status) status = check_text(t, path, f);
    if (!status) status = repair(t, path, f);
    if (status) {
        free(t->data);
        *t = (text_in){ 0 };
    }
    return status;
}

tide_status text_in_read(const char *path, text_in *out, tide_failure *f) {
    *out = (text_in){ 0 };
    tide_status status = read_file(path, out, f);
    if (!status) status = check_binary(out, path, f);
    return keep_text(out, path, status, f);
}

tide_status text_in_take(const char *path, void *bytes, int64_t length, text_in *out, tide_failure *f) {
    *out = (text_in){ .data = bytes, .length = length };
    return keep_text(out, path, TIDE_OK, f);
}

tide_status tide_file_read(const char *path, void **bytes, size_t *size, tide_failure *failure) {
    text_in whole = { 0 };
    failure_clear(failure);
    if (bytes) *bytes = NULL;
    if (size) *size = 0;
    if (!bytes || !size) return argument_fail(failure, path, bytes ? "place for the size" : "place for the bytes");
    tide_status status = read_file(path, &whole, failure);
    if (!status) status = check_binary(&whole, path, failure);
    if (status) free(whole.data);
    else *bytes = whole.data, *size = (size_t)whole.length;
    return status;
}
