/* The edit distance of Damerau, restricted to swaps of neighbours, and the rule by which a word is near. */
#include "words.h"

#include <ctype.h>
#include <string.h>

#include "base.h"

enum { LONGEST = 63 }; /* longer words are near nothing */

static int plain(char c) { return c == '_' ? '-' : tolower((unsigned char)c); }

int word_distance(const char *a, const char *b) {
    int row[3][LONGEST + 1], la = (int)strlen(a), lb = (int)strlen(b);
    if (la > LONGEST || lb > LONGEST) return LONGEST + 1;
    for (int j = 0; j <= lb; j++) row[0][j] = j;
    for (int i = 1; i <= la; i++) {
        int *now = row[i % 3], *before = row[(i + 2) % 3], *earlier = row[(i + 1) % 3];
        now[0] = i;
        for (int j = 1; j <= lb; j++) {
            int replaced = before[j - 1] + (plain(a[i - 1]) != plain(b[j - 1]));
            now[j] = MIN2(replaced, MIN2(before[j], now[j - 1]) + 1);
            if (i > 1 && j > 1 && plain(a[i - 1]) == plain(b[j - 2]) && plain(a[i - 2]) == plain(b[j - 1]))
                now[j] = MIN2(now[j], earlier[j - 2] + 1);
        }
    }
    return row[la % 3][lb];
}

/* One letter more than a third of them, but never all. */
static int distance_if_near(const char *word, const char *candidate) {
    size_t length = strlen(word);
    if (length >= 3 && strncmp(word, candidate, length) == 0) return 1;
    int distance = word_distance(word, candidate), most = 1 + (int)length / 3;
    return distance <= most && distance < (int)strlen(candidate) ? distance : LONGEST + 1;
}

void nearest_try(nearest *n, const char *candidate) {
    int distance = distance_if_near(n->word, candidate);
    if (distance > LONGEST || (n->found && distance >= n->distance)) return;
    n->found = candidate;
    n->distance = distance;
}

bool same_name(const char *a, size_t length, const char *b) {
    for (size_t i = 0; i < length; i++)
        if (!b[i] || (a[i] == '_' ? '-' : a[i]) != (b[i] == '_' ? '-' : b[i])) return false;
    return b[length] == 0;
}
