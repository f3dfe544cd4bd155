/* What stands beside the numbers of a column, a currency, a percent sign or a unit, the same in all of its cells, and
 * negative numbers in an accountant's brackets. The cells become plain numbers, which are then read as any others. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "frame_time.h"

/* ---- one cell ---- */

enum { LONGEST_UNIT = 16 };

/* "-$1,234.50 /MWh" */
typedef struct parts {
    const char *before, *number, *behind;     /* currency, digits with their signs between, unit: not terminated */
    int         before_length, length, behind_length;
    bool        minus, brackets;
} parts;

static const char *skip_blanks(const char *p) { return p + strspn(p, " \t"); }

static int currency_length(const char *p) {
    static const char *const signs[] = { "US$", "A$", "C$", "R$", "$", "€", "£", "¥", "₹", "₩", "₽", "zł",
                                         "USD", "EUR", "GBP", "CHF", "JPY", "CNY", "INR", "AUD", "CAD", "SEK",
                                         "NOK", "DKK", "PLN", "CZK", "Rs.", "Fr." };
    for (size_t i = 0; i < sizeof signs / sizeof *signs; i++)
        if (!strncmp(p, signs[i], strlen(signs[i]))) return (int)strlen(signs[i]);
    return 0;
}

static const char *take_currency(const char *p, parts *out) {
    int length = currency_length(p);
    if (!length || out->before_length) return p;
    out->before = p, out->before_length = length;
    return skip_blanks(p + length);
}

static const char *take_sign(const char *p, parts *out) {
    if (*p != '-' && *p != '+') return p;
    out->minus = *p == '-';
    return skip_blanks(p + 1);
}

static const char *take_number(const char *p, parts *out) {
    size_t length = *p >= '0' && *p <= '9' ? strspn(p, "0123456789.,'_ ") : 0;
    if (*p == '.' || *p == ',') length = strspn(p, ".,0123456789");
    while (length && p[length - 1] == ' ') length--;
    if (length && (p[length] == 'e' || p[length] == 'E')) {
        size_t sign = p[length + 1] == '-' || p[length + 1] == '+';
        size_t digits = strspn(p + length + 1 + sign, "0123456789");
        if (digits) length += 1 + sign + digits;
    }
    out->number = p, out->length = (int)length;
    return p + length;
}

/* No more of a time of day, a date or another number: those begin with their sign, or have digits behind a blank. */
static bool is_unit(const char *p, int length, bool currency) {
    static const char *const halves[] = { "am", "pm" };
    bool letter = (*p >= 'A' && *p <= 'Z') || (*p >= 'a' && *p <= 'z') || (unsigned char)*p >= 0x80 || *p == '%' ||
                  *p == '$';
    for (int i = 0; i < 2; i++)
        if (length == 2 && !strncasecmp(p, halves[i], 2)) return false;
    for (int i = 1; i < length; i++)
        if (p[i] == ':' || (p[i - 1] == ' ' && p[i] >= '0' && p[i] <= '9')) return false;
    return length <= LONGEST_UNIT && (letter || (currency && *p == '/'));
}

/* false: the text is none of this kind. */
static bool take_apart(const char *text, parts *out) {
    *out = (parts){ .before = "", .behind = "" };
    const char *p = take_sign(skip_blanks(text), out);
    bool sign = p != skip_blanks(text);
    p = take_currency(p, out);
    out->brackets = *p == '(';
    if (out->brackets) p = take_currency(skip_blanks(p + 1), out);
    else if (!sign) p = take_sign(p, out);
    p = take_number(p, out);
    if (!out->length || (out->brackets && sign)) return false;
    p = out->behind = skip_blanks(p);
    size_t length = strlen(p);
    while (length && (p[length - 1] == ' ' || p[length - 1] == '\t')) length--;
    if (out->brackets) {
        if (!length || p[--length] != ')') return false;
        while (length && p[length - 1] == ' ') length--;
    }
    out->behind_length = (int)length;
    return !length || is_unit(p, out->behind_length, out->before_length > 0);
}

static bool has_unit(const parts *p) { return p->before_length || p->behind_length; }

static bool same_unit(const parts *a, const parts *b) {
    return a->before_length == b->before_length && a->behind_length == b->behind_length &&
           !strncmp(a->before, b->before, (size_t)a->before_length) &&
           !strncmp(a->behind, b->behind, (size_t)a->behind_length);
}

static bool is_zero(const parts *p) { return (int)strspn(p->number, "0.,") >= p->length; }

/* ---- a column ---- */

typedef struct column_units {
    parts   unit;                  /* of the first cell that has one */
    int64_t with, brackets;        /* the first rows that have a unit, or stand in brackets; -1: none */
    int64_t apart, filled, minus, open;  /* cells that could be taken apart, that hold something, with a minus, without
                                            brackets */
    int64_t odd, other;            /* the first rows that could not, and that have another unit; -1: none */
} column_units;

