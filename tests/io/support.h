/* Shared by the tests of src/io and the fuzzers: bytes, temporary files, and small files of each format made by
 * hand. */
#ifndef TEST_IO_SUPPORT_H
#define TEST_IO_SUPPORT_H

#include <tidemill/io.h>

typedef struct bytes {
    unsigned char *data;
    int64_t length;
} bytes;

/* These end the program when memory is short: tests have nothing better to do. */
void  bytes_add(bytes *b, const void *data, int64_t length);
void  bytes_text(bytes *b, const char *text);
void  bytes_byte(bytes *b, int byte);
void  bytes_number(bytes *b, uint64_t value, int size);  /* little-endian; zeros past 8 bytes */
void  bytes_clear(bytes *b);

/* A file name of this process in the folder for temporary files; `ending` tells several apart. Static memory per
 * ending. */
const char *temporary(const char *ending);
void  file_write(const char *path, bytes b);
bytes file_read(const char *path);
/* Files of the folder of temporary() names that begin with this process's prefix: what was left behind. */
int   files_left(void);
void  files_remove(void);

/* A ZIP archive with stored members. */
typedef struct zip_part {
    const char *name;
    bytes content;
} zip_part;
bytes zip_stored(const zip_part *parts, int count);

/* An .npy file: version major, header text as given (padded here), data. */
bytes npy_file(int major, const char *header, const void *data, int64_t length);

/* 8-byte length, header, data. */
bytes safetensors_file(const char *header, const void *data, int64_t length);

/* A pickle as torch.save writes it. Tensors are added between begin and end. */
typedef struct pickle_view {
    const char *name, *storage_type, *key;
    int64_t elements, offset;
    int axes;
    int64_t size[4], stride[4];
} pickle_view;
void pickle_begin(bytes *b);
void pickle_add(bytes *b, const pickle_view *v);
void pickle_end(bytes *b);

/* A whole checkpoint: "w" (3, 2) of floats stored transposed in data/0, and "n" () of int64 in data/1. */
bytes pth_file(void);

#endif
