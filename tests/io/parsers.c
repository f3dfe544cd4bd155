/* Each reader as a function of bytes, for tests that damage them and for fuzzing. */
#include "parsers.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>

static void must(bool holds, const char *what) {
    if (holds) return;
    fprintf(stderr, "a reader broke its promise: %s\n", what);
    abort();
}

/* ---- what must hold ------------------------------------------------------------------------------------ */

static void check_tensor(const tide_tensor *t) {
    int64_t count = tide_shape_count(t->shape);
    must(t->name && t->data && count >= 0 && t->shape.ndim >= 0 && t->shape.ndim <= TIDE_MAX_DIMS, "a tensor is whole");
    volatile unsigned char sum = 0;  /* every byte can be read */
    for (size_t i = 0; i < (size_t)count * tide_dtype_size(t->type); i++)
        sum = (unsigned char)(sum + ((unsigned char *)t->data)[i]);
}

static tide_status check_archive(tide_status status, tide_archive *a) {
    must(!status || (a->count == 0 && !a->tensors && a->metadata_count == 0), "a refused file leaves nothing");
    for (int64_t i = 0; i < a->count; i++) {
        check_tensor(&a->tensors[i]);
        if (a->count < 100) must(tide_archive_find(a, a->tensors[i].name) == &a->tensors[i], "names differ");
    }
    tide_archive_free(a);
    return status;
}

static tide_status read_npy(const char *path, tide_failure *f) {
    tide_tensor t;
    tide_status status = tide_npy_read(path, &t, f);
    if (!status) check_tensor(&t);
    free(t.name);
    free(t.data);
    return status;
}

static tide_status read_npz(const char *path, tide_failure *f) {
    tide_archive a;
    return check_archive(tide_npz_read(path, &a, f), &a);
}

static tide_status read_safetensors(const char *path, tide_failure *f) {
    tide_archive a;
    return check_archive(tide_safetensors_read(path, &a, f), &a);
}

static tide_status read_pth(const char *path, tide_failure *f) {
    tide_archive a;
    return check_archive(tide_pth_read(path, &a, f), &a);
}

/* The file is the pickle of a checkpoint whose archive is sound: checksums would hide the pickle from a fuzzer. */
static tide_status read_pickle(const char *path, tide_failure *f) {
    static unsigned char storage[64];
    bytes code = file_read(path);
    zip_part parts[] = { { "a/data.pkl", code }, { "a/data/0", { storage, 24 } }, { "a/data/1", { storage, 8 } } };
    bytes file = zip_stored(parts, 3);
    const char *whole = temporary("pickle.pth");
    file_write(whole, file);
    bytes_clear(&file);
    bytes_clear(&code);
    return read_pth(whole, f);
}

static tide_status read_csv(const char *path, tide_failure *f) {
    tide_table t;
    tide_status status = tide_csv_read(path, NULL, &t, f);
    must(!status || (!t.cells && !t.header && !t.line && !t.memory && t.rows == 0), "a refused table leaves nothing");
    for (int64_t i = 0; i < t.columns && !status; i++) must(strlen(t.header[i]) <= INT32_MAX, "a name ends");
    for (int64_t i = 0; i < t.rows * t.columns; i++) must(strlen(t.cells[i]) <= INT32_MAX, "a cell ends");
    for (int64_t i = 0; i < t.rows; i++) must(t.line[i] > (i ? t.line[i - 1] : 0), "lines grow");
    tide_table_free(&t);
    return status;
}

/* ---- seeds --------------------------------------------------------------------------------------------- */

static const float six[6] = { 1, -2, 3.5f, 0, 1e-20f, 1e20f };

static bytes seed_npy(int i) {
    switch (i) {
    case 0: return npy_file(1, "{'descr': '<f4', 'fortran_order': False, 'shape': (2, 3), }\n", six, 24);
    case 1: return npy_file(2, "{'descr': '>f4', 'fortran_order': True, 'shape': (3, 2), }  \n", six, 24);
    case 2: return npy_file(3, "{\"shape\": (), 'fortran_order': False, 'descr': '<u8'}", six + 2, 8);
    case 3: return npy_file(1, "{'descr': '|b1', 'fortran_order': False, 'shape': (0, 5L)}", NULL, 0);
    default: return (bytes){ 0 };
    }
}

