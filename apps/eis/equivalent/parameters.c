/* Parameters by name: fixed values, ties, bounds and starts as text. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/base.h"
#include "eis/circuit/parameters.h"
#include "equivalent.h"

enum { PIECE = 128 };

void parameter_name(const equivalent *e, int parameter, char name[PARAMETER_NAME]) {
    const circuit_parameter *p    = &e->parameter[parameter];
    const circuit_part      *part = &e->part[p->part];
    if (part->kind->slots == 1) snprintf(name, PARAMETER_NAME, "%s", part->name);
    else snprintf(name, PARAMETER_NAME, "%s_%d", part->name, p->slot);
}

/* "_0", "_Q", "Q" and, of an element with one parameter, nothing. C10 is no C1 with a 0. */
static bool is_slot(const circuit_part *part, int slot, const char *rest, size_t length) {
    const char *name  = part->kind->slot[slot].name;
    bool        apart = length && *rest == '_';
    if (part->kind->slots == 1 && length == 0) return true;
    rest += apart, length -= apart;
    if (apart && length == 1 && *rest == '0' + slot) return true;
    return strlen(name) == length && strncmp(name, rest, length) == 0;
}

/* How many letters of `text` are this part's name, its symbol spelled in any way; 0: it is another's. */
static size_t part_length(const circuit_part *part, const char *text) {
    size_t         symbol;
    const element *kind  = element_match(text, &symbol);
    const char    *label = part->name + strlen(part->kind->symbol);
    return kind == part->kind && strncmp(text + symbol, label, strlen(label)) == 0 ? symbol + strlen(label) : 0;
}

int parameter_find(const equivalent *e, const char *name, size_t length) {
    for (int k = 0; k < e->parameters; k++) {
        const circuit_part *part = &e->part[e->parameter[k].part];
        size_t              used = part_length(part, name);
        if (used && used <= length && is_slot(part, e->parameter[k].slot, name + used, length - used)) return k;
    }
    return -1;
}

void parameter_list(const equivalent *e, char list[PARAMETER_LIST]) {
    char one[PARAMETER_NAME];
    list[0] = 0;
    for (int k = 0; k < e->parameters && strlen(list) + sizeof one < PARAMETER_LIST; k++) {
        parameter_name(e, k, one);
        snprintf(list + strlen(list), PARAMETER_LIST - strlen(list), "%s%s", k ? ", " : "", one);
    }
}

static int find_or_fail(const equivalent *e, const char *option, const char *name, tide_failure *failure) {
    char list[PARAMETER_LIST];
    int  found = parameter_find(e, name, strlen(name));
    if (found >= 0) return found;
    parameter_list(e, list);
    fail_at(failure, TIDE_EINVAL, NULL, 0, option, "`%s`: the circuit has no parameter \"%s\"; it has %s", option, name,
            list);
    return -1;
}

bool parameter_read(const equivalent *e, int k, const char *text, double *out) {
    const circuit_parameter *p    = &e->parameter[k];
    const char              *unit = e->part[p->part].kind->slot[p->slot].unit;
    char                    *end;
    if (!strcmp(unit, "ohm") || !strcmp(unit, "F")) return eis_quantity_parse(text, unit, out);
    *out = num_parse(text, &end);
    end += strspn(end, " ");
    return end != text && isfinite(*out) && (!*end || !strcmp(end, unit));
}

static tide_status bad_value(const equivalent *e, const char *option, int k, const char *text, const char *example,
                             tide_failure *failure) {
    char                     name[PARAMETER_NAME];
    const circuit_parameter *p    = &e->parameter[k];
    const char              *unit = e->part[p->part].kind->slot[p->slot].unit;
    parameter_name(e, k, name);
    return fail_at(failure, TIDE_EINVAL, NULL, 0, option, "`%s`: %s=%s is not %s%s%s", option, name, text, example,
                   *unit ? " in " : "", unit);
}

/* ---- each option ---- */

/* "R1" or "2*R1". */
static bool read_tie(const equivalent *e, const char *text, circuit_parameter *p) {
    char *end;
    p->factor = num_parse(text, &end);
    if (end == text) p->factor = 1;
    else if (*end++ != '*' || !(p->factor > 0) || !isfinite(p->factor)) return false;
    end += strspn(end, " ");
    p->tie = parameter_find(e, end, strlen(end));
    return p->tie >= 0;
}

