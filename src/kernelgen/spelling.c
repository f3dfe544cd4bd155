#include "spelling.h"

const char *spelling_of(const spelling *s, const flat_instr *in) {
    if (in->op == FLAT_CAST) return s->cast[in->src_type[0]][in->type];
    /* where(c, a, b) is of the type of what it chooses. */
    return in->op < SCALAR_COUNT ? s->op[in->op][in->op == S_WHERE ? in->type : in->src_type[0]] : NULL;
}

void spell(text *out, const char *words, const char *const operand[3]) {
    for (const char *next; (next = strchr(words, '$')); words = next + 2)
        text_add(out, "%.*s%s", (int)(next - words), words, operand[next[1] - '0']);
    text_add(out, "%s", words);
}
