/* A file's bytes as lines of UTF-8, whatever the encoding and the line ends. */
#ifndef EIS_LINES_H
#define EIS_LINES_H

#include <tidemill/eis.h>

/* Characters of one line that a table may have. */
enum { LINE_MOST = 1 << 16 };

typedef struct slice { const char *text; int64_t length; } slice;

typedef struct page {
    char   *memory;
    size_t  length;
    slice  *line;       /* without their ends; line[i] is the file's line i + 1 */
    int64_t count;
} page;

/* UTF-8 with or without a byte-order mark, UTF-16 of either order with or without one, else Latin-1. Zero bytes become
 * blanks. Lines end in LF, CR LF, CR CR LF or CR. TIDE_EDATA for what is no text. */
tide_status page_of(const char *path, const void *bytes, size_t size, page *out, tide_failure *failure);
void        page_free(page *p);

/* bytes -> UTF-8 with a zero behind it, malloc'ed; NULL when out of memory. (encoding.c) */
char *utf8_of(const unsigned char *bytes, size_t size, size_t *length);

bool  slice_is_blank(slice s);
slice slice_trim(slice s);
bool  slice_begins(slice s, const char *with);
/* Where `word` begins in s, in any case; -1. */
int64_t slice_find(slice s, const char *word);

#endif
