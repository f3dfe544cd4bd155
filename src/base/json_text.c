/* Text from outside as JSON, which must be UTF-8: file names and messages that quote them need not be. */
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "json.h"

/* Length of the UTF-8 sequence at s that JSON takes; 0: none. */
static size_t sequence_length(const char *s) {
    size_t most = strnlen(s, 4);
    for (size_t length = 1; length <= most; length++) {
        json_t *one  = json_stringn(s, length);
        bool    good = one != NULL;
        json_decref(one);
        if (good) return length;
    }
    return 0;
}

json_t *json_text(const char *text) {
    static const char replacement[] = "\xef\xbf\xbd";
    json_t *whole = json_string(text);
    if (whole || !text) return whole;
    char *repaired = malloc(3 * strlen(text) + 1), *to = repaired;
    while (repaired && *text) {
        size_t length = sequence_length(text);
        memcpy(to, length ? text : replacement, length ? length : 3);
        to += length ? length : 3;
        text += length ? length : 1;
    }
    if (repaired) whole = json_stringn(repaired, (size_t)(to - repaired));
    free(repaired);
    return whole;
}
