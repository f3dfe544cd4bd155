/* Files made to be read: archives, arrays and tables, sound and damaged. */
#include "support.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <zlib.h>

/* ---- bytes --------------------------------------------------------------------------------------------- */

void bytes_add(bytes *b, const void *data, int64_t length) {
    b->data = realloc(b->data, (size_t)(b->length + length + 1));
    if (!b->data) abort();
    if (length) memcpy(b->data + b->length, data, (size_t)length);
    b->length += length;
}

void bytes_text(bytes *b, const char *text) { bytes_add(b, text, (int64_t)strlen(text)); }

void bytes_byte(bytes *b, int byte) {
    unsigned char one = (unsigned char)byte;
    bytes_add(b, &one, 1);
}

void bytes_number(bytes *b, uint64_t value, int size) {
    for (int i = 0; i < size; i++) bytes_byte(b, i < 8 ? (int)(value >> (8 * i) & 255) : 0);
}

void bytes_clear(bytes *b) {
    free(b->data);
    *b = (bytes){ 0 };
}

/* ---- files --------------------------------------------------------------------------------------------- */

static const char *folder(void) {
    const char *tmp = getenv("TMPDIR");
    if (tmp && *tmp) return tmp;
    return access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "/tmp";  /* in memory: fuzzing writes many files */
}

static void prefix(char out[64]) { snprintf(out, 64, "tide-test-%ld-", (long)getpid()); }

const char *temporary(const char *ending) {
    enum { NAMES = 16 };
    static char names[NAMES][512];
    static int next;
    char *name = names[next++ % NAMES], start[64];
    prefix(start);
    snprintf(name, sizeof names[0], "%s/%s%s", folder(), start, ending);
    return name;
}

void file_write(const char *path, bytes b) {
    FILE *file = fopen(path, "wb");
    if (!file || fwrite(b.data ? b.data : (unsigned char *)"", 1, (size_t)b.length, file) != (size_t)b.length) abort();
    fclose(file);
}

bytes file_read(const char *path) {
    bytes b = { 0 };
    char chunk[65536];
    FILE *file = fopen(path, "rb");
    if (!file) return b;
    for (size_t got; (got = fread(chunk, 1, sizeof chunk, file)) > 0;) bytes_add(&b, chunk, (int64_t)got);
    fclose(file);
    return b;
}

static int for_own_files(bool remove) {
    char start[64], path[1024];
    int count = 0;
    DIR *dir = opendir(folder());
    prefix(start);
    for (struct dirent *e; dir && (e = readdir(dir));) {
        if (strncmp(e->d_name, start, strlen(start)) != 0) continue;
        snprintf(path, sizeof path, "%s/%s", folder(), e->d_name);
        if (remove) unlink(path);
        count++;
    }
    if (dir) closedir(dir);
    return count;
}

int  files_left(void) { return for_own_files(false); }
void files_remove(void) { for_own_files(true); }

/* ---- formats ------------------------------------------------------------------------------------------- */

/* The fields that a local and a central header share, from "version needed" to "extra length". */
static void zip_fields(bytes *b, const zip_part *p) {
    uint64_t length = (uint64_t)p->content.length;
    uint64_t sum = length ? crc32(0, p->content.data, (unsigned)length) : 0;
    uint64_t numbers[] = { 20, 0, 0, 0, 33, sum, length, length, strlen(p->name), 0 };
    int sizes[] = { 2, 2, 2, 2, 2, 4, 4, 4, 2, 2 };
    for (int i = 0; i < 10; i++) bytes_number(b, numbers[i], sizes[i]);
}

