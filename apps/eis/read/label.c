/* Lines between tables that say whose table follows. */
#include "table.h"

#include <stdio.h>

static void put(char *out, slice s) { snprintf(out, LABEL_SIZE / 2, "%.*s", (int)MIN2(s.length, 40), s.text); }

static slice behind(slice line, const char *word) {
    int64_t n = (int64_t)strlen(word);
    return slice_trim((slice){ line.text + n, line.length - n });
}

/* "Run.1 measured at 03/05/2031 9:12:48 AM": the words between are left out. */
static void put_run(label *l, slice s) {
    static const char word[] = " measured at ";
    int64_t at = slice_find(s, word);
    if (at < 0) put(l->run, s);
    else
        snprintf(l->run, sizeof l->run, "%.*s %.*s", (int)MIN2(at, 18), s.text,
                 (int)MIN2(s.length - at - (int64_t)strlen(word), 26), s.text + at + strlen(word));
}

bool label_read(label *l, slice line) {
    line = slice_trim(line);
    if (line.length && *line.text == '"') line.text++, line.length--;
    if (slice_begins(line, "Well:")) {
        slice name = behind(line, "Well:");
        int64_t remark = slice_find(name, " - ");
        if (remark >= 0) name.length = remark;
        put(l->well, name), *l->run = 0;
        return true;
    }
    if (slice_begins(line, "Spectrum:")) {
        put_run(l, behind(line, "Spectrum:"));
        return true;
    }
    int64_t colon = slice_find(line, ":");
    if (!slice_begins(line, "CH ") || colon < 4 || line.text[3] < '0' || line.text[3] > '9') return false;
    put(l->well, (slice){ line.text, colon }), *l->run = 0;
    return true;
}

void label_text(const label *l, char out[LABEL_SIZE]) {
    snprintf(out, LABEL_SIZE, "%s%s%s", l->well, *l->well && *l->run ? " " : "", l->run);
}
