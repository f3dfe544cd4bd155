/* Writing PyTorch checkpoints: the pickle of a state dictionary, protocol 2, and beside it one storage a tensor, stored
 * as they are. Opcodes are those of Python's pickletools; only what torch.load(weights_only=True) takes is used. */
#include <stdio.h>
#include <stdlib.h>

#include "../base/base.h"
#include "archive.h"
#include "replace.h"
#include "source.h"
#include "stored_type.h"
#include "zip_out.h"

enum { MEMBER_NAME = 64, ROOM_OF_TENSOR = 512, ROOM_OF_REST = 128, LONGEST_NAME = 1000 };

typedef struct writer {
    const tide_archive *archive;
    char               *code;    /* the pickle */
    size_t              length;
} writer;

/* ---- the pickle ---------------------------------------------------------------------------------------- */

static void put(writer *w, const void *bytes, size_t size) {
    memcpy(w->code + w->length, bytes, size);
    w->length += size;
}

static void put_code(writer *w, const char *opcodes) { put(w, opcodes, strlen(opcodes)); }

static void put_text(writer *w, const char *text) {
    uint32_t length = (uint32_t)strlen(text);
    put_code(w, "X");
    put(w, &length, sizeof length);
    put(w, text, length);
}

static void put_number(writer *w, int64_t value) {
    put_code(w, "\x8a\x08"); /* LONG1, of eight bytes */
    put(w, &value, sizeof value);
}

static void put_empty_dict(writer *w) { put_code(w, "ccollections\nOrderedDict\n)R"); }

/* (size, ...), and the strides of a whole array in rows. */
static void put_axes(writer *w, tide_shape shape, bool strides) {
    put_code(w, "(");
    for (int i = 0; i < shape.ndim; i++) {
        int64_t stride = 1;
        for (int k = i + 1; k < shape.ndim; k++) stride *= shape.dim[k];
        put_number(w, strides ? stride : shape.dim[i]);
    }
    put_code(w, "t");
}

/* _rebuild_tensor_v2(("storage", type, key, device, elements), offset, sizes, strides, gradient, hooks) */
static void put_tensor(writer *w, int64_t index) {
    const tide_tensor *t = &w->archive->tensors[index];
    char               key[24];
    snprintf(key, sizeof key, "%d", (int)index);
    put_text(w, t->name);
    put_code(w, "ctorch._utils\n_rebuild_tensor_v2\n((");
    put_text(w, "storage");
    put_code(w, "ctorch\n"), put_code(w, stored_exact(t->type)->torch), put_code(w, "\n");
    put_text(w, key);
    put_text(w, "cpu");
    put_number(w, tide_shape_count(t->shape));
    put_code(w, "tQ");
    put_number(w, 0);
    put_axes(w, t->shape, false);
    put_axes(w, t->shape, true);
    put_code(w, "\x89");
    put_empty_dict(w);
    put_code(w, "tR");
}

static void put_pickle(writer *w) {
    put_code(w, "\x80\x02");
    put_empty_dict(w);
    put_code(w, "(");
    for (int64_t i = 0; i < w->archive->count; i++) put_tensor(w, i);
    put_code(w, "u.");
}

/* ---- the archive --------------------------------------------------------------------------------------- */

static bool add_text(zip_t *zip, const char *name, const char *content) {
    zip_buffer_fragment_t part = { (zip_uint8_t *)(uintptr_t)content, strlen(content) };
    return zip_out_add(zip, name, &part, 1, false);
}

static bool add_members(void *user, zip_t *zip) {
    const writer         *w    = user;
    zip_buffer_fragment_t code = { (zip_uint8_t *)w->code, w->length };
    bool added = zip_out_add(zip, "archive/data.pkl", &code, 1, false) && add_text(zip, "archive/byteorder", "little");
    for (int64_t i = 0; i < w->archive->count && added; i++) {
        const tide_tensor    *t = &w->archive->tensors[i];
        char                  name[MEMBER_NAME];
        zip_buffer_fragment_t part = { t->data, (zip_uint64_t)tide_shape_count(t->shape) * tide_dtype_size(t->type) };
        snprintf(name, sizeof name, "archive/data/%d", (int)i);
        added = zip_out_add(zip, name, &part, part.length > 0, false);
    }
    return added && add_text(zip, "archive/version", "3\n");
}

static tide_status write_zip(void *user, const char *temporary, const char *path, tide_failure *f) {
    return zip_out_write(add_members, user, temporary, path, f);
}

static tide_status check_writable(const tide_archive *a, const char *path, tide_failure *f) {
    tide_status status;
    const char *twice = archive_duplicate(a, &status);
    if (status) return memory_fail(f, path, a->count);
    if (twice) return fail_at(f, TIDE_EINVAL, path, 0, NULL, "tensor '%.80s' would be in this file twice", twice);
    for (int64_t i = 0; i < a->count; i++)
        if (strlen(a->tensors[i].name) > LONGEST_NAME)
            return fail_at(f, TIDE_EINVAL, path, 0, NULL,
                           "the tensor name '%.40s...' is too long; %d bytes are accepted", a->tensors[i].name,
                           (int)LONGEST_NAME);
    return TIDE_OK;
}

tide_status tide_pth_write(const char *path, const tide_archive *a, tide_failure *failure) {
    failure_clear(failure);
    tide_status status = archive_checked(a, path, failure);
    if (!status) status = check_writable(a, path, failure);
    if (status) return status;
    int64_t room = ROOM_OF_REST;
    for (int64_t i = 0; i < a->count; i++) room += ROOM_OF_TENSOR + (int64_t)strlen(a->tensors[i].name);
    writer w = { .archive = a, .code = bytes_new(room) };
    if (!w.code) return memory_fail(failure, path, room);
    put_pickle(&w);
    status = replace_path(path, write_zip, &w, failure);
    free(w.code);
    return status;
}