bytes zip_stored(const zip_part *parts, int count) {
    bytes file = { 0 }, central = { 0 };
    for (int i = 0; i < count; i++) {
        uint64_t at = (uint64_t)file.length;
        bytes_text(&file, "PK\3\4");
        zip_fields(&file, &parts[i]);
        bytes_text(&file, parts[i].name);
        bytes_add(&file, parts[i].content.data, parts[i].content.length);
        bytes_text(&central, "PK\1\2");
        bytes_number(&central, 20, 2);
        zip_fields(&central, &parts[i]);
        bytes_number(&central, 0, 10);
        bytes_number(&central, at, 4);
        bytes_text(&central, parts[i].name);
    }
    uint64_t at = (uint64_t)file.length;
    bytes_add(&file, central.data, central.length);
    bytes_text(&file, "PK\5\6");
    bytes_number(&file, 0, 4);
    bytes_number(&file, (uint64_t)count, 2);
    bytes_number(&file, (uint64_t)count, 2);
    bytes_number(&file, (uint64_t)central.length, 4);
    bytes_number(&file, at, 4);
    bytes_number(&file, 0, 2);
    bytes_clear(&central);
    return file;
}

bytes npy_file(int major, const char *header, const void *data, int64_t length) {
    bytes b = { 0 };
    bytes_text(&b, "\x93NUMPY");
    bytes_byte(&b, major);
    bytes_byte(&b, 0);
    bytes_number(&b, strlen(header), major == 1 ? 2 : 4);
    bytes_text(&b, header);
    bytes_add(&b, data, length);
    return b;
}

bytes safetensors_file(const char *header, const void *data, int64_t length) {
    bytes b = { 0 };
    bytes_number(&b, strlen(header), 8);
    bytes_text(&b, header);
    bytes_add(&b, data, length);
    return b;
}

static void pickle_text(bytes *b, const char *text) {
    bytes_byte(b, 'X');
    bytes_number(b, strlen(text), 4);
    bytes_text(b, text);
}

static void pickle_number(bytes *b, int64_t value) {
    bytes_byte(b, 'J');
    bytes_number(b, (uint64_t)value, 4);
}

static void pickle_sizes(bytes *b, const int64_t *sizes, int count) {
    bytes_byte(b, '(');
    for (int i = 0; i < count; i++) pickle_number(b, sizes[i]);
    bytes_byte(b, 't');
}

void pickle_begin(bytes *b) {
    bytes_text(b, "\x80\x02" "ccollections\nOrderedDict\nq");
    bytes_number(b, 0, 1);
    bytes_text(b, ")Rq\x01(");
}

void pickle_add(bytes *b, const pickle_view *v) {
    pickle_text(b, v->name);
    bytes_text(b, "ctorch._utils\n_rebuild_tensor_v2\n((");
    pickle_text(b, "storage");
    bytes_text(b, "ctorch\n");
    bytes_text(b, v->storage_type);
    bytes_text(b, "\n");
    pickle_text(b, v->key);
    pickle_text(b, "cpu");
    pickle_number(b, v->elements);
    bytes_text(b, "tQ");
    pickle_number(b, v->offset);
    pickle_sizes(b, v->size, v->axes);
    pickle_sizes(b, v->stride, v->axes);
    bytes_text(b, "\x89h");
    bytes_number(b, 0, 1);
    bytes_text(b, ")RtR");
}

/* Ends the items and sets the attribute _metadata, as PyTorch does. */
void pickle_end(bytes *b) {
    bytes_text(b, "u}");
    pickle_text(b, "_metadata");
    bytes_text(b, "}sb.");
}

bytes pth_file(void) {
    static const float w[6] = { 0, 1, 2, 10, 11, 12 };
    static const int64_t n = -5;
    bytes code = { 0 }, file;
    pickle_begin(&code);
    pickle_add(&code, &(pickle_view){ "w", "FloatStorage", "0", 6, 0, 2, { 3, 2 }, { 1, 3 } });
    pickle_add(&code, &(pickle_view){ "n", "LongStorage", "1", 1, 0, 0, { 0 }, { 0 } });
    pickle_end(&code);
    zip_part parts[] = { { "archive/data.pkl", code },
                         { "archive/byteorder", { (unsigned char *)(uintptr_t) "little", 6 } },
                         { "archive/data/0", { (unsigned char *)(uintptr_t)w, sizeof w } },
                         { "archive/data/1", { (unsigned char *)(uintptr_t)&n, sizeof n } } };
    file = zip_stored(parts, 4);
    bytes_clear(&code);
    return file;
}
