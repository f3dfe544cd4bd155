/* How a column writes its numbers where they are not plain: digits in groups of three, units, words, marks of missing
 * values. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "frame_reading.h"

static const char *cell(const reading *r, int64_t row, int64_t column) {
    return r->table.cells[row * r->table.columns + column];
}

/* ---- marks of missing values ---- */

tide_status reading_open_marks(reading *r) {
    const char *list = r->options->na;
    size_t length;
    number_reader number;
    if (!list) return TIDE_OK;
    r->marks = calloc(strlen(list) / 2 + 2, sizeof *r->marks);
    if (!r->marks || !number_reader_open(&number, '.')) return reading_no_memory(r);
    bool copied = true;
    for (const char *item; copied && (item = list_next(&list, &length));) {
        na_mark *m = &r->marks[r->mark_count];
        copied = (m->text = strndup(item, length)) != NULL;
        r->mark_count += copied;
        m->is_number = copied && number_parse(&number, m->text, &m->value);
    }
    number_reader_close(&number);
    return copied ? TIDE_OK : reading_no_memory(r);
}

void reading_close_marks(reading *r) {
    for (int64_t i = 0; i < r->mark_count; i++) free(r->marks[i].text);
    free(r->marks);
    r->marks = NULL, r->mark_count = 0;
}

static bool is_mark(const reading *r, const char *text, const double *value) {
    for (int64_t i = 0; i < r->mark_count; i++)
        if (value && r->marks[i].is_number ? *value == r->marks[i].value : !strcmp(r->marks[i].text, text)) return true;
    return false;
}

bool reading_is_text_mark(const reading *r, const char *text) { return is_mark(r, text, NULL); }

bool reading_is_mark(const reading *r, double value) {
    for (int64_t i = 0; i < r->mark_count; i++)
        if (r->marks[i].is_number && r->marks[i].value == value) return true;
    return false;
}

bool reading_cell(const reading *r, const number_reader *number, const char *text, double *value) {
    if (number_parse(number, text, value)) {
        if (r->mark_count && is_mark(r, text, value)) *value = (double)NAN;
        return true;
    }
    *value = (double)NAN;
    return number_is_missing(text) || is_mark(r, text, NULL);
}

/* ---- digits in groups of three ---- */

/* What a column's cells say of a style: all can be read so, and whether no other style could have been meant. */
typedef struct evidence {
    bool        possible, proven;
    const char *example;             /* the first cell with groups */
    double      low, high;           /* of the grouped cells, were the sign a decimal one */
    bool        outside, ungrouped;  /* plain numbers: one that lies far from those; one of 1000 or more */
} evidence;

static void weigh_grouped(evidence *e, const number_reader *style, const char *text, int groups, bool fraction) {
    double value = 0;
    number_parse(style, text, &value);
    value = fabs(value) / 1000;
    e->proven = e->proven || groups > 1 || fraction;
    if (!e->example || value < e->low) e->low = value;
    if (!e->example || value > e->high) e->high = value;
    if (!e->example) e->example = text;
}

/* 900 beside 1,135: as decimals they would not belong to one series. */
static void weigh_plain(const reading *r, int64_t column, const number_reader *style, evidence *e) {
    for (int64_t i = 0; i < r->table.rows; i++) {
        const char *text = cell(r, i, column);
        double value;
        if (strchr(text, style->thousands) || !reading_cell(r, style, text, &value) || isnan(value) || value == 0)
            continue;
        value = fabs(value);
        e->ungrouped = e->ungrouped || value >= 1000;
        e->outside = e->outside || value < floor(e->low) || value > ceil(e->high);
        e->proven = e->proven || strchr(text, style->decimal);
    }
    e->proven = e->proven || (e->outside && !e->ungrouped);
}

static evidence weigh(const reading *r, int64_t column, const number_reader *style, bool proven) {
    evidence e = { .possible = true, .proven = proven };
    for (int64_t i = 0; e.possible && i < r->table.rows; i++) {
        const char *text = cell(r, i, column);
        double value;
        int groups;
        bool fraction;
        if (number_is_grouped(text, style->thousands, style->decimal, &groups, &fraction))
            weigh_grouped(&e, style, text, groups, fraction);
        else e.possible = reading_cell(r, style, text, &value);
    }
    e.possible = e.possible && e.example;
    if (e.possible && !e.proven) weigh_plain(r, column, style, &e);
    return e;
}

