/* Circuits as strings. What connects the children of a node is a row of a table. */
#include <ctype.h>
#include <math.h>
#include <string.h>

#include "base/base.h"
#include "equivalent.h"

typedef struct notation { const char *open, *between, *close; } notation;

/* Of a series and of a parallel connection, inside another one. At the top a series has no brackets. */
static const notation notations[][2] = {
    [GRAMMAR_DASH]     = { { "", "-", "" }, { "p(", ",", ")" } },
    [GRAMMAR_BRACKET]  = { { "", "-", "" }, { "[", ",", "]" } },
    [GRAMMAR_INFIX]    = { { "(", "+", ")" }, { "(", "|", ")" } },
    [GRAMMAR_CDC]      = { { "[", "", "]" }, { "(", "", ")" } },
    [GRAMMAR_CDC_FULL] = { { "[", "", "]" }, { "(", "", ")" } },
};

static void put_number(text *out, double value) {
    char number[32];
    num_format(number, value, false);
    text_add(out, "%s", number);
}

static bool bounded(const circuit_parameter *p, slot_role role) { return p->low != 0 || p->high != slot_high(role); }

static void put_value(const element *kind, const circuit_parameter *p, text *out) {
    text_add(out, "%s=", kind->slot[p->slot].name);
    put_number(out, p->value);
    if (p->fixed) text_add(out, "f");
    if (!bounded(p, kind->slot[p->slot].role)) return;
    text_add(out, "/");
    put_number(out, p->low);
    text_add(out, "/");
    if (isfinite(p->high)) put_number(out, p->high);
    else text_add(out, "inf");
}

/* Values that were given, and the label where names are not those of the code. */
static void put_body(const equivalent *e, const circuit_part *part, bool labelled, text *out) {
    const char *label = part->name + strlen(part->kind->symbol);
    int         count = 0;
    for (int s = 0; s < part->kind->slots; s++) {
        const circuit_parameter *p = &e->parameter[part->first + s];
        if (isnan(p->value)) continue;
        text_add(out, count++ ? "," : "{");
        put_value(part->kind, p, out);
    }
    if (labelled) text_add(out, "%s:%s", count++ ? "" : "{", label);
    if (count) text_add(out, "}");
}

static void put_element(const equivalent *e, int part, circuit_grammar grammar, text *out) {
    const circuit_part *of   = &e->part[part];
    bool                code = grammar == GRAMMAR_CDC || grammar == GRAMMAR_CDC_FULL;
    text_add(out, "%s", code ? of->kind->cdc : of->name);
    if (grammar != GRAMMAR_CDC) put_body(e, of, code, out);
}

static void put_node(const equivalent *e, int at, circuit_grammar grammar, bool top, text *out) {
    const circuit_node *node = &e->node[at];
    if (node->kind == NODE_ELEMENT) {
        put_element(e, node->part, grammar, out);
        return;
    }
    const notation *n     = &notations[grammar][node->kind == NODE_PARALLEL];
    bool            bare  = top && (node->kind == NODE_SERIES || grammar == GRAMMAR_INFIX);
    int             count = 0;
    text_add(out, "%s", bare ? "" : n->open);
    for (int i = 0; i < at; i++) {
        if (e->node[i].parent != at) continue;
        text_add(out, "%s", count++ ? n->between : "");
        put_node(e, i, grammar, false, out);
    }
    text_add(out, "%s", bare ? "" : n->close);
}

void equivalent_print(const equivalent *e, circuit_grammar grammar, text *out) {
    put_node(e, e->nodes - 1, grammar, true, out);
}
