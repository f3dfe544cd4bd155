#ifndef TIDE_NATIVE_HEADERS_H
#define TIDE_NATIVE_HEADERS_H

/* isa NULL: for every instruction set. The last text is NULL. */
typedef struct native_header { const char *isa, *text; } native_header;
extern const native_header native_headers[];

#endif