/* Does some column write decimals with this sign, and not three of them? */
static bool sign_somewhere(const reading *r, char decimal) {
    const char digits[] = { '+', '-', '0', '1', '2', '3', '4', '5', '6', '7', '8', '9', decimal, 0 };
    for (int64_t i = 0; i < r->table.rows; i++)
        for (int64_t c = 0; c < r->count; c++) {
            const char *text = cell(r, i, r->chosen[c]), *sign = strchr(text, decimal);
            if (sign && !text[strspn(text, digits)] && !strchr(sign + 1, decimal) && sign[1] && strlen(sign + 1) != 3)
                return true;
        }
    return false;
}

static const struct { char thousands, decimal; } styles[] = { { ',', '.' }, { '.', ',' }, { '\'', '.' }, { '\'', ',' },
                                                              { ' ', '.' }, { ' ', ',' }, { '_', '.' } };

static tide_status take_style(reading *r, int64_t column, const char *example, number_reader *number) {
    double value = 0;
    number_parse(number, example, &value);
    frame *f = r->out;
    bool another = f->found_thousands && f->found_thousands != number->thousands;
    f->found_thousands = another ? 0 : number->thousands; /* a run keeps one sign for all */
    if (number->decimal == ',') f->found_decimal = ',';
    return reading_note(r, "'%s' writes digits in groups of three: %s is read as %.15g\n", r->table.header[column],
                        example, value);
}

static tide_status fail_ambiguous(reading *r, int64_t column, int64_t row, const char *example,
                                  const number_reader *style) {
    number_reader as_decimal = *style;
    double whole = 0, part = 0;
    number_parse(style, example, &whole);
    as_decimal.decimal = style->thousands, as_decimal.thousands = 0;
    number_parse(&as_decimal, example, &part);
    return forecast_fail(r->failure, TIDE_EDATA, r->path, r->table.line[row], r->table.header[column],
                         "'%.60s' may be %.15g or %.15g, and no cell of the column tells which: `thousands` %c "
                         "reads the first, `decimal` %c the second",
                         example, whole, part, style->thousands, style->thousands);
}

tide_status reading_settle_style(reading *r, int64_t column, int64_t row, number_reader *number, bool *settled) {
    *settled = false;
    if (number->thousands) return TIDE_OK;
    for (size_t i = 0; i < sizeof styles / sizeof *styles; i++) {
        number_reader style = *number;
        style.thousands = styles[i].thousands, style.decimal = styles[i].decimal;
        if (style.decimal != number->decimal && (r->options->decimal || sign_somewhere(r, number->decimal))) continue;
        evidence e = weigh(r, column, &style, r->options->decimal || !strchr(",.", style.thousands));
        if (!e.possible) continue;
        if (!e.proven && !sign_somewhere(r, style.decimal)) return fail_ambiguous(r, column, row, e.example, &style);
        *number = style, *settled = true;
        return take_style(r, column, e.example, number);
    }
    return TIDE_OK;
}

tide_status reading_note_decimals(reading *r, const number_reader *file) {
    number_reader style = *file;
    tide_status status = TIDE_OK;
    if (file->decimal != ',' || !r->options->decimal) return TIDE_OK;
    style.thousands = ',', style.decimal = '.';
    for (int64_t c = 0; c < r->count && !status; c++) {
        evidence e = weigh(r, r->chosen[c], &style, false);
        if (e.possible && e.proven)
            status =
                reading_note(r,
                             "'%s' looks like whole numbers in groups of three: `decimal` , reads %s as a fraction, "
                             "`thousands` , would not\n",
                             r->table.header[r->chosen[c]], e.example);
    }
    return status;
}

/* ---- cells that are no numbers ---- */

/* Cells of the column that a plain reader takes as numbers, and all that hold something. */
static void count_numbers(const reading *r, int64_t column, const number_reader *number, int64_t *numbers,
                          int64_t *filled) {
    *numbers = *filled = 0;
    for (int64_t i = 0; i < r->table.rows; i++) {
        double value;
        bool fine = reading_cell(r, number, cell(r, i, column), &value);
        *numbers += fine && !isnan(value);
        *filled += !fine || !isnan(value);
    }
}

/* "12", sign and fraction included, in front of `text`: its length. */
static size_t leading_number(const char *text) {
    size_t sign = *text == '-' || *text == '+', length = strspn(text + sign, "0123456789.,");
    return length && strcspn(text + sign, "0123456789") < length ? sign + length : 0;
}

