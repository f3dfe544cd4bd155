#include "decimal.h"

/* The cell at `at` as far as its end: behind its quotes, or before the separator. */
static const char *end_of(const char *at) {
    if (*at != '"') return at + strcspn(at, ",\n");
    for (at++; *at && (*at != '"' || at[1] == '"'); at++) at += *at == '"';
    return *at ? at + 1 : at;
}

static bool is_number(const char *at, const char *end) {
    char *last;
    num_parse(at, &last);
    return at < end && last == end;
}

static bool has_semicolon(const char *at, const char *end) {
    while (at < end && *at != ';') at++;
    return at < end;
}

static void put_cell(const char *at, const char *end, text *out) {
    bool number = is_number(at, end), quoted = *at != '"' && has_semicolon(at, end);
    if (quoted) text_add(out, "\"");
    for (; at < end; at++) text_add(out, "%c", number && *at == '.' ? ',' : *at);
    if (quoted) text_add(out, "\"");
}

void decimal_table(const char *decimal, text *table) {
    text out = { 0 };
    if (*decimal != ',' || table->failed || !table->data) return;
    for (const char *at = table->data; *at;) {
        const char *end = end_of(at);
        put_cell(at, end, &out);
        if (*end) text_add(&out, "%c", *end == ',' ? ';' : *end);
        at = *end ? end + 1 : end;
    }
    text_free(table);
    *table = out;
}
