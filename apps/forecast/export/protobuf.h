/* Writing protocol buffers: the wire format alone (protobuf.dev/programming-guides/encoding). A message is bytes that
 * grow; one inside another is made first and then put in. */
#ifndef FORECAST_PROTOBUF_H
#define FORECAST_PROTOBUF_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Zero it before first use; `failed` sticks after memory was short. */
typedef struct protobuf {
    unsigned char *data;
    size_t         size, room;
    bool           failed;
} protobuf;

void protobuf_free(protobuf *p);
void protobuf_number(protobuf *p, int field, int64_t value);                    /* int32, int64, enum, bool */
void protobuf_float(protobuf *p, int field, float value);                       /* float */
void protobuf_bytes(protobuf *p, int field, const void *bytes, size_t size);    /* bytes, string, packed numbers */
void protobuf_text(protobuf *p, int field, const char *text);
/* Puts the message in and frees it. */
void protobuf_message(protobuf *p, int field, protobuf *inner);

#endif
