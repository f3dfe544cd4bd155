/* Circuit strings. One descent for all grammars: they differ in how a list of connections is written. Nodes are linked
 * while the text is read, connections inside connections of their own kind dissolved, and laid out children first. */
#include <ctype.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/base.h"
#include "body.h"

enum { LINKS_MOST = 4 * PARTS_MOST };

typedef struct link { node_kind kind; int first, last, next, part; } link;

typedef struct parser {
    reader      r;
    circuit_grammar grammar;
    int         depth, links;
    link        link[LINKS_MOST];
    equivalent *out;
} parser;

/* ---- the tree while it grows ---- */

static int new_link(parser *p, node_kind kind) {
    if (p->links == LINKS_MOST) return reader_fail(&p->r, "fewer connections"), -1;
    p->link[p->links] = (link){ kind, -1, -1, -1, -1 };
    return p->links++;
}

static void append(parser *p, int parent, int child) {
    link *up = &p->link[parent], *down = &p->link[child];
    bool  same = up->kind == down->kind;
    int   first = same ? down->first : child, last = same ? down->last : child;
    if (up->last >= 0) p->link[up->last].next = first;
    else up->first = first;
    up->last = last;
}

/* A connection of one is that one. */
static int settled(const parser *p, int at) {
    const link *l = &p->link[at < 0 ? 0 : at];
    return at >= 0 && l->kind != NODE_ELEMENT && l->first == l->last ? l->first : at;
}

static int lay_out(parser *p, int at) {
    equivalent *e = p->out;
    int         children[PARTS_MOST], count = 0;
    for (int c = p->link[at].first; c >= 0; c = p->link[c].next) children[count++] = lay_out(p, c);
    for (int i = 0; i < count; i++) e->node[children[i]].parent = e->nodes;
    e->node[e->nodes] = (circuit_node){ p->link[at].kind, -1, p->link[at].part };
    return e->nodes++;
}

/* ---- elements ---- */

static tide_status unknown_element(parser *p) {
    char list[160] = "";
    for (int i = 0; i < element_count; i++) {
        size_t length = strlen(list);
        snprintf(list + length, sizeof list - length, "%s%s", i ? " " : "", elements[i].symbol);
    }
    return reader_fail(&p->r, "an element (%s)%s", list,
                       p->grammar == GRAMMAR_CDC ? " or a bracket" : " or p(");
}

/* Behind the symbol: lower case, digits and _; behind a _ upper case too, but not where elements stand side by side. */
static size_t label_length(circuit_grammar grammar, const char *s) {
    bool   capitals = grammar != GRAMMAR_CDC && *s == '_';
    size_t n        = 0;
    while (islower((unsigned char)s[n]) || isdigit((unsigned char)s[n]) || s[n] == '_' ||
           (capitals && isupper((unsigned char)s[n])))
        n++;
    return n;
}

static bool name_taken(const equivalent *e, const char *name) {
    for (int i = 0; i + 1 < e->parts; i++)
        if (strcmp(e->part[i].name, name) == 0) return true;
    return false;
}

/* Between symbol and label stands a _ where the label has capitals, or another symbol would come out: W and "s". */
static bool stands_apart(const element *kind, const char *label, size_t length) {
    char   name[2 * PART_NAME];
    size_t symbol;
    bool   capitals = false;
    for (size_t i = 0; i < length; i++) capitals = capitals || isupper((unsigned char)label[i]);
    snprintf(name, sizeof name, "%s%.*s", kind->symbol, (int)MIN2(length, PART_NAME), label);
    return length && *label != '_' && (capitals || element_match(name, &symbol) != kind ||
                                       symbol != strlen(kind->symbol));
}

