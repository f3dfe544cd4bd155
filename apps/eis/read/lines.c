#include "lines.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/base.h"

/* Control characters that no text has: more than one in twenty of the first bytes, and it is none. Ivium's files have
 * text between bytes. */
static bool is_text(const char *text, size_t length) {
    size_t odd = 0, probed = MIN2(length, (size_t)4096);
    for (size_t i = 0; i < probed; i++) odd += (unsigned char)text[i] < 9 || (text[i] > 13 && text[i] < 27);
    return 20 * odd <= probed || slice_find((slice){ text, (int64_t)length }, "primary_data") >= 0;
}

/* CR alone ends a line where the file has no LF. */
static const char *line_end(const char *at, const char *end, char mark) {
    const char *found = memchr(at, mark, (size_t)(end - at));
    return found ? found : end;
}

static void split(page *p, const char *end, char mark) {
    p->count = 0;
    for (const char *at = p->memory, *stop; at < end; at = stop + 1) {
        stop = line_end(at, end, mark);
        int64_t length = stop - at;
        while (length > 0 && at[length - 1] == '\r') length--;
        if (p->line) p->line[p->count] = (slice){ at, length };
        p->count++;
    }
}

tide_status page_of(const char *path, const void *bytes, size_t size, page *out, tide_failure *failure) {
    size_t length;
    *out = (page){ .memory = utf8_of(bytes, size, &length) };
    if (!out->memory) return fail(failure, TIDE_ENOMEM, "out of memory for %s", path);
    if (!is_text(out->memory, length)) {
        page_free(out);
        return fail_at(failure, TIDE_EDATA, path, 0, NULL,
                       "%s is no text, and no binary file that is known here; export it as text", path);
    }
    char mark = memchr(out->memory, '\n', length) ? '\n' : '\r';
    out->length = length;
    split(out, out->memory + length, mark);
    out->line = malloc((size_t)MAX2(out->count, 1) * sizeof *out->line);
    if (out->line) split(out, out->memory + length, mark);
    else page_free(out);
    return out->line ? TIDE_OK : fail(failure, TIDE_ENOMEM, "out of memory for the lines of %s", path);
}

void page_free(page *p) {
    free(p->memory);
    free(p->line);
    *p = (page){ 0 };
}

/* A no-break space is a blank too. */
static int blank_at(const char *s, int64_t left) {
    if (left >= 2 && s[0] == '\xc2' && s[1] == '\xa0') return 2;
    return left >= 1 && (*s == ' ' || *s == '\t' || *s == '\r' || *s == '\n' || *s == '\f' || *s == '\v');
}

slice slice_trim(slice s) {
    for (int n; (n = blank_at(s.text, s.length)); s.text += n, s.length -= n) {}
    for (;;) {
        if (s.length >= 1 && blank_at(s.text + s.length - 1, 1)) s.length -= 1;
        else if (s.length >= 2 && blank_at(s.text + s.length - 2, 2) == 2) s.length -= 2;
        else return s;
    }
}

bool slice_is_blank(slice s) { return slice_trim(s).length == 0; }

bool slice_begins(slice s, const char *with) {
    return s.length >= (int64_t)strlen(with) && strncasecmp(s.text, with, strlen(with)) == 0;
}

int64_t slice_find(slice s, const char *word) {
    int first = *word | 0x20; /* letters in lower case: a quick look before the comparison */
    for (int64_t i = 0; i < s.length; i++)
        if ((s.text[i] | 0x20) == first && slice_begins((slice){ s.text + i, s.length - i }, word)) return i;
    return -1;
}