/* What stands beside the number, as in 12 kW, 45% or $3.20; false: the text is none of that kind. */
static bool find_unit(const char *text, char unit[24]) {
    static const char *const currencies[] = { "$", "€", "£", "¥", "CHF ", "USD ", "EUR " };
    for (size_t i = 0; i < sizeof currencies / sizeof *currencies; i++) {
        size_t length = strlen(currencies[i]);
        if (strncmp(text, currencies[i], length) || !leading_number(text + length + strspn(text + length, " ")))
            continue;
        snprintf(unit, 24, "%.*s", (int)strcspn(currencies[i], " "), currencies[i]);
        return true;
    }
    size_t number = leading_number(text), blank = strspn(text + number, " ");
    const char *rest = text + number + blank;
    if (!number || !*rest || strlen(rest) > 12 || strpbrk(rest, "0123456789:/")) return false;
    snprintf(unit, 24, "%s", rest);
    return true;
}

/* A comma with digits on both sides that is no group of three, anywhere in the column: only then is it a decimal
 * one. */
static bool has_decimal_commas(const reading *r, int64_t column) {
    int groups;
    bool fraction;
    for (int64_t i = 0; i < r->table.rows; i++) {
        const char *text = cell(r, i, column), *comma = strchr(text, ',');
        if (comma && text[strspn(text, "+-0123456789,")] == 0 && !strchr(comma + 1, ',') &&
            !number_is_grouped(text, ',', '.', &groups, &fraction)) return true;
    }
    return false;
}

/* The first cell that is neither number nor group: among groups of three it is the one at fault. */
static int64_t first_odd(const reading *r, int64_t column, int64_t row, const number_reader *number) {
    for (int64_t i = row; i < r->table.rows; i++) {
        const char *text = cell(r, i, column);
        int groups;
        bool fraction;
        double value;
        if (!reading_cell(r, number, text, &value) && !number_is_grouped(text, ',', '.', &groups, &fraction)) return i;
    }
    return row;
}

static tide_status fail_at_cell(reading *r, int64_t row, int64_t column, const char *advice) {
    return forecast_fail(r->failure, TIDE_EDATA, r->path, r->table.line[row], r->table.header[column],
                         "'%.60s' is not a finite number; %s",
                         cell(r, row, column), advice);
}

const char *reading_leave_out(const reading *r) {
    return r->options->run_time ? "" : ", or leave the column out with `ignore`";
}

/* A mark that --na can name: it stands in a list, and a shell's quotes go around it. "<0.5" and "(12.3)" tell a
 * value. */
static bool can_be_mark(const char *text) { return strlen(text) <= 60 && !strpbrk(text, ",'0123456789"); }

tide_status reading_fail_cell(reading *r, int64_t row, int64_t column, const number_reader *number) {
    bool commas = r->options->decimal != ',' && has_decimal_commas(r, column);
    if (!commas) row = first_odd(r, column, row, number);
    const char *text = cell(r, row, column), *leave = reading_leave_out(r);
    char advice[500], unit[24], word[WORD_TEXT];
    int64_t numbers, filled;
    count_numbers(r, column, number, &numbers, &filled);
    if (r->table.columns == 1 && text[strcspn(text, ",;\t|")])
        return fail_at_cell(r, row, column,
                            "the whole line is one cell: give the `sep` that stands between the columns");
    if (commas && strchr(text, ',')) return fail_at_cell(r, row, column, "for decimal commas give `decimal` ,");
    if (find_unit(text, unit))
        snprintf(advice, sizeof advice,
                 "it holds '%s' beside the number: write the numbers alone (the unit may go into the column's name)%s",
                 unit, leave);
    else if (2 * numbers < filled && r->options->run_time)
        snprintf(advice, sizeof advice, "the column holds text, and the model needs its numbers");
    else if (2 * numbers < filled)
        snprintf(advice, sizeof advice,
                 "the column holds text, and only numbers are forecast: %smake each of its values an input with "
                 "`categorical` %s, or leave it out with `ignore` %s",
                 r->time.count ? "" : "if it tells the time, write it as 2016-07-01 00:00:00 or 2016-07; else ",
                 reading_word(word, r->table.header[column], true), word);
    else if (can_be_mark(text))
        snprintf(advice, sizeof advice, "if it marks a missing value, `na` '%s' takes it as one; else correct it%s",
                 text, leave);
    else snprintf(advice, sizeof advice, "correct it%s", leave);
    return fail_at_cell(r, row, column, advice);
}
