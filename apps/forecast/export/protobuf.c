#include "protobuf.h"

#include <stdlib.h>
#include <string.h>

enum wire { VARINT = 0, LENGTH = 2, FIXED32 = 5 };

void protobuf_free(protobuf *p) {
    free(p->data);
    *p = (protobuf){ 0 };
}

static void put(protobuf *p, const void *bytes, size_t size) {
    if (p->failed) return;
    if (size > p->room - p->size) {
        size_t room  = 2 * p->room > p->size + size ? 2 * p->room : p->size + size + 64;
        void  *grown = realloc(p->data, room);
        p->failed    = !grown;
        if (!grown) return;
        p->data = grown, p->room = room;
    }
    if (size) memcpy(p->data + p->size, bytes, size);
    p->size += size;
}

/* Seven bits a byte, the lowest first; all but the last have the eighth set. */
static void put_varint(protobuf *p, uint64_t value) {
    unsigned char bytes[10];
    size_t        n = 0;
    for (; value > 127; value >>= 7) bytes[n++] = (unsigned char)(value | 128);
    bytes[n++] = (unsigned char)value;
    put(p, bytes, n);
}

static void put_tag(protobuf *p, int field, enum wire wire) { put_varint(p, (uint64_t)field << 3 | wire); }

void protobuf_number(protobuf *p, int field, int64_t value) {
    put_tag(p, field, VARINT);
    put_varint(p, (uint64_t)value);
}

void protobuf_float(protobuf *p, int field, float value) {
    put_tag(p, field, FIXED32);
    put(p, &value, sizeof value);
}

void protobuf_bytes(protobuf *p, int field, const void *bytes, size_t size) {
    put_tag(p, field, LENGTH);
    put_varint(p, size);
    put(p, bytes, size);
}

void protobuf_text(protobuf *p, int field, const char *text) { protobuf_bytes(p, field, text, strlen(text)); }

void protobuf_message(protobuf *p, int field, protobuf *inner) {
    p->failed = p->failed || inner->failed;
    protobuf_bytes(p, field, inner->data, inner->size);
    protobuf_free(inner);
}
