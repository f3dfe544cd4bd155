/* {R=20f/0/100,...:label} as in the extended circuit description code. */
#include "body.h"

#include <ctype.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/base.h"

void reader_skip(reader *r) { r->at += strspn(r->at, " \t\r\n"); }

bool reader_take(reader *r, char c) {
    reader_skip(r);
    if (*r->at != c) return false;
    r->at++;
    return true;
}

tide_status reader_fail(reader *r, const char *format, ...) {
    char    expected[240], found[48];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(expected, sizeof expected, format, arguments);
    va_end(arguments);
    reader_skip(r);
    if (*r->at) snprintf(found, sizeof found, "there is \"%.20s\"", r->at);
    else snprintf(found, sizeof found, "it ends");
    return fail_at(r->failure, TIDE_EINVAL, NULL, 0, "circuit",
                   "`circuit`, column %d of \"%.200s\": expected %s, but %s", (int)(r->at - r->text) + 1, r->text,
                   expected, found);
}

/* W's admittance of other programs, 1/(Y sqrt s): A = 1/(Y sqrt 2). */
static bool is_warburg_y(const element *kind, const char *name) {
    return strcmp(kind->symbol, "W") == 0 && strcmp(name, "Y") == 0;
}

static int slot_of(reader *r, const element *kind, const char *name) {
    char list[64] = "";
    if (is_warburg_y(kind, name)) return 0;
    for (int s = 0; s < kind->slots; s++) {
        if (strcmp(kind->slot[s].name, name) == 0) return s;
        if (kind->slot[s].role == ROLE_ADMITTANCE && strcmp(name, "Y") == 0) return s;
        snprintf(list + strlen(list), sizeof list - strlen(list), "%s%s", s ? ", " : "", kind->slot[s].name);
    }
    return reader_fail(r, "a parameter of %s (%s: Z = %s)", kind->symbol, list, kind->formula), -1;
}

static bool read_number(reader *r, double *out) {
    char *end;
    *out = strncmp(r->at, "inf", 3) == 0 ? INFINITY : num_parse(r->at, &end);
    if (isinf(*out) && *r->at == 'i') { r->at += 3; return true; }
    if (end == r->at || !isfinite(*out)) return false;
    r->at = end;
    return true;
}

/* One limit: a number, a share of the value, inf, or nothing. */
static tide_status read_limit(reader *r, double value, bool lower, double *limit) {
    double number;
    reader_skip(r);
    if (!*r->at || strchr("/,:}", *r->at)) return TIDE_OK;
    if (!read_number(r, &number)) return reader_fail(r, "a limit: a number, a share such as 50%%, inf, or nothing");
    if (*r->at == '%') r->at++, number *= value / 100;
    *limit = lower && isinf(number) ? 0 : number;
    return TIDE_OK;
}

static tide_status read_value(reader *r, circuit_parameter *p, bool inverse) {
    reader_skip(r);
    if (!read_number(r, &p->value) || !isfinite(p->value)) return reader_fail(r, "a number");
    if (*r->at == 'f' || *r->at == 'F') r->at++, p->fixed = true;
    tide_status status = TIDE_OK;
    if (reader_take(r, '/')) status = read_limit(r, p->value, true, &p->low);
    if (status == TIDE_OK && reader_take(r, '/')) status = read_limit(r, p->value, false, &p->high);
    if (status != TIDE_OK || !inverse) return status;
    double low = p->low, high = p->high, turn = sqrt(0.5);
    p->value = turn / p->value;
    if (!isfinite(p->value)) return reader_fail(r, "an admittance that is not 0, before this");
    p->low = isinf(high) ? 0 : turn / high, p->high = low > 0 ? turn / low : INFINITY;
    return TIDE_OK;
}

static tide_status read_parameter(reader *r, equivalent *e, const circuit_part *part) {
    char        name[16] = "";
    size_t      length = 0;
    const char *from;
    reader_skip(r);
    from = r->at;
    while (isalnum((unsigned char)r->at[length]) && length + 1 < sizeof name) name[length] = r->at[length], length++;
    int slot = slot_of(r, part->kind, name);
    if (slot < 0) return TIDE_EINVAL;
    r->at += length;
    if (!reader_take(r, '=')) return reader_fail(r, "= and the value of %s", name);
    circuit_parameter *p = &e->parameter[part->first + slot];
    if (!isnan(p->value)) return r->at = from, reader_fail(r, "each parameter once");
    tide_status status = read_value(r, p, is_warburg_y(part->kind, name));
    if (status != TIDE_OK) return status;
    if (p->value == 0 && !p->fixed) return r->at = from, reader_fail(r, "a value that is not 0, or 0f, which stays 0");
    bool within = p->low < p->high && p->value >= p->low && p->value <= p->high && (p->low >= 0 || p->high <= 0);
    if (!within && !p->fixed) return r->at = from, reader_fail(r, "a value between its limits, which have one sign");
    return TIDE_OK;
}

/* Up to the brace that belongs to it; what is no letter or digit becomes _. */
static tide_status read_label(reader *r, char label[PART_NAME]) {
    int length = 0;
    for (int open = 0; *r->at && (open || *r->at != '}'); r->at++) {
        open += (*r->at == '{') - (*r->at == '}');
        if (length + 1 == PART_NAME) return reader_fail(r, "a label of at most %d letters", PART_NAME - 1);
        label[length++] = isalnum((unsigned char)*r->at) ? *r->at : '_';
    }
    label[length] = 0;
    return TIDE_OK;
}

tide_status read_body(reader *r, equivalent *e, const circuit_part *part, bool *labelled, char label[PART_NAME]) {
    tide_status status = TIDE_OK;
    reader_take(r, '{');
    reader_skip(r);
    if (*r->at != ':' && *r->at != '}') do status = read_parameter(r, e, part);
        while (status == TIDE_OK && reader_take(r, ','));
    *labelled = status == TIDE_OK && reader_take(r, ':');
    if (*labelled) status = read_label(r, label);
    if (status == TIDE_OK && !reader_take(r, '}')) status = reader_fail(r, "a comma, a colon or }");
    return status;
}