static tide_status take_fix(equivalent *e, int k, char *text, tide_failure *failure) {
    circuit_parameter *p = &e->parameter[k], was = *p;
    if (parameter_read(e, k, text, &p->value)) {
        p->fixed = true;
        return TIDE_OK;
    }
    p->value = was.value;
    bool tied = read_tie(e, text, p) && p->tie != k && e->parameter[p->tie].tie < 0;
    for (int i = 0; tied && i < e->parameters; i++) tied = e->parameter[i].tie != k;
    if (tied) return TIDE_OK;
    *p = was;
    return bad_value(e, "fix", k, text, "a value, nor another free parameter or a multiple of it (2*R1),", failure);
}

static tide_status take_range(equivalent *e, int k, char *text, tide_failure *failure) {
    static const char  wanted[] = "a range such as 1..1k, of one sign,";
    circuit_parameter *p        = &e->parameter[k];
    char              *dots     = strstr(text, "..");
    double             low, high;
    char               given[PIECE];
    snprintf(given, sizeof given, "%s", text);
    if (!dots) return bad_value(e, "range", k, given, wanted, failure);
    *dots = 0;
    bool read = parameter_read(e, k, text, &low) && parameter_read(e, k, dots + 2, &high);
    if (!read || !(low < high) || (low < 0 && high > 0)) return bad_value(e, "range", k, given, wanted, failure);
    p->low = low, p->high = high;
    return TIDE_OK;
}

static tide_status take_start(equivalent *e, int k, char *text, tide_failure *failure) {
    circuit_parameter *p = &e->parameter[k];
    if (parameter_read(e, k, text, &p->value) && p->value != 0) return TIDE_OK;
    return bad_value(e, "start", k, text, "a value", failure);
}

/* ---- lists of NAME=VALUE ---- */

static char *trimmed(char *s) {
    s += strspn(s, " ");
    for (size_t n = strlen(s); n && s[n - 1] == ' ';) s[--n] = 0;
    return s;
}

/* What stands before the next comma; returns what stands behind it. */
static const char *take_piece(const char *text, char piece[PIECE]) {
    size_t length = strcspn(text, ",");
    snprintf(piece, PIECE, "%.*s", (int)MIN2(length, PIECE - 1), text);
    return text + length + (text[length] == ',');
}

static tide_status take_all(equivalent *e, const char *option, const char *text,
                            tide_status (*take)(equivalent *, int, char *, tide_failure *), tide_failure *failure) {
    char piece[PIECE];
    bool seen[PARAMETERS_MOST] = { false };
    while (*text) {
        text = take_piece(text, piece);
        char *equal = strchr(piece, '=');
        if (!equal)
            return fail_at(failure, TIDE_EINVAL, NULL, 0, option, "`%s`: \"%s\" is not NAME=VALUE", option, piece);
        *equal = 0;
        int k  = find_or_fail(e, option, trimmed(piece), failure);
        if (k < 0) return TIDE_EINVAL;
        if (seen[k])
            return fail_at(failure, TIDE_EINVAL, NULL, 0, option, "`%s`: %s is given twice", option, trimmed(piece));
        seen[k] = true;
        if (take(e, k, trimmed(equal + 1), failure) != TIDE_OK) return TIDE_EINVAL;
    }
    return TIDE_OK;
}

tide_status equivalent_fix(equivalent *e, const char *text, tide_failure *failure) {
    return take_all(e, "fix", text, take_fix, failure);
}

tide_status equivalent_range(equivalent *e, const char *text, tide_failure *failure) {
    return take_all(e, "range", text, take_range, failure);
}

tide_status equivalent_start(equivalent *e, const char *text, tide_failure *failure) {
    return take_all(e, "start", text, take_start, failure);
}

tide_status equivalent_same(const equivalent *e, const char *text, bool shared[PARAMETERS_MOST],
                            tide_failure *failure) {
    char piece[PIECE];
    for (int k = 0; k < e->parameters; k++) shared[k] = e->parameter[k].fixed;
    while (*text) {
        text  = take_piece(text, piece);
        int k = find_or_fail(e, "same", trimmed(piece), failure);
        if (k < 0) return TIDE_EINVAL;
        shared[e->parameter[k].tie >= 0 ? e->parameter[k].tie : k] = true;
    }
    for (int k = 0; k < e->parameters; k++)
        if (e->parameter[k].tie >= 0) shared[k] = shared[e->parameter[k].tie];
    return TIDE_OK;
}
