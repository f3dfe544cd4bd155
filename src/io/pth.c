/* PyTorch checkpoints: a ZIP archive with a pickled dictionary and raw storages. */
#include <inttypes.h>
#include <stdlib.h>

#include "../base/base.h"
#include "archive.h"
#include "pickle.h"
#include "zip_in.h"

enum { SHARING_LIMIT = 8 };  /* tensors may share storages, but not unfold into more than this many times their bytes */

typedef struct reader {
    zip_in         zip;
    char          *prefix;    /* "archive/" */
    unsigned char *code;      /* the pickle */
    pickle_dict    dict;
    int64_t       *uses;      /* of each member, by tensors not read yet */
    void         **storages;  /* of each member, while it is needed again */
    int64_t       *member;    /* of each tensor */
    tide_failure  *failure;
} reader;

/* ---- the members --------------------------------------------------------------------------------------- */

/* The member, followed by a zero byte. */
static tide_status read_whole(reader *r, int64_t i, const char *part, void **out) {
    source s;
    int64_t bytes = zip_in_size(&r->zip, i);
    char *memory = bytes_new(bytes + 1);
    *out = memory;
    if (!memory) return memory_fail(r->failure, r->zip.path, bytes);
    memory[bytes] = 0;
    tide_status status = member_open(&r->zip, i, part, &s, r->failure);
    if (!status) status = member_close(&s, source_read(&s, *out, bytes, r->failure), r->failure);
    if (!status) return TIDE_OK;
    free(*out);
    *out = NULL;
    return status;
}

static int64_t find_member(const reader *r, const char *folder, pickle_text name) {
    char path[512];
    if (memchr(name.at, 0, (size_t)name.length)) return -1;
    int length = snprintf(path, sizeof path, "%s%s%.*s", r->prefix, folder, name.length, name.at);
    return length < (int)sizeof path ? (int64_t)zip_name_locate(r->zip.zip, path, 0) : -1;
}

static tide_status find_pickle(reader *r, int64_t *found) {
    static const char ending[] = "/data.pkl";
    for (int64_t i = 0; i < r->zip.count; i++) {
        const char *name = zip_in_name(&r->zip, i), *slash = name ? strchr(name, '/') : NULL;
        if (!slash || strcmp(slash, ending) != 0) continue;
        r->prefix = strndup(name, (size_t)(slash - name) + 1);
        *found = i;
        return r->prefix ? TIDE_OK : memory_fail(r->failure, r->zip.path, 1);
    }
    return fail_at(r->failure, TIDE_EDATA, r->zip.path, 0, NULL,
                   "this is not a PyTorch checkpoint: it has no member FOLDER/data.pkl");
}

static tide_status check_byte_order(reader *r) {
    void *text;
    int64_t i = find_member(r, "", (pickle_text){ "byteorder", 9 });
    if (i < 0) return TIDE_OK;
    tide_status status = read_whole(r, i, "byteorder", &text);
    if (status) return status;
    bool little = zip_in_size(&r->zip, i) == 6 && memcmp(text, "little", 6) == 0;
    free(text);
    if (little) return TIDE_OK;
    return fail_at(r->failure, TIDE_EDATA, r->zip.path, 0, NULL,
                   "this checkpoint is not little-endian, the only byte order accepted");
}

static tide_status read_dict(reader *r) {
    int64_t i = 0;
    void *code = NULL;
    source s = { .path = r->zip.path, .part = "" };
    tide_status status = find_pickle(r, &i);
    if (!status) status = check_byte_order(r);
    if (!status) status = read_whole(r, i, "data.pkl", &code);
    r->code = code;
    return status ? status : pickle_read(&s, r->code, zip_in_size(&r->zip, i), &r->dict, r->failure);
}

/* ---- checks before any storage is read ----------------------------------------------------------------- */

/* Whether the last element of the view lies inside the storage. A view with no element always fits. */
static bool view_fits(const pickle_tensor *t) {
    int64_t last = t->offset, span;
    if (tide_shape_count(t->shape) == 0) return true;
    for (int i = 0; i < t->shape.ndim; i++)
        if (__builtin_mul_overflow(t->shape.dim[i] - 1, t->stride[i], &span) ||
            __builtin_add_overflow(last, span, &last))
            return false;
    return last < t->storage.count;
}

static tide_status check_tensor(reader *r, const pickle_tensor *t, int64_t member, int64_t *bytes) {
    char text[128];
    int64_t count, size = t->storage.type->size;
    int name = MIN2(t->name.length, 80);
    if (member < 0)
        return fail_at(r->failure, TIDE_EDATA, r->zip.path, 0, NULL,
                       "tensor '%.*s': its storage data/%.*s is not in this file",
                       name, t->name.at, MIN2(t->storage.key.length, 40), t->storage.key.at);
    if (zip_in_size(&r->zip, member) % size != 0 || zip_in_size(&r->zip, member) / size != t->storage.count)
        return fail_at(r->failure, TIDE_EDATA, r->zip.path, 0, NULL,
                       "tensor '%.*s': its storage should hold %" PRId64 " elements of %" PRId64
                       " bytes; it holds %" PRId64 " bytes",
                       name, t->name.at, t->storage.count, size, zip_in_size(&r->zip, member));
    if (!shape_count_checked(t->shape, &count) || count > t->storage.count || !view_fits(t))
        return fail_at(r->failure, TIDE_EDATA, r->zip.path, 0, NULL,
                       "tensor '%.*s': shape %s at element %" PRId64 " does not fit its storage of %" PRId64
                       " elements",
                       name, t->name.at, shape_text(text, t->shape), t->offset, t->storage.count);
    *bytes = count * size;
    return TIDE_OK;
}

