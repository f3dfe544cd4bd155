/* Which rows are forecast from, in training as in a backtest. An origin is the last row that is known. */
#ifndef FORECAST_ORIGINS_H
#define FORECAST_ORIGINS_H

#include "frame.h"

/* Rows of a clock, of weekdays, or of both. */
typedef struct origin_rule { int32_t second, days; } origin_rule;  /* of the day, -1: any; bits, Monday the first */
enum { MOST_ORIGIN_RULES = 24 };
typedef struct origin_rules { int count; origin_rule of[MOST_ORIGIN_RULES]; } origin_rules;

/* "10:00", "Mon-Fri 10:00,Sat 12:00", "Mon"; "" and "all": no rules. TIDE_EINVAL at the option `origins`. */
tide_status origins_parse(const char *text, origin_rules *out, tide_failure *failure);
bool        origin_rule_holds(origin_rule rule, int64_t seconds);
/* Is it an origin by one of the rules, or without any? The frame has stamps, if there are rules. */
bool        origin_at(const frame *f, const origin_rules *rules, int64_t row);
/* TIDE_EDATA where there are rules and no stamps to go by; TIDE_EINVAL, with what they are, where one of the rules
 * finds none of the rows first .. last. */
tide_status origins_check(const frame *f, const origin_rules *rules, int64_t first, int64_t last,
                          tide_failure *failure);

/* Rows first .. last that the text picks, every `step`-th of them, and of these the last `windows` (0: all). */
typedef struct origin_choice {
    const char *text;
    int64_t     first, last, step, windows;
} origin_choice;
/* *out is malloc'ed, ascending, and not empty. Refused where a rule finds no row, or there are fewer than `windows`. */
tide_status origins_choose(const frame *f, const origin_choice *c, int64_t **out, int64_t *count,
                           tide_failure *failure);

#endif
