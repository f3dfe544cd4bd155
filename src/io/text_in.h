/* A whole text from a file or standard input, unpacked if it is gzip, as UTF-8. */
#ifndef IO_TEXT_IN_H
#define IO_TEXT_IN_H

#include <tidemill/io.h>

typedef struct text_in {
    char   *data;      /* followed by a zero byte, which is not counted; free() */
    int64_t length;
    bool    repaired;  /* bytes that are not UTF-8 were read as Latin-1 */
} text_in;

/* path "-" is standard input. A byte-order mark is removed. UTF-16 and zero bytes are refused. */
tide_status text_in_read(const char *path, text_in *out, tide_failure *f);
/* The same of bytes that were read from there before, followed by a zero byte: they are the text's, or freed. */
tide_status text_in_take(const char *path, void *bytes, int64_t length, text_in *out, tide_failure *f);

#endif
