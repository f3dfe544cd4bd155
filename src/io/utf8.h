/* Telling UTF-8 from other bytes. */
#ifndef IO_UTF8_H
#define IO_UTF8_H

#include <stdbool.h>
#include <stdint.h>

/* Length of the well-formed sequence at p (RFC 3629: no overlong forms, no surrogates, at most U+10FFFF); 0 if none.
 * Looks no further than a zero byte. */
int utf8_sequence(const unsigned char *p);

/* Bytes before the first that is not ASCII. */
int64_t utf8_ascii_run(const char *p, int64_t length);

/* A zero byte must follow the text, or any byte that continues no sequence. */
bool utf8_valid(const char *p, int64_t length);

#endif
