/* Cells and numbers: nothing is taken for a number that is not written like one. */
#include "cells.h"

#include <math.h>
#include <string.h>

#include "base/base.h"

enum { NUMBER_MOST = 60 };

/* ---- cells ---- */

static slice unquote(slice s) {
    s = slice_trim(s);
    if (s.length >= 2 && s.text[0] == '"' && s.text[s.length - 1] == '"') s.text++, s.length -= 2;
    return slice_trim(s);
}

/* The whole line stands in one pair of quotes. */
static slice take_out(slice line) {
    slice s = slice_trim(line);
    if (s.length < 2 || s.text[0] != '"' || s.text[s.length - 1] != '"') return line;
    return memchr(s.text + 1, '"', (size_t)s.length - 2) ? line : (slice){ s.text + 1, s.length - 2 };
}

/* A blank before a bracket is inside a name, as in "Freq (Hz)". */
static bool is_blank_break(slice line, int64_t i) {
    while (i < line.length && (line.text[i] == ' ' || line.text[i] == '\t')) i++;
    return i == line.length || !strchr("([", line.text[i]);
}

static bool is_break(slice line, int64_t i, char separator) {
    if (separator != ' ') return line.text[i] == separator;
    return (line.text[i] == ' ' || line.text[i] == '\t') && is_blank_break(line, i);
}

static int64_t cell_end(slice line, int64_t at, char separator) {
    int64_t i = at;
    while (i < line.length && line.text[i] == ' ' && separator != ' ') i++;
    bool quoted = i < line.length && line.text[i] == '"';
    for (i += quoted; i < line.length; i++) {
        bool mark = quoted && line.text[i] == '"', doubled = mark && i + 1 < line.length && line.text[i + 1] == '"';
        if (mark) quoted = doubled, i += doubled;
        else if (!quoted && is_break(line, i, separator)) break;
    }
    return i;
}

void cells_split(slice line, char separator, row_cells *out) {
    out->count = 0;
    line = take_out(line);
    if (separator == ' ') line = slice_trim(line);
    for (int64_t at = 0; at <= line.length && out->count < CELLS_MOST;) {
        int64_t end = cell_end(line, at, separator);
        out->cell[out->count++] = unquote((slice){ line.text + at, end - at });
        at = end + 1;
        while (separator == ' ' && at < line.length && (line.text[at] == ' ' || line.text[at] == '\t')) at++;
    }
    while (out->count > 0 && out->cell[out->count - 1].length == 0) out->count--;
}

/* ---- numbers ---- */

static bool has_digits(const char *p) { return *p >= '0' && *p <= '9'; }

/* [+-] digits [. digits] [e [+-] digits] */
static bool is_decimal(const char *p) {
    p += *p == '+' || *p == '-';
    if (!has_digits(p) && !(*p == '.' && has_digits(p + 1))) return false;
    while (has_digits(p)) p++;
    if (*p == '.') p++;
    while (has_digits(p)) p++;
    if (!*p) return true;
    if (*p++ != 'e') return false;
    p += *p == '+' || *p == '-';
    if (!has_digits(p)) return false;
    while (has_digits(p)) p++;
    return !*p;
}

/* Into plain ASCII; the marks that were seen. */
static bool copy_number(slice cell, char *out, bool *point, bool *comma) {
    if (cell.length == 0 || cell.length > NUMBER_MOST) return false;
    for (int64_t i = 0; i < cell.length; i++) {
        char c = cell.text[i];
        if (cell.length - i >= 3 && memcmp(cell.text + i, "\xe2\x88\x92", 3) == 0) c = '-', i += 2; /* U+2212 */
        *point |= c == '.', *comma |= c == ',';
        *out++ = c == ',' ? '.' : c == 'E' || c == 'd' || c == 'D' ? 'e' : c;
    }
    *out = 0;
    return true;
}

number_fault cell_number(slice cell, decimal *mark, double *value) {
    char text[NUMBER_MOST + 1], *end;
    bool point = false, comma = false;
    if (!copy_number(cell, text, &point, &comma) || !is_decimal(text)) return NUMBER_NONE;
    if ((point && *mark == DECIMAL_COMMA) || (comma && *mark == DECIMAL_POINT)) return NUMBER_MIXED;
    if (point || comma) *mark = comma ? DECIMAL_COMMA : DECIMAL_POINT;
    *value = num_parse(text, &end);
    return isfinite(*value) ? NUMBER_GOOD : NUMBER_NONE;
}

bool cell_is_number(slice cell, decimal mark) {
    double value;
    return cell_number(cell, &mark, &value) == NUMBER_GOOD;
}