/* Elements without a label have numbers where their code has no names. */
static tide_status name_part(parser *p, circuit_part *part, const char *label, size_t length, bool labelled,
                             const char *from) {
    const char *symbol   = part->kind->symbol, *apart = stands_apart(part->kind, label, length) ? "_" : "";
    bool        numbered = !length && !labelled && p->grammar == GRAMMAR_CDC;
    if (strlen(symbol) + strlen(apart) + length >= sizeof part->name)
        return p->r.at = from, reader_fail(&p->r, "a shorter name of the element");
    snprintf(part->name, sizeof part->name, "%s%s%.*s", symbol, apart, (int)length, label);
    for (int i = 1; numbered && i <= PARTS_MOST; i++) {
        snprintf(part->name, sizeof part->name, "%s%d", symbol, i);
        if (!name_taken(p->out, part->name)) break;
    }
    if (!name_taken(p->out, part->name)) return TIDE_OK;
    p->r.at = from;
    return reader_fail(&p->r, "a name of its own: there is a %s already", part->name);
}

static tide_status take_parameters(parser *p, circuit_part *part) {
    equivalent *e = p->out;
    if (e->parameters + part->kind->slots > PARAMETERS_MOST)
        return reader_fail(&p->r, "at most %d parameters", PARAMETERS_MOST);
    part->first = e->parameters;
    for (int s = 0; s < part->kind->slots; s++)
        e->parameter[e->parameters++] = (circuit_parameter){ e->parts - 1, s, NAN, false, 0,
                                                             slot_high(part->kind->slot[s].role), -1, 1 };
    return TIDE_OK;
}

static int read_element(parser *p) {
    size_t         length, label_size = 0;
    bool           labelled         = false;
    char           label[PART_NAME] = "";
    const char    *from = p->r.at, *given;
    const element *kind = element_match(p->r.at, &length);
    if (!kind) return unknown_element(p), -1;
    if (p->out->parts == PARTS_MOST) return reader_fail(&p->r, "at most %d elements", PARTS_MOST), -1;
    p->r.at += length;
    circuit_part *part = &p->out->part[p->out->parts++];
    *part              = (circuit_part){ .kind = kind };
    given              = p->r.at;
    label_size         = label_length(p->grammar, given);
    p->r.at += label_size;
    if (take_parameters(p, part) != TIDE_OK) return -1;
    if (*p->r.at == '{' && read_body(&p->r, p->out, part, &labelled, label) != TIDE_OK) return -1;
    if (labelled) given = label, label_size = strlen(label);
    if (name_part(p, part, given, label_size, labelled, from) != TIDE_OK) return -1;
    int at = new_link(p, NODE_ELEMENT);
    if (at >= 0) p->link[at].part = p->out->parts - 1;
    return at;
}

/* ---- connections ---- */

/* Items of this kind of connection with `between` between them. */
static int read_joined(parser *p, node_kind kind, char between, int (*item)(parser *)) {
    int at = new_link(p, kind), child;
    if (at < 0) return -1;
    do {
        if ((child = item(p)) < 0) return -1;
        append(p, at, child);
    } while (reader_take(&p->r, between));
    return settled(p, at);
}

static int closed(parser *p, int at, char end, const char *otherwise) {
    p->depth--;
    if (at >= 0 && !reader_take(&p->r, end)) return reader_fail(&p->r, "%s", otherwise), -1;
    return at;
}

static bool too_deep(parser *p) {
    return ++p->depth > DEPTH_MOST && reader_fail(&p->r, "at most %d connections inside one another", DEPTH_MOST);
}

static int read_dash(parser *p);

static int read_dash_item(parser *p) {
    bool parallel = false;
    reader_skip(&p->r);
    if (p->r.at[0] == 'p' && p->r.at[1] == '(') p->r.at++, parallel = true;
    if (*p->r.at == '[') {
        p->r.at++;
        if (too_deep(p)) return -1;
        return closed(p, read_joined(p, NODE_PARALLEL, ',', read_dash), ']', "-, a comma or ]");
    }
    if (!reader_take(&p->r, '(')) return read_element(p);
    if (too_deep(p)) return -1;
    return closed(p, parallel ? read_joined(p, NODE_PARALLEL, ',', read_dash) : read_dash(p), ')',
                  parallel ? "-, a comma or )" : "- or )");
}

static int read_dash(parser *p) { return read_joined(p, NODE_SERIES, '-', read_dash_item); }

