/* MD5 (RFC 1321), for names other programs give by it; it protects nothing. */
#ifndef EIS_MD5_H
#define EIS_MD5_H

#include <stddef.h>

void md5_hex(const char *data, size_t length, char hex[33]);

#endif
