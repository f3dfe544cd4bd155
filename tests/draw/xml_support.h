/* Whether a text is well-formed XML, as far as SVG and our pages use it: tags nest, attributes are quoted, nothing else
 * holds < or a bare &. */
#ifndef DRAW_XML_SUPPORT_H
#define DRAW_XML_SUPPORT_H

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

enum { XML_DEPTH = 64, XML_NAME = 32 };

static inline bool xml_is_entity(const char *at) {
    size_t length = strcspn(at + 1, ";<& \"");
    return length > 0 && length < 10 && at[1 + length] == ';';
}

/* Behind the tag that begins at `at`; NULL: its attributes are not quoted, or it has no end. */
static inline const char *xml_tag_end(const char *at) {
    for (at++; *at && *at != '>'; at++) {
        if (*at == '<' || (*at == '&' && !xml_is_entity(at))) return NULL;
        if (*at != '=') continue;
        char quote = at[1];
        if (quote != '"' && quote != '\'') return NULL;
        for (at += 2; *at && *at != quote; at++)
            if (*at == '<' || (*at == '&' && !xml_is_entity(at))) return NULL;
        if (!*at) return NULL;
    }
    return *at ? at + 1 : NULL;
}

/* NULL: all is well; else where it is not. */
static inline const char *xml_fault(const char *s) {
    char open[XML_DEPTH][XML_NAME];
    int depth = 0;
    while (*s) {
        if (*s == '&' && !xml_is_entity(s)) return s;
        if (*s != '<') {
            s++;
            continue;
        }
        if (!strncmp(s, "<!--", 4)) {
            const char *end = strstr(s, "-->");
            if (!end) return s;
            s = end + 3;
            continue;
        }
        const char *end = xml_tag_end(s), *name = s + 1 + (s[1] == '/');
        if (!end) return s;
        size_t length = strcspn(name, " \t\r\n/>");
        bool single = end[-2] == '/' || *name == '?' || *name == '!';
        if (length == 0 || length >= XML_NAME) return s;
        if (s[1] == '/') {
            if (depth == 0 || strlen(open[depth - 1]) != length || memcmp(open[depth - 1], name, length)) return s;
            depth--;
        } else if (!single) {
            if (depth == XML_DEPTH) return s;
            memcpy(open[depth], name, length), open[depth++][length] = 0;
        }
        s = end;
    }
    return depth ? s : NULL;
}

#endif