static tide_status plan(reader *r) {
    int64_t total = 0, bytes = 0;
    r->uses = calloc((size_t)r->zip.count, sizeof *r->uses);
    r->storages = calloc((size_t)r->zip.count, sizeof *r->storages);
    r->member = calloc((size_t)r->dict.count + 1, sizeof *r->member);
    if (!r->uses || !r->storages || !r->member)
        return memory_fail(r->failure, r->zip.path, r->dict.count * (int64_t)sizeof *r->member);
    for (int64_t i = 0; i < r->dict.count; i++) {
        const pickle_tensor *t = &r->dict.tensors[i];
        r->member[i] = find_member(r, "data/", t->storage.key);
        tide_status status = check_tensor(r, t, r->member[i], &bytes);
        if (status) return status;
        r->uses[r->member[i]]++;
        total += bytes;
        if (total / SHARING_LIMIT > r->zip.bytes)
            return fail_at(r->failure, TIDE_EDATA, r->zip.path, 0, NULL,
                           "the tensors of this file overlap: together they are more than %d times as large as its "
                           "storages",
                           SHARING_LIMIT);
    }
    return TIDE_OK;
}

/* ---- tensors ------------------------------------------------------------------------------------------- */

static bool is_whole(const pickle_tensor *t) {
    int64_t next = 1;
    for (int i = t->shape.ndim - 1; i >= 0; i--) {
        if (t->shape.dim[i] != 1 && t->stride[i] != next) return false;
        next *= t->shape.dim[i];
    }
    return next == t->storage.count && t->offset == 0;
}

/* The tensor's elements as stored, in row-major order; NULL if memory is short. */
static void *take_elements(reader *r, const pickle_tensor *t, int64_t member, int64_t count) {
    void **storage = &r->storages[member], *out = NULL;
    bool last = --r->uses[member] == 0;
    if (last && is_whole(t)) {
        out = *storage;
        *storage = NULL;
        return out;
    }
    int32_t size = t->storage.type->size;
    out = bytes_new(count * size);
    if (out && count) strided_copy(out, (char *)*storage + t->offset * size, size, t->shape, t->stride);
    if (last) {
        free(*storage);
        *storage = NULL;
    }
    return out;
}

static tide_status read_tensor(reader *r, int64_t i, tide_archive *out) {
    const char *why = NULL, *path = r->zip.path;
    const pickle_tensor *p = &r->dict.tensors[i];
    const stored_type *type = p->storage.type;
    tide_status status = TIDE_OK;
    int64_t member = r->member[i], count = tide_shape_count(p->shape);
    tide_tensor t = { strndup(p->name.at, (size_t)p->name.length), type->type, p->shape, NULL };
    if (t.name && !r->storages[member]) status = read_whole(r, member, t.name, &r->storages[member]);
    if (t.name && !status) t.data = take_elements(r, p, member, count);
    if (t.data) t.data = stored_widen(type, t.data, count, &status, &why);
    else if (!status) status = TIDE_ENOMEM;
    if (!status) return archive_take(out, &t) ? memory_fail(r->failure, path, count * type->size) : TIDE_OK;
    if (status == TIDE_ENOMEM) memory_fail(r->failure, path, count * type->size);
    else if (why) fail_at(r->failure, status, path, 0, NULL, "tensor '%.80s': %s", t.name, why);
    tensor_free(&t);
    return status;
}

static tide_status read_tensors(reader *r, tide_archive *out) {
    tide_status status = plan(r);
    for (int64_t i = 0; i < r->dict.count && !status; i++) status = read_tensor(r, i, out);
    if (status) return status;
    const char *name = archive_duplicate(out, &status);
    if (status) return memory_fail(r->failure, r->zip.path, out->count);
    return name ? fail_at(r->failure, TIDE_EDATA, r->zip.path, 0, NULL, "tensor '%.80s' is in this file twice", name)
                : TIDE_OK;
}

static void close_reader(reader *r) {
    for (int64_t i = 0; r->storages && i < r->zip.count; i++) free(r->storages[i]);
    free(r->prefix);
    free(r->code);
    free(r->dict.tensors);
    free(r->uses);
    free(r->storages);
    free(r->member);
    zip_in_close(&r->zip);
}

tide_status tide_pth_read(const char *path, tide_archive *out, tide_failure *failure) {
    failure_clear(failure);
    reader r = { .failure = failure };
    if (!out) return argument_fail(failure, path, "archive to read into");
    *out = (tide_archive){ 0 };
    tide_status status = zip_in_open(&r.zip, path, "a checkpoint of PyTorch 1.6 or later", failure);
    if (status) return status;
    status = size_checked(path, r.zip.bytes, failure);
    if (!status) status = read_dict(&r);
    if (!status) status = read_tensors(&r, out);
    close_reader(&r);
    if (status) tide_archive_free(out);
    return status;
}