static const char *cell(const reading *r, int64_t row, int64_t column) {
    return r->table.cells[row * r->table.columns + column];
}

static bool is_missing(const reading *r, const number_reader *number, const char *text) {
    double value;
    return reading_cell(r, number, text, &value) && value != value;
}

static void look_at(column_units *u, int64_t row, const char *text) {
    parts p;
    u->filled++;
    if (reading_stamp_alone(text) || !take_apart(text, &p)) { /* 2023Q1 has no unit */
        if (u->odd < 0) u->odd = row;
        return;
    }
    u->apart++;
    u->minus += p.minus;
    u->open += !p.brackets;
    if (p.brackets && u->brackets < 0) u->brackets = row;
    if (has_unit(&p) && u->with < 0) u->unit = p, u->with = row;
}

static column_units look(const reading *r, int64_t column, const number_reader *number) {
    column_units u = { .with = -1, .brackets = -1, .odd = -1, .other = -1 };
    for (int64_t i = 0; i < r->table.rows; i++)
        if (!is_missing(r, number, cell(r, i, column))) look_at(&u, i, cell(r, i, column));
    for (int64_t i = 0; i < r->table.rows && u.with >= 0 && u.other < 0; i++) {
        parts p;
        if (is_missing(r, number, cell(r, i, column)) || !take_apart(cell(r, i, column), &p)) continue;
        if (!same_unit(&p, &u.unit) && !(is_zero(&p) && !has_unit(&p))) u.other = i;
    }
    return u;
}

/* In place: what is left out makes room for a minus. */
static void make_plain(char *text) {
    parts p;
    if (!take_apart(text, &p) || !(has_unit(&p) || p.brackets)) return;
    bool minus = p.minus || p.brackets;
    memmove(text + minus, p.number, (size_t)p.length);
    if (minus) *text = '-';
    text[minus + p.length] = 0;
}

static tide_status fail_other(reading *r, int64_t column, const column_units *u) {
    return forecast_fail(r->failure, TIDE_EDATA, r->path, r->table.line[u->other], r->table.header[column],
                         "'%.40s' here, and '%.40s' in line %" PRId64 ": a column has one unit, or none; write all of "
                         "its numbers in one%s",
                         cell(r, u->other, column), cell(r, u->with, column), r->table.line[u->with],
                         reading_leave_out(r));
}

static tide_status fail_odd(reading *r, int64_t column, const column_units *u) {
    const char *text = cell(r, u->odd, column);
    char word[WORD_TEXT], mark[WORD_TEXT + 80] = "";
    if (strlen(text) <= 60 && !strpbrk(text, ",'0123456789"))
        snprintf(mark, sizeof mark, "if it marks a missing value, `na` %s takes it as one; else ",
                 reading_word(word, text, true));
    return forecast_fail(r->failure, TIDE_EDATA, r->path, r->table.line[u->odd], r->table.header[column],
                         "'%.60s' is not a finite number as '%.40s' is; %scorrect it%s", text,
                         cell(r, u->with >= 0 ? u->with : u->brackets, column), mark, reading_leave_out(r));
}

/* `text` is what the cell held. */
static tide_status note(reading *r, int64_t column, const char *what, const char *text, const char *plain) {
    return reading_note(r, "'%.60s' has %s: '%.40s' is read as %.40s\n", r->table.header[column], what, text, plain);
}

static tide_status strip(reading *r, int64_t column, const column_units *u) {
    char before[2][64] = { "", "" }, what[64];
    int64_t row[2] = { u->with, u->brackets };
    tide_status status = TIDE_OK;
    for (int k = 0; k < 2; k++)
        if (row[k] >= 0) snprintf(before[k], sizeof before[k], "%s", cell(r, row[k], column));
    snprintf(what, sizeof what, "'%.*s%s%.*s' beside its numbers, which is left out", u->unit.before_length,
             u->unit.before, u->unit.before_length && u->unit.behind_length ? " " : "", u->unit.behind_length,
             u->unit.behind);
    for (int64_t i = 0; i < r->table.rows; i++) make_plain(r->table.cells[i * r->table.columns + column]);
    if (row[0] >= 0) status = note(r, column, what, before[0], cell(r, row[0], column));
    if (row[1] >= 0 && !status)
        status = note(r, column, "negative numbers in brackets", before[1], cell(r, row[1], column));
    return status;
}

tide_status reading_strip_units(reading *r, int64_t column, const number_reader *number, bool *stripped) {
    column_units u = look(r, column, number);
    *stripped = false;
    if ((u.with < 0 && u.brackets < 0) || 2 * u.apart <= u.filled) return TIDE_OK;
    if (u.other >= 0) return fail_other(r, column, &u);
    /* An accountant writes no minus, and not all in brackets. */
    if (u.brackets >= 0 && (u.minus || !u.open)) return TIDE_OK;
    if (u.odd >= 0) return fail_odd(r, column, &u);
    *stripped = true;
    return strip(r, column, &u);
}