static int read_infix(parser *p);

static int read_infix_item(parser *p) {
    if (!reader_take(&p->r, '(')) return read_element(p);
    if (too_deep(p)) return -1;
    return closed(p, read_infix(p), ')', "+, | or )");
}

static int read_infix_term(parser *p) { return read_joined(p, NODE_PARALLEL, '|', read_infix_item); }
static int read_infix(parser *p) { return read_joined(p, NODE_SERIES, '+', read_infix_term); }

/* Elements side by side, up to a bracket that closes or the end. */
static int read_side_by_side(parser *p, node_kind kind) {
    int at = new_link(p, kind), child, count = 0;
    for (reader_skip(&p->r); at >= 0 && *p->r.at && !strchr(")]", *p->r.at); reader_skip(&p->r), count++) {
        if (reader_take(&p->r, '(')) {
            if (too_deep(p)) return -1;
            child = closed(p, read_side_by_side(p, NODE_PARALLEL), ')', "an element or )");
        } else if (reader_take(&p->r, '[')) {
            if (too_deep(p)) return -1;
            child = closed(p, read_side_by_side(p, NODE_SERIES), ']', "an element or ]");
        } else child = read_element(p);
        if (child < 0) return -1;
        append(p, at, child);
    }
    if (at >= 0 && count < (kind == NODE_PARALLEL ? 2 : 1))
        return reader_fail(&p->r, "%s element", kind == NODE_PARALLEL ? "two are in parallel at least: another" : "an"),
               -1;
    return settled(p, at);
}

static int read_list(parser *p) {
    switch (p->grammar) {
    case GRAMMAR_INFIX: return read_infix(p);
    case GRAMMAR_CDC: return read_side_by_side(p, NODE_SERIES);
    default: return read_dash(p);
    }
}

/* ---- all ---- */

/* One element, and perhaps its braces: what follows it? */
static const char *behind_element(const char *text) {
    size_t length;
    if (!element_match(text, &length)) return "";
    text += length + label_length(GRAMMAR_DASH, text + length);
    if (*text == '{') text += strcspn(text, "}"), text += *text == '}';
    return text + strspn(text, " ");
}

/* What stands outside braces tells the grammar. */
static circuit_grammar grammar_of(const char *text) {
    bool dash = false, brackets = false, braces = false;
    if (*text == '!') return GRAMMAR_CDC;
    for (const char *c = text; *c; c++) {
        braces = braces ? *c != '}' : *c == '{';
        if (braces) continue;
        if (*c == '|' || *c == '+') return GRAMMAR_INFIX;
        dash     = dash || *c == '-' || *c == ',' || (c[0] == 'p' && c[1] == '(');
        brackets = brackets || strchr("([", *c);
    }
    return !dash && (brackets || *behind_element(text)) ? GRAMMAR_CDC : GRAMMAR_DASH;
}

static void skip_version(reader *r) {
    const char *end = r->at[0] == '!' ? strchr(r->at + 1, '!') : NULL;
    if (end) r->at = end + 1;
}

static const char *by_name(const char *text) {
    for (int i = 0; i < named_circuit_count; i++)
        if (strcmp(named_circuits[i].name, text) == 0) return named_circuits[i].text;
    return text;
}

tide_status equivalent_parse(const char *text, equivalent *out, tide_failure *failure) {
    parser p = { .out = out, .r = { .failure = failure } };
    *out     = (equivalent){ 0 };
    text += strspn(text, " \t");
    p.r.text = p.r.at = by_name(text);
    p.grammar         = grammar_of(p.r.text);
    skip_version(&p.r);
    int root = read_list(&p);
    reader_skip(&p.r);
    if (root >= 0 && *p.r.at)
        root = -1, reader_fail(&p.r, p.grammar == GRAMMAR_DASH ? "- or the end" : p.grammar == GRAMMAR_INFIX ?
                                         "+, | or the end" : "an element or the end");
    if (root < 0) return TIDE_EINVAL;
    lay_out(&p, root);
    return TIDE_OK;
}