static bytes seed_npz(int i) {
    if (i > 1) return (bytes){ 0 };
    tide_archive a = { 0 };
    const char *path = temporary("seed.npz");
    float many[300] = { 0 };
    bool made = !tide_archive_add(&a, "x", TIDE_F32, TIDE_SHAPE(2, 3), six) &&
                !tide_archive_add(&a, "folder/y", TIDE_F32, TIDE_SHAPE(300), many) &&
                !tide_npz_write(path, &a, i == 1, NULL);
    tide_archive_free(&a);
    must(made, "a seed is written");
    return file_read(path);
}

static bytes seed_safetensors(int i) {
    switch (i) {
    case 0:
        return safetensors_file(
            "{\"__metadata__\":{\"k\":\"v\"},\"a\":{\"dtype\":\"F32\",\"shape\":[2,2],\"data_offsets\":[0,16]},"
            "\"b\":{\"dtype\":\"U16\",\"shape\":[4],\"data_offsets\":[16,24]}}   ",
            six, 24);
    case 1: return safetensors_file("{}", NULL, 0);
    case 2: return safetensors_file("{\"e\":{\"dtype\":\"BOOL\",\"shape\":[0,7],\"data_offsets\":[0,0]}}", NULL, 0);
    default: return (bytes){ 0 };
    }
}

static bytes seed_pth(int i) { return i == 0 ? pth_file() : (bytes){ 0 }; }

static bytes seed_pickle(int i) {
    bytes code = { 0 };
    if (i > 0) return code;
    pickle_begin(&code);
    pickle_add(&code, &(pickle_view){ "w", "FloatStorage", "0", 6, 0, 2, { 3, 2 }, { 1, 3 } });
    pickle_add(&code, &(pickle_view){ "view", "FloatStorage", "0", 6, 2, 1, { 2 }, { 2 } });
    pickle_add(&code, &(pickle_view){ "n", "ShortStorage", "1", 4, 0, 3, { 1, 4, 1 }, { 4, 1, 1 } });
    pickle_end(&code);
    return code;
}

static bytes packed(const char *text) {
    unsigned char out[256];
    bytes b = { 0 };
    z_stream z = { 0 };
    must(deflateInit2(&z, 9, Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY) == Z_OK, "zlib starts");
    z.next_in = (unsigned char *)(uintptr_t)text;
    z.avail_in = (unsigned)strlen(text);
    z.next_out = out;
    z.avail_out = sizeof out;
    must(deflate(&z, Z_FINISH) == Z_STREAM_END, "a seed is packed");
    bytes_add(&b, out, (int64_t)(sizeof out - z.avail_out));
    deflateEnd(&z);
    return b;
}

static bytes seed_csv(int i) {
    static const char *const texts[] = {
        "date,a,b\n2016-07-01 00:00:00,1.5,-2\n2016-07-01 01:00:00,,3e5\n",
        "\xef\xbb\xbfx;\"y;z\"\r\n\r\n1,5;\"two\r\nlines\"\r\n2,5;\"a \"\" quote\"\r\n",
        "temp \xb0\t|\r1\t2\r",
    };
    bytes b = { 0 };
    if (i == 3) return packed(texts[0]);
    if (i < 3) bytes_text(&b, texts[i]);
    return b;
}

/* ---- the table ----------------------------------------------------------------------------------------- */

const parser parsers[] = {
    { "npy", true, read_npy, seed_npy },
    { "npz", true, read_npz, seed_npz },
    { "safetensors", true, read_safetensors, seed_safetensors },
    { "pth", true, read_pth, seed_pth },
    { "pickle", true, read_pickle, seed_pickle },
    { "csv", false, read_csv, seed_csv },
};
const int parser_count = sizeof parsers / sizeof *parsers;

tide_status parser_try(const parser *p, bytes input) {
    const char *path = temporary("input");
    tide_failure f = { 0 };
    file_write(path, input);
    tide_status status = p->read(path, &f);
    if (status != f.status)
        fprintf(stderr, "%s: returned %s, failure %s: %s\n", p->name, tide_status_name(status),
                tide_status_name(f.status),
                f.message);
    must(status == f.status, "the failure holds the status");
    must(!status || (f.message[0] && f.file[0]), "a refusal says what and where");
    for (const char *c = f.message; *c; c++) must((unsigned char)*c >= 32, "a message is one line");
    return status;
}
