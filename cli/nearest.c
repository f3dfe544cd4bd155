/* "Did you mean": the edit distance of Damerau, restricted to adjacent swaps. */
#include <stdlib.h>
#include <string.h>

#include "cli.h"

enum { LONGEST = 63 };

static int least(int a, int b) { return a < b ? a : b; }

int edit_distance(const char *a, const char *b) {
    int row[3][LONGEST + 1];
    int la = (int)strnlen(a, LONGEST), lb = (int)strnlen(b, LONGEST);
    for (int j = 0; j <= lb; j++) row[0][j] = j;
    for (int i = 1; i <= la; i++) {
        int *now = row[i % 3], *before = row[(i + 2) % 3], *earlier = row[(i + 1) % 3];
        now[0] = i;
        for (int j = 1; j <= lb; j++) {
            int replaced = before[j - 1] + (a[i - 1] != b[j - 1]);
            now[j] = least(replaced, least(before[j], now[j - 1]) + 1);
            if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1])
                now[j] = least(now[j], earlier[j - 2] + 1);
        }
    }
    return row[la % 3][lb];
}

/* Near: a third of the letters wrong at most, or the word's beginning. */
static int distance_if_near(const char *word, const char *candidate) {
    size_t length = strlen(word);
    if (length >= 3 && strncmp(word, candidate, length) == 0) return 1;
    int distance = edit_distance(word, candidate);
    return distance <= 1 + (int)length / 4 ? distance : LONGEST + 1;
}

const char *nearest_in(const char *word, const char *list, char *buffer, size_t size) {
    int best = LONGEST;
    char candidate[LONGEST + 1];
    buffer[0] = 0;
    while (*list) {
        size_t length = strcspn(list, "|");
        snprintf(candidate, sizeof candidate, "%.*s", (int)length, list);
        int distance = distance_if_near(word, candidate);
        if (distance <= best && (distance < best || !buffer[0])) {
            best = distance;
            snprintf(buffer, size, "%s", candidate);
        }
        list += length + (list[length] == '|');
    }
    return buffer[0] ? buffer : NULL;
}
